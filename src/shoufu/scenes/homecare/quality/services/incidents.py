from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Forbidden, Invalid
from shoufu.scenes.homecare.quality import codes, national, selectors
from shoufu.scenes.homecare.quality.models import Incident, Step
from shoufu.scenes.homecare.quality.services import telling
from shoufu.scenes.homecare.quality.services.common import (
    Reader,
    kept,
    locked_away,
    needed,
    not_the_same,
    one_of,
    required,
    step,
    trail,
)
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.visits import selectors as visits
from shoufu.scenes.homecare.visits.models import Visit

AHEAD, BACK = timedelta(minutes=5), timedelta(days=366)
IMMEDIATE, CAUSE, MEASURES = "homecare.quality.immediate", "homecare.quality.cause", "homecare.quality.measures"


@dataclass(frozen=True)
class IncidentDraft:
    """What happened, of which kind (`codes.Happened`) and grade (1 the gravest), when, and what was done at once.

    `visit` at which it happened; without one `practitioner` to whom, by default oneself.
    """

    kind: str
    grade: int
    happened_at: datetime
    what: str
    immediate: str = ""
    visit: int | None = None
    practitioner: int | None = None


def _act(action: str, row: Incident, reason: str = "", **data: object) -> Act:
    return Act(action, row, row.place_id, reason=reason, subject=row.subject_id, data=data)


@transaction.atomic
def report(actor: Actor, draft: IncidentDraft) -> Incident:
    """Report an adverse event: who gives care reports what happened at their visits or to themselves, the coordinator
    anything of the institution. Grades I and II are told to the institution and the regulator at once."""
    _check(draft)
    visit = visits.visit(actor, draft.visit) if draft.visit is not None else None
    who = _concerned(actor, draft, visit)
    office = visit.institution if visit is not None else who.institution if who is not None else None
    if office is None:
        raise Invalid.one("visit", _("Name the visit, or whom it happened to."))
    place = visit.place if visit is not None else office.place
    _may_report(actor, visit, who, place.path)
    subject = visit.patient.person_id if visit is not None else who.person_id if who is not None else 0
    row = Incident.objects.create(
        institution=office,
        place=place,
        visit=visit,
        patient=visit.patient if visit is not None else None,
        practitioner=who,
        subject_id=subject,
        kind=draft.kind,
        grade=draft.grade,
        happened_at=draft.happened_at,
        reported_at=timezone.now(),
        reported_by_id=actor.user_id,
        what=needed(subject, draft.what.strip()),
        immediate=locked_away(subject, kept("immediate", draft.immediate), IMMEDIATE),
    )
    step(actor, "reported", subject, incident=row)
    record(actor, _act("homecare.incident.report", row, kind=row.kind, grade=row.grade))
    _tell(actor, row)
    return row


def _check(draft: IncidentDraft) -> None:
    one_of("kind", draft.kind, codes.Happened.values)
    errors = []
    if draft.grade not in national.grades():
        errors.append(FieldError("grade", _("Choose one of the four grades.")))
    if draft.happened_at.tzinfo is None:
        errors.append(
            FieldError("happened_at", _("Write the time with its offset, such as 2026-11-29T09:00:00+08:00."))
        )
    elif not timezone.now() - BACK <= draft.happened_at <= timezone.now() + AHEAD:
        errors.append(FieldError("happened_at", _("Must lie in the past, at most a year ago.")))
    if errors:
        raise Invalid(*errors)
    required(what=draft.what)


def _concerned(actor: Actor, draft: IncidentDraft, visit: Visit | None) -> Practitioner | None:
    if draft.practitioner is not None:
        return register.practitioner(actor, draft.practitioner)
    mine = register.practices(actor)
    if visit is not None:
        return mine.filter(institution=visit.institution_id).first()
    return mine.first()


def _may_report(actor: Actor, visit: Visit | None, who: Practitioner | None, path: str) -> None:
    if actor.may(selectors.QUALITY, path):
        return
    own = set(register.practices(actor).values_list("pk", flat=True))
    sent = visit is not None and visit.stops.filter(practitioner__in=own).exists()
    if not actor.may_anywhere(selectors.CARE) or not (sent or (who is not None and visit is None and who.pk in own)):
        raise Forbidden(_("You can report what happened at your own visits or to yourself; else ask the coordinator."))


def _tell(actor: Actor, row: Incident) -> None:
    grade = national.grades()[row.grade].sign
    template = "care.incident.serious" if row.serious else "care.incident.new"
    event = f"incident:{row.pk}:{row.grade}"
    telling.tell_office(actor, template, row.institution, row.place, event, number=row.number, grade=grade)
    if row.serious:
        telling.tell_regulator(actor, template, row.institution, row.place, event, number=row.number, grade=grade)


def _handled(actor: Actor, incident_id: int) -> Incident:
    seen = selectors.incident(actor, incident_id)
    rows = Incident.objects.select_related("institution__organisation", "place")
    row = rows.select_for_update(of=("self",)).get(pk=seen.pk)
    if not actor.may(selectors.QUALITY, row.place.path):
        raise Forbidden(_("The institution deals with this."))
    if row.state == Incident.State.CLOSED:
        raise Conflict(_("This adverse event is closed."), reason="state")
    return row


@transaction.atomic
def follow(actor: Actor, incident_id: int, words: str) -> Incident:
    """Write down what was found or done since."""
    row = _handled(actor, incident_id)
    step(actor, "followed", row.subject_id, required(words=words)["words"], incident=row)
    record(actor, _act("homecare.incident.follow", row))
    return row


@transaction.atomic
def regrade(actor: Actor, incident_id: int, grade: int, words: str) -> Incident:
    """Change the grade, with the reason; a grave one is told at once, as when it is reported."""
    row = _handled(actor, incident_id)
    if grade not in national.grades():
        raise Invalid.one("grade", _("Choose one of the four grades."))
    said = required(words=words)["words"]
    before, row.grade = row.grade, grade
    row.save(update_fields=["grade"])
    step(actor, "regraded", row.subject_id, said, incident=row)
    record(actor, _act("homecare.incident.regrade", row, before=before, after=grade))
    if row.serious and before not in codes.SERIOUS:
        _tell(actor, row)
    return row


@transaction.atomic
def close(actor: Actor, incident_id: int, cause: str, measures: str) -> Incident:
    """Close it with its root cause and what is done so that it does not happen again; not by who reported it."""
    row = _handled(actor, incident_id)
    not_the_same(actor, row.reported_by_id)
    said = required(cause=cause, measures=measures)
    row.cause = locked_away(row.subject_id, said["cause"], CAUSE)
    row.measures = locked_away(row.subject_id, said["measures"], MEASURES)
    row.state, row.closed_at, row.closed_by_id = Incident.State.CLOSED, timezone.now(), actor.user_id
    row.save(update_fields=["cause", "measures", "state", "closed_at", "closed_by"])
    step(actor, "closed", row.subject_id, incident=row)
    record(actor, _act("homecare.incident.close", row))
    return row


@dataclass(frozen=True)
class ShownIncident:
    """An adverse event in clear, with its trail."""

    incident: Incident
    what: str
    immediate: str
    cause: str
    measures: str
    trail: Sequence[Mapping[str, Any]]


@transaction.atomic
def read(actor: Actor, incident_id: int, reason: str = "") -> ShownIncident:
    """An adverse event in clear; the look is recorded. Who only supervises must give a reason."""
    row = selectors.incident(actor, incident_id)
    insider = selectors.incidents(actor).filter(selectors.staffed(actor, selectors.QUALITY), pk=row.pk).exists()
    told = actor.user_id is not None and row.reported_by_id == actor.user_id
    if not insider and not told and not actor.is_system and not reason.strip():
        raise Invalid.one("reason", _("Say why you look; they can read it."))
    said = reason.strip() or _("Adverse event %(number)s") % {"number": row.number}
    record(actor, _act("homecare.incident.look", row, said))
    read_it = Reader(row.subject_id)
    what, immediate, cause, measures = Incident.objects.values_list("what", "immediate", "cause", "measures").get(
        pk=row.pk
    )
    steps = Step.objects.filter(incident=row).select_related("user")
    return ShownIncident(
        row,
        read_it(what),
        read_it(immediate, IMMEDIATE),
        read_it(cause, CAUSE),
        read_it(measures, MEASURES),
        trail(steps, read_it),
    )
