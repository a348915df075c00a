"""Visits of a running day that will not be as promised: not begun in time, or expected to begin too late."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from shoufu.scenes.homecare.planning import words
from shoufu.scenes.homecare.planning.running import Running
from shoufu.scenes.homecare.visits.models import Visit


@dataclass(frozen=True)
class Risk:
    """`code` is "not_begun" (the last promised moment and the grace have passed) or "late" (its people are expected
    `minutes` after that moment) or "open" (nobody is sent, or none of who is can come)."""

    visit: Visit
    code: str
    minutes: int
    text: str


def risks(at: Running, now: datetime) -> list[Risk]:
    """The visits at risk, the most urgent promise first. Who is sent to nobody has no entry: that visit is open."""
    return sorted(_risks(at, now), key=lambda risk: (risk.visit.latest_at, risk.visit.pk))


def open_ones(at: Running) -> list[Risk]:
    """The visits of the day that are booked and that nobody comes to as things stand: the board lists them as open."""
    rows = [at.day.visits[name] for name in at.day.plan.unassigned]
    said = _("Nobody is sent to it; promised for %(promised)s.")
    found = [
        Risk(row, "open", 0, said % {"promised": words.promise(row)}) for row in rows if row.state == Visit.State.BOOKED
    ]
    return sorted(found, key=lambda risk: (risk.visit.latest_at, risk.visit.pk))


def _risks(at: Running, now: datetime) -> Iterator[Risk]:
    grace = timedelta(minutes=at.day.policy.grace_minutes)
    for name, stops in at.day.plan.by_visit.items():
        visit = at.day.visits[name]
        if visit.state != Visit.State.BOOKED:
            continue
        people = ", ".join(at.day.people[stop.caregiver].person.name for stop in stops)
        about = {"who": people, "promised": words.promise(visit)}
        start = at.expected.get((name, 0), stops[0].start)
        late = start - at.day.minutes(visit.latest_at)
        if now > visit.latest_at + grace:
            over = int((now - visit.latest_at).total_seconds() // 60)
            said = _("%(who)s has not begun; it is %(minutes)s min past %(promised)s.")
            yield Risk(visit, "not_begun", over, said % {**about, "minutes": over})
        elif late > 1.0:
            about["time"] = words.clock(at.day, start)
            said = _("%(who)s is expected at %(time)s, %(minutes)s min after %(promised)s.")
            yield Risk(visit, "late", words.whole(late), said % {**about, "minutes": words.whole(late)})
