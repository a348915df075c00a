"""What a problem must be for anything to be computed from it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from shoufu.engines.dispatch.model import DispatchError, Sync

if TYPE_CHECKING:
    from shoufu.engines.dispatch.model import Caregiver, Problem, Visit


def validate(problem: Problem) -> None:
    """DispatchError naming the first field that cannot be right."""
    places = _validate_travel(problem)
    _unique("caregivers", (caregiver.id for caregiver in problem.caregivers))
    _unique("visits", (visit.id for visit in problem.visits))
    known = {caregiver.id for caregiver in problem.caregivers}
    for caregiver in problem.caregivers:
        _validate_caregiver(caregiver, problem, places)
    for visit in problem.visits:
        _validate_visit(visit, known, places)


def _require(right: bool, field: str, text: str) -> None:
    if not right:
        raise DispatchError(f"{field}: {text}")


def _unique(field: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        _require(name not in seen, f"{field}[{name}].id", "is there twice: give each its own")
        seen.add(name)


def _validate_travel(problem: Problem) -> int:
    _require(bool(problem.travel), "travel", "has no matrix: give one a means of transport")
    sizes = {matrix.shape for matrix in problem.travel.values()}
    for mode, matrix in problem.travel.items():
        square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
        _require(square, f"travel[{mode}]", f"must be square, is {matrix.shape}")
        right = bool(np.isfinite(matrix).all() and (matrix >= 0).all())
        _require(right, f"travel[{mode}]", "must hold minutes from 0, without gaps")
    _require(len(sizes) == 1, "travel", "all matrices must be of one size")
    return int(next(iter(sizes))[0])


def _validate_caregiver(caregiver: Caregiver, problem: Problem, places: int) -> None:
    field = f"caregivers[{caregiver.id}]"
    _require(0 <= caregiver.base < places, f"{field}.base", f"{caregiver.base} is no row of the travel matrix")
    _require(caregiver.mode in problem.travel, f"{field}.mode", f"there is no travel matrix {caregiver.mode!r}")
    shift = math.isfinite(caregiver.shift_start) and caregiver.shift_start <= caregiver.shift_end
    _require(shift, f"{field}.shift_end", "must not be before shift_start")
    before = -math.inf
    for index, rest in enumerate(caregiver.breaks):
        where = f"{field}.breaks[{index}]"
        _require(0 < rest.minutes < math.inf, f"{where}.minutes", "must be more than 0")
        _require(rest.earliest <= rest.latest < math.inf, f"{where}.latest", "must not be before earliest")
        _require(rest.earliest >= before, f"{where}.earliest", "must not be before the end of the break before it")
        before = rest.latest + rest.minutes


def _validate_visit(visit: Visit, known: set[str], places: int) -> None:
    if not _is_plain(visit, places):
        _name_what_is_wrong(visit, places)
    if visit.fixed_caregivers:
        _validate_fixed(visit, known, f"visits[{visit.id}]")


def _is_plain(visit: Visit, places: int) -> bool:
    """Whether a visit without fixed start or second service is right: most are, and a day is looked at often."""
    return (
        len(visit.tasks) == 1
        and visit.sync is None
        and visit.fixed_start is None
        and 0 <= visit.place < places
        and 0 <= visit.tasks[0].minutes < math.inf
        and -math.inf < visit.opens < math.inf
        and visit.opens <= visit.due
        and visit.latest >= visit.opens
        and visit.first_latest >= visit.opens
    )


def _name_what_is_wrong(visit: Visit, places: int) -> None:
    field = f"visits[{visit.id}]"
    _require(0 <= visit.place < places, f"{field}.place", f"{visit.place} is no row of the travel matrix")
    _require(len(visit.tasks) in (1, 2), f"{field}.tasks", f"must be one or two, are {len(visit.tasks)}")
    for index, task in enumerate(visit.tasks):
        right = 0 <= task.minutes < math.inf
        _require(right, f"{field}.tasks[{index}].minutes", "must be from 0")
    _require(math.isfinite(visit.opens), f"{field}.opens", "must be a time")
    _require(visit.opens <= visit.due, f"{field}.due", f"must not be before opens ({visit.opens:g})")
    _require(visit.latest >= visit.opens, f"{field}.latest", f"must not be before opens ({visit.opens:g})")
    _require(visit.first_latest >= visit.opens, f"{field}.first_latest", f"must not be before opens ({visit.opens:g})")
    _require(
        (visit.sync is None) == (len(visit.tasks) == 1), f"{field}.sync", "is for visits of two tasks, and needed there"
    )
    if visit.sync is Sync.SEQUENTIAL:
        right = 0 <= visit.gap[0] <= visit.gap[1] < math.inf
        _require(right, f"{field}.gap", f"must be 0 <= least <= most, is {list(visit.gap)}")
    _require(0 <= visit.leeway < math.inf, f"{field}.leeway", "must be from 0")
    if visit.fixed_start is not None:
        right = visit.opens <= visit.fixed_start <= min(visit.latest, visit.first_latest)
        _require(right, f"{field}.fixed_start", "must be within opens and latest")


def _validate_fixed(visit: Visit, known: set[str], field: str) -> None:
    where = f"{field}.fixed_caregivers"
    _require(len(visit.fixed_caregivers) == len(visit.tasks), where, "needs an entry (or None) for each task")
    fixed = [caregiver for caregiver in visit.fixed_caregivers if caregiver is not None]
    for caregiver in fixed:
        _require(caregiver in known, where, f"{caregiver!r} is not on duty")
    _require(len(set(fixed)) == len(fixed), where, "two tasks need two people")
