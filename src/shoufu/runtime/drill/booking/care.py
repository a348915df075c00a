"""The home visits in the database against what was acknowledged: nobody at two places, and nothing lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shoufu.runtime.drill.booking.client import CARE, HOLDS, Entry

if TYPE_CHECKING:
    from shoufu.runtime.drill.booking.faults import Faults

ACTS = {"pay": "book", "cancel": "cancel", "move": "move"}
STATES = {"held": "held", "booked": "confirmed", "cancelled": "cancelled", "expired": "expired"}
"""The state of the booking behind a visit."""


def count(faults: Faults, answers: Mapping[str, Sequence[Entry]]) -> None:
    """Compare everything about home visits."""
    found = [one for some in answers.values() for one in some if one.path.startswith(CARE)]
    rows = _rows()
    _overlaps(faults)
    _visits(faults, found, rows)
    _acts(faults, found)
    _whole(faults, rows)


def _rows() -> dict[int, Any]:
    from shoufu.scenes.homecare.visits.models import Visit

    rows = Visit.objects.select_related("booking", "version").prefetch_related("stops")
    return {row.pk: row for row in rows}


def _overlaps(faults: Faults) -> None:
    """Pairs of services of one nurse at one time, by sorting, without asking the constraint."""
    from shoufu.scenes.homecare.visits.models import Stop

    last: dict[int, datetime] = {}
    for stop in Stop.objects.filter(live=True).order_by("practitioner", "span"):
        who = stop.practitioner_id
        faults.overlaps += who in last and stop.span.lower < last[who]
        last[who] = max(stop.span.upper, last.get(who, stop.span.upper))


def _visits(faults: Faults, found: Sequence[Entry], rows: Mapping[int, Any]) -> None:
    told = {one.answer["id"]: one for one in found if one.path == HOLDS[1] and one.status == 201}
    for missing in sorted(told.keys() - rows.keys()):
        faults.lose(f"acknowledged visit {missing} is not in the database")
    for extra in sorted(rows.keys() - told.keys()):
        faults.lose(f"visit {extra} is there and nobody was told")
    for pk in sorted(told.keys() & rows.keys()):
        if rows[pk].patient_id != told[pk].body["patient"]:
            faults.lose(f"visit {pk} is of patient {rows[pk].patient_id}, asked for {told[pk].body['patient']}")


def _acts(faults: Faults, found: Sequence[Entry]) -> None:
    from shoufu.scenes.homecare.visits.models import VisitEvent

    kinds: dict[int, set[str]] = defaultdict(set)
    for pk, kind in VisitEvent.objects.values_list("visit", "kind"):
        kinds[pk].add(kind)
    for one in found:
        visit, _slash, act = one.path.removeprefix(f"{HOLDS[1]}/").partition("/")
        if one.status == 200 and act in ACTS and ACTS[act] not in kinds[int(visit)]:
            faults.lose(f"{one.path} was acknowledged and is not in the history")


def _whole(faults: Faults, rows: Mapping[int, Any]) -> None:
    """A visit and its booking say the same; one that is to come has its people, one that is not has none."""
    for row in rows.values():
        state = row.booking.state if row.booking is not None else None
        if state != STATES[row.state] or (state in ("held", "confirmed") and row.booking.starts_at != row.starts_at):
            faults.lose(f"visit {row.pk} is {row.state} at {row.starts_at}, its booking {state}")
        people = sum(stop.live for stop in row.stops.all())
        wanted = (1 if row.version.second == "none" else 2) if row.state in ("held", "booked") else 0
        if people != wanted:
            faults.lose(f"visit {row.pk} is {row.state} and has {people} people")
