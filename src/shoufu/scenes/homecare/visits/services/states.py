"""What becomes of a visit at the door: begun, done, not possible."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import lent, require
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.apart import apart
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid
from shoufu.kernel.booking import services as booking
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits import ordering, selectors
from shoufu.scenes.homecare.visits.history import write_down
from shoufu.scenes.homecare.visits.holding import UNSAID
from shoufu.scenes.homecare.visits.locking import lock_booking
from shoufu.scenes.homecare.visits.models import Visit
from shoufu.scenes.homecare.visits.services.checks import check_before, codes_of

log = logging.getLogger(__name__)
State = Visit.State
AHEAD = timedelta(minutes=5)
"""How far a phone's clock may be ahead of ours."""
SILENCE = timedelta(days=3)
"""How long a phone that is offline may keep what it knows of a visit, before nobody is taken to have come."""
JUDGED_AT_THE_DOOR = ("assessment_missing", "assessment_needs_visit", "absent", "nobody_assigned")
"""What keeps a visit from being booked but not from being begun: who was sent is there to judge it, or is there."""
CAUSES = ("nobody_home", "refused", "not_the_patient", "not_fit", "unsafe", "other")


def locked(actor: Actor, visit_id: int) -> Visit:
    """A visit that the actor may see, with its booking locked until the transaction ends."""
    selectors.visit(actor, visit_id)
    lock_booking(visit_id)
    rows = Visit.objects.select_related("patient__person", "place", "institution__place", "version", "booking")
    return rows.select_for_update(of=("self",)).get(pk=visit_id)


def _at_the_door(actor: Actor, visit_id: int, at: datetime) -> Visit:
    """The same for who was sent, or the coordinator; `at` may lie in the past (a phone that was offline)."""
    row = locked(actor, visit_id)
    sent = row.stops.filter(practitioner__in=register.practices(actor).values("pk")).exists()
    if not sent and not actor.is_system and not actor.may(register.PATIENTS, row.place.path):
        raise Forbidden(_("This visit is another person's; ask the coordinator."))
    if at > timezone.now() + AHEAD:
        raise Invalid.one("at", _("Lies in the future; set the phone's clock."))
    return row


def _refuse(row: Visit) -> Conflict:
    said = _("This visit is “%(state)s”.") % {"state": row.get_state_display()}
    return Conflict(said, state=row.state, reason="state")


@transaction.atomic
def begin(actor: Actor, visit_id: int, at: datetime) -> Visit:
    """Who was sent is with the patient and begins. A second time changes nothing.

    Conflict (`reason` "blocked", with the `codes`) where it may not be done any more: the prescription or the
    assessment lapsed, something speaks against it, a licence ended, the patient died. A phone that was offline may say
    it after the clock took it that nobody came.
    """
    row = _at_the_door(actor, visit_id, at)
    if row.state == State.UNDERWAY:
        return row
    if row.state != State.BOOKED and not _closed_unsaid(row):
        raise _refuse(row)
    against = [one for one in check_before(row, at) if one.reason.code not in JUDGED_AT_THE_DOOR]
    if against:
        said = _("It must not be begun: %(why)s") % {"why": " ".join(one.text for one in against)}
        raise Conflict(said, reason="blocked", codes=codes_of(against))
    _begun(row, at)
    write_down(actor, row, "begin", at=at)
    return row


def _closed_unsaid(row: Visit) -> bool:
    """Whether only the clock says that nobody came."""
    return row.state == State.MISSED and row.end_cause == UNSAID


def _begun(row: Visit, at: datetime) -> None:
    row.state, row.began_at, row.ended_at, row.end_cause = State.UNDERWAY, at, None, ""
    row.changed += 1
    row.save(update_fields=["state", "began_at", "ended_at", "end_cause", "changed"])


@transaction.atomic
def finish(actor: Actor, visit_id: int, at: datetime) -> Visit:
    """The service was given. A second time changes nothing."""
    row = _at_the_door(actor, visit_id, at)
    if row.state == State.DONE:
        _count_in(row)
        return row
    if row.state != State.UNDERWAY:
        raise _refuse(row)
    if row.began_at is not None and at < row.began_at:
        raise Invalid.one("at", _("Must not be before the visit began."))
    row.state, row.ended_at, row.money_due_at = State.DONE, at, timezone.now()
    row.changed += 1
    row.save(update_fields=["state", "ended_at", "money_due_at", "changed"])
    write_down(actor, row, "finish", at=at)
    number = _to_be_said(row)
    if number is not None:
        booking.complete(_office(actor, row), number)
    ordering.follow_soon(row.pk)
    return row


def _count_in(row: Visit) -> None:
    """Somebody else finished it too (the coordinator had ended it without them): they are named for the settlement."""
    Visit.objects.filter(pk=row.pk).update(money_due_at=timezone.now())
    ordering.follow_soon(row.pk)


def _to_be_said(row: Visit) -> int | None:
    """The booking that must hear what became of it: confirmed, and begun by the clock (who came early is done before
    it; the kernel closes that one itself)."""
    kept = row.booking
    if kept is None or kept.state != kept.State.CONFIRMED or kept.starts_at > timezone.now():
        return None
    return kept.pk


def _office(actor: Actor, row: Visit) -> Actor:
    return lent(actor, row.institution.place.path, "booking.handle", "booking.view")


@transaction.atomic
def accept(actor: Actor, visit_id: int, at: datetime) -> Visit:
    """The coordinator takes a visit as begun that was refused at the door but given all the same: what spoke against
    it stands in the line that they settled, with their reason. So is one that was said not to have taken place, before
    the phone could tell: it costs its price then, and no charge; and who else was at one that is done. Conflict where
    it was cancelled meanwhile."""
    row = locked(actor, visit_id)
    require(actor, register.PATIENTS, row.place)
    if row.state in (State.UNDERWAY, State.DONE):
        return row
    if row.state not in (State.BOOKED, State.MISSED):
        raise _refuse(row)
    _begun(row, at)
    write_down(actor, row, "begin", at=at, accepted=True)
    if row.booking is not None and row.booking.state == row.booking.State.NO_SHOW:
        booking.complete(_office(actor, row), row.booking.pk)
    return row


@transaction.atomic
def miss(actor: Actor, visit_id: int, at: datetime, cause: str) -> Visit:
    """It could not take place: nobody was at home, refused, unsafe … What it costs says the booking's terms, and only
    where it was the patient's doing ("nobody_home" from the promised time on, "refused"). A phone that was offline may
    say it after the clock had closed visit and booking: then it counts as if it had been said at the time."""
    if cause not in CAUSES:
        raise Invalid.one("cause", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(CAUSES)})
    row = _at_the_door(actor, visit_id, at)
    if row.state == State.MISSED and not _closed_unsaid(row):
        return row
    if row.state not in (State.BOOKED, State.UNDERWAY, State.MISSED):
        raise _refuse(row)
    _missed(actor, row, at, cause)
    due_at = row.booking.starts_at if row.booking is not None else row.starts_at
    _tell_office(actor, row, by_patient=cause == "refused" or (cause == "nobody_home" and at >= due_at))
    ordering.follow_soon(row.pk)
    return row


def _tell_office(actor: Actor, row: Visit, *, by_patient: bool) -> None:
    """The booking hears that it was not kept; also where the clock had closed it. What a person said of it stays."""
    number = _to_be_said(row)
    if by_patient and number is None and row.booking is not None and booking.closed_by_clock(row.booking):
        number = row.booking.pk
    if number is not None and by_patient:
        booking.no_show(_office(actor, row), number)
    elif number is not None:
        booking.complete(_office(actor, row), number)


def _missed(actor: Actor, row: Visit, at: datetime, cause: str) -> None:
    row.state, row.ended_at, row.end_cause, row.money_due_at = State.MISSED, at, cause, timezone.now()
    row.changed += 1
    row.save(update_fields=["state", "ended_at", "end_cause", "money_due_at", "changed"])
    row.stops.update(live=False)
    write_down(actor, row, "miss", at=at, cause=cause)


def close_past(now: datetime | None = None, most: int = 500) -> int:
    """Visits that stayed booked though their day passed three days ago, and at which nobody ever arrived: they did not
    take place, by nobody's doing but the institution's, and what was paid goes back. Where somebody did arrive a
    coordinator must judge it, however late. Returns how many."""
    moment = now or timezone.now()
    due = Visit.objects.filter(state=State.BOOKED, latest_at__lt=moment - SILENCE, encounters__isnull=True)
    numbers = list(due.order_by("latest_at").values_list("pk", flat=True)[:most])
    return apart(log, "closing visit", numbers, lambda number: _closed(number, moment))


@transaction.atomic
def _closed(visit_id: int, moment: datetime) -> bool:
    row = locked(SYSTEM, visit_id)
    if row.state != State.BOOKED or row.latest_at >= moment - SILENCE or row.encounters.exists():
        return False
    _missed(SYSTEM, row, moment, UNSAID)
    number = _to_be_said(row)
    if number is not None:
        booking.complete(SYSTEM, number, unsaid=True)
    ordering.follow_soon(row.pk)
    return True
