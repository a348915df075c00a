"""One state machine a pattern."""

from __future__ import annotations

from typing import Any

from shoufu.kernel.rules.evaluation.patterns.absence import AbsenceMachine
from shoufu.kernel.rules.evaluation.patterns.base import Emit, Heap, Machine
from shoufu.kernel.rules.evaluation.patterns.count import CountMachine
from shoufu.kernel.rules.evaluation.patterns.hold import HoldMachine
from shoufu.kernel.rules.evaluation.patterns.match import MatchMachine
from shoufu.kernel.rules.evaluation.patterns.occupancy import OccupancyMachine
from shoufu.kernel.rules.evaluation.patterns.sequence import SequenceMachine
from shoufu.kernel.rules.evaluation.rule import CompiledRule
from shoufu.kernel.rules.spec import Absence, Count, Dwell, Match, Occupancy, Sequence, Threshold

MACHINES: dict[type, type[Machine[Any]]] = {
    Match: MatchMachine,
    Threshold: HoldMachine,
    Dwell: HoldMachine,
    Count: CountMachine,
    Absence: AbsenceMachine,
    Sequence: SequenceMachine,
    Occupancy: OccupancyMachine,
}


def machine(rule: CompiledRule, heap: Heap, emit: Emit) -> Machine[Any]:
    """The state machine of the rule's pattern, without any state yet."""
    return MACHINES[type(rule.spec.pattern)](rule, heap, emit)


__all__ = ["Emit", "Heap", "Machine", "MatchMachine", "machine"]
