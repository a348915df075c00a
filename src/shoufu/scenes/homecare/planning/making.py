"""A day's problem and plan from what the tables say: pure but for the classes of rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from math import inf

from shoufu.engines import dispatch
from shoufu.engines.dispatch import Break, Caregiver, Plan, Problem, Sync, Task
from shoufu.kernel.booking.slots import Diary
from shoufu.scenes.homecare.planning import travel
from shoufu.scenes.homecare.planning.expecting import as_expected, unlimited
from shoufu.scenes.homecare.planning.reading import Known
from shoufu.scenes.homecare.register import eligibility, facts
from shoufu.scenes.homecare.register.models import Institution, Practitioner, ServiceVersion
from shoufu.scenes.homecare.register.national import in_force

NOWHERE = (0.0, 0.0)


@dataclass(frozen=True)
class Inputs:
    """All that a day's problem and plan follow from; what is compared tells one day from another (rows of models are
    compared by their ids, so what counts of them stands beside them)."""

    office: Institution
    day: date
    zero: datetime
    strict: bool
    people: tuple[tuple[Practitioner, Diary], ...]
    practices: tuple[eligibility.Practice, ...]
    modes: tuple[str, ...]
    rows: tuple[Known, ...]
    past: tuple[Known, ...]
    versions: tuple[ServiceVersion, ...]
    lengths: tuple[tuple[int, str, int, int, str], ...]
    order: tuple[int, ...]
    refused: tuple[frozenset[int], ...]
    chosen: tuple[tuple[str, float], ...]
    rest: tuple[int, int, int]
    located: tuple[tuple[int, tuple[float, float]], ...]
    now: datetime | None

    def minute(self, second: float) -> float:
        """Minutes from local midnight of a second of the epoch."""
        return (second - self.zero.timestamp()) / 60


@dataclass(frozen=True)
class Planned:
    """What follows from the inputs; see `days.Day`."""

    problem: Problem
    plan: Plan
    at: tuple[tuple[float, float], ...]
    crews: Mapping[str, tuple[str, ...]]
    order: tuple[str, ...]


@lru_cache(maxsize=64)
def planned(inputs: Inputs) -> Planned:
    """The problem, its plan and the positions behind its travel: kept, because most days do not change between two
    questions for free times."""
    located, versions = dict(inputs.located), {one.pk: one for one in inputs.versions}
    names = [person for person, _diary in inputs.people]
    asked = [(row.place, versions[row.version], str(row.pk)) for row in inputs.rows]
    skills = skills_of(names, asked, located, inputs.day)
    at, crew = _crew(inputs, located, versions, skills)
    office = _somewhere(inputs, located)
    homes = [located.get(row.place) or office for row in inputs.rows]
    chosen = dict(inputs.chosen)
    wanted = [
        _visit(inputs, row, versions[row.version], len(at) + n, chosen.get(str(row.pk)), refused)
        for n, (row, refused) in enumerate(zip(inputs.rows, inputs.refused, strict=True))
    ]
    on_duty = {one.id for one in crew}
    problem = Problem(
        tuple(_only_present(one, on_duty) for one in wanted),
        crew,
        travel.matrices([*at, *homes] or [NOWHERE], {one.mode for one in crew} or {"walk"}),
    )
    crews = {str(row.pk): tuple(str(stop.practitioner) for stop in row.stops) for row in inputs.rows}
    order = tuple(str(one) for one in inputs.order)
    plan = dispatch.arrange(problem, crews, order)
    if any(dispatch.may_do(problem, name, crews[name]) for name in plan.unassigned):
        problem = as_expected(problem, unlimited(problem, crews, order))
        plan = dispatch.arrange(problem, crews, order)
    return Planned(problem, plan, (*at, *homes), crews, order)


def _somewhere(inputs: Inputs, located: Mapping[int, tuple[float, float]]) -> tuple[float, float]:
    """Where the day is for whom or what has no position: at the institution, or with anything that has one."""
    bases = (one.base for one in inputs.practices if one.base is not None)
    return located.get(inputs.office.place_id) or next(iter(located.values()), None) or next(bases, NOWHERE)


def _base(person: Practitioner, office: tuple[float, float]) -> tuple[float, float]:
    if person.base_longitude is None or person.base_latitude is None:
        return office
    return person.base_longitude, person.base_latitude


def _crew(
    inputs: Inputs,
    located: Mapping[int, tuple[float, float]],
    versions: Mapping[int, ServiceVersion],
    skills: Mapping[int, frozenset[str]],
) -> tuple[list[tuple[float, float]], tuple[Caregiver, ...]]:
    """Where each person's (rest of the) day begins, and the people who still have time on duty."""
    office = _somewhere(inputs, located)
    at: list[tuple[float, float]] = []
    crew: list[Caregiver] = []
    for person, diary in inputs.people:
        there = [(inputs.minute(span.start.timestamp()), inputs.minute(span.end.timestamp())) for span in diary.there]
        base, since = _base(person, office), there[0][0]
        last = _last_begun(inputs, person, versions)
        if last is not None:
            base, since = located.get(last[0].place, base), max(since, last[1])
        there = [(max(start, since), end) for start, end in there if end > since]
        if not there:
            continue
        breaks = _breaks(there, inputs.rest)
        crew.append(
            Caregiver(str(person.pk), skills[person.pk], len(at), there[0][0], there[-1][1], breaks, person.transport)
        )
        at.append(base)
    return at, tuple(crew)


def _last_begun(
    inputs: Inputs, person: Practitioner, versions: Mapping[int, ServiceVersion]
) -> tuple[Known, float] | None:
    """The last visit of the day that somebody began, and the minute when it ended or is expected to."""
    now = inputs.now.timestamp() if inputs.now is not None else 0.0
    ends = [
        (row, _over(row, versions[row.version], now))
        for row in inputs.past
        if any(stop.practitioner == person.pk for stop in row.stops)
    ]
    found = max(ends, key=lambda pair: pair[1], default=None)
    return (found[0], inputs.minute(found[1])) if found is not None else None


def _over(row: Known, version: ServiceVersion, now: float) -> float:
    """The second of the epoch when a visit that has begun ended, or is expected to."""
    began = row.began if row.began is not None else row.starts
    return row.ended or max(now, began + 60.0 * version.duration_minutes)


def _breaks(there: Sequence[tuple[float, float]], rest: tuple[int, int, int]) -> tuple[Break, ...]:
    """The gaps of somebody's day as rests that must be then, and the midday rest (earliest, latest, minutes) where no
    gap serves as one."""
    gaps = [(end, start) for (_from, end), (start, _to) in zip(there, there[1:], strict=False)]
    found = [Break(start, start, end - start) for start, end in gaps]
    first, last, minutes = rest
    whole = there[0][0] <= first and last + minutes <= there[-1][1]
    rested = any(start < last + minutes and end > first for start, end in gaps)
    if minutes and whole and not rested:
        found.append(Break(first, last, minutes))
    return tuple(sorted(found, key=lambda rest: rest.earliest))


def _visit(
    inputs: Inputs, row: Known, version: ServiceVersion, place: int, chosen: float | None, refused: frozenset[int]
) -> dispatch.Visit:
    planned = max((inputs.minute(stop.begin) for stop in row.stops if stop.task == 0), default=0.0)
    opens, due = inputs.minute(row.starts), inputs.minute(row.latest)
    count = 1 if version.second == ServiceVersion.Second.NONE else 2
    pinned = tuple(str(stop.practitioner) if stop.pinned else None for stop in row.stops)
    if chosen is not None and any(pinned):
        opens = max(opens, min(chosen, max(due, planned)))
        due = max(opens, due)
    return asked_of(
        version,
        str(row.pk),
        place,
        opens,
        due,
        latest=max(due, planned) if inputs.strict else max(1440.0, due),
        fixed=pinned if len(pinned) == count else (),
        usual=frozenset(map(str, row.usual)),
        refused=frozenset(map(str, refused)),
    )


def asked_of(
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
    if not visit.fixed_caregivers and visit.usual <= on_duty:
        return visit
    fixed = tuple(one if one in on_duty - visit.refused else None for one in visit.fixed_caregivers)
    return replace(visit, usual=visit.usual & on_duty, fixed_caregivers=fixed if any(fixed) else ())


def skills_of(
    people: Sequence[Practitioner],
    asked: Iterable[tuple[int, ServiceVersion, str]],
    located: Mapping[int, tuple[float, float]],
    day: date,
) -> dict[int, frozenset[str]]:
    """What each may do: a word "visit.task" for each task that nothing in the person speaks against (licence on that
    day, title, years, skills, distance). What speaks against it in the patient was looked at when it was asked for.
    `asked` are the place's id, the version and the visit's id."""
    practices = {person.pk: facts.practice(person) for person in people}
    near: dict[int, frozenset[int]] = {}
    able: dict[tuple[int, int], frozenset[int]] = {}
    found: dict[int, set[str]] = {pk: set() for pk in practices}
    for place, version, name in asked:
        if place not in near:
            near[place] = _going(practices, located.get(place))
        for task in range(1 if version.second == ServiceVersion.Second.NONE else 2):
            key = (version.pk, task)
            if key not in able:
                able[key] = frozenset(_able(people, practices, version, task, day))
            word = f"{name}.{task}"
            for pk in able[key] & near[place]:
                found[pk].add(word)
    return {pk: frozenset(words) for pk, words in found.items()}


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


def _going(practices: Mapping[int, eligibility.Practice], at: tuple[float, float] | None) -> frozenset[int]:
    """Who goes as far as a home."""
    return frozenset(
        pk
        for pk, one in practices.items()
        if one.base is None or at is None or eligibility.metres(one.base, at) <= one.radius
    )
