"""The public benchmark of home health care routing: reading instances, writing and reading solutions.

The format is that of the Udine collection of the instances by Mankowska, Meisel and Bierwirth (2014): one office, a
distance matrix ordered office, first patient … last, travel time = distance.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shoufu.engines.dispatch.model import (
    DEFAULT_MODE,
    Caregiver,
    DispatchError,
    Plan,
    Problem,
    Stop,
    Sync,
    Task,
    Visit,
)


def read_instance(data: bytes) -> Problem:
    """The problem of an instance file; DispatchError naming the field."""
    root = _object(_json(data), "instance")
    services = _services(_array(root, "services", ""))
    caregivers = tuple(
        _caregiver(entry, f"caregivers[{index}]", services)
        for index, entry in enumerate(_array(root, "caregivers", ""))
    )
    patients = _array(root, "patients", "")
    offices = _array(root, "central_offices", "")
    if len(offices) != 1:
        raise DispatchError(f"central_offices: must be one office, are {len(offices)}")
    travel = _matrix(_array(root, "distances", ""), 1 + len(patients))
    visits = tuple(_visit(entry, f"patients[{index}]", index + 1, services) for index, entry in enumerate(patients))
    return Problem(visits, caregivers, {DEFAULT_MODE: travel})


def write_solution(problem: Problem, plan: Plan) -> str:
    """The solution file: routes with the start and end of each service, and the global order."""
    routes = []
    for caregiver in problem.caregivers:
        locations = [_location(problem, stop) for stop in plan.routes.get(caregiver.id, ())]
        routes.append({"caregiver_id": caregiver.id, "locations": locations})
    return json.dumps({"routes": routes, "global_ordering": list(plan.order)}, indent=1)


def _location(problem: Problem, stop: Stop) -> dict[str, object]:
    skill = problem.visits[problem.visit_index[stop.visit]].tasks[stop.task].skill
    return {"patient": stop.visit, "service": skill, "arrival_time": stop.start, "departure_time": stop.end}


def read_solution(problem: Problem, data: bytes) -> Plan:
    """The plan of a solution file, with figures computed from what it says; DispatchError naming the field.

    Whether it is feasible is not asked here: `check.violations` says.
    """
    root = _object(_json(data), "solution")
    stops: list[Stop] = []
    distance = 0.0
    for index, entry in enumerate(_array(root, "routes", "")):
        field = f"routes[{index}]"
        route = _object(entry, field)
        name = _text(route, "caregiver_id", field)
        if name not in problem.caregiver_index:
            raise DispatchError(f"{field}.caregiver_id: {name!r} is not in the instance")
        caregiver = problem.caregivers[problem.caregiver_index[name]]
        where = caregiver.base
        for at, location in enumerate(_array(route, "locations", field)):
            stop, place = _stop(problem, location, f"{field}.locations[{at}]", name)
            stops.append(stop)
            distance += problem.minutes(caregiver, where, place)
            where = place
        distance += problem.minutes(caregiver, where, caregiver.base)
    stops = _told_apart(problem, stops)
    order = tuple(str(name) for name in _array(root, "global_ordering", "") if name in problem.visit_index)
    late = [max(0.0, stop.start - problem.visits[problem.visit_index[stop.visit]].due) for stop in stops]
    total, worst, weights = math.fsum(late), max(late, default=0.0), problem.weights
    cost = weights.distance * distance + weights.total_tardiness * total + weights.max_tardiness * worst
    return Plan(tuple(stops), (), order, (), distance, total, worst, 0, cost)


def _stop(problem: Problem, entry: object, field: str, caregiver: str) -> tuple[Stop, int]:
    location = _object(entry, field)
    patient, service = _text(location, "patient", field), _text(location, "service", field)
    if patient not in problem.visit_index:
        raise DispatchError(f"{field}.patient: {patient!r} is not in the instance")
    visit = problem.visits[problem.visit_index[patient]]
    skills = [task.skill for task in visit.tasks]
    if service not in skills:
        raise DispatchError(f"{field}.service: {patient} asks for {' and '.join(skills)}, not {service!r}")
    start, end = _number(location, "arrival_time", field), _number(location, "departure_time", field)
    return Stop(patient, skills.index(service), caregiver, start, end), visit.place


def _told_apart(problem: Problem, stops: list[Stop]) -> list[Stop]:
    """Where both services of a visit ask for the same skill, the earlier start is the first service."""
    seen: dict[str, Stop] = {}
    told = list(stops)
    for index, stop in enumerate(stops):
        visit = problem.visits[problem.visit_index[stop.visit]]
        if len({task.skill for task in visit.tasks}) == len(visit.tasks):
            continue
        if stop.visit not in seen:
            seen[stop.visit] = stop
            continue
        first = stops.index(seen[stop.visit])
        later = first if seen[stop.visit].start > stop.start else index
        told[later] = replace(stops[later], task=1)
    return told


def _json(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DispatchError(f"no JSON: {error}") from error


def _object(value: object, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DispatchError(f"{field}: must be an object")
    return value


def _member(value: dict[str, Any], name: str, parent: str) -> tuple[Any, str]:
    field = f"{parent}.{name}" if parent else name
    if name not in value:
        raise DispatchError(f"{field}: is missing")
    return value[name], field


def _array(value: dict[str, Any], name: str, parent: str) -> list[Any]:
    found, field = _member(value, name, parent)
    if not isinstance(found, list):
        raise DispatchError(f"{field}: must be a list")
    return found


def _text(value: dict[str, Any], name: str, parent: str) -> str:
    found, field = _member(value, name, parent)
    if not isinstance(found, str) or not found:
        raise DispatchError(f"{field}: must be a text")
    return found


def _number(value: dict[str, Any], name: str, parent: str) -> float:
    found, field = _member(value, name, parent)
    return _as_number(found, field)


def _as_number(value: object, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DispatchError(f"{field}: must be a number, is {value!r}")
    return float(value)


def _pair(value: object, field: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise DispatchError(f"{field}: must be two numbers")
    return _as_number(value[0], f"{field}[0]"), _as_number(value[1], f"{field}[1]")


def _services(entries: list[Any]) -> dict[str, float | None]:
    services: dict[str, float | None] = {}
    for index, entry in enumerate(entries):
        field = f"services[{index}]"
        service = _object(entry, field)
        default = _number(service, "default_duration", field) if "default_duration" in service else None
        services[_text(service, "id", field)] = default
    return services


def _caregiver(entry: object, field: str, services: dict[str, float | None]) -> Caregiver:
    caregiver = _object(entry, field)
    skills = _array(caregiver, "abilities", field)
    for index, skill in enumerate(skills):
        if skill not in services:
            raise DispatchError(f"{field}.abilities[{index}]: there is no service {skill!r}")
    return Caregiver(_text(caregiver, "id", field), frozenset(skills))


def _visit(entry: object, field: str, place: int, services: dict[str, float | None]) -> Visit:
    patient = _object(entry, field)
    opens, due = _pair(_member(patient, "time_window", field)[0], f"{field}.time_window")
    wanted = _array(patient, "required_caregivers", field)
    if len(wanted) not in (1, 2):
        raise DispatchError(f"{field}.required_caregivers: must be one or two, are {len(wanted)}")
    tasks = tuple(_task(one, f"{field}.required_caregivers[{at}]", services) for at, one in enumerate(wanted))
    sync, gap = _sync(patient, field, len(tasks))
    return Visit(_text(patient, "id", field), place, opens, due, tasks, sync, gap)


def _task(entry: object, field: str, services: dict[str, float | None]) -> Task:
    task = _object(entry, field)
    service = _text(task, "service", field)
    if service not in services:
        raise DispatchError(f"{field}.service: there is no service {service!r}")
    default = services[service]
    if task.get("duration") is None and default is None:
        raise DispatchError(f"{field}.duration: is missing, and service {service!r} has no default_duration")
    minutes = default if task.get("duration") is None else _number(task, "duration", field)
    return Task(service, minutes if minutes is not None else 0.0)


def _sync(patient: dict[str, Any], field: str, tasks: int) -> tuple[Sync | None, tuple[float, float]]:
    if patient.get("synchronization") is None:
        if tasks == 2:
            raise DispatchError(f"{field}.synchronization: is missing: two services are simultaneous or sequential")
        return None, (0.0, 0.0)
    if tasks == 1:
        raise DispatchError(f"{field}.synchronization: is for two services, there is one")
    sync = _object(patient["synchronization"], f"{field}.synchronization")
    kind = _text(sync, "type", f"{field}.synchronization")
    if kind not in tuple(Sync):
        raise DispatchError(f"{field}.synchronization.type: must be simultaneous or sequential, is {kind!r}")
    if kind == Sync.SIMULTANEOUS:
        return Sync.SIMULTANEOUS, (0.0, 0.0)
    gap, where = _member(sync, "distance", f"{field}.synchronization")
    return Sync.SEQUENTIAL, _pair(gap, where)


def _matrix(rows: list[Any], size: int) -> NDArray[np.float64]:
    if len(rows) != size:
        raise DispatchError(f"distances: must have {size} rows (office and patients), has {len(rows)}")
    for index, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != size:
            raise DispatchError(f"distances[{index}]: must have {size} numbers")
        for at, value in enumerate(row):
            _as_number(value, f"distances[{index}][{at}]")
    return np.array(rows, np.float64)
