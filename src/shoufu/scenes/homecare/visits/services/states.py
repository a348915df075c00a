"""What becomes of a visit at the door: begun, done, not possible."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import lent
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid
from shoufu.kernel.booking import services as booking
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits import selectors
from shoufu.scenes.homecare.visits.models import Visit, VisitEvent

State = Visit.State
AHEAD = timedelta(minutes=5)
"""How far a phone's clock may be ahead of ours."""
CAUSES = ("nobody_home", "refused", "not_the_patient", "not_fit", "unsafe", "other")


def write_down(actor: Actor, row: Visit, kind: str, *, at: datetime | None = None, **data: object) -> None:
    """A line in a visit's history, and in the audit log."""
    VisitEvent.objects.create(visit=row, at=at or timezone.now(), kind=kind, user_id=actor.user_id, data=data)
    record(actor, Act(f"homecare.visit.{kind}", row, row.place_id, subject=row.patient.person_id, data=data))


def locked(actor: Actor, visit_id: int) -> Visit:
    """A visit that the actor may see, locked until the transaction ends."""
    selectors.visit(actor, visit_id)
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
    """Who was sent is with the patient and begins. A second time changes nothing."""
    row = _at_the_door(actor, visit_id, at)
    if row.state == State.UNDERWAY:
        return row
    if row.state != State.BOOKED:
        raise _refuse(row)
    row.state, row.began_at = State.UNDERWAY, at
    row.changed += 1
    row.save(update_fields=["state", "began_at", "changed"])
    write_down(actor, row, "begin", at=at)
    return row


@transaction.atomic
def finish(actor: Actor, visit_id: int, at: datetime) -> Visit:
    """The service was given. A second time changes nothing."""
    row = _at_the_door(actor, visit_id, at)
    if row.state == State.DONE:
        return row
    if row.state != State.UNDERWAY:
        raise _refuse(row)
    if row.began_at is not None and at < row.began_at:
        raise Invalid.one("at", _("Must not be before the visit began."))
    row.state, row.ended_at = State.DONE, at
    row.changed += 1
    row.save(update_fields=["state", "ended_at", "changed"])
    write_down(actor, row, "finish", at=at)
    if row.booking_id is not None:
        booking.complete(lent(actor, row.place.path, "booking.manage", "booking.view"), row.booking_id)
    return row


@transaction.atomic
def miss(actor: Actor, visit_id: int, at: datetime, cause: str) -> Visit:
    """It could not take place: nobody was at home, refused, unsafe … What it costs says the booking's terms, and only
    where it was the patient's doing ("nobody_home", "refused")."""
    if cause not in CAUSES:
        raise Invalid.one("cause", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(CAUSES)})
    row = _at_the_door(actor, visit_id, at)
    if row.state == State.MISSED:
        return row
    if row.state not in (State.BOOKED, State.UNDERWAY):
        raise _refuse(row)
    row.state, row.ended_at, row.end_cause = State.MISSED, at, cause
    row.changed += 1
    row.save(update_fields=["state", "ended_at", "end_cause", "changed"])
    write_down(actor, row, "miss", at=at, cause=cause)
    if row.booking_id is not None:
        able = lent(actor, row.place.path, "booking.manage", "booking.view")
        if cause in ("nobody_home", "refused") and row.starts_at <= timezone.now():
            booking.no_show(able, row.booking_id)
        else:
            booking.complete(able, row.booking_id)
    return row
