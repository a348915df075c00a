from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.scenes.homecare.quality import codes, selectors
from shoufu.scenes.homecare.quality.models import Complaint, Step
from shoufu.scenes.homecare.quality.services import telling
from shoufu.scenes.homecare.quality.services.common import (
    Reader,
    kept,
    locked_away,
    needed,
    not_at_the_visit,
    one_of,
    required,
    step,
    trail,
)
from shoufu.scenes.homecare.visits import selectors as visits
from shoufu.scenes.homecare.visits.models import Visit

State = Complaint.State
SILENT = timedelta(days=30)
"""After so long without a word from the patient an answered complaint is closed."""
WISH = "homecare.quality.wish"
MOST_OPEN = 10


def _act(action: str, row: Complaint, reason: str = "", **data: object) -> Act:
    return Act(action, row, row.place_id, reason=reason, subject=row.patient.person_id, data=data)


@dataclass(frozen=True)
class ComplaintDraft:
    """What happened, what is wished for, and the visit that it is about, if any."""

    kind: str
    what: str
    wish: str = ""
    visit: int | None = None


@transaction.atomic
def complain(actor: Actor, patient_id: int, draft: ComplaintDraft) -> Complaint:
    """Complain about one's own care, or that of somebody for whom one may act. The institution is told at once."""
    patient = selectors.own_patients(actor).filter(pk=patient_id).first()
    if patient is None:
        raise NotFound(_("There is no home care %(id)s for which you may do this.") % {"id": patient_id})
    one_of("kind", draft.kind, codes.Complained.values)
    what = required(what=draft.what)["what"]
    if Complaint.objects.filter(patient=patient, state__in=Complaint.UNANSWERED).count() >= MOST_OPEN:
        raise Conflict(_("Ten of your complaints wait for an answer; add to one of them."), reason="too_many")
    visit = _visit(actor, patient_id, draft.visit)
    office, now = patient.institution, timezone.now()
    limits = selectors.policy(office)
    row = Complaint.objects.create(
        patient=patient,
        institution=office,
        place=patient.place,
        visit=visit,
        kind=draft.kind,
        what=needed(patient.person_id, what),
        wish=locked_away(patient.person_id, kept("wish", draft.wish), WISH),
        made_at=now,
        made_by_id=actor.user_id,
        acknowledge_by=now + timedelta(hours=limits.acknowledge_hours),
        answer_by=now + timedelta(days=limits.answer_days),
    )
    step(actor, "received", patient.person_id, complaint=row)
    record(actor, _act("homecare.complaint.make", row, kind=row.kind))
    telling.tell_office(
        actor, "care.complaint.new", office, row.place, f"complaint:{row.pk}", number=row.number, by=_day(row.answer_by)
    )
    return row


def _day(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")


def _visit(actor: Actor, patient_id: int, visit_id: int | None) -> Visit | None:
    if visit_id is None:
        return None
    found = visits.own(actor).filter(pk=visit_id, patient=patient_id).first()
    if found is None:
        raise Invalid.one("visit", _("Choose one of the visits."))
    return found


def _locked(actor: Actor, complaint_id: int, *, mine: bool = False) -> Complaint:
    seen = selectors.complaint(actor, complaint_id, mine=mine)
    rows = Complaint.objects.select_related(
        "patient__person", "patient__place", "patient__institution__organisation", "institution__organisation",
        "place", "visit",
    )  # fmt: skip
    return rows.select_for_update(of=("self",)).get(pk=seen.pk)


def _handled(actor: Actor, complaint_id: int, *states: str) -> Complaint:
    """A complaint that the actor may answer for the institution, in one of these states."""
    row = _locked(actor, complaint_id)
    if not actor.may(selectors.QUALITY, row.place.path):
        raise Forbidden(_("The institution answers this complaint."))
    not_at_the_visit(actor, row.visit)
    _in(row, *states)
    return row


def _in(row: Complaint, *states: str) -> None:
    if row.state not in states:
        raise Conflict(
            _("This complaint is “%(state)s”.") % {"state": row.get_state_display()}, state=row.state, reason="state"
        )


def _tell(actor: Actor, row: Complaint, kind: str) -> None:
    event = f"complaint:{row.pk}:{kind}:{row.steps.count()}"
    telling.tell_patient(actor, "care.complaint.step", row.patient, event, row.made_by_id, number=row.number)


@transaction.atomic
def acknowledge(actor: Actor, complaint_id: int, words: str = "") -> Complaint:
    """The institution has seen it and looks into it."""
    row = _handled(actor, complaint_id, State.RECEIVED)
    row.state, row.acknowledged_at = State.ACKNOWLEDGED, timezone.now()
    row.save(update_fields=["state", "acknowledged_at"])
    step(actor, "acknowledged", row.patient.person_id, kept("words", words), complaint=row)
    record(actor, _act("homecare.complaint.acknowledge", row))
    _tell(actor, row, "acknowledged")
    return row


@transaction.atomic
def answer(actor: Actor, complaint_id: int, words: str) -> Complaint:
    """Answer in writing; the patient reads it, and can accept it, add to the complaint or ask the regulator."""
    row = _handled(actor, complaint_id, *Complaint.OPEN)
    said = required(words=words)["words"]
    now = timezone.now()
    row.state, row.answered_at = State.ANSWERED, now
    row.acknowledged_at = row.acknowledged_at or now
    row.save(update_fields=["state", "answered_at", "acknowledged_at"])
    step(actor, "answered", row.patient.person_id, said, complaint=row)
    record(actor, _act("homecare.complaint.answer", row))
    _tell(actor, row, "answered")
    return row


@transaction.atomic
def rule(actor: Actor, complaint_id: int, words: str) -> Complaint:
    """The regulator's answer to a complaint that came to them; it ends the complaint."""
    row = _locked(actor, complaint_id)
    if not actor.may(selectors.REGULATE, row.place.path):
        raise Forbidden(_("The regulator decides this."))
    if row.escalated_at is None:
        raise Conflict(_("This complaint has not come to the regulator."), reason="state")
    _in(row, *Complaint.OPEN)
    said, now = required(words=words)["words"], timezone.now()
    row.state, row.ruled_at, row.ended_at = State.CLOSED, now, now
    row.save(update_fields=["state", "ruled_at", "ended_at"])
    step(actor, "ruled", row.patient.person_id, said, complaint=row)
    record(actor, _act("homecare.complaint.rule", row))
    _tell(actor, row, "ruled")
    telling.tell_office(
        actor, "care.complaint.ruled", row.institution, row.place, f"complaint:{row.pk}:ruled", number=row.number
    )
    return row


@transaction.atomic
def add_words(actor: Actor, complaint_id: int, words: str) -> Complaint:
    """The patient adds something; an answered complaint is open again, with a new time limit for the answer."""
    row = _locked(actor, complaint_id, mine=True)
    _in(row, *Complaint.OPEN)
    said = required(words=words)["words"]
    if row.state == State.ANSWERED:
        row.state = State.ACKNOWLEDGED
        row.answer_by = timezone.now() + timedelta(days=selectors.policy(row.institution).answer_days)
        row.save(update_fields=["state", "answer_by"])
    step(actor, "added", row.patient.person_id, said, complaint=row)
    record(actor, _act("homecare.complaint.add", row))
    event = f"complaint:{row.pk}:added:{row.steps.count()}"
    telling.tell_office(
        actor, "care.complaint.new", row.institution, row.place, event, number=row.number, by=_day(row.answer_by)
    )
    return row


@transaction.atomic
def ask_regulator(actor: Actor, complaint_id: int, words: str = "") -> Complaint:
    """The patient wants the regulator to look at it, whatever the institution said or did not say."""
    row = _locked(actor, complaint_id, mine=True)
    _in(row, *Complaint.OPEN)
    if row.escalated_at is not None:
        raise Conflict(_("The regulator has it already."), reason="state")
    _escalate(actor, row, "asked", kept("words", words))
    return row


def _escalate(actor: Actor, row: Complaint, why: str, words: str = "") -> None:
    row.escalated_at, row.escalation = timezone.now(), why
    row.save(update_fields=["escalated_at", "escalation"])
    step(actor, "escalated", row.patient.person_id, words, complaint=row)
    record(actor, _act("homecare.complaint.escalate", row, why=why))
    event = f"complaint:{row.pk}:escalated"
    telling.tell_regulator(actor, "care.complaint.escalated", row.institution, row.place, event, number=row.number)
    telling.tell_office(actor, "care.complaint.escalated", row.institution, row.place, event, number=row.number)
    if why != "asked":
        _tell(actor, row, "escalated")


@transaction.atomic
def accept(actor: Actor, complaint_id: int) -> Complaint:
    """The patient is content with the answer."""
    row = _locked(actor, complaint_id, mine=True)
    _in(row, State.ANSWERED)
    return _end(actor, row, State.CLOSED, "accepted")


@transaction.atomic
def withdraw(actor: Actor, complaint_id: int) -> Complaint:
    """The patient takes the complaint back."""
    row = _locked(actor, complaint_id, mine=True)
    _in(row, *Complaint.OPEN)
    return _end(actor, row, State.WITHDRAWN, "withdrawn")


def _end(actor: Actor, row: Complaint, state: str, kind: str) -> Complaint:
    row.state, row.ended_at = state, timezone.now()
    row.save(update_fields=["state", "ended_at"])
    step(actor, kind, row.patient.person_id, complaint=row)
    record(actor, _act(f"homecare.complaint.{kind}", row))
    return row


@dataclass(frozen=True)
class ShownComplaint:
    """A complaint in clear, with its trail."""

    complaint: Complaint
    what: str
    wish: str
    trail: Sequence[Mapping[str, Any]]


@transaction.atomic
def read(actor: Actor, complaint_id: int, *, mine: bool = False) -> ShownComplaint:
    """A complaint with everything said so far; a look of staff is recorded, the patient can read it."""
    row = selectors.complaint(actor, complaint_id, mine=mine)
    if not mine:
        record(actor, _act("homecare.complaint.look", row, _("Complaint %(number)s") % {"number": row.number}))
    person = row.patient.person_id
    read_it = Reader(person)
    what, wish = Complaint.objects.values_list("what", "wish").get(pk=row.pk)
    steps = Step.objects.filter(complaint=row).select_related("user")
    return ShownComplaint(row, read_it(what), read_it(wish, WISH), trail(steps, read_it))


@transaction.atomic
def escalate_late(now: datetime) -> int:
    """Bring to the regulator what was not acknowledged or answered in time; how many."""
    rows = Complaint.objects.select_for_update(of=("self",), skip_locked=True).select_related(
        "patient__person", "patient__place", "patient__institution__organisation", "institution__organisation", "place"
    )
    rows = rows.filter(state__in=Complaint.UNANSWERED, escalated_at__isnull=True)
    late = rows.filter(state=State.RECEIVED, acknowledge_by__lt=now) | rows.filter(answer_by__lt=now)
    found = list(late.order_by("pk")[:500])
    for row in found:
        _escalate(SYSTEM, row, "late_answer" if row.answer_by < now else "late_acknowledge")
    return len(found)


@transaction.atomic
def close_silent(now: datetime) -> int:
    """Close what was answered 30 days ago and about which the patient said nothing more; how many. What the
    regulator has stays open until the regulator or the patient ends it."""
    rows = Complaint.objects.select_for_update(of=("self",), skip_locked=True).select_related("patient", "place")
    rows = rows.filter(state=State.ANSWERED, answered_at__lt=now - SILENT, escalated_at__isnull=True)
    found = list(rows.order_by("pk")[:500])
    for row in found:
        _end(SYSTEM, row, State.CLOSED, "closed")
    return len(found)
