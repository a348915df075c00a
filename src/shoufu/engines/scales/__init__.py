"""Questionnaires as versioned data, and their scores.

A scale is a JSON document (`load`): items with options that have points, and bands that say what a sum means. A scale
with `groups` is scored by the standard of Chinese-medicine constitution (`constitution`).
"""

from shoufu.engines.scales.constitution import Constitution, Finding
from shoufu.engines.scales.document import BadScale, load
from shoufu.engines.scales.model import Band, Group, Item, Option, Scale, WrongAnswer
from shoufu.engines.scales.score import Score, checked, score

__all__ = [
    "BadScale",
    "Band",
    "Constitution",
    "Finding",
    "Group",
    "Item",
    "Option",
    "Scale",
    "Score",
    "WrongAnswer",
    "checked",
    "load",
    "score",
]
