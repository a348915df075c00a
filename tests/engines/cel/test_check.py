"""The type checker: what it lets through and how it says no."""

from __future__ import annotations

import pytest

from shoufu.engines import cel
from shoufu.engines.cel import CelTypeError, Function, Type

DOOR = Type.from_json_schema(
    {
        "type": "object",
        "properties": {
            "state": {"enum": ["open", "closed"]},
            "value": {"type": "number"},
            "count": {"type": "integer"},
            "limit": {"type": ["number", "null"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "box": {"type": "object", "properties": {"width": {"type": "number"}}},
            "extra": {"type": "object"},
        },
        "required": ["state"],
    }
)
VARIABLES = {"result": DOOR, "kind": cel.STRING, "t": cel.TIMESTAMP, "place": cel.INT, "any": cel.DYN}
FUNCTIONS = [Function("recent", (cel.STRING, cel.INT), cel.BOOL)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("result.value > 30.0 && result.state == 'open'", cel.BOOL),
        ("result.value > 30", cel.BOOL),
        ("result.count == 3.0", cel.BOOL),
        ("result.value * 2.0", cel.DOUBLE),
        ("result.count + 1", cel.INT),
        ("result.limit == null || result.limit > 3.0", cel.BOOL),
        ("has(result.box.width) ? result.box.width : 0.0", cel.DOUBLE),
        ("result.tags.map(x, size(x))", Type.list_of(cel.INT)),
        ("result.tags.filter(x, x != 'a')[0]", cel.STRING),
        ("result.extra.anything > 3", cel.BOOL),
        ("result.extra.anything", cel.DYN),
        ("result['value'] + 1.0", cel.DOUBLE),
        ("t - duration('1h') < t", cel.BOOL),
        ("t.getHours('Asia/Shanghai')", cel.INT),
        ("recent('door.grant', 10)", cel.BOOL),
        ("any.thing + 1", cel.DYN),
        ("[1, 'a']", cel.LIST),
        ("{'a': 1}", Type.map_of(cel.STRING, cel.INT)),
        ("{'a': 1}.a", cel.INT),
        ("result == {'state': 'open'}", cel.BOOL),
        ("true ? null : result.limit", cel.DOUBLE.or_null()),
        ("type(result) == map", cel.BOOL),
        ("'value' in result", cel.BOOL),
        ("kind in ['a', 'b']", cel.BOOL),
        ("string(result.count) + kind", cel.STRING),
        ("google.protobuf.BoolValue{value: true}", cel.BOOL),
    ],
)
def test_types_of_good_expressions(text: str, expected: Type) -> None:
    assert cel.compile(text, VARIABLES, FUNCTIONS).type == expected


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("resul.value > 3.0", 0, "unknown name 'resul'; did you mean 'result'?"),
        ("result.valeu > 3.0", 7, "result has no field 'valeu'; did you mean 'value'?"),
        ("result.box.height > 3.0", 11, "result.box has no field 'height'; its fields are: width"),
        ("has(result.statee)", 11, "did you mean 'state'?"),
        ("result.state == 'opne'", 16, "result.state is never 'opne'; did you mean 'open'?"),
        ("'shut' != result.state", 0, "result.state is never 'shut'; it is one of: closed, open"),
        ("result.state in ['open', 'ajar']", 25, "never 'ajar'"),
        ("result.state > 3", 13, "no such overload: string > int; put quotes around texts"),
        ("result.value + 1 > 3.0", 13, r"no such overload: double \+ int; write 1.0"),
        ("result.value * result.count > 3.0", 13, r"write double\(result.count\)"),
        ("result > 3", 7, "result has the fields state, value"),
        ("result.value == null", 13, "result.value is never null"),
        ("result.value && true", 7, "result.value is double, but a term of && must be bool"),
        ("!result.count", 8, "result.count is int"),
        ("result.value ? 1 : 2", 7, "the condition of [?]: must be bool"),
        ("true ? 1 : 'a'", 5, "the branches of [?]: are int and string"),
        ("kind.name == 'a'", 5, "kind is string and has no fields"),
        ("kind[0] == 'a'", 4, "only lists and maps have"),
        ("result.tags['a'] == 'b'", 12, "must be int, not string"),
        ("result.tags.exists(x, x > 3)", 24, "string > int"),
        ("kind.exists(x, true)", 5, r"exists\(\) needs a list or a map"),
        ("result.tags.filter(x, x)", 22, "must be bool"),
        ("3 in result.tags", 2, "3 is int, but result.tags holds string"),
        ("kind in kind", 5, "'in' needs a list or a map"),
        ("recent('a')", 0, r"recent\(string, int\) takes 2 arguments"),
        ("recent('a', '5')", 12, r"'5' is string, but recent\(string, int\) wants int"),
        ("recnt('a', 5)", 0, "unknown function 'recnt'; did you mean 'recent'?"),
        ("recent", 0, r"'recent' is a function; call it"),
        ("kind.startWith('a')", 5, "did you mean 'startsWith'?"),
        ("size(3)", 0, r"no such overload: size\(int\); it takes \(string\)"),
        ("timestamp('yesterday') < t", 10, "write RFC 3339"),
        ("t - duration('5 minutes') < t", 13, "write e.g. '90s'"),
        ("kind.matches('(')", 13, "invalid regular expression"),
        ("-kind == 'a'", 0, "no such overload: -string"),
        ("{1.5: 'a'} == {}", 1, "a map key cannot be double"),
        ("Thing{a: 1} == 3", 5, "unknown message type 'Thing'"),
    ],
)
def test_errors_name_the_field_and_the_fix(text: str, position: int, message: str) -> None:
    with pytest.raises(CelTypeError, match=message) as caught:
        cel.compile(text, VARIABLES, FUNCTIONS)
    assert caught.value.position == position


def test_a_name_cannot_be_variable_and_function() -> None:
    with pytest.raises(CelTypeError, match="both as a variable and as a function"):
        cel.compile("kind == ''", VARIABLES, [Function("kind", (), cel.BOOL)])


def test_program_tells_what_it_reads() -> None:
    program = cel.compile(
        "result.box.width > 1.0 && recent(kind, 5) && result.tags.exists(x, x == kind) && has(result.limit)",
        VARIABLES,
        FUNCTIONS,
    )
    assert program.variables == {"result", "kind"}
    assert program.functions == {"recent"}
    assert program.fields == {"result.box.width", "result.tags", "result.limit", "kind"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "number"}, cel.DOUBLE),
        ({"type": ["integer", "number"]}, cel.DOUBLE),
        ({"type": ["string", "null"]}, cel.STRING.or_null()),
        ({"type": ["string", "integer"]}, cel.DYN),
        ({"type": "null"}, cel.NULL),
        ({"enum": ["a", "b"]}, cel.STRING),
        ({"enum": ["a", None]}, cel.STRING.or_null()),
        ({"enum": [1, "a"]}, cel.DYN),
        ({"const": True}, cel.BOOL),
        ({"type": "array"}, cel.LIST),
        ({"items": {"type": "integer"}}, Type.list_of(cel.INT)),
        ({"type": "object"}, Type.map_of(cel.STRING, cel.DYN)),
        ({"type": "object", "additionalProperties": {"type": "number"}}, Type.map_of(cel.STRING, cel.DOUBLE)),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, cel.DOUBLE.or_null()),
        ({"oneOf": [{"type": "number"}, {"type": "string"}]}, cel.DYN),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, cel.INT),
        (True, cel.DYN),
        ({}, cel.DYN),
        ({"properties": {"a": {"type": "string"}}}, Type.object({"a": cel.STRING}, [])),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True},
            Type.object({"a": cel.STRING}, [], open=True),
        ),
        (
            {"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": True}}]},
            Type.object({"a": cel.STRING, "b": cel.DYN}, ["a"]),
        ),
    ],
)
def test_types_of_json_schemas(schema: object, expected: Type) -> None:
    assert Type.from_json_schema(schema) == expected  # type: ignore[arg-type]


def test_recursive_schema_ends_in_dyn() -> None:
    tree = {"type": "object", "properties": {"name": {"type": "string"}, "child": {"$ref": "#"}}}
    variables = {"tree": Type.from_json_schema(tree)}
    assert cel.compile("tree.child.child.name", variables).type == cel.STRING
    assert cel.compile("tree" + ".child" * 40 + ".name", variables).type == cel.DYN


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (
            {"properties": {"value": {"type": "decimal"}}},
            r"\$\.value\.type: 'decimal' is no JSON Schema type; use one of",
        ),
        ({"properties": {"value": 5}}, r"\$\.value: expected a JSON Schema"),
        ({"$ref": "https://example.com/x"}, "points out of the document"),
        ({"$ref": "#/$defs/none"}, "nothing at"),
    ],
)
def test_bad_schemas_name_the_place(schema: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Type.from_json_schema(schema)


def test_open_objects_take_any_field() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True}
    program = cel.compile("r.b > 3 && r.a == 'x'", {"r": Type.from_json_schema(schema)})
    assert program.closure({"r": {"a": "x", "b": 4}}) is True
