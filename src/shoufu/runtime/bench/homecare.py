"""A made-up day of home visits, and a nurse who is late in it."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from shoufu.engines.dispatch.answers import Late, Replanned
from shoufu.engines.dispatch.model import Break, Caregiver, Plan, Problem, Sync, Task, Visit
from shoufu.engines.dispatch.replanning import replan
from shoufu.engines.dispatch.solving import solve
from shoufu.engines.dispatch.warming import warm_up

SKILLS = ("wound", "catheter", "stoma", "injection", "acupuncture", "rehabilitation")
DURATIONS = (20.0, 30.0, 40.0)
WINDOW, HARD_AFTER = 120.0, 120.0
VISITS_A_NURSE = 5.0


@dataclass(frozen=True)
class Figures:
    """Of one late nurse: visits of the day, seconds to the first feasible plan, visits moved, and by how much the
    answer costs more than a plan made from nothing."""

    visits: int
    first_feasible_s: float
    moved: int
    gap_percent: float


def day(visits: int, seed: int) -> Problem:
    """A day in a district 30 minutes across: shifts of eight hours from 7:30 to 9:30, a lunch break each, every third
    nurse on a bicycle, a quarter of the visits by two (half of them together), half with a usual nurse."""
    draw = random.Random(seed)
    at = np.array([[15.0, 15.0], *([draw.uniform(0, 30), draw.uniform(0, 30)] for _ in range(visits))])
    apart = np.sqrt(((at[:, None] - at[None, :]) ** 2).sum(axis=2))
    crew = tuple(_nurse(draw, index) for index in range(max(3, round(visits / VISITS_A_NURSE))))
    names = [nurse.id for nurse in crew]
    return Problem(
        tuple(_visit(draw, index, crew, names) for index in range(visits)),
        crew,
        {"car": apart, "bicycle": apart * 1.6},
    )


def _nurse(draw: random.Random, index: int) -> Caregiver:
    start = 450.0 + 30.0 * draw.randrange(5)
    half = SKILLS[:3] if index % 2 else SKILLS[3:]
    skills = frozenset({*half, draw.choice(SKILLS)})
    lunch = Break(start + 180, start + 300, 30.0)
    return Caregiver(f"n{index}", skills, 0, start, start + 540, (lunch,), "car" if index % 3 else "bicycle")


def _visit(draw: random.Random, index: int, crew: tuple[Caregiver, ...], names: list[str]) -> Visit:
    opens = 480.0 + 15.0 * draw.randrange(22)
    due = opens + WINDOW
    tasks = tuple(Task(draw.choice(SKILLS), draw.choice(DURATIONS)) for _ in range(2 if draw.random() < 0.25 else 1))
    sync, gap = None, (0.0, 0.0)
    if len(tasks) == 2:
        sync = draw.choice(list(Sync))
        gap = (30.0, 120.0) if sync is Sync.SEQUENTIAL else gap
    usual = frozenset(draw.sample(names, 2)) if draw.random() < 0.5 else frozenset()
    return Visit(f"v{index}", index + 1, opens, due, tasks, sync, gap, latest=due + HARD_AFTER, usual=usual)


def busiest(plan: Plan) -> str:
    """The caregiver with the most visits, the first of several."""
    return max(plan.routes, key=lambda name: len(plan.routes[name]))


def late(visits: int, minutes: float, seed: int, seconds: float) -> tuple[Figures, Replanned]:
    """Plan the day, let its busiest nurse begin `minutes` late, and compare with a plan of `seconds` from nothing.

    Compiled code is warm before the stopwatch starts.
    """
    warm_up()
    problem = day(visits, seed)
    plan = solve(problem, seconds, seed)
    nurse = problem.caregivers[problem.caregiver_index[busiest(plan)]]
    answer = replan(problem, plan, Late(nurse.id, nurse.shift_start + minutes), seed=seed)
    scratch = solve(answer.problem, seconds, seed)
    gap = 100.0 * (answer.plan.cost / scratch.cost - 1.0)
    return Figures(visits, round(answer.first_seconds, 4), len(answer.moved), round(gap, 2)), answer
