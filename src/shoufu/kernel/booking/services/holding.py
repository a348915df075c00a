from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.booking import providers, selectors, slots
from shoufu.kernel.booking.calendar import Span
from shoufu.kernel.booking.models import Booking, BookingEvent, Offering, Terms
from shoufu.kernel.booking.providers import Query, Slot
from shoufu.kernel.booking.services import claims, requests
from shoufu.kernel.booking.services.common import check_end, check_time, nearest, write_down
from shoufu.kernel.booking.services.requests import Once

TURNS = 5
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class HoldDraft:
    """What somebody wants to have: an offering from `start` (to `end`, else `units` long), for `quantity`.

    `offering` is its id, or the row that was read for this actor. `resources` names some that must be among those
    taken; `details` is for the offering's provider. The system may hold it for a `user`, and for other `seconds` than
    the terms say.
    """

    offering: int | Offering
    start: datetime
    end: datetime | None = None
    units: int = 1
    quantity: int = 1
    person: int | None = None
    resources: Sequence[int] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    user: int | None = None
    seconds: int | None = None


class NotAdmitted(Exception):
    """A provider does not admit a slot: nothing was written. `conflict`, asked once the locks are given back, tells it
    with times that can be had."""

    def __init__(self, said: str, query: Query, slot: Slot) -> None:
        super().__init__(said)
        self.said, self.query, self.slot = said, query, slot

    def conflict(self) -> Conflict:
        """What is said; other times only where it is this one that nobody can serve."""
        return _refused(self.said, "infeasible", self.query, self.slot.start, self.slot)


@dataclass(frozen=True)
class _Wish:
    """A draft after it was checked."""

    query: Query
    terms: Terms
    start: datetime
    resources: Sequence[int]
    user: int | None
    seconds: int
    kind: str


def hold(actor: Actor, draft: HoldDraft, once: Once | None = None, *, kind: str = BookingEvent.Kind.HELD) -> Booking:
    """Hold a slot for a while, so that it can be confirmed. The same `once` again gives the same booking.

    Conflict where it is not free (`reason`: "taken", "closed", "full", "infeasible" or "ended", with the `nearest`
    free starts); Invalid for a time that nobody can book; NotFound for an offering or person that the actor does not
    see. Each try is a transaction of its own: a race that was lost is tried with what is left.
    """
    offering = selectors.still_bookable(actor, draft.offering)
    for _turn in range(TURNS):
        try:
            with transaction.atomic():
                earlier = requests.begin(actor, once)
                if earlier is not None:
                    return earlier
                made = _held(actor, offering, _wish(actor, offering, draft, kind))
                requests.end(actor, once, made)
                return made
        except claims.Taken:
            continue
        except claims.InTheWay as holds:
            claims.let_go(holds)
        except NotAdmitted as no:
            raise no.conflict() from no
    raise Conflict(_("Somebody else was faster; choose another time."), reason="taken", nearest=[])


def _wish(actor: Actor, offering: Offering, draft: HoldDraft, kind: str) -> _Wish:
    terms = slots.current(offering)
    units = check_end(terms, draft.start, draft.end, draft.units)
    slots.check_size(terms, units, draft.quantity)
    check_time(offering, terms, draft.start, timezone.now())
    person = selectors.person_for(actor, offering.place, draft.person)
    query = Query(offering, units, draft.quantity, person, providers.checked(actor, offering, draft.details))
    seconds = draft.seconds if draft.seconds is not None and actor.is_system else terms.hold_seconds
    user = draft.user if draft.user is not None and actor.is_system else actor.user_id
    return _Wish(query, terms, draft.start, draft.resources, user, seconds, kind)


def _held(actor: Actor, offering: Offering, wish: _Wish) -> Booking:
    lock_person(wish.query)
    slot = find(wish.query, wish.start, wish.resources)
    if wish.terms.capacity > 1:
        return _held_place(actor, offering, wish, slot)
    lock_and_admit(wish.query, slot)
    still_there(wish.query, slot)
    made = _booking(offering, wish, slot)
    made.asked = wish.query
    claims.occupy(made, slot.resources, blocked(wish.terms, slot))
    write_down(actor, made, wish.kind, after=made.starts_at)
    return made


def _held_place(actor: Actor, offering: Offering, wish: _Wish, slot: Slot) -> Booking:
    lock_and_admit(wish.query, slot)
    still_there(wish.query, slot)
    made = _booking(offering, wish, slot)
    made.asked = wish.query
    write_down(actor, made, wish.kind, after=made.starts_at)
    claims.take_places(offering, slot.start, wish.query.quantity, wish.terms.capacity)
    return made


def find(query: Query, start: datetime, wanted: Sequence[int] = ()) -> Slot:
    """The slot with resources to take, by what is committed now. Conflict where it cannot be had: why, and what can."""
    terms = slots.terms_of(query)
    length = query.units * terms.duration_minutes * MINUTE
    plan = slots.load(query, Span(start, start + length))
    if not plan.open(start, query.units):
        raise _refused(_("There is no such slot; choose one that is offered."), "closed", query, start)
    if terms.capacity > 1:
        return _place(query, plan, start, terms)
    slot = plan.at(start, query.units, wanted)
    if slot is None:
        raise _refused(_("This slot is taken; choose another time."), "taken", query, start)
    provider = providers.of(query.offering)
    feasible = list(provider.filter(query, [slot])) if provider is not None else [slot]
    if not feasible:
        raise _refused(_("Nobody can serve this slot; choose another time."), "infeasible", query, start)
    return feasible[0]


def _place(query: Query, plan: slots.Plan, start: datetime, terms: Terms) -> Slot:
    left = claims.room(query.offering, start, terms.capacity, plan.tallies.get(start))
    if left < query.quantity:
        claims.refuse_expired(query.offering, start)
        said = _("Only %(left)s places are left.") % {"left": left} if left > 0 else _("This slot is full.")
        raise _refused(said, "full", query, start)
    return Slot(start, plan.service(start, query.units).end, left=left)


def _refused(said: str, reason: str, query: Query, start: datetime, slot: Slot | None = None) -> Conflict:
    day = timedelta(days=1)
    plan = slots.load(query, Span(start - day, start + day))
    return Conflict(said, reason=reason, nearest=nearest(plan, query, start, refused=slot))


def lock_person(query: Query) -> None:
    """The first lock of all. Conflict where whom it is for has died meanwhile."""
    claims.lock_person(query.person)
    if query.person is not None and not selectors.lives(query.person):
        raise Conflict(_("This person has died, or their record was erased; nothing can be booked."), reason="ended")


def lock_and_admit(query: Query, slot: Slot) -> None:
    """Take the locks, then ask the provider. NotAdmitted with its reason."""
    provider = providers.of(query.offering)
    claims.lock(slot.resources, provider.locks(query, slot) if provider is not None else ())
    why_not = provider.admit(query, slot) if provider is not None else ""
    if why_not:
        raise NotAdmitted(why_not, query, slot)


def still_there(query: Query, slot: Slot) -> None:
    """Taken where, while the locks were waited for, a resource was retired or an absence came over the slot."""
    plan = slots.load(query, Span(slot.start, slot.end), places=False)
    there = plan.at(slot.start, query.units, slot.resources) if slot.resources else plan.open(slot.start, query.units)
    if not there:
        raise claims.Taken


def blocked(terms: Terms, slot: Slot) -> Span:
    """The slot with its buffers."""
    return Span(slot.start, slot.end).widened(terms.buffer_before * MINUTE, terms.buffer_after * MINUTE)


def _booking(offering: Offering, wish: _Wish, slot: Slot) -> Booking:
    now = timezone.now()
    return Booking.objects.create(
        offering=offering,
        terms=wish.terms,
        place=offering.place,
        starts_at=slot.start,
        ends_at=slot.end,
        units=wish.query.units,
        quantity=wish.query.quantity,
        held_until=now + timedelta(seconds=wish.seconds),
        user_id=wish.user,
        person_id=wish.query.person,
        details=dict(wish.query.details),
        made_at=now,
    )
