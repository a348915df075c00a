"""Checked tree → closures: the reference form, with every error in its place.

Each node becomes a function of an environment, a list that holds the activation and then one slot for each
macro variable. Values are dispatched on their own types, so that this form is right whatever it is given; the
fast form (`fast.py`) trusts the declared types and comes back here whenever it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shoufu.engines.cel import messages, operators
from shoufu.engines.cel.check import Checked
from shoufu.engines.cel.errors import CelEvaluationError
from shoufu.engines.cel.functions import Overload, dispatch, table_for
from shoufu.engines.cel.syntax import (
    Binary,
    Call,
    Comprehension,
    Conditional,
    Ident,
    Index,
    ListLiteral,
    Literal,
    Logic,
    MapLiteral,
    MessageLiteral,
    Node,
    Select,
    Unary,
    dotted_name,
    root_ident,
)
from shoufu.engines.cel.types import Kind, Type
from shoufu.engines.cel.values import normal_key, plain_key, type_name

Environment = list[Any]
Closure = Callable[[Environment], Any]

_ABSENT = object()


def environment(facts: Checked, activation: Mapping[str, object]) -> Environment:
    """A fresh environment for the closures of `facts`."""
    return [activation] + [None] * len(facts.slots)


def build(facts: Checked, node: Node) -> Closure:
    """The closure of a node. It raises CelEvaluationError with a position."""
    if node in facts.constants:
        return _constant(facts, node)
    return _located(_closure(facts, node), node.at)


def _constant(facts: Checked, node: Node) -> Closure:
    value = facts.constants[node]
    if facts.strict or not isinstance(node, Ident):
        return lambda env: value
    # Without declarations, a variable may have the name of a type.
    name = node.name
    return lambda env: env[0].get(name, value)


def _located(closure: Closure, at: int) -> Closure:
    def run(env: Environment) -> Any:
        try:
            return closure(env)
        except CelEvaluationError as error:
            if error.position is None:
                error.position = at
            raise

    return run


def _closure(facts: Checked, node: Node) -> Closure:
    match node:
        case Literal():
            value = node.value
            return lambda env: value
        case Ident() | Select() if node in facts.variables:
            return _adapted(_variable(facts.variables[node]), facts.types[node])
        case Ident():
            slot = facts.locals[node]
            return _adapted(lambda env: env[slot], facts.types[node])
        case Select():
            return _select(facts, node)
        case Index():
            container, key = build(facts, node.operand), build(facts, node.index)
            return _adapted(lambda env: operators.index(container(env), key(env)), facts.types[node])
        case Call():
            return _call(facts, node)
        case Unary():
            operand = build(facts, node.operand)
            operate = operators.invert if node.operator == "!" else operators.negate
            return lambda env: operate(operand(env))
        case Binary():
            left, right, binary = build(facts, node.left), build(facts, node.right), binary_operation(facts, node)
            return lambda env: binary(left(env), right(env))
        case Logic():
            return absorbing([build(facts, term) for term in node.terms], node.operator)
        case Conditional():
            return _conditional(facts, node)
        case ListLiteral():
            items = [build(facts, item) for item in node.items]
            return lambda env: [item(env) for item in items]
        case MapLiteral():
            return _map(facts, node)
        case MessageLiteral():
            fields = [(name, build(facts, value)) for name, value in node.entries]
            return lambda env: messages.build(node.name, {name: value(env) for name, value in fields})
        case Comprehension():
            return _comprehension(facts, node)
    raise AssertionError(f"unknown node {type(node).__name__}")


def binary_operation(facts: Checked, node: Binary) -> Callable[[Any, Any], Any]:
    """The operation on two values."""
    return operators.add_bounded if node in facts.within_macro else operators.BINARY[node.operator]


def _adapted(read: Closure, declared: Type) -> Closure:
    """JSON has one sort of number: a whole double may come as int, an int with .0 as float."""
    if declared.kind is Kind.DOUBLE:

        def double(env: Environment) -> Any:
            value = read(env)
            return float(value) if type(value) is int else value

        return double
    if declared.kind is Kind.INT:

        def integer(env: Environment) -> Any:
            value = read(env)
            return int(value) if type(value) is float and value.is_integer() else value

        return integer
    return read


def _variable(name: str) -> Closure:
    def read(env: Environment) -> Any:
        found = env[0].get(name, _ABSENT)
        if found is _ABSENT:
            raise CelEvaluationError(f"undeclared reference to '{name}': no such variable was given")
        return found

    return read


def _select(facts: Checked, node: Select) -> Closure:
    operand, field = build(facts, node.operand), node.field
    if node.test:
        return lambda env: operators.has_field(operand(env), field)
    read = _adapted(lambda env: operators.select(operand(env), field), facts.types[node])
    name, root = dotted_name(node), root_ident(node)
    if facts.strict or name is None or root is None or root in facts.locals:
        return read

    def read_dotted(env: Environment) -> Any:
        # Without declarations only the activation tells whether a.b is a variable of that name.
        found = env[0].get(name, _ABSENT)
        return read(env) if found is _ABSENT else found

    return read_dotted


def absorbing(terms: Iterable[Closure], operator: str) -> Closure:
    """`&&` or `||`: a decisive term wins over errors of the others, wherever it stands."""
    parts = tuple(terms)
    decisive = operator == "||"

    def logic(env: Environment) -> bool:
        failure: CelEvaluationError | None = None
        for part in parts:
            try:
                value = part(env)
            except CelEvaluationError as error:
                failure = failure or error
                continue
            if value is decisive:
                return bool(value)
            if type(value) is not bool:
                failure = failure or CelEvaluationError(
                    f"no such overload: {type_name(value)} in {operator}; it takes bool"
                )
        if failure is not None:
            raise failure
        return not decisive

    return logic


def _conditional(facts: Checked, node: Conditional) -> Closure:
    test, then, other = build(facts, node.test), build(facts, node.then), build(facts, node.other)

    def conditional(env: Environment) -> Any:
        value = test(env)
        if value is True:
            return then(env)
        if value is False:
            return other(env)
        raise CelEvaluationError(f"no such overload: the condition of ?: is {type_name(value)}, not bool")

    return conditional


def _map(facts: Checked, node: MapLiteral) -> Closure:
    entries = [(build(facts, key), build(facts, value)) for key, value in node.entries]

    def make(env: Environment) -> dict[object, object]:
        result: dict[object, object] = {}
        for key, value in entries:
            name = normal_key(key(env))
            if name in result:
                raise CelEvaluationError(f"the key {operators.show(plain_key(name))} is in the map twice")
            result[name] = value(env)
        return result

    return make


def _call(facts: Checked, node: Call) -> Closure:
    arguments = [build(facts, argument) for argument in node.children()]
    name = node.function
    if node.receiver is None and name in facts.functions:
        return _host_call(name, facts.functions[name].implementation, arguments)
    overloads = table_for(receiver=node.receiver is not None).get(name)
    if overloads is None:
        return _unbound(name)
    return _standard_call(name, overloads, arguments)


def _standard_call(name: str, overloads: tuple[Overload, ...], arguments: list[Closure]) -> Closure:
    if len(arguments) == 1:
        (single,) = arguments
        return lambda env: dispatch(name, overloads, (single(env),))
    return lambda env: dispatch(name, overloads, tuple([argument(env) for argument in arguments]))


def _unbound(name: str) -> Closure:
    def fail(env: Environment) -> Any:
        raise CelEvaluationError(f"unbound function '{name}'")

    return fail


def _host_call(name: str, implementation: Callable[..., object] | None, arguments: list[Closure]) -> Closure:
    def call(env: Environment) -> Any:
        function = implementation if implementation is not None else env[0].get(name)
        if function is None:
            raise CelEvaluationError(f"the function '{name}' was not given with the variables")
        values = [argument(env) for argument in arguments]
        try:
            return function(*values)
        except (ValueError, TypeError, ArithmeticError, LookupError) as error:
            raise CelEvaluationError(f"{name}() failed: {error}") from error

    return call


def elements(source: Any, macro: str, limit: int) -> list[Any]:
    """What a macro runs over: the elements of a list or the keys of a map. Raises CelEvaluationError."""
    if type(source) is not list and type(source) is not dict:
        raise CelEvaluationError(f"no such overload: {type_name(source)}.{macro}(); it takes a list or a map")
    if len(source) > limit:
        raise CelEvaluationError(f"{macro}() over {len(source)} elements; the limit is {limit} in this expression")
    return source if type(source) is list else [plain_key(key) for key in source]


def truth(value: Any, macro: str) -> bool:
    """The value, if it is a bool. Raises CelEvaluationError."""
    if type(value) is not bool:
        raise CelEvaluationError(f"no such overload: the condition of {macro}() is {type_name(value)}, not bool")
    return value


def _comprehension(facts: Checked, node: Comprehension) -> Closure:
    source, slot, macro, limit = build(facts, node.source), facts.slots[node], node.macro, facts.turn_limit
    predicate = build(facts, node.predicate) if node.predicate is not None else None
    transform = build(facts, node.transform) if node.transform is not None else None

    def collect(env: Environment) -> list[Any]:
        result = []
        for element in elements(source(env), macro, limit):
            env[slot] = element
            if predicate is None or truth(predicate(env), macro):
                result.append(element if transform is None else transform(env))
        return result

    if macro in ("map", "filter"):
        return collect
    if macro == "exists_one":
        return lambda env: len(collect(env)) == 1
    assert predicate is not None
    return _quantifier(source, slot, macro, limit, predicate)


def _quantifier(source: Closure, slot: int, macro: str, limit: int, predicate: Closure) -> Closure:
    decisive = macro == "exists"

    def quantifier(env: Environment) -> bool:
        failure: CelEvaluationError | None = None
        for element in elements(source(env), macro, limit):
            env[slot] = element
            try:
                if truth(predicate(env), macro) is decisive:
                    return decisive
            except CelEvaluationError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return not decisive

    return quantifier
