"""Rules run over the log: pure, deterministic, without clock, database or network."""

from shoufu.kernel.rules.evaluation.calendar import Calendar, to_datetime, to_microseconds
from shoufu.kernel.rules.evaluation.engine import Engine
from shoufu.kernel.rules.evaluation.rows import SECOND, Batch, Firing, Late, Output, Row, microseconds
from shoufu.kernel.rules.evaluation.rule import CompiledRule, Places, RuleSource, compile_rule

__all__ = [
    "SECOND",
    "Batch",
    "Calendar",
    "CompiledRule",
    "Engine",
    "Firing",
    "Late",
    "Output",
    "Places",
    "Row",
    "RuleSource",
    "compile_rule",
    "microseconds",
    "to_datetime",
    "to_microseconds",
]
