"""Complaints, ratings and adverse events on the desk of the institution and the regulator."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.scenes.homecare.quality import codes, names, national, selectors, services
from shoufu.scenes.homecare.quality.models import Complaint, Incident
from shoufu.scenes.homecare.quality.services import IncidentDraft
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.pages.fields import Field, Reader, state
from shoufu.scenes.homecare.visits import selectors as visits

FIGURES, QUALITY = selectors.FIGURES, selectors.QUALITY


@needs(QUALITY)
def ratings(request: PageRequest) -> HttpResponseBase:
    """Every rating of the institution's visits; the words take a recorded look."""
    page = ListPage(
        title=_("Ratings"),
        name="ratings",
        row="homecare/quality/rating_row.html",
        template="homecare/quality/list.html",
        default_sort="-made",
        wide=True,
        empty=_("Patients rate a visit once it is done."),
        columns=(
            Column("visit", _("Visit"), "visit", lambda r: r.visit.number),
            Column("stars", _("Stars"), "stars", lambda r: r.stars),
            Column("tags", _("Said"), "", lambda r: " ".join(r.tags)),
            Column("service", _("Service"), "visit__version__name", lambda r: r.visit.version.label),
            Column("who", _("Who came"), "", _who_came),
            Column("made", _("Rated at"), "made_at", lambda r: r.made_at),
        ),
        filters=(
            Filter("stars", _("Stars"), lambda rows, value: rows.filter(stars=_digit(value)),
                   [(str(n), "★" * n) for n in range(1, 6)]),
            Filter("who", _("Who came"), _by_name),
        ),
    )  # fmt: skip
    rows = selectors.ratings(request.actor).filter(visit__place__path__startswith=request.scope.path)
    return answer(request, page, rows, tab="ratings")


def _who_came(row: Any) -> str:
    return ", ".join(stop.practitioner.person.name for stop in row.visit.stops.all())


def _by_name(rows: Any, value: str) -> Any:
    return rows.filter(visit__in=visits.stops_by(value).values("visit"))


def _digit(value: str) -> int:
    return int(value) if value.isdecimal() and len(value) == 1 else 0


@needs(QUALITY)
def rating(request: PageRequest, rating_id: int) -> HttpResponse:
    """A rating with its words; the look is recorded."""
    row, words = services.read_rating(request.actor, rating_id)
    return render(request, "homecare/quality/rating.html", {"row": row, "words": words, "tab": "ratings"})


@needs(FIGURES)
def complaints(request: PageRequest) -> HttpResponseBase:
    """Complaints to the institution, those that are due first, or those that came to the regulator."""
    register.require_any(request.actor, QUALITY, selectors.REGULATE)
    inside = request.actor.may_anywhere(QUALITY)
    page = ListPage(
        title=_("Complaints"),
        name="complaints",
        row="homecare/quality/complaint_row.html",
        template="homecare/quality/list.html",
        default_sort="-made",
        empty=_("What patients and families complain of appears here; the regulator sees what was escalated."),
        columns=(
            Column("number", _("Number"), "pk", lambda r: r.number),
            Column("patient", _("Patient"), "", lambda r: _name(r.patient.person.name, inside)),
            Column("kind", _("About"), "kind", lambda r: r.get_kind_display()),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
            Column("answer_by", _("To be answered by"), "answer_by", lambda r: r.answer_by),
            Column("made", _("Since"), "made_at", lambda r: r.made_at),
            Column("institution", _("Institution"), "institution__organisation__name", lambda r: r.institution.label),
        ),
        filters=(
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Complaint.State.choices),
            Filter("kind", _("About"), lambda rows, value: rows.filter(kind=value), codes.Complained.choices),
            Filter("regulator", _("At the regulator"),
                   lambda rows, value: rows.filter(escalated_at__isnull=value == "no"),
                   (("yes", _("yes")), ("no", _("no")))),
        ),
    )  # fmt: skip
    rows = selectors.complaints(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, page, rows, tab="complaints", inside=inside, now=timezone.now())


def _name(name: str, inside: bool) -> str:
    return name if inside else names.initials(name)


@needs(FIGURES)
def complaint(request: PageRequest, complaint_id: int) -> HttpResponse:
    """A complaint with its trail; opening it is recorded."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _complaint_act(request, complaint_id))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:quality:complaint", complaint_id)
    shown = services.read_complaint(request.actor, complaint_id)
    path = shown.complaint.place.path
    context = {
        "shown": shown,
        "row": shown.complaint,
        "form": form,
        "handles": request.actor.may(QUALITY, path),
        "rules": request.actor.may(selectors.REGULATE, path) and shown.complaint.escalated_at is not None,
        "tab": "complaints",
    }
    return render(request, "homecare/quality/complaint.html", context, status=status)


def _complaint_act(request: PageRequest, complaint_id: int) -> Complaint:
    act, words = request.POST.get("act", ""), request.POST.get("words", "")
    if act == "acknowledge":
        return services.acknowledge(request.actor, complaint_id, words)
    if act == "answer":
        return services.answer(request.actor, complaint_id, words)
    if act == "rule":
        return services.rule(request.actor, complaint_id, words)
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "acknowledge, answer, rule"})


@needs(FIGURES)
def incidents(request: PageRequest) -> HttpResponseBase:
    """Adverse events: kind, grade and state; what happened takes a recorded look."""
    page = ListPage(
        title=_("Adverse events"),
        name="incidents",
        row="homecare/quality/incident_row.html",
        template="homecare/quality/list.html",
        default_sort="-happened",
        empty=_("Nurses and coordinators report them here, from the near miss on."),
        columns=(
            Column("number", _("Number"), "pk", lambda r: r.number),
            Column("kind", _("Kind"), "kind", lambda r: r.get_kind_display()),
            Column("grade", _("Grade"), "grade", lambda r: r.grade_label),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
            Column("happened", _("Happened at"), "happened_at", lambda r: r.happened_at),
            Column("visit", _("Visit"), "visit", lambda r: r.visit.number if r.visit else ""),
            Column("institution", _("Institution"), "institution__organisation__name", lambda r: r.institution.label),
        ),
        filters=(
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Incident.State.choices),
            Filter("kind", _("Kind"), lambda rows, value: rows.filter(kind=value), codes.Happened.choices),
            Filter("grade", _("Grade"), lambda rows, value: rows.filter(grade=_digit(value)),
                   [(str(n), name) for n, name in national.choices()]),
        ),
    )  # fmt: skip
    rows = selectors.incidents(request.actor).filter(place__path__startswith=request.scope.path)
    may = request.actor.may_anywhere(QUALITY) or request.actor.may_anywhere(selectors.CARE)
    return answer(request, page, rows, tab="incidents", add="incident-new" if may else "", citation=national.citation())


def _incident_fields(request: PageRequest) -> tuple[Field, ...]:
    known = visits.brief(visits.visits(request.actor)).filter(state__in=("done", "underway", "missed"))
    own = known.order_by("-starts_at", "-pk")[:40]
    listed = [
        ("", _("None")),
        *((row.pk, f"{row.number} · {row.patient.person.name} · {row.version.label}") for row in own),
    ]
    fields = [
        Field("kind", _("Kind"), "select", codes.Happened.choices),
        Field("grade", _("Grade"), "select", national.choices(), hint=national.citation()),
        Field("happened_at", _("Happened at"), "datetime-local"),
        Field("visit", _("Visit"), "select", listed),
        Field("what", _("What happened"), "textarea", maximum=2000),
        Field("immediate", _("Done at once"), "textarea", maximum=2000),
    ]
    if request.actor.may_anywhere(QUALITY):
        people = [("", "–"), *((row.pk, row.person.name) for row in register.practitioners(request.actor))]
        fields.insert(4, Field("practitioner", _("Happened to, or with"), "select", people))
    return tuple(fields)


@needs(FIGURES)
def incident_new(request: PageRequest) -> HttpResponse:
    """Report an adverse event."""
    register.require_any(request.actor, QUALITY, selectors.CARE)
    fields = _incident_fields(request)
    start = {"happened_at": timezone.localtime().strftime("%Y-%m-%dT%H:%M"), "grade": "3",
             "visit": request.GET.get("visit", "")}  # fmt: skip
    form, status = state(request, fields, **start), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _report(request, form.values))
        if done is not None:
            messages.success(request, _("Reported. Somebody else closes it."))
            return redirect("homecare:quality:incident", done.pk)
    context = {"form": form, "fields": fields, "title": _("Report an adverse event"), "tab": "incidents",
               "grades": national.grades().values()}  # fmt: skip
    return render(request, "homecare/quality/form.html", context, status=status)


def _report(request: PageRequest, values: dict[str, Any]) -> Incident:
    sent = Reader(values)
    grade, moment = sent.number("grade"), sent.local("happened_at")
    visit, who = (sent.number(name, 0) for name in ("visit", "practitioner"))
    sent.check()
    draft = IncidentDraft(
        sent.text("kind"), grade, _aware(moment), sent.text("what"), sent.text("immediate"), visit or None, who or None
    )
    return services.report(request.actor, draft)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else timezone.make_aware(moment)


@needs(FIGURES)
def incident(request: PageRequest, incident_id: int) -> HttpResponse:
    """An adverse event in full; the look is recorded. Who only supervises gives a reason first."""
    row = selectors.incident(request.actor, incident_id)
    handles = request.actor.may(QUALITY, row.place.path)
    form, status, shown = FormState(values=request.POST.dict()), 200, None
    act = request.POST.get("act", "")
    told = handles or (request.actor.user_id is not None and row.reported_by_id == request.actor.user_id)
    if request.method == "POST" and act != "look":
        done, status = tried(form, lambda: _incident_act(request, incident_id, act))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:quality:incident", incident_id)
    if told:
        shown = services.read_incident(request.actor, incident_id)
    elif act == "look":
        shown, status = tried(
            form, lambda: services.read_incident(request.actor, incident_id, request.POST.get("reason", ""))
        )
    context = {
        "row": row,
        "shown": shown,
        "form": form,
        "handles": handles,
        "mine": request.actor.user_id is not None and row.reported_by_id == request.actor.user_id,
        "grades": national.choices(),
        "citation": national.citation(),
        "tab": "incidents",
    }
    return render(request, "homecare/quality/incident.html", context, status=status)


def _incident_act(request: PageRequest, incident_id: int, act: str) -> Incident:
    sent = request.POST
    if act == "follow":
        return services.follow(request.actor, incident_id, sent.get("words", ""))
    if act == "regrade":
        grade = sent.get("grade", "")
        number = int(grade) if grade.isdecimal() and len(grade) == 1 else 0
        return services.regrade(request.actor, incident_id, number, sent.get("words", ""))
    if act == "close":
        return services.close(request.actor, incident_id, sent.get("cause", ""), sent.get("measures", ""))
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "look, follow, regrade, close"})
