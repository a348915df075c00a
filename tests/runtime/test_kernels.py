from pathlib import Path

import pytest

from shoufu.runtime.build import kernels
from shoufu.runtime.errors import Problem


def test_a_change_of_a_source_makes_the_compiled_loops_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "moves.py").write_text("ONE = 1\n")
    monkeypatch.setattr(kernels, "ENGINE", tmp_path)
    monkeypatch.setattr(kernels, "COMPILE", "pass")
    assert not kernels.current()
    kernels.build()
    assert kernels.current()
    (tmp_path / "moves.py").write_text("ONE = 2\n")
    assert not kernels.current()


def test_a_compiler_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "ENGINE", tmp_path)
    monkeypatch.setattr(kernels, "COMPILE", "raise SystemExit('no such instruction')")
    with pytest.raises(Problem, match="no such instruction"):
        kernels.build()
    assert not kernels.current()
