"""The database against what was acknowledged and refused."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shoufu.runtime.drill.booking.client import Entry
from shoufu.runtime.drill.booking.district import SEATS, Course

KINDS = {"confirm": "confirmed", "cancel": "cancelled", "reschedule": "moved"}


@dataclass
class Faults:
    """What is wrong, in words and counted; `summary` says how the race went."""

    overlaps: int = 0
    lost: int = 0
    lines: list[str] = field(default_factory=list)
    summary: str = ""

    def lose(self, line: str) -> None:
        self.lost += 1
        self.lines.append(f"lost: {line}")


def count(questions: Mapping[str, Entry], answers: Mapping[str, Sequence[Entry]], course: Course) -> Faults:
    """Compare everything; a server error counts as lost, since it is no answer."""
    faults = Faults()
    _overlaps(faults)
    _keys(faults, questions, answers)
    _bookings(faults, answers)
    _acts(faults, answers)
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
    for offering, start, quantity in sold.values_list("offering", "starts_at", "quantity"):
        taken[offering, start] += quantity
    faults.overlaps += sum(max(0, number - SEATS) for number in taken.values())
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
        good = {one.answer["id"] for one in found if one.status in (200, 201)}
        if any(one.status >= 500 for one in found):
            faults.lose(f"{questions[key].path}: server error {found[-1].answer}")
        if len(good) > 1:
            faults.lose(f"one key, several bookings: {good}")
        if good and kept.get(key) not in good:
            faults.lose(f"acknowledged booking {good} is not kept under its key")
        if not good and key in kept:
            faults.lose(f"refused, but booking {kept[key]} is there")


def _bookings(faults: Faults, answers: Mapping[str, Sequence[Entry]]) -> None:
    """Every acknowledged hold is there, at the time that was asked for; and no booking that nobody was told of."""
    from shoufu.kernel.booking.models import Booking, BookingEvent

    told = {
        one.answer["id"]: one.body["start"]
        for found in answers.values()
        for one in found
        if one.path == "bookings" and one.status == 201
    }
    there = set(Booking.objects.values_list("pk", flat=True))
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
    rows = {row.pk: row for row in Booking.objects.all()}
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
