"""A day as the board shows it: who goes where, what is open or at risk and why, and what it all costs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.planning import days, figures, offers, selectors, words
from shoufu.scenes.homecare.planning.days import Day
from shoufu.scenes.homecare.planning.models import DayPlan, PlanEvent
from shoufu.scenes.homecare.planning.risks import Risk, risks
from shoufu.scenes.homecare.planning.running import Running, running
from shoufu.scenes.homecare.planning.services.stops import UNDOABLE
from shoufu.scenes.homecare.planning.words import WhyNot
from shoufu.scenes.homecare.register import codes
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register import words as names
from shoufu.scenes.homecare.register.models import Institution, Practitioner, ServiceVersion
from shoufu.scenes.homecare.visits.models import Visit

EXPLAINED = 12
"""Open visits of which the board says why at once; of the others when they are looked at."""
EVENTS = 8


@dataclass(frozen=True)
class Open:
    """A visit that nobody is sent to, with why not; no reasons: it can be fitted in."""

    visit: Visit
    why: tuple[WhyNot, ...]
    explained: bool = True


@dataclass(frozen=True)
class Bar:
    """A service on somebody's line, in minutes of the day; `travel` is the way to it. `state` is "planned", "held",
    "underway" or "done"."""

    visit: Visit
    task: int
    start: float
    end: float
    travel: float
    state: str
    pinned: bool
    late: float
    """Minutes after the promised time, where it is expected to begin too late or did so."""


@dataclass(frozen=True)
class Line:
    """Somebody's day: shift and rests in minutes, services in order, the way home, the share of the shift in use."""

    person: Practitioner
    shift: tuple[float, float]
    rests: tuple[tuple[float, float], ...]
    bars: tuple[Bar, ...]
    home: float
    used: float


@dataclass(frozen=True)
class Board:
    office: Institution
    day: Day
    now: datetime
    lines: tuple[Line, ...]
    open: tuple[Open, ...]
    risks: tuple[Risk, ...]
    figures: figures.Figures
    done: int
    punctual: float | None
    """The share of visits that began within the promised time; None while none has begun."""
    events: tuple[PlanEvent, ...]
    undo: int | None
    """The number of the actor's own change that can be taken back."""

    @property
    def total(self) -> int:
        return self.figures.visits + len(self.day.begun)

    @property
    def planned(self) -> int:
        return self.figures.planned + len(self.day.begun)


def board(actor: Actor, office_id: int, day: date, *, now: datetime | None = None) -> Board:
    """The board of an institution's day, for who plans it."""
    office = selectors.office(actor, office_id)
    now = now or timezone.now()
    loaded = days.load(office, day, now=now)
    at = running(loaded, now)
    events = tuple(selectors.events(office, day)[:EVENTS])
    return Board(
        office,
        at.day,
        now,
        tuple(_lines(loaded, at, now)),
        tuple(_open(at.day)),
        tuple(risks(at, now)),
        figures.of(at.day),
        sum(row.state == Visit.State.DONE for row in at.day.begun),
        _punctual(at.day.begun),
        events,
        _undo(actor, loaded, events),
    )


def _punctual(begun: Iterable[Visit]) -> float | None:
    kept = [row.began_at <= row.latest_at for row in begun if row.began_at is not None]
    return sum(kept) / len(kept) if kept else None


def _undo(actor: Actor, day: Day, events: tuple[PlanEvent, ...]) -> int | None:
    last = events[0] if events else None
    if last is None or last.number != day.number or last.user_id != actor.user_id or last.kind not in UNDOABLE:
        return None
    return last.number


def _open(day: Day) -> Iterator[Open]:
    rows = sorted((day.visits[name] for name in day.plan.unassigned), key=lambda row: (row.starts_at, row.pk))
    for n, row in enumerate(rows):
        yield Open(row, offers.why_open(day, row), True) if n < EXPLAINED else Open(row, (), False)


def _lines(loaded: Day, at: Running, now: datetime) -> Iterator[Line]:
    day = at.day
    used = figures.utilisation(day)
    for name, person in sorted(loaded.people.items(), key=lambda pair: (pair[1].person.name, pair[0])):
        bars = (*_begun(day, person, now), *_planned(day, name))
        index = loaded.problem.caregiver_index.get(name)
        shift = (0.0, 0.0)
        if index is not None:
            known = loaded.problem.caregivers[index]
            begins = min([known.shift_start, *(bar.start - bar.travel for bar in bars)])
            shift = (begins, known.shift_end)
        rests = tuple((rest.start, rest.end) for rest in day.plan.rests if rest.caregiver == name)
        yield Line(person, shift, rests, bars, _way_home(day, name), used.get(person.pk, 0.0))


def _begun(day: Day, person: Practitioner, now: datetime) -> list[Bar]:
    found = []
    for row in day.begun:
        for stop in row.stops.all():
            if stop.practitioner_id != person.pk or row.began_at is None:
                continue
            length = timedelta(minutes=row.version.duration_minutes)
            end = row.ended_at or max(now, row.began_at + length)
            late = max(0.0, (row.began_at - row.latest_at).total_seconds() / 60)
            start = day.minutes(row.began_at)
            found.append(Bar(row, stop.task, start, day.minutes(end), 0.0, row.state, stop.pinned, late))
    return sorted(found, key=lambda bar: bar.start)


def _planned(day: Day, name: str) -> Iterator[Bar]:
    index = day.problem.caregiver_index.get(name)
    if index is None:
        return
    caregiver = day.problem.caregivers[index]
    where = caregiver.base
    for stop in day.plan.routes.get(name, ()):
        place = day.problem.visits[day.problem.visit_index[stop.visit]].place
        row = day.visits[stop.visit]
        way = day.problem.minutes(caregiver, where, place)
        late = max(0.0, stop.start - day.minutes(row.latest_at)) if stop.task == 0 else 0.0
        pinned = any(one.pinned for one in row.stops.all() if one.task == stop.task)
        state = "held" if row.state == Visit.State.HELD else "planned"
        yield Bar(row, stop.task, stop.start, stop.end, way, state, pinned, late if late > 1.0 else 0.0)
        where = place


def _way_home(day: Day, name: str) -> float:
    stops = day.plan.routes.get(name, ())
    if not stops:
        return 0.0
    caregiver = day.problem.caregivers[day.problem.caregiver_index[name]]
    place = day.problem.visits[day.problem.visit_index[stops[-1].visit]].place
    return day.problem.minutes(caregiver, place, caregiver.base)


def as_dict(shown: Board) -> dict[str, Any]:
    """The board for programs and for the island; minutes count from `zero`."""
    day = shown.day
    at = _positions(shown)
    risky = {risk.visit.pk: {"code": risk.code, "minutes": risk.minutes, "text": risk.text} for risk in shown.risks}
    rows = [*day.visits.values(), *day.begun]
    zone = shown.office.place.time_zone
    visits = {row.pk: row for row in rows}
    return {
        "institution": shown.office.pk,
        "day": day.day.isoformat(),
        "number": day.number,
        "zero": day.zero.isoformat(),
        "now": round(day.minutes(shown.now), 2),
        "figures": shown.figures.as_dict()
        | {"total": shown.total, "done": shown.done, "planned_all": shown.planned, "punctual": shown.punctual},
        "people": [_line(shown, line) for line in shown.lines],
        "visits": [_visit(day, row, at, risky) for row in rows],
        "open": [{"visit": one.visit.pk, "why": [why.as_dict() for why in one.why]} for one in shown.open],
        "events": [_event(one, visits, zone) for one in shown.events],
        "undo": shown.undo,
    }


def _event(event: PlanEvent, visits: dict[int, Visit], zone: str) -> dict[str, Any]:
    about = event.data.get("visit")
    return {
        "number": event.number,
        "kind": event.kind,
        "text": words.told(event, visits.get(about) if isinstance(about, int) else None, zone),
        "moved": event.moved,
    }


def _line(shown: Board, line: Line) -> dict[str, Any]:
    person = line.person
    office = register.position(shown.office.place) if person.base_longitude is None else None
    home = [person.base_longitude, person.base_latitude] if person.base_longitude is not None else office
    return {
        "id": person.pk,
        "name": person.person.name,
        "title": person.title,
        "skills": names.names(codes.Skill, person.skills),
        "shift": [round(one, 2) for one in line.shift],
        "rests": [[round(one, 2) for one in rest] for rest in line.rests],
        "used": line.used,
        "home": home,
        "way_home": round(line.home, 1),
        "bars": [
            {
                "visit": bar.visit.pk,
                "task": bar.task,
                "start": round(bar.start, 2),
                "end": round(bar.end, 2),
                "travel": round(bar.travel, 1),
                "state": bar.state,
                "pinned": bar.pinned,
                "late": words.whole(bar.late),
            }
            for bar in line.bars
        ],
    }


def _visit(
    day: Day, row: Visit, at: dict[int, tuple[float, float]], risky: dict[int, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "id": row.pk,
        "number": row.number,
        "patient": row.patient.person.name,
        "service": row.version.label,
        "minutes": row.version.duration_minutes,
        "people": 1 if row.version.second == ServiceVersion.Second.NONE else 2,
        "second": row.version.second,
        "place": row.place.label,
        "window": [round(day.minutes(row.starts_at), 2), round(day.minutes(row.latest_at), 2)],
        "state": row.state,
        "at": at.get(row.pk),
        "risk": risky.get(row.pk),
    }


def _positions(shown: Board) -> dict[int, tuple[float, float]]:
    rows = [*shown.day.visits.values(), *shown.day.begun]
    located = register.positions([row.place for row in rows])
    return {row.pk: located[row.place_id] for row in rows if row.place_id in located}


def number(actor: Actor, office_id: int, day: date) -> int:
    """The number of the newest plan, for who asks whether theirs is old."""
    office = selectors.office(actor, office_id)
    return DayPlan.objects.filter(institution=office, day=day).values_list("number", flat=True).first() or 0
