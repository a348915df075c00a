"""Why an expression came out as it did: its atoms with the values they read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from shoufu.engines.cel.check import Checked
from shoufu.engines.cel.errors import CelEvaluationError
from shoufu.engines.cel.fast import Activation, Fast
from shoufu.engines.cel.syntax import (
    Call,
    Comprehension,
    Conditional,
    Ident,
    Index,
    Literal,
    Logic,
    Node,
    Select,
    Unary,
)


class Leaf(msgspec.Struct, frozen=True):
    """A value an atom read: `path` is its text, as in `result.value`; `error` says why there was none."""

    path: str
    value: object
    error: str | None = None


class Atom(msgspec.Struct, frozen=True):
    """One condition of the expression, free of `&&`, `||`, `!` and `?:` at its top.

    `text` is its source, `value` its result (None when `error` is set), `decisive` whether it took part in the
    overall result: the true terms of a true `||`, the false terms of a false `&&`, all terms otherwise; of `?:`
    the condition and the branch taken.
    """

    text: str
    value: object
    leaves: tuple[Leaf, ...]
    decisive: bool
    error: str | None = None


class Explanation(msgspec.Struct, frozen=True):
    """The result with its reasons, atoms in the order of the text."""

    value: object
    atoms: tuple[Atom, ...]
    error: str | None = None

    @property
    def reasons(self) -> tuple[Atom, ...]:
        """The atoms that decided the result."""
        return tuple(atom for atom in self.atoms if atom.decisive)


@dataclass(slots=True)
class _Outcome:
    """A value or an error, with the atoms it was made of."""

    value: object
    error: CelEvaluationError | None
    atoms: tuple[Atom, ...]


class Explainer:
    """Built once for an expression, when a reason is first asked for; then called for each activation."""

    def __init__(self, text: str, facts: Checked) -> None:
        self.text = text
        self.facts = facts
        self.part = self._build(facts.root)

    def __call__(self, activation: Mapping[str, object]) -> Explanation:
        outcome = self.part(activation)
        return Explanation(outcome.value, outcome.atoms, str(outcome.error) if outcome.error else None)

    def _build(self, node: Node) -> Any:
        if isinstance(node, Logic):
            return self._logic(node)
        if isinstance(node, Conditional):
            return self._conditional(node)
        if isinstance(node, Unary) and node.operator == "!":
            return self._not(node)
        return self._atom(node)

    def _compiled(self, node: Node) -> Callable[[Activation], object]:
        return Fast(self.facts, node).of_activation()

    def _source(self, node: Node) -> str:
        return self.text[node.start : node.end]

    def _atom(self, node: Node) -> Any:
        text, closure = self._source(node), self._compiled(node)
        leaves = [(self._source(leaf), self._compiled(leaf)) for leaf in self._leaves(node)]

        def atom(activation: Activation) -> _Outcome:
            read = tuple([_leaf(path, leaf, activation) for path, leaf in leaves])
            try:
                value = closure(activation)
            except CelEvaluationError as error:
                return _Outcome(None, error, (Atom(text, None, read, True, str(error)),))
            return _Outcome(value, None, (Atom(text, value, read, True),))

        return atom

    def _leaves(self, node: Node) -> list[Node]:
        """The outermost reads of variables and results of host functions below (or at) `node`, each text once."""
        found: dict[str, Node] = {}
        self._collect(node, found)
        return list(found.values())

    def _collect(self, node: Node, found: dict[str, Node]) -> None:
        if isinstance(node, Literal) or node in self.facts.constants:
            return
        if self._is_leaf(node):
            found.setdefault(self._source(node), node)
            return
        if isinstance(node, Comprehension):
            # What is below depends on the macro's variable; the list it runs over is the value that counts.
            self._collect(node.source, found)
            return
        for child in node.children():
            self._collect(child, found)

    def _is_leaf(self, node: Node) -> bool:
        if node in self.facts.variables:
            return True
        if isinstance(node, Call):
            return node.receiver is None and node.function in self.facts.functions
        if isinstance(node, Select) and node.test:
            return False
        if isinstance(node, Select | Index):
            return self._reads_variable(node)
        return False

    def _reads_variable(self, node: Node) -> bool:
        while isinstance(node, Select | Index) and node not in self.facts.variables:
            if isinstance(node, Index) and not isinstance(node.index, Literal):
                return False
            node = node.operand
        return node in self.facts.variables and isinstance(node, Ident | Select)

    def _logic(self, node: Logic) -> Any:
        parts = [self._build(term) for term in node.terms]
        decisive = node.operator == "||"

        def logic(activation: Activation) -> _Outcome:
            outcomes = [part(activation) for part in parts]
            if any(outcome.value is decisive and outcome.error is None for outcome in outcomes):
                atoms = [
                    atom
                    if outcome.error is None and outcome.value is decisive
                    else msgspec.structs.replace(atom, decisive=False)
                    for outcome in outcomes
                    for atom in outcome.atoms
                ]
                return _Outcome(decisive, None, tuple(atoms))
            return _undecided(outcomes, node, not decisive)

        return logic

    def _conditional(self, node: Conditional) -> Any:
        test, then, other = self._build(node.test), self._build(node.then), self._build(node.other)

        def conditional(activation: Activation) -> _Outcome:
            outcome = test(activation)
            if outcome.error is not None or type(outcome.value) is not bool:
                error = outcome.error or CelEvaluationError("the condition of ?: is not bool", node.at)
                return _Outcome(None, error, outcome.atoms)
            branch = (then if outcome.value else other)(activation)
            return _Outcome(branch.value, branch.error, outcome.atoms + branch.atoms)

        return conditional

    def _not(self, node: Unary) -> Any:
        part = self._build(node.operand)

        def invert(activation: Activation) -> _Outcome:
            outcome = part(activation)
            if outcome.error is not None:
                return outcome  # type: ignore[no-any-return]
            if type(outcome.value) is not bool:
                return _Outcome(None, CelEvaluationError("what ! inverts is not bool", node.at), outcome.atoms)
            return _Outcome(not outcome.value, None, outcome.atoms)

        return invert


def _leaf(path: str, closure: Callable[[Activation], object], activation: Activation) -> Leaf:
    try:
        return Leaf(path, closure(activation))
    except CelEvaluationError as error:
        return Leaf(path, None, error.message)


def _undecided(outcomes: list[_Outcome], node: Logic, value: bool) -> _Outcome:
    """No term decided alone: the result is `value`, or the first error."""
    atoms = tuple(atom for outcome in outcomes for atom in outcome.atoms)
    for outcome in outcomes:
        if outcome.error is not None:
            return _Outcome(None, outcome.error, atoms)
        if type(outcome.value) is not bool:
            return _Outcome(None, CelEvaluationError(f"a term of {node.operator} is not bool", node.at), atoms)
    return _Outcome(value, None, atoms)
