"""Refusals, the list of clients who misbehaved, sanctions, and appeals."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.scenes.homecare.quality import codes, names, selectors, services
from shoufu.scenes.homecare.quality.models import Bar, Refusal
from shoufu.scenes.homecare.quality.services import BarDraft, RefusalDraft
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.pages.fields import Field, Reader, state
from shoufu.scenes.homecare.visits import selectors as visits

FIGURES, QUALITY = selectors.FIGURES, selectors.QUALITY


@needs(FIGURES)
def refusals(request: PageRequest) -> HttpResponseBase:
    """Who is not sent to whom; a practitioner sees their own."""
    register.require_any(request.actor, QUALITY, selectors.CARE)
    page = ListPage(
        title=_("Refusals"),
        name="refusals",
        row="homecare/quality/refusal_row.html",
        template="homecare/quality/list.html",
        default_sort="-made",
        empty=_("Who does not want the other, practitioner or patient, is noted here; no plan brings them together."),
        columns=(
            Column("number", _("Number"), "pk", lambda r: r.number),
            Column("patient", _("Patient"), "patient__person__name", lambda r: r.patient.person.name),
            Column("practitioner", _("Practitioner"), "practitioner__person__name",
                   lambda r: r.practitioner.person.name),
            Column("side", _("Refused by"), "side", lambda r: r.get_side_display()),
            Column("code", _("Reason"), "code", lambda r: r.get_code_display()),
            Column("made", _("Since"), "made_at", lambda r: r.made_at),
            Column("ended", _("Ended"), "ended_at", lambda r: r.ended_at),
        ),
        filters=(
            Filter("running", _("Running"), lambda rows, value: rows.filter(ended_at__isnull=value == "yes"),
                   (("yes", _("yes")), ("no", _("no")))),
            Filter("side", _("Refused by"), lambda rows, value: rows.filter(side=value), Refusal.Side.choices),
        ),
    )  # fmt: skip
    rows = selectors.refusals(request.actor).filter(place__path__startswith=request.scope.path)
    add = "refuse" if request.actor.may_anywhere(selectors.CARE) else ""
    return answer(request, page, rows, tab="refusals", add=add)


@needs(register.CARE)
def refuse(request: PageRequest) -> HttpResponse:
    """A practitioner refuses a patient, or one visit."""
    people = [("", "–"), *((row.pk, row.person.name) for row in register.patients(request.actor))]
    own = visits.sent_to(request.actor).filter(state__in=("booked", "missed", "done")).order_by("-starts_at")[:30]
    listed = [("", _("Every visit")), *((row.pk, f"{row.number} · {row.patient.person.name}") for row in own)]
    fields = (
        Field("patient", _("Patient"), "select", people),
        Field("visit", _("Only this visit"), "select", listed),
        Field("code", _("Reason"), "select", codes.Against.choices),
        Field("words", _("In words (the coordinator reads it)"), "textarea", maximum=2000),
    )
    start = {name: request.GET.get(name, "") for name in ("patient", "visit")}
    form, status = state(request, fields, **start), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _refuse(request, form.values))
        if done is not None:
            messages.success(request, _("Noted. The coordinator is told; you are not sent there any more."))
            return redirect("homecare:quality:refusals")
    context = {"form": form, "fields": fields, "title": _("Refuse a patient or a visit"), "tab": "refusals"}
    return render(request, "homecare/quality/form.html", context, status=status)


def _refuse(request: PageRequest, values: dict[str, Any]) -> Refusal:
    sent = Reader(values)
    patient, visit = sent.number("patient"), sent.number("visit", 0)
    sent.check()
    draft = RefusalDraft(sent.text("code"), sent.text("words"), visit or None, bool(visit))
    return services.refuse_patient(request.actor, patient, draft)


@needs(FIGURES)
def refusal(request: PageRequest, refusal_id: int) -> HttpResponse:
    """A refusal with its words; the look is recorded."""
    row, words = services.read_refusal(request.actor, refusal_id)
    own = register.practices(request.actor).filter(pk=row.practitioner_id).exists()
    context = {"row": row, "words": words, "own": own and row.side == Refusal.Side.PRACTITIONER, "tab": "refusals"}
    return render(request, "homecare/quality/refusal.html", context)


@require_POST
@needs(register.CARE)
def take_back(request: PageRequest, refusal_id: int) -> HttpResponse:
    """Who refused is willing again."""
    form = FormState()
    done, _status = tried(form, lambda: services.take_back(request.actor, refusal_id))
    if done is None:
        messages.error(request, form.problem)
    return redirect("homecare:quality:refusals")


@needs(FIGURES)
def bars(request: PageRequest) -> HttpResponseBase:
    """The list of clients who misbehaved."""
    register.require_any(request.actor, QUALITY, selectors.REGULATE)
    inside = request.actor.may_anywhere(QUALITY)
    page = ListPage(
        title=_("No visits booked for"),
        name="entries",
        row="homecare/quality/bar_row.html",
        template="homecare/quality/list.html",
        default_sort="-proposed",
        empty=_("An entry rests on adverse events or refusals, is decided by a second person, and ends by itself."),
        columns=(
            Column("number", _("Number"), "pk", lambda r: r.number),
            Column("patient", _("Patient"), "", lambda r: _shown(r.patient.person.name, inside)),
            Column("code", _("Reason"), "code", lambda r: r.get_code_display()),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
            Column("proposed", _("Proposed"), "proposed_at", lambda r: r.proposed_at),
            Column("last_day", _("Valid until"), "last_day", lambda r: r.last_day),
            Column("review_on", _("Review on"), "review_on", lambda r: r.review_on),
        ),
        filters=(Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Bar.State.choices),),
    )
    rows = selectors.bars(request.actor).filter(place__path__startswith=request.scope.path)
    add = "bar-new" if inside else ""
    open_appeals = selectors.appeals(request.actor).filter(state="open").order_by("answer_by")
    return answer(request, page, rows, tab="bars", inside=inside, add=add, appeals=list(open_appeals[:20]))


def _shown(name: str, inside: bool) -> str:
    return name if inside else names.initials(name)


@needs(QUALITY)
def bar_new(request: PageRequest) -> HttpResponse:
    """Propose an entry; somebody else decides."""
    actor = request.actor
    people = [("", "–"), *((row.pk, row.person.name) for row in register.patients(actor))]
    events = selectors.incidents(actor).filter(patient__isnull=False).order_by("-happened_at")[:60]
    grounds = [(row.pk, f"{row.number} · {row.patient.person.name} · {row.get_kind_display()}") for row in events
               if row.patient is not None]  # fmt: skip
    refused = selectors.refusals(actor).filter(side=Refusal.Side.PRACTITIONER).order_by("-made_at")[:60]
    listed = [(row.pk, f"{row.number} · {row.patient.person.name} · {row.get_code_display()}") for row in refused]
    fields = (
        Field("patient", _("Patient"), "select", people),
        Field("code", _("Reason"), "select", codes.Misconduct.choices),
        Field("reason", _("In words, for the patient to read"), "textarea", maximum=2000),
        Field("days", _("For how many days (7 to 365)"), "number", maximum=3),
        Field("incidents", _("Adverse events that it rests on"), "checks", grounds),
        Field("refusals", _("Refusals that it rests on"), "checks", listed),
    )
    form, status = state(request, fields, days="30", patient=request.GET.get("patient", "")), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _propose(request, form.values))
        if done is not None:
            messages.success(request, _("Proposed. Somebody else decides."))
            return redirect("homecare:quality:bar", done.pk)
    context = {"form": form, "fields": fields, "title": _("Propose an entry"), "tab": "bars"}
    return render(request, "homecare/quality/form.html", context, status=status)


def _propose(request: PageRequest, values: dict[str, Any]) -> Bar:
    sent = Reader(values)
    patient, days = sent.number("patient"), sent.number("days")
    sent.check()
    incidents, refused = (
        [int(text) for text in sent.several(name) if text.isdecimal() and len(text) < 18]
        for name in ("incidents", "refusals")
    )
    draft = BarDraft(sent.text("code"), sent.text("reason"), days, incidents, refused)
    return services.propose(request.actor, patient, draft)


@needs(FIGURES)
def bar(request: PageRequest, bar_id: int) -> HttpResponse:
    """An entry with its grounds, trail and appeals; the look is recorded. Who only supervises gives a reason first."""
    row = selectors.bar(request.actor, bar_id)
    inside = request.actor.may(QUALITY, row.place.path)
    form, status, shown = FormState(values=request.POST.dict()), 200, None
    act = request.POST.get("act", "")
    if request.method == "POST" and act != "look":
        done, status = tried(form, lambda: _bar_act(request, bar_id, act))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:quality:bar", bar_id)
    if inside or act == "look":
        shown, looked = tried(form, lambda: services.read_bar(request.actor, bar_id, request.POST.get("reason", "")))
        status = max(status, looked)
    user = request.actor.user_id
    context = {
        "row": row,
        "shown": shown,
        "form": form,
        "decides": request.actor.may(selectors.DECIDE, row.place.path),
        "judges": request.actor.may(selectors.DECIDE, row.place.path)
        or request.actor.may(selectors.REGULATE, row.place.path),
        "took_part": user is not None and user in (row.proposed_by_id, row.decided_by_id),
        "proposed": user is not None and user == row.proposed_by_id,
        "grounds": [*row.incidents.all(), *row.refusals.all()],
        "inside": inside,
        "tab": "bars",
    }
    return render(request, "homecare/quality/bar.html", context, status=status)


def _bar_act(request: PageRequest, bar_id: int, act: str) -> Any:
    words = request.POST.get("words", "")
    if act in ("enter", "reject"):
        return services.decide(request.actor, bar_id, act == "enter", words)
    if act == "lift":
        return services.lift(request.actor, bar_id, words)
    if act in ("pause", "unpause"):
        return services.pause(request.actor, bar_id, act == "pause")
    if act in ("grant", "refuse"):
        return services.judge(request.actor, _number(request, "appeal"), act == "grant", words)
    kinds = "look, enter, reject, lift, pause, unpause, grant, refuse"
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": kinds})


def _number(request: PageRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 18 else 0


@needs(FIGURES)
def sanctions(request: PageRequest) -> HttpResponse:
    """Sanctions of practitioners, and a form to make one."""
    register.require_any(request.actor, QUALITY, selectors.REGULATE)
    people = [("", "–"), *((row.pk, row.person.name) for row in register.practitioners(request.actor))]
    fields = (
        Field("practitioner", _("Practitioner"), "select", people),
        Field("reason", _("Reason (they can read it)"), "textarea", maximum=2000),
        Field("last_day", _("Until (this day still counts)"), "date"),
    )
    form, status = state(request, fields), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _sanction(request, form.values))
        if done is not None:
            messages.success(request, _("Saved. They can read it and appeal."))
            return redirect("homecare:quality:sanction", done.pk)
    context = {
        "rows": selectors.sanctions(request.actor)[:100],
        "fields": fields if request.actor.may_anywhere(QUALITY) else (),
        "form": form,
        "inside": request.actor.may_anywhere(QUALITY),
        "tab": "sanctions",
    }
    return render(request, "homecare/quality/sanctions.html", context, status=status)


def _sanction(request: PageRequest, values: dict[str, Any]) -> Any:
    sent = Reader(values)
    who, last = sent.number("practitioner"), sent.day("last_day")
    sent.check()
    return services.sanction(request.actor, who, sent.text("reason"), last)


@needs(FIGURES)
def sanction(request: PageRequest, sanction_id: int) -> HttpResponse:
    """A sanction with its reason, trail and appeals: for the institution, the regulator (with a reason), and whom it
    concerns."""
    mine = selectors.own_sanctions(request.actor).filter(pk=sanction_id).exists()
    row = selectors.sanction(request.actor, sanction_id, mine=mine)
    inside = request.actor.may(QUALITY, row.place.path)
    form, status, shown = FormState(values=request.POST.dict()), 200, None
    act = request.POST.get("act", "")
    if request.method == "POST" and act != "look":
        done, status = tried(form, lambda: _sanction_act(request, sanction_id, act))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:quality:sanction", sanction_id)
    if mine or inside or act == "look":
        reason = request.POST.get("reason", "")
        shown, looked = tried(form, lambda: services.read_sanction(request.actor, sanction_id, reason, mine=mine))
        status = max(status, looked)
    context = {
        "row": row,
        "shown": shown,
        "form": form,
        "mine": mine,
        "inside": inside,
        "judges": not mine
        and (
            request.actor.may(selectors.DECIDE, row.place.path) or request.actor.may(selectors.REGULATE, row.place.path)
        )
        and request.actor.user_id != row.made_by_id,
        "tab": "sanctions",
    }
    return render(request, "homecare/quality/sanction.html", context, status=status)


def _sanction_act(request: PageRequest, sanction_id: int, act: str) -> Any:
    words = request.POST.get("words", "")
    if act == "appeal":
        return services.appeal_sanction(request.actor, sanction_id, words)
    if act == "lift":
        return services.lift_sanction(request.actor, sanction_id, words)
    if act in ("grant", "refuse"):
        return services.judge(request.actor, _number(request, "appeal"), act == "grant", words)
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "look, appeal, lift, grant, refuse"})
