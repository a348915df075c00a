"""Handover to a doctor: the letter, its trail, the doctor's answer, and the letter as PDF."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.kernel.base.pdf import Document
from shoufu.scenes.homecare.careplans import guidelines, selectors, words
from shoufu.scenes.homecare.careplans.models import CarePlan, FollowUp, Handover
from shoufu.scenes.homecare.careplans.services import handovers
from shoufu.scenes.homecare.careplans.services.handovers import HandoverDraft, Letter


@needs(selectors.VIEW)
def letter_list(request: PageRequest) -> HttpResponseBase:
    """Letters of the institution: what waits for a doctor first."""
    page = ListPage(
        title=_("Handovers"),
        name="handovers",
        row="homecare/careplans/letter_row.html",
        template="homecare/careplans/list.html",
        default_sort="-sent",
        empty=_("A nurse hands a patient over on the care plan's page."),
        columns=(
            Column("patient", _("Patient"), "plan__patient__person__name", lambda r: r.plan.patient.person.name),
            Column("condition", _("Disease"), "plan__condition", lambda r: r.plan.get_condition_display()),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
            Column("sent", _("Sent"), "sent_at", lambda r: r.sent_at),
            Column("sender", _("Sent by"), "", lambda r: r.sender.person.name if r.sender else ""),
            Column("doctor", _("Doctor"), "", lambda r: r.doctor.person.name if r.doctor else ""),
        ),
        filters=(
            Filter(
                "patient", _("Patient"), lambda rows, value: rows.filter(plan__patient__person__name__icontains=value)
            ),
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Handover.State.choices),
        ),
    )
    rows = selectors.handovers(request.actor).filter(plan__place__path__startswith=request.scope.path)
    return answer(request, page, rows, tab="handovers")


@needs(selectors.VIEW)
def new(request: PageRequest, plan_id: int) -> HttpResponse:
    """Hand a patient over: why, to whom, how soon. Goals, trends, findings and follow-ups go with it."""
    plan = selectors.plan(request.actor, plan_id)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        sent, status = tried(form, lambda: handovers.send(request.actor, plan_id, _draft(request)))
        if sent is not None:
            messages.success(request, _("Handed over; the doctor is told."))
            return redirect("homecare:careplans:handover", sent.pk)
    context = {"plan": plan, "form": form, "doctors": selectors.doctors(plan.patient), "tab": "plans"}
    return render(request, "homecare/careplans/handover_new.html", context, status=status)


def _draft(request: PageRequest) -> HandoverDraft:
    to = request.POST.get("to", "")
    return HandoverDraft(request.POST.get("reason", ""), int(to) if to.isdecimal() else None, "urgent" in request.POST)


@needs(selectors.VIEW)
def letter(request: PageRequest, handover_id: int) -> HttpResponse:
    """A letter with its trail; the doctor accepts, answers or sends it back. Opening it is recorded."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _act(request, handover_id))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:careplans:handover", handover_id)
    found = handovers.look(request.actor, handover_id)
    patient = found.row.plan.patient
    context = {
        "letter": found,
        "row": found.row,
        "plan": found.row.plan,
        "form": form,
        "english": guidelines.english(),
        "adherences": dict(FollowUp.Adherence.choices),
        "readings": [_reading(one) for one in found.document.get("readings", ())],
        "follow_ups": [one | {"at": datetime.fromisoformat(one["at"])} for one in found.document.get("follow_ups", ())],
        "findings": [one | {"at": datetime.fromisoformat(one["at"])} for one in found.document.get("findings", ())],
        "doctor": selectors.practising(request.actor, patient, doctor=True) is not None,
        "writes": selectors.practising(request.actor, patient) is not None,
        "tab": "handovers",
    }
    return render(request, "homecare/careplans/handover.html", context, status=status)


def _reading(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": datetime.fromisoformat(one["at"]),
        "kind": one["kind"],
        "context": one["context"],
        "text": words.values(one["kind"], one["values"]),
    }


def _act(request: PageRequest, handover_id: int) -> Handover:
    sent, actor = request.POST, request.actor
    version = int(sent["version"]) if sent.get("version", "").isdecimal() else None
    act = sent.get("act", "")
    if act == "accept":
        return handovers.accept(actor, handover_id, version)
    if act in ("answer", "refuse"):
        return handovers.answer(actor, handover_id, sent.get("answer", ""), version, refuse=act == "refuse")
    if act == "withdraw":
        return handovers.withdraw(actor, handover_id, version)
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "accept, answer, refuse, withdraw"})


@needs(selectors.VIEW)
def pdf(request: PageRequest, handover_id: int) -> HttpResponse:
    """The letter as PDF, for paper and for other houses. Recorded as a look."""
    found = handovers.look(request.actor, handover_id)
    made = _document(found)
    name = f"handover-{handover_id}.pdf"
    return HttpResponse(
        made, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )


def _document(found: Letter) -> bytes:
    row, said = found.row, found.document
    patient, english = row.plan.patient, guidelines.english()
    zone = selectors.zone_of(patient)
    office = patient.institution.label
    paper = Document(f"{_('Handover to a doctor')} · {patient.person.name}", f"{office} · {row.pk}")
    sender = row.sender.person.name if row.sender else "–"
    to = row.to.person.name if row.to else _("any doctor of the institution")
    paper.table(
        (_("Patient"), _("Disease"), _("Sent by"), _("To"), _("Sent")),
        [
            (
                f"{patient.person.name} · {patient.person.born or '–'}",
                f"{CarePlan.Condition(said['condition']).label} ({row.plan.icd10})",
                sender,
                to,
                f"{row.sent_at.astimezone(zone):%Y-%m-%d %H:%M}",
            )
        ],
        (2, 2, 1, 1.4, 1.4),
    )
    paper.heading(_("Why"))
    paper.paragraph(said["reason"])
    paper.heading(_("Goals"))
    paper.table(
        (_("Goal"), _("Target"), _("Mean of the last days"), _("State")),
        [
            (
                words.goal_name(one["quantity"], one["context"]),
                f"{words.bounds(one['low'], one['high'], one['strict'])} {words.unit(one['quantity'])}",
                "–" if one["mean"] is None else words.number(one["quantity"], one["mean"]),
                CarePlan.Control(one["state"]).label if one["state"] else "–",
            )
            for one in said["goals"]
        ],
        (2, 1.4, 1.2, 1),
    )
    paper.paragraph(said["guideline_en"] if english else said["guideline"])
    if said["trends"]:
        paper.heading(_("Trends"))
        paper.table(
            (_("Measured"), _("Days"), _("Readings"), _("Mean"), _("Least–most"), _("Days on target"), _("In 30 days")),
            [
                (
                    words.goal_name(one["quantity"], one["context"]),
                    one["span"],
                    one["count"],
                    words.number(one["quantity"], one["mean"]),
                    f"{one['least']:g}–{one['most']:g}",
                    "–" if one["within"] is None else f"{round(100 * one['within'])} %",
                    "–" if one["change"] is None else f"{one['change']:+.1f}",
                )
                for one in said["trends"]
            ],
            (2, 0.7, 0.8, 0.9, 1.2, 1.1, 0.9),
        )
    if said["findings"]:
        paper.heading(_("What readings showed"))
        paper.table(
            (_("Time"), _("Finding"), _("Measured value"), _("Source")),
            [
                (
                    f"{datetime.fromisoformat(one['at']).astimezone(zone):%Y-%m-%d %H:%M}",
                    one["text_en"] if english else one["text"],
                    f"{one['value']:g} {words.unit(one['quantity'])}",
                    one["clause"],
                )
                for one in said["findings"]
            ],
            (1.2, 1.6, 1, 3),
        )
    if said["follow_ups"]:
        paper.heading(_("Follow-ups"))
        paper.table(
            (_("Time"), _("Medicines"), _("What was found"), _("Measures")),
            [
                (
                    f"{datetime.fromisoformat(one['at']).astimezone(zone):%Y-%m-%d}",
                    FollowUp.Adherence(one["adherence"]).label,
                    one["found"],
                    one["measures"],
                )
                for one in said["follow_ups"]
            ],
            (1, 1.2, 2, 2),
        )
    if found.answer:
        paper.heading(_("Answer of the doctor"))
        paper.paragraph(found.answer)
        doctor = row.doctor.person.name if row.doctor else "–"
        ended = f"{row.ended_at.astimezone(zone):%Y-%m-%d %H:%M}" if row.ended_at else ""
        paper.paragraph(f"{doctor} · {ended}")
    return paper.render()
