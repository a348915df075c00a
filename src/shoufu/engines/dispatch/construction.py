"""A first solution: visits by the end of their windows, each to those who are near and there in time."""

from __future__ import annotations

import math

import numpy as np

from shoufu.engines.dispatch.arrays import NEVER, Floats, Given, Ints

LATE = 10.0
"""Cost of a minute after a hard limit, next to a minute of tardiness."""


def construct(given: Given, planned: list[bool]) -> tuple[Ints, Floats]:
    """(who[2n], key[n]) of a solution that may break limits; visits that are not to be planned have who -1."""
    n = len(given.double)
    who = np.full(2 * n, -1, np.int64)
    key = np.zeros(n)
    free_at = given.shift_start.copy()
    where = given.place[2 * n :].copy()
    for rank, visit in enumerate(np.argsort(np.minimum(given.due, given.limit[0::2]), kind="stable")):
        if not planned[visit]:
            continue
        key[visit] = rank + 1.0
        nodes = [2 * visit, 2 * visit + 1] if given.double[visit] else [2 * visit]
        crew = _crew(given, nodes, free_at, where)
        start = float(given.opens[2 * visit])
        for node, c in zip(nodes, crew, strict=True):
            way = given.travel[given.mode[c], where[c], given.place[node]]
            start = max(start, float(free_at[c] + way))
        for task, (node, c) in enumerate(zip(nodes, crew, strict=True)):
            who[node] = c
            free_at[c] = start + task * given.gap_min[visit] + given.duration[node]
            where[c] = given.place[node]
    return who, key


def _crew(given: Given, nodes: list[int], free_at: Floats, where: Ints) -> list[int]:
    costs = [_costs(given, node, free_at, where) for node in nodes]
    if len(nodes) == 1:
        return [int(np.argmin(costs[0]))]
    pairs = costs[0][:, None] + costs[1][None, :]
    np.fill_diagonal(pairs, math.inf)
    one, two = np.unravel_index(int(np.argmin(pairs)), pairs.shape)
    return [int(one), int(two)]


def _costs(given: Given, node: int, free_at: Floats, where: Ints) -> Floats:
    visit = node >> 1
    way = given.travel[given.mode, where, given.place[node]]
    back = given.travel[given.mode, given.place[node], given.place[2 * len(given.double) :]]
    start = np.maximum(free_at + way, given.opens[node])
    costs = given.soft[node] + 0.3 * way + np.maximum(0.0, start - given.due[visit])
    costs += LATE * np.maximum(0.0, start - given.limit[node])
    costs += LATE * np.maximum(0.0, start + given.duration[node] + back - given.shift_end)
    found: Floats = np.where(given.soft[node] < NEVER, costs, math.inf)
    return found
