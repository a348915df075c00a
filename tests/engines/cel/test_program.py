"""Programs: the ways to run them, host functions, explanations."""

from __future__ import annotations

import threading

import pytest

from shoufu.engines import cel
from shoufu.engines.cel import CelEvaluationError, Function, Leaf, Type

RESULT = Type.from_json_schema(
    {
        "type": "object",
        "properties": {"value": {"type": "number"}, "state": {"type": "string"}, "tags": {"type": "array"}},
        "required": ["state"],
    }
)
VARIABLES = {"result": RESULT, "kind": cel.STRING}
RECENT = Function("recent", (cel.STRING, cel.INT), cel.BOOL)


def test_json_int_may_stand_for_a_double_and_back() -> None:
    activation = {"result": {"value": 31, "state": "open"}}
    assert cel.compile("result.value > 30.0", VARIABLES).closure(activation) is True
    assert repr(cel.compile("result.value", VARIABLES).closure(activation)) == "31.0"
    assert cel.compile("type(result.value) == double", VARIABLES).closure(activation) is True
    assert cel.compile("result.value / 2.0 == 15.5", VARIABLES).closure(activation) is True
    assert repr(cel.compile("n + 1", {"n": cel.INT}).closure({"n": 5.0})) == "6"


def test_function_takes_names_in_any_order() -> None:
    program = cel.compile("result.state == kind", VARIABLES)
    assert program.function("kind", "place", "result")("open", 5, {"state": "open"}) is True
    with pytest.raises(ValueError, match="also reads kind"):
        program.function("result")
    with pytest.raises(ValueError, match="twice"):
        program.function("result", "kind", "kind")
    with pytest.raises(CelEvaluationError, match="no such field: value; there are: state"):
        cel.compile("result.value > 1.0", VARIABLES).function("result")({"state": "open"})


def test_host_function_comes_with_each_call() -> None:
    program = cel.compile("recent(kind, 5 + 5) && result.state == 'open'", VARIABLES, [RECENT])
    calls: list[tuple[str, int]] = []

    def recent(kind: str, seconds: int) -> bool:
        calls.append((kind, seconds))
        return True

    activation = {"kind": "door.grant", "result": {"state": "open"}, "recent": recent}
    assert program.closure(activation) is True
    assert program.evaluate(activation) is True
    assert program.function("kind", "result", "recent")("door.grant", {"state": "open"}, recent) is True
    assert calls == [("door.grant", 10)] * 3
    with pytest.raises(CelEvaluationError, match="'recent' was not given"):
        program.closure({"kind": "x", "result": {"state": "open"}})
    with pytest.raises(ValueError, match="also reads recent"):
        program.function("kind", "result")


def test_host_function_with_an_implementation_and_one_that_fails() -> None:
    def half(value: float) -> float:
        if value < 0:
            raise ValueError("negative")
        return value / 2

    functions = [Function("half", (cel.DOUBLE,), cel.DOUBLE, half)]
    program = cel.compile("half(result.value) > 10.0 || result.state == 'open'", VARIABLES, functions)
    assert program.closure({"result": {"value": 30, "state": "closed"}}) is True
    assert program.closure({"result": {"value": -1.0, "state": "open"}}) is True
    with pytest.raises(CelEvaluationError, match=r"half\(\) failed: negative"):
        program.closure({"result": {"value": -1.0, "state": "closed"}})


def test_nothing_of_the_text_or_the_names_reaches_python() -> None:
    hostile = "__import__('os').system('x')"
    with pytest.raises(CelEvaluationError):
        cel.compile(hostile).evaluate({})
    text = 'x == "\'); import os #" && y.`__class__` == 1'
    assert cel.compile(text).closure({"x": "'); import os #", "y": {"__class__": 1}}) is True
    assert cel.compile("x", {"x": cel.DYN}).function("x", "y); import os")(1, 2) == 1
    with pytest.raises(CelEvaluationError, match="no such overload"):
        cel.compile("x.real").closure({"x": 1})


def test_programs_are_shared_between_threads() -> None:
    program = cel.compile("[1, 2, 3].map(x, x * n).exists(y, y == 3 * n) && n / n == 1", {"n": cel.INT})
    wrong: list[object] = []

    def work(n: int) -> None:
        for _ in range(300):
            if program.closure({"n": n}) is not True or program._evaluate_carefully({"n": n}) is not True:
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_explanation_gives_atoms_with_what_they_read() -> None:
    text = "result.value > 30.0 && (result.state == 'open' || kind == 'x') && !(size(result.tags) > 1)"
    program = cel.compile(text, VARIABLES)
    explanation = program.explain({"result": {"value": 31, "state": "open", "tags": ["a"]}, "kind": "door"})
    assert explanation.value is True
    assert explanation.error is None
    assert [(atom.text, atom.value, atom.decisive) for atom in explanation.atoms] == [
        ("result.value > 30.0", True, True),
        ("result.state == 'open'", True, True),
        ("kind == 'x'", False, False),
        ("(size(result.tags) > 1)", False, True),
    ]
    assert explanation.atoms[0].leaves == (Leaf("result.value", 31.0),)
    assert explanation.atoms[3].leaves == (Leaf("result.tags", ["a"]),)
    assert [atom.text for atom in explanation.reasons][:2] == ["result.value > 30.0", "result.state == 'open'"]


def test_explanation_of_errors_branches_and_functions() -> None:
    program = cel.compile("has(result.value) ? result.value > 3.0 : recent(kind, 60)", VARIABLES, [RECENT])
    activation = {"result": {"state": "open"}, "kind": "x", "recent": lambda kind, seconds: seconds == 60}
    explanation = program.explain(activation)
    assert [(atom.text, atom.value) for atom in explanation.atoms] == [
        ("has(result.value)", False),
        ("recent(kind, 60)", True),
    ]
    assert explanation.atoms[1].leaves == (Leaf("recent(kind, 60)", True),)
    failed = cel.compile("result.value > 3.0 && result.state == 'open'", VARIABLES).explain(activation)
    assert failed.value is None
    assert failed.error is not None
    assert "no such field: value" in failed.error
    assert failed.atoms[0].leaves[0].error is not None
    assert failed.atoms[1].value is True


def test_explanation_of_a_macro_shows_the_list_it_ran_over() -> None:
    program = cel.compile("result.tags.exists(x, x == kind)", VARIABLES)
    (atom,) = program.explain({"result": {"state": "", "tags": ["a", "b"]}, "kind": "b"}).atoms
    assert atom.leaves == (Leaf("result.tags", ["a", "b"]),)
