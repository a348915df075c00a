"""The compiled expression and the ways to run it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from shoufu.engines.cel.check import Checked, check
from shoufu.engines.cel.explain import Explainer, Explanation
from shoufu.engines.cel.fast import Fast
from shoufu.engines.cel.functions import Function
from shoufu.engines.cel.parser import parse
from shoufu.engines.cel.syntax import Call, Ident, Select, dotted_name, root_ident
from shoufu.engines.cel.types import Type
from shoufu.engines.cel.values import from_python
from shoufu.engines.cel.vector import VectorProgram

Activation = Mapping[str, object]
"""Variable name → value; a function without an implementation of its own is found here under its name too."""


class Program:
    """A compiled expression; immutable, safe to share between threads.

    `variables` and `functions` are the names it reads (compute nothing else for it), `fields` the dotted paths
    such as `result.value`, `type` the static type of its value (dyn where unknown).
    """

    def __init__(self, text: str, facts: Checked) -> None:
        self.text = text
        self._facts = facts
        self.type: Type = facts.types[facts.root]
        self.variables: frozenset[str] = frozenset(facts.variables.values())
        self.functions: frozenset[str] = frozenset(_called(facts))
        self.fields: frozenset[str] = frozenset(_paths(facts))

    def __repr__(self) -> str:
        return f"Program({self.text!r})"

    def evaluate(self, variables: Activation) -> object:
        """The value, for one-off use: also takes datetime, timedelta, tuple and bytearray values.

        Raises CelEvaluationError.
        """
        # Writing the fast form costs more than one evaluation without it.
        evaluate = self.closure if "closure" in self.__dict__ else self._evaluate_carefully
        return evaluate(self._convert(variables))

    def _convert(self, variables: Activation) -> Activation:
        return {
            name: value if name in self.functions else from_python(value)
            for name, value in variables.items()
            if not self._facts.strict or name in self.variables or name in self.functions
        }

    def _evaluate_carefully(self, activation: Activation) -> object:
        return self._fast.careful(activation)

    @cached_property
    def _fast(self) -> Fast:
        return Fast(self._facts, self._facts.root)

    @cached_property
    def closure(self) -> Callable[[Activation], object]:
        """The fast form, `closure(activation)`, for hot loops: a dict of CEL values (see `values.py`), not converted.

        Values must have the declared types (a JSON int may stand for a double). Raises CelEvaluationError.
        """
        return self._fast.of_activation()

    def function(self, *names: str) -> Callable[..., object]:
        """The fastest form: a callable with these positional parameters, e.g. `function("result", "t")(result, t)`.

        `names` must cover `variables` and those of `functions` without an implementation; more are allowed.
        Raises ValueError when one is missing or is no simple name.
        """
        return self._fast.of_arguments(names)

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self.text, self._facts)

    def explain(self, variables: Activation) -> Explanation:
        """Why the result is what it is; never raises CelEvaluationError (see `Explanation.error`)."""
        return self._explainer(self._convert(variables))

    @property
    def explainer(self) -> Callable[[Activation], Explanation]:
        """`explain` for hot loops: like `closure`, it takes a dict of CEL values, not converted."""
        return self._explainer

    def vector(self) -> VectorProgram:
        """The same condition over columns. Raises Unsupported when it uses what columns cannot do."""
        return VectorProgram(self._facts)


def compile(text: str, variables: Mapping[str, Type] | None = None, functions: Iterable[Function] = ()) -> Program:
    """Compile `text`. With `variables` it is type-checked against them; with None everything is dyn.

    Numbers of different types may be compared with each other, as JSON has one sort of number; arithmetic wants
    one type. Raises CelSyntaxError or CelTypeError, with the position in the text.
    """
    return Program(text, check(parse(text), text, variables, functions))


def _called(facts: Checked) -> Iterable[str]:
    for node in facts.root.walk():
        if isinstance(node, Call) and node.receiver is None and node.function in facts.functions:
            yield node.function


def _paths(facts: Checked) -> Iterable[str]:
    """The longest dotted path of each chain of selections that starts at a variable."""
    inner: set[int] = set()
    for node in facts.root.walk():
        if not isinstance(node, Ident | Select) or id(node) in inner:
            continue
        root = root_ident(node)
        if root is None or root in facts.locals or node in facts.constants:
            continue
        if isinstance(node, Select):
            step = node.operand
            while isinstance(step, Select):
                inner.add(id(step))
                step = step.operand
            inner.add(id(step))
            name = f"{dotted_name(node.operand)}.{node.field}"
        else:
            name = node.name
        if "." in name or node in facts.variables:
            yield name
