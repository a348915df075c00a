"""What cannot start says in one sentence what to do, and exits with a code that is not 0."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shoufu.runtime import preflight

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs ``shoufu WORDS…`` with its own data directory and the settings given as keywords."""

    def call(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        own = {"SHOUFU_DATA": str(tmp_path / "data")} | _free_ports()
        environment = dict(os.environ) | own | settings
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        command = [sys.executable, "-m", "shoufu", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    return call


def _free_ports() -> dict[str, str]:
    """Ports of its own: the servers of the test run hold theirs."""
    with contextlib.ExitStack() as held:
        ports = {}
        for port in preflight.ports():
            holder = held.enter_context(socket.socket())
            holder.bind(("127.0.0.1", 0))
            ports[port.setting] = str(holder.getsockname()[1])
        return ports


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    yield from _mounted(folder, "size=1m")


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that nobody may write to, root neither."""
    folder = tmp_path / "sealed"
    folder.mkdir()
    yield from _mounted(folder, "ro")


def _mounted(folder: Path, options: str) -> Iterator[Path]:
    if shutil.which("mount") is None:
        pytest.skip("needs the program mount")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    sentence = done.stderr.strip().splitlines()[-1]
    assert sentence.startswith("shoufu: ")
    for word in words:
        assert word in sentence


def test_port_in_use_names_port_and_setting(run: Run) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        assert_refused(run("up", SHOUFU_MQTT_PORT=port), port, "MQTT", "SHOUFU_MQTT_PORT")


def test_one_port_for_two_servers_is_refused(run: Run) -> None:
    port = _free_ports()["SHOUFU_WEB_PORT"]
    done = run("up", SHOUFU_NATS_PORT=port, SHOUFU_WEB_PORT=port)
    assert_refused(done, "SHOUFU_NATS_PORT", "SHOUFU_WEB_PORT", port)


def test_file_in_place_of_the_data_directory(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert_refused(run("up"), str(tmp_path / "data"), "a file stands where a directory is needed", "SHOUFU_DATA")


def test_read_only_data_directory(run: Run, read_only_disk: Path) -> None:
    assert_refused(run("up", SHOUFU_DATA=str(read_only_disk / "data")), "read-only", "SHOUFU_DATA")


def test_full_disk(run: Run, small_disk: Path) -> None:
    assert_refused(run("up", SHOUFU_DATA=str(small_disk)), "full", "free some space")


def test_disk_that_is_full_to_the_last_byte(run: Run, small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"), (small_disk / "ballast").open("wb", buffering=0) as ballast:
        for _ in range(2048):
            ballast.write(b"0" * 1024)
    assert_refused(run("up", SHOUFU_DATA=str(small_disk)), "full", "free some space")


def test_dead_database(run: Run) -> None:
    done = run("up", DATABASE_URL="postgresql://someone:secret@127.0.0.1:1/shoufu")
    assert_refused(done, "DATABASE_URL", "does not answer", "start it")
    assert "secret" not in done.stderr


def test_dead_nats(run: Run) -> None:
    assert_refused(run("up", NATS_URL="nats://127.0.0.1:1"), "NATS_URL", "does not answer", "start it")


def test_setting_of_the_wrong_type(run: Run) -> None:
    assert_refused(run("up", SHOUFU_PORT="eight"), "SHOUFU_PORT='eight'", "int")


def test_status_without_anything_running(run: Run) -> None:
    assert_refused(run("status"), "Nothing runs", "shoufu up")


def test_unknown_command_is_told(run: Run) -> None:
    done = run("nonsense")
    assert done.returncode == 2
    assert "No such command 'nonsense'" in done.stderr


def test_doctor_reports_a_taken_port_as_json(run: Run) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        done = run("doctor", "--json", SHOUFU_PORT=str(holder.getsockname()[1]))
    report = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 1
    assert report["healthy"] is False
    assert any("SHOUFU_PORT" in finding["text"] for finding in report["findings"])


def test_doctor_notices_a_misspelt_setting(run: Run) -> None:
    report = json.loads(run("doctor", "--json", SHOUFU_PROT="1").stdout.splitlines()[-1])
    assert any("SHOUFU_PROT" in finding["text"] for finding in report["findings"])


def test_settings_are_listed_with_source_and_masked(run: Run) -> None:
    done = run("settings", "--json", DATABASE_URL="postgresql://u:hidden@h/d")
    shown = json.loads(done.stdout)
    assert "hidden" not in done.stdout
    assert shown["DATABASE_URL"]["source"] == "environment"
    assert shown["SHOUFU_SHARDS"] == {
        "value": "1",
        "source": "default",
        "help": "Evaluator shards (by hash of place).",
    }
