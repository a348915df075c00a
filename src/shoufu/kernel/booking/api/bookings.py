from collections.abc import Sequence
from typing import Any

from ninja import Query, Status

from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.booking import selectors, services, slots
from shoufu.kernel.booking.api.common import charge_of, once_of, router, zone_of
from shoufu.kernel.booking.api.schemas import (
    BOOKING_SORTS,
    BookingOut,
    CancelIn,
    ChargeOut,
    EventOut,
    HoldIn,
    MoveIn,
    Versioned,
    WaitIn,
    WaitOut,
)
from shoufu.kernel.booking.models import (
    Booking,
    BookingEvent,
    WaitingEntry,
)


@router.get("/bookings", response=Page[BookingOut])
def list_bookings(request: PageRequest, query: Query[ListQuery]) -> Any:
    """One's own bookings, and those of one's places."""
    rows = selectors.bookings(request.actor)
    return answer(rows, query, BOOKING_SORTS, BookingOut.from_orm, "bookings")


@router.post("/bookings", response={201: BookingOut})
def hold(request: PageRequest, body: HoldIn) -> Status[Booking]:
    """Hold a slot; confirm it before `held_until`. Send an Idempotency-Key, and the same again after a lost answer."""
    row = selectors.bookable(request.actor, body.offering)
    draft = services.HoldDraft(
        offering=row,
        start=selectors.moment(body.start, zone_of(row)),
        end=selectors.moment(body.end, zone_of(row), "end") if body.end else None,
        units=body.units,
        quantity=body.quantity,
        person=body.person,
        resources=body.resources,
        details=body.details,
    )
    return Status(201, services.hold(request.actor, draft, once_of(request, "hold", body)))


@router.get("/bookings/{int:booking_id}", response=BookingOut)
def get_booking(request: PageRequest, booking_id: int) -> Booking:
    """One booking."""
    return selectors.booking(request.actor, booking_id)


@router.get("/bookings/{int:booking_id}/history", response=list[EventOut])
def history(request: PageRequest, booking_id: int) -> Sequence[BookingEvent]:
    """What happened to a booking, oldest first."""
    return selectors.history(request.actor, selectors.booking(request.actor, booking_id))


@router.get("/bookings/{int:booking_id}/charge", response=ChargeOut)
def charge(request: PageRequest, booking_id: int) -> ChargeOut:
    """What cancelling costs now, and why."""
    return charge_of(selectors.charge_now(request.actor, booking_id))


@router.post("/bookings/{int:booking_id}/confirm", response=BookingOut)
def confirm(request: PageRequest, booking_id: int, body: Versioned) -> Booking:
    """Make a hold a booking."""
    once = once_of(request, f"confirm {booking_id}", body)
    return services.confirm(request.actor, booking_id, body.version, once)


@router.post("/bookings/{int:booking_id}/cancel", response=BookingOut)
def cancel(request: PageRequest, booking_id: int, body: CancelIn) -> Booking:
    """Give a hold or booking up; `charge` is what it costs by its terms."""
    once = once_of(request, f"cancel {booking_id}", body)
    return services.cancel(request.actor, booking_id, body.version, once, reason=body.reason)


@router.post("/bookings/{int:booking_id}/reschedule", response=BookingOut)
def reschedule(request: PageRequest, booking_id: int, body: MoveIn) -> Booking:
    """Give a booking another time."""
    row = selectors.booking(request.actor, booking_id)
    where = slots.zone_named(row.place.time_zone)
    move = services.Move(
        start=selectors.moment(body.start, where),
        end=selectors.moment(body.end, where, "end") if body.end else None,
        resources=body.resources,
        version=body.version,
    )
    return services.reschedule(request.actor, booking_id, move, once_of(request, f"reschedule {booking_id}", body))


@router.post("/bookings/{int:booking_id}/complete", response=BookingOut)
def complete(request: PageRequest, booking_id: int, body: Versioned) -> Booking:
    """As the office: it was kept."""
    once = once_of(request, f"complete {booking_id}", body)
    return services.complete(request.actor, booking_id, body.version, once)


@router.post("/bookings/{int:booking_id}/no-show", response=BookingOut)
def no_show(request: PageRequest, booking_id: int, body: Versioned) -> Booking:
    """As the office: nobody came."""
    once = once_of(request, f"no-show {booking_id}", body)
    return services.no_show(request.actor, booking_id, body.version, once)


@router.get("/waiting", response=Page[WaitOut])
def list_waiting(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Who waits for a slot."""
    rows = selectors.waiting(request.actor)
    return answer(rows, query, {"made": "made_at", "since": "since"}, WaitOut.from_orm, "waiting")


@router.post("/waiting", response={201: WaitOut})
def join(request: PageRequest, body: WaitIn) -> Status[WaitingEntry]:
    """Wait for a slot in a span of time: it will be held, and a notice comes."""
    where = zone_of(selectors.bookable(request.actor, body.offering))
    draft = services.WaitDraft(
        offering=body.offering,
        since=selectors.moment(body.since, where, "since"),
        until=selectors.moment(body.until, where, "until"),
        units=body.units,
        quantity=body.quantity,
        person=body.person,
        details=body.details,
    )
    return Status(201, services.join(request.actor, draft))


@router.post("/waiting/{int:waiting_entry_id}/withdraw", response=WaitOut)
def withdraw(request: PageRequest, waiting_entry_id: int) -> WaitingEntry:
    """Wait no longer."""
    return services.withdraw(request.actor, waiting_entry_id)
