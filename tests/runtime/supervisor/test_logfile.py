from pathlib import Path

import pytest

from shoufu.runtime.supervisor import logfile
from shoufu.runtime.supervisor.logfile import LogFile


def test_lines_are_appended_and_the_last_remembered(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "a.log")
    log.write(b"one\n")
    log.write(b"two\n")
    assert (tmp_path / "a.log").read_bytes() == b"one\ntwo\n"
    assert list(log.tail) == ["one", "two"]


def test_full_file_is_rotated_and_three_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfile, "LIMIT", 10)
    log = LogFile(tmp_path / "a.log")
    for number in range(6):
        log.write(f"line number {number}\n".encode())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log.1", "a.log.2", "a.log.3"]
    assert (tmp_path / "a.log.1").read_bytes() == b"line number 5\n"


def test_disk_that_refuses_loses_a_line_and_says_so() -> None:
    log = LogFile(Path("/dev/full"))
    log.write(b"lost\n")
    assert "No space left" in log.failed
