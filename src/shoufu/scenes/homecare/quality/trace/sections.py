"""The parts of a trace, each read from where it is kept and told in the reader's language."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import unescape
from typing import Any

from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from shoufu.kernel.access.models import User
from shoufu.kernel.access.policy import lent
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.payments import money
from shoufu.kernel.payments import selectors as payments
from shoufu.kernel.payments.models import OrderEvent
from shoufu.scenes.homecare.assessment.services import exported
from shoufu.scenes.homecare.encounters.models import Encounter, Sos
from shoufu.scenes.homecare.encounters.pages.reading import WORDS
from shoufu.scenes.homecare.encounters.services.looks import shown
from shoufu.scenes.homecare.planning.models import PlanEvent
from shoufu.scenes.homecare.planning.words import deed
from shoufu.scenes.homecare.quality import codes
from shoufu.scenes.homecare.quality.models import Complaint, Incident, Rating, Refusal
from shoufu.scenes.homecare.quality.services.common import Reader, trail
from shoufu.scenes.homecare.quality.services.complaints import WISH
from shoufu.scenes.homecare.quality.services.incidents import IMMEDIATE
from shoufu.scenes.homecare.quality.trace.section import Section
from shoufu.scenes.homecare.quality.words import end_word, step_word
from shoufu.scenes.homecare.register.words import names
from shoufu.scenes.homecare.visits.models import Visit, VisitEvent
from shoufu.scenes.homecare.visits.orders import SEE, chain


def sections(actor: Actor, visit: Visit) -> Iterator[Section]:
    """The parts of a visit's trace in order; those without anything are empty. The caller recorded the look."""
    read = Reader(visit.patient.person_id)
    yield _asked(visit)
    yield _assessed(visit)
    yield _prescribed(visit)
    yield _history(visit)
    yield _planned(visit)
    yield _paid(actor, visit)
    for encounter in Encounter.objects.filter(visit=visit).order_by("opened_at"):
        yield _encountered(encounter)
    yield _called(visit)
    yield _rated(visit, read)
    for row in Complaint.objects.filter(visit=visit).order_by("made_at"):
        yield _complained(row, read)
    for one in Incident.objects.filter(visit=visit).order_by("happened_at"):
        yield _happened(one, read)
    yield _refused(visit)


def _who(user: User | None) -> str:
    return user.label if user is not None else ""


def _facts(*pairs: tuple[str, Any]) -> list[tuple[str, Any]]:
    return [(label, value) for label, value in pairs if value not in (None, "")]


def _asked(visit: Visit) -> Section:
    visit = Visit.objects.select_related(
        "patient__person", "version", "institution__organisation", "requested_by", "consented_by"
    ).get(pk=visit.pk)
    people = [
        f"{stop.practitioner.person.name} · {stop.practitioner.title} · {stop.practitioner.licence_number}"
        for stop in visit.stops.select_related("practitioner__person")
    ]
    return Section(
        "visit",
        _("The visit"),
        _facts(
            (_("Number"), visit.number),
            (_("Patient"), visit.patient.person.name),
            (_("Service"), f"{visit.version.label} · {_('version')} {visit.version.number}"),
            (_("Institution"), visit.institution.label),
            (_("State"), visit.get_state_display()),
            (_("Asked for at"), visit.requested_at),
            (_("Asked for by"), _who(visit.requested_by)),
            (_("Consent given at"), visit.consented_at),
            (_("Consent given by"), _who(visit.consented_by)),
            (_("Promised from"), visit.starts_at),
            (_("Promised until"), visit.latest_at),
            (_("Who came"), "; ".join(people)),
            (_("Begun at"), visit.began_at),
            (_("Ended at"), visit.ended_at),
            (_("Cause"), end_word(visit.end_cause) if visit.end_cause else ""),
        ),
    )


def _assessed(visit: Visit) -> Section:
    row = visit.assessment
    if row is None:
        return Section("assessment", _("Assessment"))
    found = exported(row)
    scores = found["scores"]
    told = "; ".join(f"{name} {points}" for name, points in scores.items()) if isinstance(scores, dict) else ""
    return Section(
        "assessment",
        _("Assessment"),
        _facts(
            (_("Decision"), row.get_decision_display()),
            (_("Decided by"), row.decided_by.person.name if row.decided_by is not None else ""),
            (_("Decided at"), row.ended_at),
            (_("Valid until"), row.last_day),
            (_("Score"), told),
            (_("Reason"), found["reason"]),
        ),
    )


def _prescribed(visit: Visit) -> Section:
    row = visit.prescription
    if row is None:
        return Section("prescription", _("Prescription"))
    return Section(
        "prescription",
        _("Prescription"),
        _facts(
            (_("Issued on"), row.issued_on),
            (_("Valid until"), row.last_day),
            (_("Checked at"), row.checked_at),
            (_("Checked by"), _who(row.checked_by)),
        ),
    )


def _history(visit: Visit) -> Section:
    rows = visit.events.select_related("user").order_by("at", "pk")
    lines = [(row.at, _told("homecare/visits/event.html", row), _who(row.user), "") for row in rows]
    return Section("history", _("What happened to it"), (), lines)


def _told(template: str, event: VisitEvent | OrderEvent) -> str:
    """A kept event in the words of the page that shows it."""
    return unescape(render_to_string(template, {"event": event})).strip()


def _planned(visit: Visit) -> Section:
    """Every change of that day's plan that gave this visit another person or time, or was about it."""
    rows = PlanEvent.objects.filter(plan__institution=visit.institution_id, plan__day=visit.day)
    about = rows.filter(Q(moved__contains=[visit.pk]) | Q(data__visit=visit.pk)).select_related("user")
    lines = [(row.at, deed(row.kind), _who(row.user), row.reason) for row in about.order_by("at", "pk")]
    return Section("plan", _("Changes of the plan"), (), lines)


def _paid(actor: Actor, visit: Visit) -> Section:
    if visit.order_id is None:
        return Section("payment", _("Payment"))
    able = lent(actor, visit.institution.organisation.place.path, SEE, "payments.view")
    able = lent(able, visit.place.path, SEE, "payments.view")
    found = [payments.order(able, one.pk) for one in chain(visit)]
    order = found[-1]
    return Section(
        "payment",
        _("Payment"),
        _facts(
            (_("Number"), ", ".join(one.number for one in found)),
            (_("State"), order.get_state_display()),
            (_("Sum"), money.shown(order.total_minor, order.currency)),
            (_("Insurance"), money.shown(order.insurance_minor, order.currency)),
            (_("Paid"), money.shown(sum(one.paid_minor for one in found), order.currency)),
            (_("Refunded"), money.shown(sum(one.refunded_minor for one in found), order.currency)),
        ),
        [_money_moved(one, order.currency) for each in found for one in each.events.all()],
    )


def _money_moved(one: OrderEvent, currency: str) -> tuple[datetime, str, str, str]:
    words = money.shown(one.amount_minor, currency) or one.text
    return one.at, _told("payments/event.html", one), "" if one.by == SYSTEM.label else one.by, words


def _encountered(row: Encounter) -> Section:
    """What one person did at the visit and wrote down there, as the phone wrote it."""
    found = shown(row)
    lines = [
        (
            one.entry.at,
            one.entry.get_kind_display(),
            one.entry.author.person.name,
            _written(one.entry.kind, one.content),
        )
        for one in found.written
    ]
    lines += [(one.photo.at, _("Picture"), "", f"SHA-256 {bytes(one.photo.sha256).hex()}") for one in found.photos]
    return Section(
        "encounter",
        _("What was done at the visit"),
        _facts(
            (_("Practitioner"), row.practitioner.person.name),
            (_("State"), row.get_state_display()),
            (_("Checked in at"), row.in_at),
            (_("Metres from the home"), None if row.in_distance is None else round(row.in_distance)),
            (_("Why that far"), row.in_reason),
            (_("Checked out at"), row.out_at),
            (_("In conflict with another line"), _("yes") if row.contested else ""),
        ),
        sorted(lines, key=lambda line: line[0]),
    )


def _written(kind: str, content: Mapping[str, Any]) -> str:
    """An entry in words, a line a fact."""
    return "\n".join(f"{label}: {value}" for label, value in WORDS[kind](content) if value)


def _called(visit: Visit) -> Section:
    rows = Sos.objects.filter(visit=visit).select_related("practitioner__person").order_by("pressed_at")
    lines = [(row.pressed_at, _("Called for help"), row.practitioner.person.name, "") for row in rows]
    return Section("sos", _("Calls for help"), (), lines)


def _rated(visit: Visit, read: Reader) -> Section:
    row = Rating.objects.filter(visit=visit).first()
    if row is None:
        return Section("rating", _("Rating"))
    return Section(
        "rating",
        _("Rating"),
        _facts(
            (_("Stars"), row.stars),
            (_("Said"), names(codes.Tag, row.tags)),
            (_("Words"), read(row.words)),
            (_("Rated at"), row.changed_at or row.made_at),
        ),
    )


def _steps(row: Complaint | Incident, read: Reader) -> list[tuple[datetime, str, str, str]]:
    found = trail(row.steps.select_related("user"), read)
    return [(one["at"], step_word(one["kind"]), one["who"], one["words"]) for one in found]


def _complained(row: Complaint, read: Reader) -> Section:
    return Section(
        "complaint",
        _("Complaint %(number)s") % {"number": row.number},
        _facts(
            (_("About"), row.get_kind_display()),
            (_("State"), row.get_state_display()),
            (_("Words"), read(row.what)),
            (_("Wish"), read(row.wish, WISH)),
            (_("To be answered by"), row.answer_by),
        ),
        _steps(row, read),
    )


def _happened(row: Incident, _read: Reader) -> Section:
    read = Reader(row.subject_id)
    return Section(
        "incident",
        _("Adverse event %(number)s") % {"number": row.number},
        _facts(
            (_("Kind"), row.get_kind_display()),
            (_("Grade"), row.grade_label),
            (_("Happened at"), row.happened_at),
            (_("What happened"), read(row.what)),
            (_("Done at once"), read(row.immediate, IMMEDIATE)),
            (_("State"), row.get_state_display()),
        ),
        _steps(row, read),
    )


def _refused(visit: Visit) -> Section:
    rows = Refusal.objects.filter(visit=visit).select_related("made_by").order_by("made_at")
    lines = [(row.made_at, row.get_side_display(), _who(row.made_by), row.get_code_display()) for row in rows]
    return Section("refusal", _("Refusals"), (), lines)
