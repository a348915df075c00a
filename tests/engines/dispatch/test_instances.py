"""Files of the benchmark: what is read, what is written, what is refused and how."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from shoufu.engines.dispatch import DispatchError, Sync, read_instance, read_solution, solve, violations, write_solution

INSTANCE: dict[str, Any] = {
    "patients": [
        {
            "id": "p1",
            "location": [0, 3],
            "time_window": [10, 130],
            "required_caregivers": [{"service": "s1"}, {"service": "s2", "duration": 5}],
            "synchronization": {"type": "sequential", "distance": [20, 40]},
        },
        {"id": "p2", "location": [4, 0], "time_window": [0, 120], "required_caregivers": [{"service": "s1"}]},
        {
            "id": "p3",
            "location": [4, 3],
            "time_window": [0, 120],
            "required_caregivers": [{"service": "s2"}, {"service": "s2"}],
            "synchronization": {"type": "simultaneous"},
        },
    ],
    "services": [{"id": "s1", "default_duration": 15}, {"id": "s2", "default_duration": 10}],
    "caregivers": [{"id": "c1", "abilities": ["s1", "s2"]}, {"id": "c2", "abilities": ["s2"]}],
    "central_offices": [{"id": "d", "location": [0, 0]}],
    "distances": [[0, 3, 4, 5], [3, 0, 5, 4], [4, 5, 0, 3], [5, 4, 3, 0]],
}


def spoilt(path: str, value: object) -> bytes:
    """The instance with another value at a path; without it where the value is `...`."""
    instance: Any = copy.deepcopy(INSTANCE)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    holder = instance
    for part in parents:
        holder = holder[part]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return json.dumps(instance).encode()


GOOD = json.dumps(INSTANCE).encode()


def test_an_instance_is_read() -> None:
    problem = read_instance(GOOD)
    first, second, third = problem.visits
    assert [task.minutes for task in first.tasks] == [15, 5]
    assert (first.sync, first.gap, first.place) == (Sync.SEQUENTIAL, (20, 40), 1)
    assert (second.sync, second.opens, second.due) == (None, 0, 120)
    assert third.sync is Sync.SIMULTANEOUS
    assert problem.minutes(problem.caregivers[0], 1, 2) == 5


def test_a_written_solution_is_read_back_equal() -> None:
    problem = read_instance(GOOD)
    plan = solve(problem, moves=2000, workers=1)
    text = write_solution(problem, plan)
    again = read_solution(problem, text.encode())
    assert violations(problem, again) == []
    assert again.cost == pytest.approx(plan.cost)
    assert again.order == plan.order
    stop = json.loads(text)["routes"][0]["locations"][0]
    assert stop.keys() == {"patient", "service", "arrival_time", "departure_time"}


@pytest.mark.parametrize(
    ("message", "path", "value"),
    [
        ("patients: is missing", "patients", ...),
        ("patients: must be a list", "patients", {}),
        ("patients[1]: must be an object", "patients/1", 7),
        ("patients[1].id: is missing", "patients/1/id", ...),
        ("patients[1].id: must be a text", "patients/1/id", 5),
        ("visits[p1].id: is there twice", "patients/1/id", "p1"),
        ("patients[0].time_window: must be two numbers", "patients/0/time_window", [1]),
        ("patients[0].time_window[1]: must be a number", "patients/0/time_window/1", "x"),
        ("patients[0].time_window[1]: must be a number", "patients/0/time_window/1", float("inf")),
        ("visits[p1].due: must not be before opens", "patients/0/time_window", [9, 1]),
        ("patients[0].required_caregivers: must be one or two, are 0", "patients/0/required_caregivers", []),
        ("patients[1].required_caregivers[0].service: there is", "patients/1/required_caregivers/0/service", "s9"),
        ("patients[1].required_caregivers[0].duration: must be", "patients/1/required_caregivers/0/duration", "long"),
        ("patients[0].required_caregivers[0].duration: is missing", "services/0/default_duration", ...),
        ("visits[p2].tasks[0].minutes: must be from 0", "patients/1/required_caregivers/0/duration", -1),
        ("patients[0].synchronization: is missing", "patients/0/synchronization", ...),
        ("patients[1].synchronization: is for two", "patients/1/synchronization", {"type": "simultaneous"}),
        ("patients[0].synchronization.type: must be simul", "patients/0/synchronization/type", "later"),
        ("patients[0].synchronization.distance: is missing", "patients/0/synchronization/distance", ...),
        ("visits[p1].gap: must be 0 <= least <= most", "patients/0/synchronization/distance", [9, 1]),
        ("caregivers[0].abilities[1]: there is no service", "caregivers/0/abilities/1", "s9"),
        ("caregivers[c1].id: is there twice", "caregivers/1/id", "c1"),
        ("central_offices: must be one office, are 0", "central_offices", []),
        ("distances: must have 4 rows", "distances/3", ...),
        ("distances[2]: must have 4 numbers", "distances/2/3", ...),
        ("distances[2][0]: must be a number", "distances/2/0", None),
        ("travel[default]: must hold minutes from 0", "distances/2/0", -1),
    ],
)
def test_a_broken_instance_is_refused_by_the_name_of_the_field(message: str, path: str, value: object) -> None:
    with pytest.raises(DispatchError, match="^" + re.escape(message)):
        read_instance(spoilt(path, value))


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 100_000])
def test_what_is_no_instance_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(DispatchError, match=r"no JSON|instance: must be an object"):
        read_instance(data)


@pytest.mark.parametrize(
    ("message", "solution"),
    [
        (r"^routes: is missing", {}),
        (r"^routes\[0\]\.caregiver_id: 'x' is not in the instance", {"routes": [{"caregiver_id": "x"}]}),
        (r"^routes\[0\]\.locations: is missing", {"routes": [{"caregiver_id": "c1"}]}),
        (
            r"^routes\[0\]\.locations\[0\]\.patient: 'p9' is not in the instance",
            {"routes": [{"caregiver_id": "c1", "locations": [{"patient": "p9", "service": "s1"}]}]},
        ),
        (
            r"^routes\[0\]\.locations\[0\]\.service: p2 asks for s1, not 's2'",
            {"routes": [{"caregiver_id": "c1", "locations": [{"patient": "p2", "service": "s2"}]}]},
        ),
    ],
)
def test_a_broken_solution_is_refused_by_the_name_of_the_field(message: str, solution: object) -> None:
    with pytest.raises(DispatchError, match=message):
        read_solution(read_instance(GOOD), json.dumps(solution).encode())
