"""Small days for the tests: places on a line, minutes between them as far as they are apart."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from shoufu.engines.dispatch import Break, Caregiver, Problem, Sync, Task, Visit

SKILLS = ("wound", "stoma", "catheter")


def line(*places: float) -> dict[str, np.ndarray]:
    """Travel between places on a line; the first is the office."""
    at = np.array(places, np.float64)
    return {"default": np.abs(at[:, None] - at[None, :])}


def nurse(name: str, *skills: str, **more: object) -> Caregiver:
    return Caregiver(name, frozenset(skills or SKILLS), **more)


def visit(name: str, place: int, opens: float, due: float, *skills: str, **more: object) -> Visit:
    tasks = tuple(Task(skill, 30) for skill in skills or ("wound",))
    if len(tasks) == 2 and "sync" not in more:
        more["sync"] = Sync.SIMULTANEOUS
    return Visit(name, place, opens, due, tasks, **more)


@st.composite
def problems(draw: st.DrawFn, most: int = 8, hard: bool = True) -> Problem:
    """Any small day: double visits, shifts, breaks, fixed and refused people, two means of transport."""
    count = draw(st.integers(1, most))
    places = [0.0, *(float(draw(st.integers(0, 60))) for _ in range(count))]
    travel = line(*places)
    travel["bicycle"] = travel["default"] * 2
    crew = tuple(_caregiver(draw, f"c{index}", hard) for index in range(draw(st.integers(1, 4))))
    visits = tuple(_visit(draw, index, [one.id for one in crew], hard) for index in range(count))
    return Problem(visits, crew, travel)


def _caregiver(draw: st.DrawFn, name: str, hard: bool) -> Caregiver:
    skills = frozenset(draw(st.sets(st.sampled_from(SKILLS), min_size=1)))
    if not hard:
        return Caregiver(name, skills)
    start = float(draw(st.integers(0, 120)))
    breaks = []
    if draw(st.booleans()):
        earliest = start + draw(st.integers(0, 300))
        breaks.append(Break(earliest, earliest + draw(st.integers(0, 90)), float(draw(st.integers(10, 60)))))
    mode = draw(st.sampled_from(("default", "bicycle")))
    return Caregiver(name, skills, 0, start, start + draw(st.integers(60, 600)), tuple(breaks), mode)


def _visit(draw: st.DrawFn, index: int, crew: list[str], hard: bool) -> Visit:
    opens = float(draw(st.integers(0, 300)))
    due = opens + draw(st.integers(0, 120))
    tasks = tuple(
        Task(draw(st.sampled_from(SKILLS)), float(draw(st.integers(0, 40)))) for _ in range(draw(st.integers(1, 2)))
    )
    sync, gap = None, (0.0, 0.0)
    if len(tasks) == 2:
        sync = draw(st.sampled_from(Sync))
        least = float(draw(st.integers(0, 60)))
        gap = (least, least + draw(st.integers(0, 60))) if sync is Sync.SEQUENTIAL else gap
    more: dict[str, object] = {}
    if hard:
        more["latest"] = due + draw(st.sampled_from((0.0, 60.0, np.inf)))
        if draw(st.integers(0, 3)) == 0:
            more["fixed_start"] = opens
        if draw(st.integers(0, 3)) == 0:
            more["fixed_caregivers"] = (draw(st.sampled_from(crew)), *[None] * (len(tasks) - 1))
        if draw(st.integers(0, 3)) == 0:
            more["refused"] = frozenset({draw(st.sampled_from(crew))})
        if draw(st.booleans()):
            more["usual"] = frozenset({draw(st.sampled_from(crew))})
    return Visit(f"v{index}", index + 1, opens, due, tasks, sync, gap, **more)
