"""The type checker: what every name means and which type every node has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shoufu.engines.cel.check.checker import Checker
from shoufu.engines.cel.check.facts import Checked
from shoufu.engines.cel.functions import Function
from shoufu.engines.cel.operators import turn_limit
from shoufu.engines.cel.parser import macro_nesting
from shoufu.engines.cel.syntax import Node
from shoufu.engines.cel.types import Type

__all__ = ["Checked", "check"]


def check(root: Node, text: str, variables: Mapping[str, Type] | None, functions: Iterable[Function] = ()) -> Checked:
    """Resolve names and types. With `variables` None nothing is an error: what does not fit fails when evaluated.

    Raises CelTypeError.
    """
    checker = Checker(Checked(root, strict=variables is not None), text, variables or {}, functions)
    checker.visit(root)
    checker.facts.turn_limit = turn_limit(macro_nesting(root))
    return checker.facts
