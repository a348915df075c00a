"""The compiled expression and the ways to run it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from shoufu.engines.cel.types import Type

Activation = Mapping[str, object]
"""Variable name → value; a function without an implementation of its own is found here under its name too."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function the host adds to the language, called as `name(arguments)`.

    Either `implementation` is fixed here, or each activation brings it under the function's name
    (`{"result": …, "recent": callable}`). It gets CEL values and returns one, must be pure for the time of an
    evaluation (it may be called twice), and raises `CelEvaluationError` or ValueError for "no value".
    """

    name: str
    parameters: tuple[Type, ...]
    result: Type
    implementation: Callable[..., object] | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value an atom read: `path` is its text, as in `result.value`; `error` says why there was none."""

    path: str
    value: object
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Atom:
    """One condition of the expression, free of `&&`, `||`, `!` and `?:` at its top.

    `text` is its source, `value` its result (None when `error` is set), `decisive` whether it took part in the result: the true
    side of a true `||`, the false side of a false `&&`, both sides otherwise, the branch taken of `?:`.
    """

    text: str
    value: object
    leaves: tuple[Leaf, ...]
    decisive: bool
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The result with its reasons, atoms in the order of the text."""

    value: object
    atoms: tuple[Atom, ...]
    error: str | None = None


class Program:
    """A compiled expression; immutable, safe to share between threads.

    `variables` and `functions` are the names it reads (compute nothing else for it), `fields` the dotted paths
    such as `result.value`, `type` the static type of its value (dyn where unknown).
    """

    text: str
    type: Type
    variables: frozenset[str]
    functions: frozenset[str]
    fields: frozenset[str]

    def evaluate(self, variables: Activation) -> object:
        """The value, for one-off use: also takes datetime, timedelta, tuple and bytearray values.

        Raises CelEvaluationError.
        """
        raise NotImplementedError

    @cached_property
    def closure(self) -> Callable[[Activation], object]:
        """The fast form, `closure(activation)`, for hot loops: a dict of CEL values (see `values.py`), not converted.

        Values must have the declared types (a JSON int may stand for a double). Raises CelEvaluationError.
        """
        raise NotImplementedError

    def function(self, *names: str) -> Callable[..., object]:
        """The fastest form: a callable with these positional parameters, e.g. `function("result", "t")(result, t)`.

        `names` must cover `variables` and those of `functions` without an implementation; more are allowed.
        """
        raise NotImplementedError

    def explain(self, variables: Activation) -> Explanation:
        """Why the result is what it is; never raises CelEvaluationError (see `Explanation.error`)."""
        raise NotImplementedError

    def vector(self) -> VectorProgram:
        """The same condition over columns. Raises Unsupported when it uses what columns cannot do."""
        raise NotImplementedError


class VectorProgram:
    """A boolean expression over columns."""

    columns: frozenset[str]
    """Names of the columns it reads: variables or dotted paths such as `result.value`."""

    def __call__(self, columns: Mapping[str, object], count: int) -> object:
        raise NotImplementedError


def compile(
    text: str, variables: Mapping[str, Type] | None = None, functions: Iterable[Function] = ()
) -> Program:
    """Compile `text`. With `variables` it is type-checked against them; with None everything is dyn.

    Raises CelSyntaxError or CelTypeError, with the position in the text.
    """
    raise NotImplementedError
