"""Readings of chronic diseases judged by a guideline: findings with reason and source, control, trends, tasks.

Guidelines are JSON documents (`load`): targets, rules, tasks and how often a nurse asks, each with its clause. Nothing
here knows a limit of its own but what a reading can be at all (`quantities`). Units: mmHg, 1/min, mmol/L, kg, %, °C.
"""

from shoufu.engines.chronic.document import BadGuideline, load
from shoufu.engines.chronic.evaluate import Finding, evaluate
from shoufu.engines.chronic.model import Guideline, Limit, Reading, Rule, Target, TaskPlan
from shoufu.engines.chronic.quantities import CONTEXTS, KINDS, QUANTITIES, Kind, Quantity, WrongValue, faults
from shoufu.engines.chronic.recurrence import Standing, standing, windows
from shoufu.engines.chronic.trend import Control, Summary, control, controls, day_means, summary

__all__ = [
    "CONTEXTS",
    "KINDS",
    "QUANTITIES",
    "BadGuideline",
    "Control",
    "Finding",
    "Guideline",
    "Kind",
    "Limit",
    "Quantity",
    "Reading",
    "Rule",
    "Standing",
    "Summary",
    "Target",
    "TaskPlan",
    "WrongValue",
    "control",
    "controls",
    "day_means",
    "evaluate",
    "faults",
    "load",
    "standing",
    "summary",
    "windows",
]
