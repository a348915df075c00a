"""The dispatch commands on files, as somebody at a shell uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shoufu.runtime.cli import root
from shoufu.runtime.errors import Problem

INSTANCE = {
    "patients": [
        {"id": "p1", "time_window": [10, 130], "required_caregivers": [{"service": "s1"}]},
        {
            "id": "p2",
            "time_window": [0, 120],
            "required_caregivers": [{"service": "s1"}, {"service": "s2"}],
            "synchronization": {"type": "simultaneous"},
        },
    ],
    "services": [{"id": "s1", "default_duration": 15}, {"id": "s2", "default_duration": 10}],
    "caregivers": [{"id": "c1", "abilities": ["s1"]}, {"id": "c2", "abilities": ["s2"]}],
    "central_offices": [{"id": "d"}],
    "distances": [[0, 3, 4], [3, 0, 5], [4, 5, 0]],
}


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    file = tmp_path / "instance.json"
    file.write_text(json.dumps(INSTANCE))
    return file


def shoufu(*words: object) -> Result:
    return CliRunner().invoke(root, ["dispatch", *map(str, words)])


def test_a_solved_instance_passes_its_check(instance: Path, tmp_path: Path) -> None:
    out = tmp_path / "solution.json"
    solved = shoufu("solve", instance, "--moves", 500, "--seed", 3, "--out", out)
    figures = json.loads(solved.stdout.splitlines()[-1])
    assert figures.keys() == {"cost", "distance", "total_tardiness", "max_tardiness", "seconds"}
    assert figures["cost"] == pytest.approx((3 + 5 + 4 + 4 + 4) / 3, abs=1e-3)
    checked = shoufu("check", instance, out)
    assert checked.exit_code == 0
    assert json.loads(checked.stdout)["cost"] == figures["cost"]


def test_a_spoilt_solution_is_found(instance: Path, tmp_path: Path) -> None:
    out = tmp_path / "solution.json"
    shoufu("solve", instance, "--moves", 500, "--out", out)
    solution = json.loads(out.read_text())
    solution["routes"][0]["locations"][0]["arrival_time"] -= 5
    out.write_text(json.dumps(solution))
    checked = shoufu("check", instance, out)
    assert checked.exit_code == 1
    assert json.loads(checked.stdout.splitlines()[-1])["feasible"] is False
    assert "p" in checked.stderr


def test_a_broken_instance_is_one_sentence_with_the_field(instance: Path) -> None:
    spoilt = json.loads(instance.read_text())
    del spoilt["patients"][1]["synchronization"]
    instance.write_text(json.dumps(spoilt))
    result = shoufu("solve", instance)
    assert isinstance(result.exception, Problem)
    assert "patients[1].synchronization: is missing" in str(result.exception)


def test_a_service_nobody_can_do_stops_it(instance: Path, tmp_path: Path) -> None:
    spoilt = json.loads(instance.read_text())
    spoilt["caregivers"].pop()
    instance.write_text(json.dumps(spoilt))
    result = shoufu("solve", instance, "--moves", 100, "--out", tmp_path / "none.json")
    assert result.exit_code == 1
    assert "nobody has the skills for p2" in result.output
    assert not (tmp_path / "none.json").exists()
