"""Home health care routing and scheduling: who visits whom when, in a day (Mankowska, Meisel and Bierwirth 2014).

`solve` plans a day; `insert` and `feasible` find room for one more visit; `replan` repairs a running plan and moves
few; `explain` says why somebody cannot come. `violations` checks any plan, independently of the search. Pure: no
database, network or clock (a stopwatch bounds the search). docs/engines/dispatch.md has the method and the figures.

What searches is loaded when it is first used: its compiled code takes 100 MB that a process without it need not have.
"""

from typing import TYPE_CHECKING

from shoufu.engines.dispatch.answers import Cancelled, Code, Event, Explanation, Ill, Late, Offer, Reason, Replanned
from shoufu.engines.dispatch.check import InfeasiblePlanError, Rule, Violation, ensure_feasible, violations
from shoufu.engines.dispatch.instances import read_instance, read_solution, write_solution
from shoufu.engines.dispatch.model import (
    Break,
    Caregiver,
    DispatchError,
    Plan,
    Problem,
    Rest,
    Stop,
    Sync,
    Task,
    Visit,
    Weights,
)
from shoufu.engines.later import later

if TYPE_CHECKING:
    from shoufu.engines.dispatch.arranging import arrange, may_do
    from shoufu.engines.dispatch.explanation import explain
    from shoufu.engines.dispatch.insertion import feasible, insert, place
    from shoufu.engines.dispatch.replanning import moved_visits, replan
    from shoufu.engines.dispatch.solving import solve
    from shoufu.engines.dispatch.warming import warm_up

__all__ = [
    "Break",
    "Cancelled",
    "Caregiver",
    "Code",
    "DispatchError",
    "Event",
    "Explanation",
    "Ill",
    "InfeasiblePlanError",
    "Late",
    "Offer",
    "Plan",
    "Problem",
    "Reason",
    "Replanned",
    "Rest",
    "Rule",
    "Stop",
    "Sync",
    "Task",
    "Violation",
    "Visit",
    "Weights",
    "arrange",
    "ensure_feasible",
    "explain",
    "feasible",
    "insert",
    "may_do",
    "moved_visits",
    "place",
    "read_instance",
    "read_solution",
    "replan",
    "solve",
    "violations",
    "warm_up",
    "write_solution",
]

__getattr__ = later(
    __name__,
    {
        "arranging": ("arrange", "may_do"),
        "explanation": ("explain",),
        "insertion": ("feasible", "insert", "place"),
        "replanning": ("moved_visits", "replan"),
        "solving": ("solve",),
        "warming": ("warm_up",),
    },
)
