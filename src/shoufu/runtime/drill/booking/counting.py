"""The database against what was acknowledged and refused."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shoufu.runtime.drill.booking import care
from shoufu.runtime.drill.booking.client import CARE, HOLDS, Entry
from shoufu.runtime.drill.booking.district import Course
from shoufu.runtime.drill.booking.faults import Faults

KINDS = {"confirm": "confirmed", "cancel": "cancelled", "reschedule": "moved"}


def count(questions: Mapping[str, Entry], answers: Mapping[str, Sequence[Entry]], course: Course) -> Faults:
    """Compare everything; a server error counts as lost, since it is no answer."""
    faults = Faults()
    courts = {key: found for key, found in answers.items() if not questions[key].path.startswith(CARE)}
    _overlaps(faults)
    _keys(faults, questions, answers)
    _bookings(faults, courts)
    _acts(faults, courts)
    care.count(faults, answers)
    statuses = Counter(one.status for found in answers.values() for one in found)
    expired = sum(one.answer.get("reason") == "hold-expired" for found in answers.values() for one in found)
    faults.summary = f"answers {dict(sorted(statuses.items()))}, {expired} of them too late for their hold"
    return faults


def _overlaps(faults: Faults) -> None:
    """Pairs on one resource by sorting, without asking the constraint; and places beyond a slot's."""
    from shoufu.kernel.booking.models import Allocation, Booking, Tally

    last: dict[int, datetime] = {}
    rows = Allocation.objects.filter(booking__state__in=Booking.TAKES, live=True).order_by("resource_id", "span")
    for row in rows:
        if row.resource_id in last and row.span.lower < last[row.resource_id]:
            faults.overlaps += 1
        last[row.resource_id] = max(row.span.upper, last.get(row.resource_id, row.span.upper))
    taken: dict[tuple[int, datetime], int] = defaultdict(int)
    sold = Booking.objects.filter(terms__capacity__gt=1, state__in=Booking.TAKES)
    seats: dict[tuple[int, datetime], int] = {}
    for offering, start, quantity, places in sold.values_list("offering", "starts_at", "quantity", "terms__capacity"):
        taken[offering, start] += quantity
        seats[offering, start] = places
    faults.overlaps += sum(max(0, number - seats[slot]) for slot, number in taken.items())
    counted = {(row.offering_id, row.starts_at): row.taken for row in Tally.objects.filter(taken__gt=0)}
    if counted != dict(taken):
        faults.lose(f"tallies differ from bookings: {set(counted.items()) ^ set(taken.items())}")
    live = Booking.objects.filter(terms__capacity=1, state__in=Booking.TAKES)
    without = live.exclude(allocations__live=True).count()
    if without:
        faults.lose(f"{without} bookings hold no resource")


def _keys(faults: Faults, questions: Mapping[str, Entry], answers: Mapping[str, Sequence[Entry]]) -> None:
    """A key that was acknowledged stands for one booking; one that was only refused stands for none."""
    from shoufu.kernel.booking.models import Request

    kept = dict(Request.objects.values_list("key", "booking_id"))
    for key in questions:
        found = answers.get(key, ())
        good = {_booking(one) for one in found if one.status in (200, 201)} - {None}
        if any(one.status >= 500 for one in found):
            faults.lose(f"{questions[key].path}: server error {found[-1].answer}")
        if len(good) > 1:
            faults.lose(f"one key, several bookings: {good}")
        once = questions[key].path in HOLDS or not questions[key].path.startswith(CARE)
        if once and good and kept.get(key) not in good:
            faults.lose(f"acknowledged booking {good} is not kept under its key")
        if not good and key in kept:
            faults.lose(f"refused, but booking {kept[key]} is there")


def _booking(answer: Entry) -> int | None:
    """The id of the booking that an answer speaks of; of a home visit, the one behind it."""
    return answer.answer.get("booking") if answer.path.startswith(CARE) else answer.answer["id"]


def _bookings(faults: Faults, answers: Mapping[str, Sequence[Entry]]) -> None:
    """Every acknowledged hold is there, at the time that was asked for; and no booking that nobody was told of."""
    from shoufu.kernel.booking.models import Booking, BookingEvent

    told = {
        one.answer["id"]: one.body["start"]
        for found in answers.values()
        for one in found
        if one.path == HOLDS[0] and one.status == 201
    }
    there = set(Booking.objects.exclude(offering__provider="homecare").values_list("pk", flat=True))
    for missing in sorted(told.keys() - there):
        faults.lose(f"acknowledged hold {missing} is not in the database")
    for extra in sorted(there - told.keys()):
        faults.lose(f"booking {extra} is there and nobody was told")
    first = dict(BookingEvent.objects.filter(kind="held").values_list("booking", "after"))
    for pk in told.keys() & there:
        if first.get(pk) != datetime.fromisoformat(told[pk]):
            faults.lose(f"hold {pk} was made for {first.get(pk)}, asked for {told[pk]}")


def _acts(faults: Faults, answers: Mapping[str, Sequence[Entry]]) -> None:
    """What was acknowledged afterwards is in the history, and the booking is in the state that its last act left."""
    from shoufu.kernel.booking.models import Booking, BookingEvent

    lines: dict[int, list[Any]] = defaultdict(list)
    for event in BookingEvent.objects.order_by("at", "id"):
        lines[event.booking_id].append(event)
    states = {"held": "held", "confirmed": "confirmed", "cancelled": "cancelled", "expired": "expired"}
    rows = {row.pk: row for row in Booking.objects.exclude(offering__provider="homecare")}
    for found in answers.values():
        for one in found:
            act = KINDS.get(one.path.rpartition("/")[2])
            if act is None or one.status != 200:
                continue
            if not any(line.kind == act for line in lines[one.answer["id"]]):
                faults.lose(f"{one.path} was acknowledged and is not in the history")
    for pk, row in rows.items():
        last = [line for line in lines[pk] if line.kind in states][-1:]
        moves = [line.after for line in lines[pk] if line.kind in ("held", "moved")]
        if not last or states[last[0].kind] != row.state or moves[-1:] != [row.starts_at]:
            faults.lose(f"booking {pk} is {row.state} at {row.starts_at}; its history says otherwise")
