"""The patient's own pages, and those of who acts for them; made for 390 px and large print."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.scenes.homecare.quality import codes, selectors, services
from shoufu.scenes.homecare.quality.services import ComplaintDraft, RatingDraft, RefusalDraft
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Patient
from shoufu.scenes.homecare.visits import selectors as visits

OWN = register.OWN


@needs(OWN)
def mine(request: PageRequest) -> HttpResponse:
    """What can be rated, complaints with their state, entries about oneself, and whom one does not want."""
    actor = request.actor
    patients = list(selectors.own_patients(actor))
    context = {
        "rateable": list(selectors.rateable(actor)[:20]),
        "complaints": list(selectors.own_complaints(actor)[:30]),
        "bars": list(selectors.own_bars(actor)[:10]),
        "refusals": list(selectors.own_refusals(actor).filter(ended_at__isnull=True)),
        "patients": [one for one in patients if one.ended_at is None],
        "several": len({one.person_id for one in patients}) > 1,
    }
    return render(request, "homecare/quality/mine.html", context)


@needs(OWN)
def rate(request: PageRequest, visit_id: int) -> HttpResponse:
    """Rate a visit, or change the rating."""
    visit, row, words = services.own_words(request.actor, visit_id)
    values = {"stars": str(row.stars), "tags": row.tags, "words": words} if row is not None else {}
    form, status = FormState(values=values), 200
    if request.method == "POST":
        form.values = request.POST.dict() | {"tags": request.POST.getlist("tags")}
        done, status = tried(form, lambda: services.rate(request.actor, visit_id, _rating(form.values)))
        if done is not None:
            messages.success(request, _("Thank you. You can change it for 30 days after the visit."))
            return redirect("homecare:quality:mine")
    context = {
        "visit": visit,
        "rating": row,
        "form": form,
        "tags": codes.Tag.choices,
        "levels": [
            ("5", _("Very good")),
            ("4", _("Good")),
            ("3", _("Fair")),
            ("2", _("Poor")),
            ("1", _("Very poor")),
        ],
    }
    return render(request, "homecare/quality/rate.html", context, status=status)


def _rating(values: dict[str, Any]) -> RatingDraft:
    text = values.get("stars", "")
    stars = int(text) if text.isdecimal() and len(text) == 1 else 0
    return RatingDraft(stars, values["tags"], values.get("words", ""))


def _own_patient(request: PageRequest, patient_id: int) -> Patient:
    found = selectors.own_patients(request.actor).filter(pk=patient_id).first()
    if found is None:
        raise NotFound(_("There is no home care %(id)s for which you may do this.") % {"id": patient_id})
    return found


@needs(OWN)
def complain(request: PageRequest, patient_id: int) -> HttpResponse:
    """Complain, about a visit (`?visit=`) or in general."""
    patient = _own_patient(request, patient_id)
    recent = list(visits.own(request.actor).filter(patient=patient).order_by("-starts_at")[:12])
    form, status = FormState(values={"visit": request.GET.get("visit", "")}), 200
    if request.method == "POST":
        form.values = request.POST.dict()
        done, status = tried(form, lambda: services.complain(request.actor, patient_id, _complaint(form.values)))
        if done is not None:
            messages.success(request, _("Received. Number %(number)s.") % {"number": done.number})
            return redirect("homecare:quality:my-complaint", done.pk)
    context = {"patient": patient, "visits": recent, "form": form, "kinds": codes.Complained.choices,
               "limits": selectors.policy(patient.institution)}  # fmt: skip
    return render(request, "homecare/quality/complain.html", context, status=status)


def _complaint(values: dict[str, Any]) -> ComplaintDraft:
    text = values.get("visit", "")
    visit = int(text) if text.isdecimal() and len(text) < 18 else None
    return ComplaintDraft(values.get("kind", ""), values.get("what", ""), values.get("wish", ""), visit)


@needs(OWN)
def my_complaint(request: PageRequest, complaint_id: int) -> HttpResponse:
    """A complaint of one's own with every answer."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _act(request, complaint_id))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:quality:my-complaint", complaint_id)
    shown = services.read_complaint(request.actor, complaint_id, mine=True)
    return render(
        request, "homecare/quality/my_complaint.html", {"shown": shown, "row": shown.complaint, "form": form},
        status=status,
    )  # fmt: skip


def _act(request: PageRequest, complaint_id: int) -> Any:
    act, words = request.POST.get("act", ""), request.POST.get("words", "")
    if act == "add":
        return services.add_words(request.actor, complaint_id, words)
    if act == "accept":
        return services.accept(request.actor, complaint_id)
    if act == "withdraw":
        return services.withdraw(request.actor, complaint_id)
    if act == "regulator":
        return services.ask_regulator(request.actor, complaint_id, words)
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "add, accept, withdraw, regulator"})


@needs(OWN)
def my_bar(request: PageRequest, bar_id: int) -> HttpResponse:
    """Why no visits can be booked, until when, and the appeal."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        done, status = tried(form, lambda: services.appeal_bar(request.actor, bar_id, request.POST.get("words", "")))
        if done is not None:
            messages.success(request, _("Your appeal was received. Somebody who had no part in it answers."))
            return redirect("homecare:quality:my-bar", bar_id)
    shown = services.read_bar(request.actor, bar_id, mine=True)
    return render(
        request, "homecare/quality/my_bar.html", {"shown": shown, "row": shown.bar, "form": form}, status=status
    )


@needs(OWN)
def my_refuse(request: PageRequest, patient_id: int) -> HttpResponse:
    """Say who is not to come any more."""
    patient = _own_patient(request, patient_id)
    form, status = FormState(), 200
    if request.method == "POST":
        form.values = request.POST.dict()
        done, status = tried(form, lambda: _refuse(request, patient_id, form.values))
        if done is not None:
            messages.success(request, _("Noted. They are not sent to you any more, and are not told why."))
            return redirect("homecare:quality:mine")
    context = {
        "patient": patient,
        "people": list(selectors.known_practitioners(patient)),
        "form": form,
        "reasons": codes.Against.choices,
    }
    return render(request, "homecare/quality/my_refuse.html", context, status=status)


def _refuse(request: PageRequest, patient_id: int, values: dict[str, Any]) -> Any:
    text = values.get("practitioner", "")
    who = int(text) if text.isdecimal() and len(text) < 18 else 0
    draft = RefusalDraft(values.get("code", ""), values.get("words", ""))
    return services.refuse_practitioner(request.actor, patient_id, who, draft)


@require_POST
@needs(OWN)
def my_take_back(request: PageRequest, refusal_id: int) -> HttpResponse:
    """They may come again."""
    form = FormState()
    done, _status = tried(form, lambda: services.take_back(request.actor, refusal_id, mine=True))
    if done is None:
        messages.error(request, form.problem)
    return redirect("homecare:quality:mine")
