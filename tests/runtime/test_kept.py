"""Data of a measurement that is kept: made once, told apart from anything else."""

from pathlib import Path

import pytest

from shoufu.runtime.bench.kept import Kept
from shoufu.runtime.errors import Problem

WHAT = {"bench": "pages", "cases": 10}


def test_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert not Kept(folder, WHAT).filled()
    made: list[int] = []
    Kept(folder, WHAT).fill(lambda: made.append(1))
    assert made == [1]
    assert Kept(folder, WHAT).filled()


def test_other_sizes_are_refused(tmp_path: Path) -> None:
    Kept(tmp_path / "data", WHAT).fill(lambda: None)
    with pytest.raises(Problem, match="same sizes"):
        Kept(tmp_path / "data", WHAT | {"cases": 20}).filled()


def test_what_was_broken_off_is_refused(tmp_path: Path) -> None:
    def breaks() -> None:
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        Kept(tmp_path / "data", WHAT).fill(breaks)
    with pytest.raises(Problem, match="broken off"):
        Kept(tmp_path / "data", WHAT).filled()


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(Problem, match="something else"):
        Kept(tmp_path, WHAT).filled()


def test_without_a_directory_nothing_is_kept() -> None:
    made: list[int] = []
    Kept(None, WHAT).fill(lambda: made.append(1))
    assert made == [1]
    assert not Kept(None, WHAT).filled()
