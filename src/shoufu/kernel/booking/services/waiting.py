import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from shoufu.kernel.booking import providers, selectors, slots, telling
from shoufu.kernel.booking.models import BookingEvent, WaitingEntry
from shoufu.kernel.booking.providers import Query, Slot
from shoufu.kernel.booking.services import claims
from shoufu.kernel.booking.services.common import require_office
from shoufu.kernel.booking.services.holding import HoldDraft, hold

OFFER = timedelta(minutes=30)
SPARE = timedelta(minutes=1)
MOST = 50
WISH = ("since", "until", "units", "quantity", "offering__provider", "person", "details")
State = WaitingEntry.State


@dataclass(frozen=True)
class WaitDraft:
    """Any slot of an offering that starts from `since` until `until` would do."""

    offering: int
    since: datetime
    until: datetime
    units: int = 1
    quantity: int = 1
    person: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def join(actor: Actor, draft: WaitDraft) -> WaitingEntry:
    """Wait for a slot; waiting for the same already is no error. Conflict where one is free now: it can be held."""
    if actor.user_id is None:
        raise Forbidden(_("Only people with an account can wait: a notice must reach them."))
    offering = selectors.bookable(actor, draft.offering)
    person = selectors.person_for(actor, offering.place, draft.person)
    query = Query(offering, draft.units, draft.quantity, person, providers.checked(actor, offering, draft.details))
    now = timezone.now()
    if draft.until <= now:
        raise Invalid.one("until", _("This time lies in the past; choose a later one."))
    if offering.ends_at is not None and offering.ends_at <= max(now, draft.since):
        raise Conflict(_("This offering has ended; choose another one."), reason="ended")
    free = slots.offered(query, draft.since, draft.until)
    if free:
        raise Conflict(
            _("A slot is free; hold it."), reason="free", nearest=[one.start.isoformat() for one in free[:3]]
        )
    made, new = WaitingEntry.objects.get_or_create(
        offering=offering,
        user_id=actor.user_id,
        since=draft.since,
        until=draft.until,
        state=State.WAITING,
        defaults={
            "person_id": person,
            "units": draft.units,
            "quantity": draft.quantity,
            "details": dict(query.details),
            "made_at": now,
        },
    )
    if new:
        record(actor, Act("booking.wait", made, offering.place_id, data={"offering": offering.pk}, subject=person))
    return made


@transaction.atomic
def withdraw(actor: Actor, entry_id: int) -> WaitingEntry:
    """Wait no longer; a slot that is held already stays held until it is given up or its time ends."""
    seen = selectors.waiting(actor).filter(pk=entry_id).first()
    if seen is None:
        raise NotFound(_("There is no such entry of the waiting list that you may see."))
    if seen.user_id != actor.user_id:
        require_office(actor, seen.offering.place)
    row = WaitingEntry.objects.select_for_update(of=("self",)).select_related("offering").get(pk=entry_id)
    if row.state == State.WITHDRAWN:
        return row
    if row.state != State.WAITING:
        said = _("This cannot be done to an entry that is “%(state)s”.") % {"state": row.get_state_display()}
        raise Conflict(said, reason="state", state=row.state)
    row.state = State.WITHDRAWN
    row.save(update_fields=["state"])
    record(actor, Act("booking.leave_queue", row, row.offering.place_id, subject=row.person_id))
    return row


def promote_soon(offering_id: int) -> None:
    """Once the caller's transaction has committed, offer what got free to who waits for it."""
    transaction.on_commit(lambda: promote(offering_id), robust=True)


def promote_all() -> int:
    """Offer free slots to whoever waits, and end what waited for times that are past. Returns how many were offered."""
    now = timezone.now()
    WaitingEntry.objects.filter(state=State.WAITING, until__lte=now).update(state=State.LAPSED)
    queued = WaitingEntry.objects.filter(state=State.WAITING)
    return sum(promote(pk) for pk in queued.order_by("offering").values_list("offering", flat=True).distinct())


def promote(offering_id: int) -> int:
    """Hold free slots of an offering for those who wait, first come first served, and tell them. Returns how many."""
    rows = WaitingEntry.objects.filter(offering=offering_id, state=State.WAITING, until__gt=timezone.now())
    offered, in_vain = 0, set[tuple[Any, ...]]()
    for pk, *wish in list(rows.order_by("made_at", "pk").values_list("pk", *WISH)):
        # Who wants what an earlier one did not get does not get it either: a long list costs few looks.
        if offered == MOST or (key := _key(wish)) in in_vain:
            continue
        if _promoted(pk, offering_id):
            offered += 1
        else:
            in_vain.add(key)
    return offered


def _key(wish: list[Any]) -> tuple[Any, ...]:
    *times, provider, person, details = wish
    return (*times, person, json.dumps(details, sort_keys=True)) if provider else tuple(times)


@transaction.atomic
def _promoted(entry_id: int, offering_id: int) -> bool:
    # In turn: two at once could give the second in the queue what is the first one's.
    claims.lock((), [f"waiting:{offering_id}"])
    rows = WaitingEntry.objects.select_for_update(of=("self",))
    entry = rows.filter(pk=entry_id, state=State.WAITING).select_related("offering__current", "offering__place").first()
    if entry is None:
        return False
    query = Query(entry.offering, entry.units, entry.quantity, entry.person_id, entry.details)
    try:
        found = slots.offered(query, entry.since, entry.until)
        if not found:
            return False
        made = hold(SYSTEM, _draft(entry, found[0]), kind=BookingEvent.Kind.PROMOTED)
    except Problem:
        return False  # taken meanwhile, or the terms changed: the next turn sees what is left
    entry.state, entry.booking = State.OFFERED, made
    entry.save(update_fields=["state", "booking"])
    telling.offered(made)
    return True


def _draft(entry: WaitingEntry, slot: Slot) -> HoldDraft:
    terms = slots.current(entry.offering)
    longest = max(OFFER, timedelta(seconds=terms.hold_seconds))
    left = max(SPARE, min(longest, slot.start - timezone.now() - SPARE))
    return HoldDraft(
        offering=entry.offering_id,
        start=slot.start,
        units=entry.units,
        quantity=entry.quantity,
        person=entry.person_id,
        details=entry.details,
        user=entry.user_id,
        seconds=int(left.total_seconds()),
    )
