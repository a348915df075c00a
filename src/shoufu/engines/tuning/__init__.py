"""Which value of a rule's number would have spared people false alarms, by what became of its cases.

The caller says of each case how it ended (`Outcome`) and how far the rule's number (`Knob`) could have gone before the
case would not have been raised (`Sample.reach`). `propose` weighs the values: false alarms avoided against true cases
lost. `propose_pause` does the same for a cool-down, which swallows what comes too soon after another case.
"""

from shoufu.engines.tuning.model import Candidate, Counts, Event, Knob, Least, Outcome, Proposal, Sample, Why
from shoufu.engines.tuning.propose import dropped, propose, propose_pause, risk
from shoufu.engines.tuning.rounding import plain_value

__all__ = [
    "Candidate",
    "Counts",
    "Event",
    "Knob",
    "Least",
    "Outcome",
    "Proposal",
    "Sample",
    "Why",
    "dropped",
    "plain_value",
    "propose",
    "propose_pause",
    "risk",
]
