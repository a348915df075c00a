"""Tries every endpoint with the ids of a neighbouring compound, for every role; nothing of it may show or change."""

from shoufu.runtime.drill.neighbours.running import Figures, run

__all__ = ["Figures", "run"]
