"""Cancelling and moving a visit, with what it costs."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.booking import policy
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import Booking
from shoufu.kernel.payments.models import Order
from shoufu.scenes.homecare.visits import owing, placing, selectors, telling, words
from shoufu.scenes.homecare.visits.models import Visit
from shoufu.scenes.homecare.visits.services.asking import able_to_book, patient_of

State = Visit.State


@dataclass(frozen=True)
class Cost:
    """What cancelling costs now, in minor units of `currency`: `kept` of what was paid, `back` the rest; `owed` is what
    will be asked for where nothing was paid yet; why, in words; `until` is how long it stands."""

    kept: int
    back: int
    currency: str
    why: str
    until: datetime | None
    owed: int = 0


def _of_booking(actor: Actor, visit_id: int, mine: bool) -> tuple[Visit, Booking]:
    visit = selectors.visit(actor, visit_id, mine=mine)
    if not mine:
        patient_of(actor, visit.patient_id, mine=False)
    row = visit.booking
    if row is None or visit.state not in (State.HELD, State.BOOKED):
        raise Conflict(_("This visit is “%(state)s”.") % {"state": visit.get_state_display()}, reason="state")
    return visit, row


def cost(actor: Actor, visit_id: int, *, mine: bool = False, by_patient: bool = True) -> Cost:
    """What cancelling costs, asked now."""
    visit, row = _of_booking(actor, visit_id, mine)
    charge = policy.of_cancelling(row, timezone.now(), by_office=not by_patient)
    row.charge = charge.amount
    visit.booking = row
    order = visit.order
    paid = order.paid_minor if order is not None and order.state in Order.SETTLED else 0
    kept = owing.kept(visit, paid)
    owed = owing.kept(visit, order.payer_minor) if order is not None and order.state == Order.State.PENDING else 0
    return Cost(kept, paid - kept, visit.version.currency, policy.words(charge), charge.until, owed)


def cancel(
    actor: Actor, visit_id: int, reason: str = "", *, mine: bool = False, by_patient: bool | None = None
) -> Visit:
    """Give a visit up; what was paid goes back less what the terms keep (nothing where the institution cancels), and
    where nothing was paid that is asked for.

    A coordinator says why, and whether it is the patient's wish.
    """
    visit, row = _of_booking(actor, visit_id, mine)
    wish = mine if by_patient is None else by_patient or mine
    if not mine and not reason.strip():
        raise Invalid.one("reason", _("Say why; they can read it."))
    able = able_to_book(actor, row.offering, visit.patient)
    with transaction.atomic():
        booking.cancel(able, row.pk, reason=reason.strip()[:200], own=wish)
        if not mine:
            telling.cancelled(selectors.visit(actor, visit_id))
    return selectors.visit(actor, visit_id, mine=mine)


def move(actor: Actor, visit_id: int, start: datetime, version: int | None = None, *, mine: bool = False) -> Visit:
    """Give a visit another time that is offered for it, by the terms that were agreed. Conflict (reason
    "version_changed") for a day on which another version of the service holds: nobody agreed to that one."""
    visit, row = _of_booking(actor, visit_id, mine)
    if (said := placing.another_version(visit.service, visit.version, start)) is not None:
        raise Conflict(words.sentence(said), reason=said.code)
    able = able_to_book(actor, row.offering, visit.patient)
    booking.reschedule(able, row.pk, booking.Move(start.astimezone(UTC), version=version, own=mine))
    if not mine:
        telling.moved(selectors.visit(actor, visit_id))
    return selectors.visit(actor, visit_id, mine=mine)
