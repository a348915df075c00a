"""CEL values as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from shoufu.engines import cel
from shoufu.engines.cel import CelError, Duration, Timestamp, TypeValue, UInt
from shoufu.engines.cel.jsonform import from_json, to_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1u", "1"),
        ("1.0", "1.0"),
        ("1e300", "1e+300"),
        ("0.0 / 0.0", '"NaN"'),
        ("-1.0 / 0.0", '"-Infinity"'),
        ("b'\\xff'", '"/w=="'),
        ("'门'", '"门"'),
        ("timestamp('2026-11-23T18:42:07.5+08:00')", '"2026-11-23T10:42:07.5Z"'),
        ("duration('1h') + duration('500ms')", '"3600.5s"'),
        ("type(1)", '"int"'),
        ("[null, true, {1: 'a', 2u: [], false: {}}]", '[null, true, {"1": "a", "2": [], "false": {}}]'),
    ],
)
def test_values_as_json(text: str, expected: str) -> None:
    assert to_json(cel.compile(text).evaluate({})) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (5.0, 5.0),
        ({"a": [1, None]}, {"a": [1, None]}),
        ({"int64Value": "-5"}, -5),
        ({"int64_value": 5}, 5),
        ({"uint64Value": "18446744073709551615"}, UInt(2**64 - 1)),
        ({"doubleValue": "Infinity"}, float("inf")),
        ({"doubleValue": 5}, 5.0),
        ({"bytesValue": "/w=="}, b"\xff"),
        ({"nullValue": "NULL_VALUE"}, None),
        ({"typeValue": "int"}, TypeValue("int")),
        ({"listValue": {"values": [{"stringValue": "x"}]}}, ["x"]),
        ({"listValue": {}}, []),
        ({"mapValue": {"entries": [{"key": {"int64Value": "1"}, "value": {"boolValue": True}}]}}, {1: True}),
        (
            {"objectValue": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.5s"}},
            Duration(15 * 10**8),
        ),
        (
            {
                "objectValue": {
                    "@type": "type.googleapis.com/google.protobuf.Timestamp",
                    "value": "1970-01-01T00:00:01Z",
                }
            },
            Timestamp(10**9),
        ),
        ({"value": {"int64Value": "5"}}, 5),
        ({"value": 5}, {"value": 5}),
    ],
)
def test_values_from_json(value: object, expected: object) -> None:
    found = from_json(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "value",
    [
        2**63,
        {"int64Value": "x"},
        {"int64Value": str(2**63)},
        {"uint64Value": "-1"},
        {"boolValue": "true"},
        {"bytesValue": "?"},
        {"listValue": 5},
        {"mapValue": {"entries": [{"key": {"doubleValue": 1.5}, "value": 1}]}},
        {"objectValue": {"@type": "type.googleapis.com/other.Thing", "value": "x"}},
        {"objectValue": {}},
    ],
)
def test_bad_values_are_errors(value: object) -> None:
    with pytest.raises(CelError):
        from_json(value)


def test_deep_values_are_an_error() -> None:
    value: Any = 1
    for _ in range(500):
        value = [value]
    with pytest.raises(CelError, match="nested deeper"):
        from_json(value)
