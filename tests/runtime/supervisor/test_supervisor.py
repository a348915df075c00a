from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from shoufu.runtime.supervisor import status
from shoufu.runtime.supervisor.process import backoff

STAGE = Path(__file__).parent / "stage.py"
Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the stage on a scenario; whatever is left of it afterwards is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(scenario: str) -> subprocess.Popen[str]:
        stage = subprocess.Popen(
            [sys.executable, str(STAGE), str(tmp_path), scenario],
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        started.append(stage)
        return stage

    yield run
    for stage in started:
        if stage.poll() is None:
            stage.kill()
        stage.wait()


def until(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def wait_ready(stage: subprocess.Popen[str]) -> list[psutil.Process]:
    """Waits for the stage to be ready; returns its children and grandchildren."""
    assert stage.stdout is not None
    assert stage.stdout.readline() == "ready\n"
    return psutil.Process(stage.pid).children(recursive=True)


def row(tmp_path: Path, name: str) -> status.ProcessStatus:
    found = status.read(tmp_path / "run")
    assert found is not None
    return next(row for row in found.processes if row.name == name)


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def test_sigterm_ends_every_process_and_its_children(start: Start) -> None:
    stage = start("plain")
    family = wait_ready(stage)
    until(lambda: len(psutil.Process(stage.pid).children(recursive=True)) == 4)  # a, b, its child, and the reaper
    family = psutil.Process(stage.pid).children(recursive=True)
    stage.terminate()
    assert stage.wait(15) == 0
    until(lambda: gone(family))


def test_kill_9_of_the_supervisor_leaves_none_behind(start: Start) -> None:
    stage = start("plain")
    children = wait_ready(stage)
    stage.kill()
    stage.wait()
    until(lambda: gone(children))


def test_killed_process_is_restarted_and_counted(start: Start, tmp_path: Path) -> None:
    stage = start("plain")
    wait_ready(stage)
    first = row(tmp_path, "a").pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: row(tmp_path, "a").restarts == 1 and row(tmp_path, "a").state == "ready")
    assert row(tmp_path, "a").pid != first
    assert row(tmp_path, "a").last_error == "ended by SIGKILL"


def test_process_that_ignores_sigterm_is_killed(start: Start) -> None:
    stage = start("stubborn")
    children = wait_ready(stage)
    time.sleep(0.3)  # until it ignores the signal
    stage.terminate()
    assert stage.wait(15) == 0
    until(lambda: gone(children))


def test_process_that_never_starts_stops_everything_with_advice(start: Start) -> None:
    stage = start("failing")
    output, _ = stage.communicate(timeout=15)
    assert stage.returncode == 1
    assert "The disk is full: free some space" in output


def test_gate_holds_a_process_until_the_one_shot_is_done(start: Start, tmp_path: Path) -> None:
    wait_ready(start("gate"))
    until(lambda: (tmp_path / "order").read_text() == "migrated served")


def test_second_supervisor_on_a_directory_is_refused(start: Start) -> None:
    first = start("plain")
    wait_ready(first)
    second = start("plain")
    output, _ = second.communicate(timeout=15)
    assert second.returncode == 1
    assert "already runs on the data directory" in output and str(first.pid) in output


def test_data_directory_is_free_again_after_kill_9(start: Start) -> None:
    first = start("plain")
    wait_ready(first)
    first.kill()
    first.wait()
    wait_ready(start("plain"))


def test_status_of_a_dead_supervisor_is_no_status(start: Start, tmp_path: Path) -> None:
    stage = start("plain")
    wait_ready(stage)
    assert status.read(tmp_path / "run") is not None
    stage.kill()
    stage.wait()
    assert status.read(tmp_path / "run") is None


@pytest.mark.parametrize(("failures", "seconds"), [(1, 0.25), (2, 0.5), (5, 4.0), (50, 30.0)])
def test_back_off_doubles_up_to_its_limit(failures: int, seconds: float) -> None:
    assert backoff(failures) == seconds
