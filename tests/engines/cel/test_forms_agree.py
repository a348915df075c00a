"""Closures, the fast form, explanations and the vector form must say the same about any expression and any data."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoufu.engines import cel
from shoufu.engines.cel import CelEvaluationError, Function, Program, Timestamp, Type, Unsupported
from shoufu.engines.cel.vector import Dictionary

SCHEMA = {
    "type": "object",
    "properties": {
        "value": {"type": "number"},
        "temperature": {"type": "number"},
        "count": {"type": "integer"},
        "level": {"type": "integer"},
        "open": {"type": "boolean"},
        "alarm": {"type": "boolean"},
        "state": {"type": "string"},
        "note": {"type": "string"},
        "limit": {"type": ["number", "null"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "readings": {"type": "array", "items": {"type": "number"}},
        "box": {
            "type": "object",
            "properties": {"w": {"type": "number"}, "label": {"type": "string"}},
            "required": ["w"],
        },
    },
    "required": ["value", "count", "open", "state", "limit", "tags", "readings", "box"],
}
VARIABLES = {
    "result": Type.from_json_schema(SCHEMA),
    "kind": cel.STRING,
    "place": cel.INT,
    "t": cel.TIMESTAMP,
    "local": Type.object({"hour": cel.INT, "weekday": cel.INT}),
}
FUNCTIONS = [Function("recent", (cel.STRING, cel.INT), cel.BOOL)]
NAMES = (*VARIABLES, "recent")

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
INTS = [0, 0, 1, -1, 2, 3, 7, -5, -7, 23, 100, 2**53, 2**53 + 1, INT_MAX, INT_MIN]
DOUBLES = [0.0, -0.0, 1.0, 1.5, -2.5, 3.0, 30.0, 1e308, -1e308, 2.0**53, 2.0**63, math.inf, -math.inf, math.nan]
TEXTS = ["", "a", "ab", "b", "open", "closed", "开", "门开着", "7", "1h"]
DOUBLE_READS = ["result.value", "result.temperature", "result.box.w"]
INT_READS = ["result.count", "result.level", "place", "local.hour"]
TEXT_READS = ["result.state", "result.note", "kind", "result.box.label"]
BOOL_READS = ["result.open", "result.alarm", "true", "false"]
PRESENCE = ["has(result.temperature)", "has(result.note)", "has(result.level)", "has(result.box.label)"]
RELATIONS = ["==", "!=", "<", "<=", ">", ">="]


def int_literal(value: int) -> str:
    return f"({value})"


def double_literal(value: float) -> str:
    if math.isnan(value):
        return "double('NaN')"
    if math.isinf(value):
        return "double('inf')" if value > 0 else "double('-inf')"
    return f"({value!r})"


class Writer:
    """Writes random well-typed expressions; the rich ones use what the vector form lacks."""

    def __init__(self, random: Random, *, rich: bool) -> None:
        self.random = random
        self.rich = rich

    def pick(self, *options: Any) -> Any:
        return self.random.choice(options)

    def of(self, values: list[Any]) -> Any:
        return self.random.choice(values)

    def text_literal(self) -> str:
        return f"'{self.of(TEXTS)}'"

    def double(self, depth: int) -> str:
        if depth == 0:
            return self.pick(lambda: self.of(DOUBLE_READS), lambda: double_literal(self.of(DOUBLES)))()
        inner = depth - 1
        options = [
            lambda: self.double(0),
            lambda: f"({self.double(inner)} {self.pick(*'+-*/')} {self.double(inner)})",
            lambda: f"({self.double(inner)} {self.pick(*'+-*/')} {self.double(inner)})",
            lambda: f"-{self.of(DOUBLE_READS)}",
            lambda: f"double({self.int(inner)})",
            lambda: f"({self.bool(inner)} ? {self.double(inner)} : {self.double(inner)})",
        ]
        if self.rich:
            options += [lambda: "(result.limit + 1.0)", lambda: f"result.readings[{self.int(0)}]"]
        return self.pick(*options)()

    def int(self, depth: int) -> str:
        if depth == 0:
            reads, literals = (lambda: self.of(INT_READS)), (lambda: int_literal(self.of(INTS)))
            return self.pick(reads, reads, literals, lambda: f"size({self.of(TEXT_READS)})")()
        inner = depth - 1
        options = [
            lambda: self.int(0),
            lambda: f"({self.int(inner)} {self.pick(*'+-*/%')} {self.int(inner)})",
            lambda: f"({self.int(inner)} {self.pick(*'+-*/%')} {self.int(inner)})",
            lambda: f"-({self.int(inner)})",
        ]
        if self.rich:
            options += [
                lambda: "size(result.tags)",
                lambda: "t.getHours('Asia/Shanghai')",
                lambda: f"int({self.of(DOUBLE_READS)})",
            ]
        return self.pick(*options)()

    def string(self, depth: int) -> str:
        if depth == 0 or not self.rich:
            return str(self.of(TEXT_READS)) if not self.rich else self.pick(self.of(TEXT_READS), self.text_literal())
        return self.pick(
            lambda: self.string(0),
            lambda: f"({self.string(depth - 1)} + {self.string(depth - 1)})",
            lambda: f"string({self.int(0)})",
        )()

    def bool(self, depth: int) -> str:
        if depth == 0:
            return self.pick(lambda: self.of(BOOL_READS), lambda: self.of(PRESENCE), self.condition_0)()
        inner = depth - 1
        return self.pick(
            lambda: self.condition(inner),
            lambda: self.condition(inner),
            lambda: f"({self.bool(inner)} {self.pick('&&', '||')} {self.bool(inner)})",
            lambda: f"({self.bool(inner)} && {self.bool(inner)} && {self.bool(inner)})",
            lambda: f"!{self.bool(inner)}",
            lambda: f"({self.bool(inner)} ? {self.bool(inner)} : {self.bool(inner)})",
        )()

    def condition_0(self) -> str:
        return self.condition(0)

    def number(self, depth: int) -> str:
        return self.pick(self.double, self.int)(depth)

    def condition(self, depth: int) -> str:
        options = [
            lambda: f"({self.double(depth)} {self.of(RELATIONS)} {self.double(depth)})",
            lambda: f"({self.int(depth)} {self.of(RELATIONS)} {self.int(depth)})",
            lambda: f"({self.number(depth)} {self.of(RELATIONS)} {self.number(depth)})",
            lambda: f"({self.string(depth)} {self.of(RELATIONS)} {self.text_literal()})",
            lambda: f"{self.string(depth)}.{self.pick('startsWith', 'endsWith', 'contains')}({self.text_literal()})",
            lambda: f"({self.of(TEXT_READS)} in [{self.text_literal()}, {self.text_literal()}])",
            lambda: f"({self.int(depth)} in [1, 2, 3.0, {self.int(0)}])",
            lambda: f"{self.of(TEXT_READS)}.matches('^[ao].*b?$')",
            lambda: f"(t {self.of(RELATIONS)} timestamp('2026-01-01T00:00:00Z'))",
        ]
        return str(self.pick(*options, *(self.rich_conditions(depth) if self.rich else []))())

    def rich_conditions(self, depth: int) -> list[Callable[[], str]]:
        macro = self.pick("all", "exists", "exists_one")
        return [
            lambda: f"({self.string(depth)} in result.tags)",
            lambda: f"result.tags.{macro}(x, x {self.of(RELATIONS)} {self.string(depth)})",
            lambda: f"result.readings.{macro}(x, x / 2.0 {self.of(RELATIONS)} {self.double(depth)})",
            lambda: "(result.readings.map(x, x > 1.0, x + result.value) == result.readings)",
            lambda: f"(size(result.tags.filter(x, x != {self.string(depth)})) > {self.int(0)})",
            lambda: f"[1, {self.int(depth)}].{macro}(x, 6 / x > {self.int(depth)})",
            lambda: f"(result.limit {self.of(RELATIONS)} {self.double(0)})",
            lambda: f"(result.limit {self.pick('==', '!=')} null)",
            lambda: f"recent({self.string(depth)}, {self.int(depth)})",
            lambda: f"(dyn({self.double(depth)}) {self.of(RELATIONS)} dyn({self.int(depth)}))",
            lambda: "(t - duration('1h') > timestamp(0))",
            lambda: "({'a': 1, kind: 2}['a'] == 1)",
            lambda: f"({{{self.int(0)}: 1}}[{self.int(0)}] == 1)",
            lambda: f"([{self.number(0)}, {self.number(0)}] == result.readings)",
        ]


def observation(random: Random, *, mixed: bool) -> dict[str, Any]:
    """A result after the schema; `mixed` writes some doubles as JSON integers and some ints with .0."""

    def number() -> float:
        return random.choice(INTS) if mixed and random.random() < 0.4 else random.choice(DOUBLES)

    def whole() -> float:
        return random.choice([5.0, -7.0, 0.0]) if mixed and random.random() < 0.3 else random.choice(INTS)

    found = {
        "value": number(),
        "count": whole(),
        "open": random.random() < 0.5,
        "state": random.choice(TEXTS),
        "limit": random.choice([None, number()]),
        "tags": random.choices(TEXTS, k=random.randint(0, 3)),
        "readings": [number() for _ in range(random.randint(0, 3))],
        "box": {"w": number(), "label": random.choice(TEXTS)},
        "temperature": number(),
        "level": whole(),
        "alarm": random.random() < 0.5,
        "note": random.choice(TEXTS),
    }
    for name in random.sample(["temperature", "level", "alarm", "note"], random.choice([0, 0, 1, 2])):
        del found[name]
    if random.random() < 0.3:
        del found["box"]["label"]  # type: ignore[attr-defined]
    return found


def activation_of(random: Random, *, mixed: bool = True) -> dict[str, Any]:
    return {
        "result": observation(random, mixed=mixed),
        "kind": random.choice(TEXTS),
        "place": random.choice(INTS),
        "t": Timestamp(random.randint(0, 2 * 10**18)),
        "local": {"hour": random.randint(0, 23), "weekday": random.randint(1, 7)},
        "recent": _recent,
    }


def _recent(kind: str, seconds: int) -> bool:
    if seconds < 0:
        raise ValueError("seconds must not be negative")
    return len(kind) < seconds


def outcome(call: Callable[..., object], *arguments: object) -> object:
    """A value that compares by type and, for doubles, by bits; or "error"."""
    try:
        return image(call(*arguments))
    except CelEvaluationError:
        return "error"


def image(value: object) -> object:
    if isinstance(value, list):
        return [image(item) for item in value]
    return (type(value), repr(value))


def careful(program: Program, activation: dict[str, Any]) -> object:
    return outcome(program._evaluate_carefully, activation)


# A true random source, by seed: hypothesis' own prefers small choices, and would write `true` again and again.
randoms = st.randoms(use_true_random=True)
thorough = settings(deadline=None, max_examples=200)
ROWS = 8


@given(randoms)
@thorough
def test_fast_form_says_what_the_closures_say(random: Random) -> None:
    text = Writer(random, rich=True).bool(3)
    program = cel.compile(text, VARIABLES, FUNCTIONS)
    positional = program.function(*NAMES)
    for activation in [activation_of(random) for _ in range(ROWS)]:
        expected = careful(program, activation)
        assert outcome(program.closure, activation) == expected, text
        assert outcome(positional, *[activation[name] for name in NAMES]) == expected, text


@given(randoms)
@thorough
def test_values_other_than_bool_agree_too(random: Random) -> None:
    writer = Writer(random, rich=True)
    text = writer.pick(writer.double, writer.int, writer.string)(3)
    program = cel.compile(text, VARIABLES, FUNCTIONS)
    for activation in [activation_of(random) for _ in range(ROWS)]:
        assert outcome(program.closure, activation) == careful(program, activation), text


@given(randoms)
@thorough
def test_types_change_the_speed_but_not_the_result(random: Random) -> None:
    text = Writer(random, rich=True).bool(3)
    typed = cel.compile(text, VARIABLES, FUNCTIONS)
    untyped = cel.compile(text, None, FUNCTIONS)
    for activation in [activation_of(random, mixed=False) for _ in range(ROWS)]:
        expected = careful(typed, activation)
        assert careful(untyped, activation) == expected, text
        assert outcome(untyped.closure, activation) == expected, text


@given(randoms)
@thorough
def test_explanation_has_the_result(random: Random) -> None:
    text = Writer(random, rich=True).bool(3)
    program = cel.compile(text, VARIABLES, FUNCTIONS)
    activation = activation_of(random)
    explanation = program.explain(activation)
    assert ("error" if explanation.error else image(explanation.value)) == careful(program, activation), text
    assert all(atom.text in text for atom in explanation.atoms)
    assert explanation.reasons


DTYPES: dict[str, type] = dict.fromkeys(DOUBLE_READS, np.float64) | dict.fromkeys([*INT_READS, "t"], np.int64)


def columns_of(rows: list[dict[str, Any]], names: frozenset[str], *, encoded: bool) -> dict[str, Any]:
    return {name: column(name, [_at(row, name) for row in rows], encoded=encoded) for name in names | {"place"}}


def _at(row: Any, path: str) -> Any:
    for name in path.split("."):
        if name not in row:
            return None
        row = row[name]
    return row


def column(name: str, values: list[Any], *, encoded: bool) -> Any:
    missing = [value is None for value in values]
    if name in TEXT_READS and encoded:
        known = sorted({value for value in values if value is not None})
        return Dictionary(np.array([-1 if value is None else known.index(value) for value in values]), known)
    if name in TEXT_READS:
        return np.ma.MaskedArray(np.array(["" if value is None else value for value in values], object), missing)
    dtype = DTYPES.get(name, np.bool_)
    return np.ma.MaskedArray(np.array([0 if value is None else value for value in values], dtype), missing)


@given(randoms)
@thorough
def test_vector_form_says_what_the_closures_say(random: Random) -> None:
    text = Writer(random, rich=False).bool(3)
    program = cel.compile(text, VARIABLES, FUNCTIONS)
    vector = program.vector()
    rows = [activation_of(random, mixed=False) for _ in range(random.randint(1, 20))]
    columns = columns_of(rows, vector.columns, encoded=random.random() < 0.5)
    expected = [careful(program, row) for row in rows]
    values, errors = vector.values(columns)
    got = ["error" if bad else image(bool(value)) for value, bad in zip(values.tolist(), errors.tolist(), strict=True)]
    assert got == expected, text
    assert vector(columns).tolist() == [found == image(True) for found in expected], text


@given(randoms)
@thorough
def test_vector_values_agree_to_the_bit(random: Random) -> None:
    writer = Writer(random, rich=False)
    text = writer.pick(writer.double, writer.int)(3)
    program = cel.compile(text, VARIABLES, FUNCTIONS)
    vector = program.vector()
    rows = [activation_of(random, mixed=False) for _ in range(random.randint(1, 20))]
    values, errors = vector.values(columns_of(rows, vector.columns, encoded=True))
    got = ["error" if bad else image(value) for value, bad in zip(values.tolist(), errors.tolist(), strict=True)]
    assert got == [careful(program, row) for row in rows], text


@pytest.mark.parametrize(
    "text",
    [
        "result.tags.exists(x, x == 'a')",
        "recent('door.state', 5)",
        "result.limit == null",
        "result.limit > 3.0",
        "t.getHours('Asia/Shanghai') > 22",
        "result.state == kind",
        "result.tags == ['a']",
        "dyn(result.value) > 3",
    ],
)
def test_vector_form_refuses_what_it_lacks(text: str) -> None:
    with pytest.raises(Unsupported):
        cel.compile(text, VARIABLES, FUNCTIONS).vector()


def test_vector_form_names_the_column_that_does_not_fit() -> None:
    vector = cel.compile("result.value > 3.0 && result.state == 'open'", VARIABLES).vector()
    assert vector.columns == {"result.value", "result.state"}
    state = Dictionary(np.array([0, 1]), ["open", "closed"])
    with pytest.raises(Unsupported, match="'result.value' is missing"):
        vector({"result.state": state})
    with pytest.raises(Unsupported, match="one length"):
        vector({"result.value": np.zeros(3), "result.state": state})
    with pytest.raises(Unsupported, match="expected double"):
        vector({"result.value": np.array(["x", "y"], object), "result.state": state})
