"""Loading what is compiled before somebody waits for it."""

from __future__ import annotations

import numpy as np

from shoufu.engines.dispatch.answers import Ill
from shoufu.engines.dispatch.insertion import feasible, insert
from shoufu.engines.dispatch.model import DEFAULT_MODE, Caregiver, Problem, Task, Visit
from shoufu.engines.dispatch.replanning import replan
from shoufu.engines.dispatch.solving import solve


def warm_up() -> None:
    """Compile everything, or load it from disk: seconds the first time on a machine, then a quarter of one."""
    task = (Task("any", 1.0),)
    visits = tuple(Visit(name, 0, 0.0, 1.0, task) for name in "ab")
    crew = tuple(Caregiver(name, frozenset({"any"})) for name in "cd")
    problem = Problem(visits, crew, {DEFAULT_MODE: np.zeros((1, 1))})
    plan = solve(problem, moves=10, workers=1)
    wish = Visit("x", 0, 0.0, 1.0, task)
    insert(problem, plan, wish)
    feasible(problem, wish, plan)
    replan(problem, plan, Ill("c"), moves=10)
