"""A day of an institution as the dispatch engine knows it, read from the tables and written back to them.

Ids in the engine are those of the rows: visit "12", practitioner "7". Minutes count from local midnight, as they pass:
on a day with a clock change they are not those that the wall clock shows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from math import inf
from zoneinfo import ZoneInfo

from django.db.models import Prefetch
from django.utils import timezone

from shoufu.engines import dispatch
from shoufu.engines.dispatch import Break, Caregiver, Plan, Problem, Sync, Task
from shoufu.kernel.booking.calendar import Span
from shoufu.kernel.booking.slots import Diary, diaries
from shoufu.scenes.homecare.planning import travel
from shoufu.scenes.homecare.planning.expecting import as_expected, unlimited
from shoufu.scenes.homecare.planning.models import DayPlan, Policy
from shoufu.scenes.homecare.planning.saving import release, save
from shoufu.scenes.homecare.quality.selectors import refused_by_visit
from shoufu.scenes.homecare.register import eligibility, facts, selectors
from shoufu.scenes.homecare.register.models import Institution, Patient, Practitioner, ServiceVersion
from shoufu.scenes.homecare.register.national import in_force
from shoufu.scenes.homecare.visits.models import Stop, Visit

__all__ = ["Day", "Wish", "home_of", "load", "load_many", "lock_name", "release", "save", "usual_of"]

MINUTE = timedelta(minutes=1)


def lock_name(institution: int, day: date) -> str:
    """The advisory lock of a day's plan: `booking.services.claims.lock((), [name])` takes it. Every writer of stops
    takes it before rows of visits."""
    return f"homecare.plan.{institution}.{day.isoformat()}"


@dataclass(frozen=True)
class Wish:
    """A visit that is asked for and has no row yet, or a row that is to be placed anew. `at` (longitude and latitude of
    the home) and `usual` (ids of who cares for the patient) are looked up where they are not given."""

    patient: Patient
    version: ServiceVersion
    starts_at: datetime
    latest_at: datetime
    refused: frozenset[int] = frozenset()
    id: str = "new"
    at: tuple[float, float] | None = None
    usual: frozenset[int] | None = None


@dataclass(frozen=True)
class Day:
    """The day: `problem` and `plan` for the engine, and the rows behind their ids.

    What has begun is in `begun` and not in the problem: no plan changes it. Its people go on from where it is, when it
    is over (or is expected to be).
    """

    institution: Institution
    day: date
    zero: datetime
    policy: Policy
    problem: Problem
    plan: Plan
    visits: Mapping[str, Visit]
    people: Mapping[str, Practitioner]
    number: int
    begun: tuple[Visit, ...] = ()
    at: tuple[tuple[float, float], ...] = ()
    """The positions (longitude, latitude) behind the rows of the travel matrices."""
    crews: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Who is sent to each visit as it is written; `plan` leaves out what cannot be done so."""
    order: tuple[str, ...] = ()

    def minutes(self, moment: datetime) -> float:
        """Minutes from local midnight."""
        return (moment - self.zero).total_seconds() / 60

    def moment(self, minutes: float) -> datetime:
        """The instant so many minutes after local midnight, to the second."""
        return self.zero + timedelta(seconds=round(minutes * 60))

    def with_wish(self, wish: Wish) -> tuple["Day", dispatch.Visit]:
        """The day with one more position in its travel and the visit that was wished for, which is not placed yet."""
        return _with_wish(self, wish)


def load(
    office: Institution, day: date, *, strict: bool = True, now: datetime | None = None, without: int | None = None
) -> Day:
    """The day as it stands, in a fixed number of queries. `strict`: no visit may begin later than was promised, or than
    its people can be expected where that is later already; otherwise a late begin costs and anything before the shift's
    end goes.
    Holds that ran out count no more, nor does the visit `without`."""
    return load_many(office, [day], strict=strict, now=now, without=without)[day]


def load_many(
    office: Institution,
    days: Iterable[date],
    *,
    strict: bool = True,
    now: datetime | None = None,
    without: int | None = None,
) -> dict[date, Day]:
    """Several days at once, in as many queries as one."""
    wanted, now = sorted(set(days)), now or timezone.now()
    if not wanted:
        return {}
    read = _read(office, wanted, now, without)
    return {day: _day(read, day, strict, now) for day in wanted}


@dataclass(frozen=True)
class _Read:
    """What the tables say of some days of an institution. `near` keeps who is near which home."""

    office: Institution
    policy: Policy
    people: Sequence[tuple[Practitioner, Diary]]
    visits: Mapping[date, Sequence[Visit]]
    plans: Mapping[date, DayPlan]
    located: Mapping[int, tuple[float, float]]
    near: dict[tuple[int, int], bool]
    refused: Mapping[tuple[int, int | None], frozenset[int]]


def _midnight(office: Institution, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(office.place.time_zone))


def _read(office: Institution, days: Sequence[date], now: datetime, without: int | None) -> _Read:
    policy = Policy.objects.filter(institution=office).first() or Policy(institution=office)
    whole = Span(_midnight(office, days[0]), _midnight(office, days[-1] + timedelta(days=1)))
    visits = _visits(office, days, now, without)
    grouped: dict[date, list[Visit]] = {day: [] for day in days}
    for row in visits:
        grouped[row.day].append(row)
    kept = {row.day: row for row in DayPlan.objects.filter(institution=office, day__in=days)}
    located = selectors.positions([office.place, *(row.place for row in visits)])
    refused = refused_by_visit((row.patient_id, row.pk) for row in visits)
    return _Read(office, policy, _on_duty(office, whole), grouped, kept, located, {}, refused)


def _day(read: _Read, day: date, strict: bool, now: datetime) -> Day:
    office, located, kept = read.office, read.located, read.plans.get(day)
    zero, tomorrow = _midnight(office, day), _midnight(office, day + timedelta(days=1))
    people = _cut(read.people, Span(zero, tomorrow))
    every = read.visits[day]
    rows = [row for row in every if row.began_at is None]
    begun = tuple(row for row in every if row.began_at is not None)
    names = {str(person.pk): person for person, _diary in people}
    visits = {str(row.pk): row for row in rows}
    start = Day(office, day, zero, read.policy, _EMPTY, _NO_PLAN, visits, names, _number(kept), begun)
    skills = _skills(list(names.values()), [(v.patient, v.version, str(v.pk)) for v in rows], located, day, read.near)
    at, crew = _crew(start, people, located, skills, now)
    homes = [located.get(v.place_id) or located.get(office.place_id) or _NOWHERE for v in rows]
    chosen = kept.starts if kept is not None else {}
    wanted = [
        _visit(start, v, len(at) + n, strict, chosen.get(str(v.pk)), read.refused[v.patient_id, v.pk])
        for n, v in enumerate(rows)
    ]
    on_duty = {one.id for one in crew}
    problem = Problem(
        tuple(_only_present(one, on_duty) for one in wanted),
        crew,
        travel.matrices([*at, *homes] or [_NOWHERE], {one.mode for one in crew} or {"walk"}),
    )
    crews = {str(v.pk): tuple(str(stop.practitioner_id) for stop in v.stops.all()) for v in rows}
    order = tuple(str(one) for one in kept.order) if kept is not None else ()
    plan = dispatch.arrange(problem, crews, order)
    if any(all(one in on_duty for one in crews[name]) and crews[name] for name in plan.unassigned):
        problem = as_expected(problem, unlimited(problem, crews, order))
        plan = dispatch.arrange(problem, crews, order)
    return replace(start, problem=problem, plan=plan, at=(*at, *homes), crews=crews, order=order)


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


_NOWHERE = (0.0, 0.0)
_EMPTY = Problem((), (), travel.matrices([_NOWHERE], ["walk"]))
_NO_PLAN = Plan((), (), (), (), 0.0, 0.0, 0.0, 0, 0.0)


def _on_duty(office: Institution, within: Span) -> list[tuple[Practitioner, Diary]]:
    rows = Practitioner.objects.filter(
        institution=office, left_at__isnull=True, suspended_at__isnull=True, resource__retired_at__isnull=True
    ).select_related("person", "institution__place", "resource")
    people = {row.resource_id: row for row in rows.order_by("pk") if row.resource_id is not None}
    found = diaries(list(people), within)
    return [(person, found[pk]) for pk, person in people.items() if pk in found and found[pk].there]


def _visits(office: Institution, days: Sequence[date], now: datetime, without: int | None) -> list[Visit]:
    rows = Visit.objects.filter(institution=office, day__in=days, state__in=Visit.PLANNED)
    rows = rows.exclude(state=Visit.State.HELD, booking__held_until__lte=now).exclude(pk=without or 0)
    rows = rows.select_related("patient__person", "version", "service", "place", "institution__place", "booking")
    stops = Prefetch("stops", Stop.objects.order_by("task"))
    return list(rows.prefetch_related(stops, "patient__nurses").order_by("pk"))


def _base(person: Practitioner, office: tuple[float, float] | None) -> tuple[float, float]:
    if person.base_longitude is None or person.base_latitude is None:
        return office or _NOWHERE
    return person.base_longitude, person.base_latitude


def _crew(
    day: Day,
    people: Sequence[tuple[Practitioner, Diary]],
    located: Mapping[int, tuple[float, float]],
    skills: Mapping[int, frozenset[str]],
    now: datetime,
) -> tuple[list[tuple[float, float]], tuple[Caregiver, ...]]:
    """Where each person's (rest of the) day begins, and the people who still have time on duty."""
    office = located.get(day.institution.place_id)
    at: list[tuple[float, float]] = []
    crew: list[Caregiver] = []
    for person, diary in people:
        there = [(day.minutes(span.start), day.minutes(span.end)) for span in diary.there]
        base, since = _base(person, office), there[0][0]
        last = _last_begun(day, person, now)
        if last is not None:
            base, since = located.get(last[0].place_id, base), max(since, day.minutes(last[1]))
        there = [(max(start, since), end) for start, end in there if end > since]
        if not there:
            continue
        breaks = _breaks(there, day.policy)
        crew.append(
            Caregiver(str(person.pk), skills[person.pk], len(at), there[0][0], there[-1][1], breaks, person.transport)
        )
        at.append(base)
    return at, tuple(crew)


def _last_begun(day: Day, person: Practitioner, now: datetime) -> tuple[Visit, datetime] | None:
    """The last visit of the day that somebody began, and when it ended or is expected to."""
    own = [row for row in day.begun if any(stop.practitioner_id == person.pk for stop in row.stops.all())]
    ends = [(row, row.ended_at or max(now, _began(row) + row.version.duration_minutes * MINUTE)) for row in own]
    return max(ends, key=lambda pair: pair[1], default=None)


def _began(row: Visit) -> datetime:
    return row.began_at or row.starts_at


def _breaks(there: Sequence[tuple[float, float]], policy: Policy) -> tuple[Break, ...]:
    """The gaps of somebody's day as rests that must be then, and the midday rest where no gap serves as one."""
    gaps = [(end, start) for (_from, end), (start, _to) in zip(there, there[1:], strict=False)]
    found = [Break(start, start, end - start) for start, end in gaps]
    first, last, minutes = policy.break_earliest, policy.break_latest, policy.break_minutes
    whole = there[0][0] <= first and last + minutes <= there[-1][1]
    rested = any(start < last + minutes and end > first for start, end in gaps)
    if minutes and whole and not rested:
        found.append(Break(first, last, minutes))
    return tuple(sorted(found, key=lambda rest: rest.earliest))


def _visit(
    day: Day, row: Visit, place: int, strict: bool, chosen: float | None, refused: frozenset[int]
) -> dispatch.Visit:
    stops = list(row.stops.all())
    planned = max((day.minutes(stop.span.lower) for stop in stops if stop.task == 0), default=0.0)
    opens, due = day.minutes(row.starts_at), day.minutes(row.latest_at)
    count = 1 if row.version.second == ServiceVersion.Second.NONE else 2
    pinned = tuple(str(stop.practitioner_id) if stop.pinned else None for stop in stops)
    if chosen is not None and any(pinned):
        opens = max(opens, min(chosen, max(due, planned)))
        due = max(opens, due)
    return _asked(
        row.version,
        str(row.pk),
        place,
        opens,
        due,
        latest=max(due, planned) if strict else max(1440.0, due),
        fixed=pinned if len(pinned) == count else (),
        usual=frozenset(str(nurse.pk) for nurse in row.patient.nurses.all()),
        refused=frozenset(str(one) for one in refused),
    )


def _asked(
    version: ServiceVersion,
    name: str,
    place: int,
    opens: float,
    due: float,
    *,
    latest: float,
    fixed: tuple[str | None, ...] = (),
    usual: frozenset[str] = frozenset(),
    refused: frozenset[str] = frozenset(),
) -> dispatch.Visit:
    count = 1 if version.second == ServiceVersion.Second.NONE else 2
    sequential = version.second == ServiceVersion.Second.SEQUENTIAL
    # Of two one after the other the promise is the first one's begin; the second follows by the gap.
    later = float(version.gap_most) if sequential else 0.0
    sync = None if count == 1 else Sync.SEQUENTIAL if sequential else Sync.SIMULTANEOUS
    return dispatch.Visit(
        name,
        place,
        opens,
        due + later,
        tuple(Task(f"{name}.{task}", float(version.duration_minutes)) for task in range(count)),
        sync,
        (float(version.gap_least), float(version.gap_most)) if sequential else (0.0, 0.0),
        latest=latest + later,
        first_latest=latest if sequential else inf,
        fixed_caregivers=fixed,
        usual=usual,
        refused=refused,
    )


def _only_present(visit: dispatch.Visit, on_duty: set[str]) -> dispatch.Visit:
    """Without people who are not on duty or refused: whom they were sent to is then planned anew, or stays open."""
    fixed = tuple(one if one in on_duty - visit.refused else None for one in visit.fixed_caregivers)
    return replace(visit, usual=visit.usual & on_duty, fixed_caregivers=fixed if any(fixed) else ())


def _skills(
    people: Sequence[Practitioner],
    asked: Iterable[tuple[Patient, ServiceVersion, str]],
    located: Mapping[int, tuple[float, float]],
    day: date,
    near: dict[tuple[int, int], bool] | None = None,
) -> dict[int, frozenset[str]]:
    """What each may do: a word "visit.task" for each task that nothing in the person speaks against (licence on that
    day, title, years, skills, distance). What speaks against it in the patient was looked at when it was asked for.
    `near` is what is known already of who goes as far as which home, and is added to."""
    practices = {person.pk: facts.practice(person) for person in people}
    near = {} if near is None else near
    able: dict[tuple[int, int], list[int]] = {}
    found: dict[int, set[str]] = defaultdict(set)
    for patient, version, name in asked:
        for task in range(1 if version.second == ServiceVersion.Second.NONE else 2):
            key = (version.pk, task)
            if key not in able:
                able[key] = _able(people, practices, version, task, day)
            for pk in able[key]:
                if _goes(practices[pk], pk, patient.place_id, located, near):
                    found[pk].add(f"{name}.{task}")
    return {person.pk: frozenset(found[person.pk]) for person in people}


def _able(
    people: Sequence[Practitioner],
    practices: Mapping[int, eligibility.Practice],
    version: ServiceVersion,
    task: int,
    day: date,
) -> list[int]:
    """Who may do a task of a service on a day, wherever it is."""
    if not people:
        return []
    wanted = facts.asked(people[0].institution, version, "valid", second=task == 1)
    anywhere = eligibility.Cared(people[0].institution_id)
    rules = {one.profession: in_force(one.profession, day) for one in practices.values()}
    return [
        pk
        for pk, one in practices.items()
        if not eligibility.of_person(wanted, one, anywhere, day, rules[one.profession])
    ]


def _goes(
    practice: eligibility.Practice,
    pk: int,
    place: int,
    located: Mapping[int, tuple[float, float]],
    near: dict[tuple[int, int], bool],
) -> bool:
    """Whether somebody goes as far as a home."""
    known = near.get((pk, place))
    if known is None:
        at = located.get(place)
        known = practice.base is None or at is None or eligibility.metres(practice.base, at) <= practice.radius
        near[pk, place] = known
    return known


def home_of(patient: Patient, office: Institution) -> tuple[float, float] | None:
    """Longitude and latitude of a patient's home; where it has none, of their institution."""
    located = selectors.positions([patient.place, office.place])
    return located.get(patient.place_id) or located.get(office.place_id)


def usual_of(patient: Patient) -> frozenset[int]:
    """The ids of who cares for a patient."""
    return frozenset(patient.nurses.values_list("pk", flat=True))


def _with_wish(day: Day, wish: Wish) -> tuple[Day, dispatch.Visit]:
    here = wish.at or home_of(wish.patient, day.institution) or _NOWHERE
    located = {wish.patient.place_id: here} if here != _NOWHERE else {}
    more = _skills(list(day.people.values()), [(wish.patient, wish.version, wish.id)], located, day.day)
    crew = tuple(replace(one, skills=one.skills | more[day.people[one.id].pk]) for one in day.problem.caregivers)
    at = (*day.at, here) if day.at else (_NOWHERE, here)
    problem = Problem(day.problem.visits, crew, travel.matrices(at, day.problem.travel), day.problem.weights)
    opens, due = day.minutes(wish.starts_at), day.minutes(wish.latest_at)
    known = usual_of(wish.patient) if wish.usual is None else wish.usual
    usual = frozenset(str(one) for one in known) & {one.id for one in crew}
    refused = frozenset(str(one) for one in wish.refused)
    visit = _asked(wish.version, wish.id, len(at) - 1, opens, due, latest=due, usual=usual, refused=refused)
    return replace(day, problem=problem, at=at), visit
