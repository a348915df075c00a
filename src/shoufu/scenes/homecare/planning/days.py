"""A day of an institution as the dispatch engine knows it, read from the tables and written back to them.

Ids in the engine are those of the rows: visit "12", practitioner "7". Minutes count from local midnight, as they pass:
on a day with a clock change they are not those that the wall clock shows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from math import floor
from zoneinfo import ZoneInfo

from django.db.models import Prefetch
from django.utils import timezone

from shoufu.engines import dispatch
from shoufu.engines.dispatch import Plan, Problem
from shoufu.kernel.booking.calendar import Span
from shoufu.kernel.booking.slots import Diary, diaries
from shoufu.scenes.homecare.planning import reading, travel
from shoufu.scenes.homecare.planning.making import NOWHERE, Inputs, asked_of, planned, skills_of
from shoufu.scenes.homecare.planning.models import DayPlan, Policy
from shoufu.scenes.homecare.planning.reading import Known
from shoufu.scenes.homecare.planning.saving import nobody_twice, release, save, save_placed
from shoufu.scenes.homecare.quality.selectors import refused_by_visit
from shoufu.scenes.homecare.register import facts, selectors
from shoufu.scenes.homecare.register.models import Institution, Patient, Practitioner, ServiceVersion
from shoufu.scenes.homecare.visits.models import Stop, Visit

__all__ = ["Day", "Home", "Wish", "load", "load_many", "lock_name", "nobody_twice", "release", "save", "save_placed"]

MINUTE = timedelta(minutes=1)
NOISE = 1e-3
"""Seconds that sums of minutes may be wrong by."""


def lock_name(institution: int, day: date) -> str:
    """The advisory lock of a day's plan: `booking.services.claims.lock((), [name])` takes it. Every writer of stops
    takes it before rows of visits."""
    return f"homecare.plan.{institution}.{day.isoformat()}"


@dataclass(frozen=True)
class Wish:
    """A visit that is asked for and has no row yet, or a row that is to be placed anew, on a day that was read for its
    patient. `refused`: whom not to send, where that is more than the patient's own refusals."""

    patient: Patient
    version: ServiceVersion
    starts_at: datetime
    latest_at: datetime
    refused: frozenset[int] | None = None
    id: str = "new"


@dataclass(frozen=True)
class Home:
    """What is the same for every day of a question: where a patient lives (longitude and latitude), who cares for them,
    whom not to send; people by their ids."""

    patient: int
    at: tuple[float, float] | None
    usual: frozenset[int]
    refused: frozenset[int]


@dataclass(frozen=True)
class Day:
    """The day: `problem` and `plan` for the engine, and the rows behind their ids.

    `rows` are the visits of the problem by their ids, `past` those that have begun: they are not in the problem, and no
    plan changes them. Their people go on from where it is, when it is over (or is expected to be).
    """

    institution: Institution
    day: date
    zero: datetime
    policy: Policy
    problem: Problem
    plan: Plan
    rows: Mapping[str, Known]
    people: Mapping[str, Practitioner]
    number: int
    past: tuple[Known, ...] = ()
    at: tuple[tuple[float, float], ...] = ()
    """The positions (longitude, latitude) behind the rows of the travel matrices."""
    crews: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Who is sent to each visit as it is written; `plan` leaves out what cannot be done so."""
    order: tuple[str, ...] = ()
    home: Home | None = None
    """That of the patient whom the day was read for."""

    @cached_property
    def visits(self) -> Mapping[str, Visit]:
        """The visits of the problem, as rows of the model by their ids; read when asked for."""
        return {str(row.pk): row for row in _visits([row.pk for row in self.rows.values()])}

    @cached_property
    def begun(self) -> tuple[Visit, ...]:
        """The visits that have begun, as rows of the model; read when asked for."""
        return tuple(_visits([row.pk for row in self.past]))

    def name_of(self, visit: str) -> str:
        """The name of a visit's patient, without reading the other visits; empty where it is none of the problem."""
        if visit not in self.rows or "visits" in self.__dict__:
            return self.visits[visit].patient.person.name if visit in self.rows else ""
        names = Patient.objects.filter(pk=self.rows[visit].patient).values_list("person__name", flat=True)
        return names.first() or ""

    def minutes(self, moment: datetime) -> float:
        """Minutes from local midnight."""
        return (moment - self.zero).total_seconds() / 60

    def moment(self, minutes: float) -> datetime:
        """The instant so many minutes after local midnight: the second that has begun by then, so that a time which is
        named is never later than the one which was found."""
        return self.zero + timedelta(seconds=floor(minutes * 60 + NOISE))

    def but(self, problem: Problem, plan: Plan | None = None) -> "Day":
        """The same day with another problem or plan, keeping the rows that were read."""
        made = replace(self, problem=problem, plan=plan or self.plan)
        made.__dict__.update({name: self.__dict__[name] for name in ("visits", "begun") if name in self.__dict__})
        return made

    def with_wish(self, wish: Wish) -> tuple["Day", dispatch.Visit]:
        """The day with one more position in its travel and the visit that was wished for, which is not placed yet."""
        return _with_wish(self, wish)


def load(
    office: Institution,
    day: date,
    *,
    strict: bool = True,
    now: datetime | None = None,
    without: int | None = None,
    patient: Patient | None = None,
) -> Day:
    """The day as it stands, in a fixed number of queries. `strict`: no visit may begin later than was promised, or than
    its people can be expected where that is later already; otherwise a late begin costs and anything before the shift's
    end goes.
    Holds that ran out count no more, nor does the visit `without`. With a `patient` also their `home` is read."""
    return load_many(office, [day], strict=strict, now=now, without=without, patient=patient)[day]


def load_many(
    office: Institution,
    days: Iterable[date],
    *,
    strict: bool = True,
    now: datetime | None = None,
    without: int | None = None,
    patient: Patient | None = None,
) -> dict[date, Day]:
    """Several days at once, in as many queries as one."""
    wanted, now = sorted(set(days)), now or timezone.now()
    if not wanted:
        return {}
    read = _read(office, wanted, now, without, patient)
    return {day: _day(read, day, strict, now) for day in wanted}


@dataclass(frozen=True)
class _Read:
    """What the tables say of some days of an institution."""

    office: Institution
    policy: Policy
    people: Sequence[tuple[Practitioner, Diary]]
    visits: Mapping[date, Sequence[Known]]
    versions: Mapping[int, ServiceVersion]
    plans: Mapping[date, DayPlan]
    located: Mapping[int, tuple[float, float]]
    refused: Mapping[tuple[int, int | None], frozenset[int]]
    home: Home | None


def _midnight(office: Institution, day: date) -> datetime:
    """In UTC: what is added to it or taken from it then is time as it passes, also on a day with a clock change."""
    return datetime.combine(day, time(), ZoneInfo(office.place.time_zone)).astimezone(UTC)


def _read(
    office: Institution, days: Sequence[date], now: datetime, without: int | None, patient: Patient | None
) -> _Read:
    policy = Policy.objects.filter(institution=office).first() or Policy(institution=office)
    whole = Span(_midnight(office, days[0]), _midnight(office, days[-1] + timedelta(days=1)))
    read = reading.visits(office.pk, days, now, without, [patient.pk] if patient is not None else ())
    versions = ServiceVersion.objects.order_by().in_bulk({row.version for rows in read.by_day.values() for row in rows})
    kept = {row.day: row for row in DayPlan.objects.filter(institution=office, day__in=days).order_by()}
    paths = read.paths | {office.place_id: office.place.path}
    pairs: list[tuple[int, int | None]] = [(row.patient, row.pk) for rows in read.by_day.values() for row in rows]
    if patient is not None:
        paths[patient.place_id] = patient.place.path
        pairs.append((patient.pk, None))
    located, refused = selectors.positions_of(paths), refused_by_visit(pairs)
    home = None
    if patient is not None:
        at = located.get(patient.place_id) or located.get(office.place_id)
        home = Home(patient.pk, at, read.usual[patient.pk], refused[patient.pk, None])
    return _Read(office, policy, _on_duty(office, whole), read.by_day, versions, kept, located, refused, home)


def _day(read: _Read, day: date, strict: bool, now: datetime) -> Day:
    inputs = _inputs(read, day, strict, now)
    found = planned(inputs)
    return Day(
        read.office,
        day,
        inputs.zero,
        read.policy,
        found.problem,
        found.plan,
        {str(row.pk): row for row in inputs.rows},
        {str(person.pk): person for person, _diary in inputs.people},
        _number(read.plans.get(day)),
        inputs.past,
        found.at,
        found.crews,
        found.order,
        read.home,
    )


def _inputs(read: _Read, day: date, strict: bool, now: datetime) -> Inputs:
    zero, tomorrow = _midnight(read.office, day), _midnight(read.office, day + timedelta(days=1))
    every, kept, policy = read.visits[day], read.plans.get(day), read.policy
    people = tuple(_cut(read.people, Span(zero, tomorrow)))
    past = tuple(row for row in every if row.began is not None)
    versions = tuple(read.versions[pk] for pk in sorted({row.version for row in every}))
    places = {read.office.place_id, *(row.place for row in every)}
    rows = tuple(row for row in every if row.began is None)
    return Inputs(
        office=read.office,
        day=day,
        zero=zero,
        strict=strict,
        people=people,
        practices=tuple(facts.practice(person) for person, _diary in people),
        modes=tuple(person.transport for person, _diary in people),
        rows=rows,
        refused=tuple(read.refused[row.patient, row.pk] for row in rows),
        chosen=tuple(sorted(kept.starts.items())) if kept is not None else (),
        past=past,
        versions=versions,
        lengths=tuple(
            (one.duration_minutes, one.second, one.gap_least, one.gap_most, repr(one.performers)) for one in versions
        ),
        order=tuple(kept.order) if kept is not None else (),
        rest=(policy.break_earliest, policy.break_latest, policy.break_minutes),
        located=tuple((pk, read.located[pk]) for pk in sorted(places) if pk in read.located),
        now=now if any(row.ended is None for row in past) else None,
    )


def _cut(people: Iterable[tuple[Practitioner, Diary]], day: Span) -> list[tuple[Practitioner, Diary]]:
    """Who is there on a day, and when on that day."""
    found = []
    for person, diary in people:
        there = tuple(
            Span(max(one.start, day.start), min(one.end, day.end)) for one in diary.there if one.overlaps(day)
        )
        if there:
            found.append((person, replace(diary, there=there)))
    return found


def _number(kept: DayPlan | None) -> int:
    return kept.number if kept is not None else 0


def _on_duty(office: Institution, within: Span) -> list[tuple[Practitioner, Diary]]:
    rows = Practitioner.objects.filter(
        institution=office, left_at__isnull=True, suspended_at__isnull=True, resource__retired_at__isnull=True
    ).select_related("person", "portrait")
    people = {row.resource_id: row for row in rows.order_by("pk") if row.resource_id is not None}
    for row in people.values():
        row.institution = office
    found = diaries(list(people), within)
    return [(person, found[pk]) for pk, person in people.items() if pk in found and found[pk].there]


def _visits(ids: Sequence[int]) -> list[Visit]:
    rows = Visit.objects.filter(pk__in=ids).select_related(
        "patient__person", "version", "service", "place", "institution__place", "booking"
    )
    stops = Prefetch("stops", Stop.objects.order_by("task"))
    return list(rows.prefetch_related(stops, "patient__nurses").order_by("pk"))


def _with_wish(day: Day, wish: Wish) -> tuple[Day, dispatch.Visit]:
    home = day.home
    assert home is not None and home.patient == wish.patient.pk, "read the day for this patient"
    # A position that nobody knows must not lie in the Gulf of Guinea: the way is then none.
    somewhere = next((one for one in day.at if one != NOWHERE), NOWHERE)
    here = home.at or somewhere
    located = {wish.patient.place_id: here} if here != NOWHERE else {}
    more = skills_of(list(day.people.values()), [(wish.patient.place_id, wish.version, wish.id)], located, day.day)
    crew = tuple(replace(one, skills=one.skills | more[day.people[one.id].pk]) for one in day.problem.caregivers)
    at = (*(one if one != NOWHERE else here for one in day.at), here) if day.at else (here, here)
    problem = Problem(day.problem.visits, crew, travel.matrices(at, day.problem.travel), day.problem.weights)
    opens, due = day.minutes(wish.starts_at), day.minutes(wish.latest_at)
    usual = frozenset(str(one) for one in home.usual) & {one.id for one in crew}
    refused = frozenset(str(one) for one in (home.refused if wish.refused is None else wish.refused))
    visit = asked_of(wish.version, wish.id, len(at) - 1, opens, due, latest=due, usual=usual, refused=refused)
    return replace(day, problem=problem, at=at), visit
