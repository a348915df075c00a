"""What the checker found out."""

from __future__ import annotations

from dataclasses import dataclass, field

from shoufu.engines.cel.functions import Function
from shoufu.engines.cel.syntax import Node
from shoufu.engines.cel.types import Type


@dataclass(slots=True)
class Checked:
    """The facts about a tree that later stages need.

    `types` has every node. `variables` maps the nodes that stand for a variable (`x`, or `a.b` where that dotted
    name is declared) to its name, `locals` the uses of macro variables to their slot, `slots` the macros to the
    slot of their variable, `constants` the nodes whose value is known. `within_macro` has the additions that a macro
    repeats, `turn_limit` the longest list a macro may run over.
    """

    root: Node
    strict: bool
    types: dict[Node, Type] = field(default_factory=dict)
    variables: dict[Node, str] = field(default_factory=dict)
    locals: dict[Node, int] = field(default_factory=dict)
    slots: dict[Node, int] = field(default_factory=dict)
    constants: dict[Node, object] = field(default_factory=dict)
    within_macro: set[Node] = field(default_factory=set)
    turn_limit: int = 0
    functions: dict[str, Function] = field(default_factory=dict)
