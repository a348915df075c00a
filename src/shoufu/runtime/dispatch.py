"""Files of the dispatch commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from shoufu.runtime import env
from shoufu.runtime.errors import Problem

os.environ.setdefault("NUMBA_CACHE_DIR", str(env.cache_dir() / "numba"))

from shoufu.engines.dispatch import instances, model

T = TypeVar("T")


def read(file: Path) -> model.Problem:
    """An instance file; one sentence when it cannot be read."""
    return _tried(file, instances.read_instance)


def read_plan(file: Path, problem: model.Problem) -> model.Plan:
    """A solution file; one sentence when it cannot be read."""
    return _tried(file, lambda data: instances.read_solution(problem, data))


def write(file: Path, problem: model.Problem, plan: model.Plan) -> None:
    """Write a solution file; one sentence when it cannot be written."""
    try:
        file.write_text(instances.write_solution(problem, plan) + "\n", encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot write {file} ({error.strerror or error}): check path and rights") from error


def _tried(file: Path, reading: Callable[[bytes], T]) -> T:
    try:
        return reading(file.read_bytes())
    except OSError as error:
        raise Problem(f"cannot read {file} ({error.strerror or error}): check path and rights") from error
    except model.DispatchError as error:
        raise Problem(f"{file}: {error}") from error
