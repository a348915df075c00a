"""The days to come: visits as patients book them, planned by the engine and written by the planning service."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from shoufu.runtime.bench.care.district import Made
    from shoufu.scenes.homecare.visits.models import Visit

SECONDS = 0.5
"""Of search for each day's plan."""
SHARES = (40, 70, 90, 100)
"""Of a hundred visits: up to which one it is which service."""


def make(made: Made, days: int, visits: int, say: Callable[[str], None]) -> int:
    """Book and plan so many visits on each of the days from tomorrow on; how many of them have their people."""
    from django.db import transaction

    from shoufu.engines import dispatch
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.scenes.homecare.planning import days as planning
    from shoufu.scenes.homecare.visits.models import Visit

    planned = 0
    for ahead in range(1, days + 1):
        on = made.day + timedelta(days=ahead)
        Visit.objects.bulk_create(_visits(made, on, visits))
        with transaction.atomic():
            day = planning.load(made.office, on)
            plan = dispatch.solve(day.problem, SECONDS, seed=ahead)
            planning.save(SYSTEM, day, plan, "anew")
        planned += visits - len(plan.unassigned)
    say(f"{planned:,} of {days * visits:,} visits to come have their people.")
    return planned


def _visits(made: Made, on: date, count: int) -> list[Visit]:
    from django.utils import timezone

    from shoufu.scenes.homecare.visits.models import Visit

    draw, now = random.Random(on.toordinal()), timezone.now()
    midnight = datetime.combine(on, time(), ZoneInfo(made.office.place.time_zone))
    rows = []
    for n, patient in enumerate(draw.sample(range(len(made.patients)), count)):
        service = made.services[next(k for k, share in enumerate(SHARES) if n * 100 // count < share)]
        start = midnight + timedelta(minutes=480 + 15 * draw.randrange(32))
        row = made.patients[patient]
        rows.append(
            Visit(
                patient=row, institution=made.office, service=service, version=service.versions.all()[0],
                place_id=row.place_id, state="booked", day=on, starts_at=start,
                latest_at=start + timedelta(minutes=30), requested_at=now, consented_at=now, pay_later=True,
            )
        )  # fmt: skip
    return rows
