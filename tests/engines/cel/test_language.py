"""The language: what expressions mean, in both forms of a program."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from shoufu.engines import cel
from shoufu.engines.cel import CelError, CelEvaluationError, CelSyntaxError, Duration, Timestamp, TypeValue, UInt
from shoufu.engines.cel.values import SECOND

NAN = float("nan")


def both(text: str, **variables: Any) -> object:
    """The value, after making sure that the two forms agree on value and type."""
    program = cel.compile(text)
    fast = program.closure(variables)
    careful = program._evaluate_carefully(variables)
    assert repr(fast) == repr(careful)
    assert type(fast) is type(careful)
    return fast


def fails(text: str, **variables: Any) -> str:
    program = cel.compile(text)
    with pytest.raises(CelEvaluationError) as careful:
        program._evaluate_carefully(variables)
    with pytest.raises(CelEvaluationError) as fast:
        program.closure(variables)
    assert str(fast.value) == str(careful.value)
    assert fast.value.position is not None
    return fast.value.message


def same(value: object, expected: object) -> bool:
    if type(value) is not type(expected):
        return False
    if isinstance(expected, float):
        return repr(value) == repr(expected)
    return value == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0x1F", 31),
        ("-0x10", -16),
        ("0xffu", UInt(255)),
        ("-9223372036854775808", -(2**63)),
        ("18446744073709551615u", UInt(2**64 - 1)),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-2.5E-3", -0.0025),
        ("- 5", -5),
        ("--5", 5),
        ("'it''s'", None),
        (r"'\u5f00\U0001F6AA\x41\101\?\`'", "开🚪AA?`"),
        (r"r'\d+'", r"\d+"),
        (r'"\"quoted\""', '"quoted"'),
        ("'''two\nlines 'here' '''", "two\nlines 'here' "),
        ('"""\\t""" + r"""\\t"""', "\t\\t"),
        (r"b'\xff\000\u'", None),
        (r"b'\xffé'", b"\xff\xc3\xa9"),
        (r"rb'\x'", rb"\x"),
        ("1 // a comment\n + 2", 3),
        ("'a' 'b'", None),
    ],
)
def test_literals(text: str, expected: object) -> None:
    if expected is None:
        with pytest.raises(CelSyntaxError):
            cel.compile(text)
        return
    assert same(both(text), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4", 3),
        ("(1 + 2) * 3", 9),
        ("7 / 2 * 2", 6),
        ("-7 / 2", -3),
        ("7 / -2", -3),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("-9223372036854775808 % -1", 0),
        ("2u * 3u - 1u", UInt(5)),
        ("7u / 2u", UInt(3)),
        ("1.0 / 0.0", math.inf),
        ("-1.0 / 0.0", -math.inf),
        ("1.0 / -0.0", -math.inf),
        ("0.0 / 0.0", NAN),
        ("-(0.0)", -0.0),
        ("1 < 2 == true", True),
        ("1 + 1 == 2 && !(2 > 3) || false", True),
        ("false && false || true", True),
        ("true || false && false", True),
        ("true ? (false ? 1 : 2) : 3", 2),
        ("false ? 1 : false ? 2 : 3", 3),
        ("!!true", True),
        ("[1, 2] + [3]", [1, 2, 3]),
        ("b'a' + b'b'", b"ab"),
        ("'门' + '开'", "门开"),
        ("[1, 2][1] + {'a': 3}['a'] + {'a': 4}.a", 9),
        ("{1: 'x'}[1.0]", "x"),
        ("{1: 'x'}[1u]", "x"),
        ("[7, 8][1.0]", 8),
        ("{'a': {'b': [{'c': 5}]}}.a.b[0].c", 5),
        ("{'with space': 1}.`with space`", 1),
    ],
)
def test_operators(text: str, expected: object) -> None:
    assert same(both(text), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 == 1.0 && 1u == 1 && 1.0 == 1u", True),
        ("1 == true", False),
        ("dyn(1) == true", False),
        ("[1] == [true]", False),
        ("[0, 1] == [false, true]", False),
        ("{'a': 1} == {'a': true}", False),
        ("{true: 1} == {1: 1}", False),
        ("{true: 'yes', 1: 'one'}[true] + {true: 'yes', 1: 'one'}[1]", "yesone"),
        ("true in [1]", False),
        ("1 in [true]", False),
        ("1 in {true: 0}", False),
        ("true in {true: 0}", True),
        ("1.0 in [1]", True),
        ("1u in {1: 0}", True),
        ("null in {'a': 0}", False),
        ("'a' == b'a'", False),
        ("timestamp(5) == 5", False),
        ("duration('5ns') == 5", False),
        ("type('x') == 'string'", False),
        ("type('x') == string", True),
        ("0.0 / 0.0 == 0.0 / 0.0", False),
        ("0.0 / 0.0 != 0.0 / 0.0", True),
        ("[0.0 / 0.0] == [0.0 / 0.0]", False),
        ("0.0 == -0.0", True),
        ("null == null", True),
        ("[] == {}", False),
        ("{'a': [1, {'b': null}]} == {'a': [1u, {'b': null}]}", True),
        ("9007199254740993 == 9007199254740992.0", True),
        ("9007199254740993 > 9007199254740992.0", False),
        ("-1 < 0u", True),
        ("18446744073709551615u > 9223372036854775807", True),
        ("'a' < 'b' && 'Z' < 'a' && '开' > 'z' && '' < 'a'", True),
        ("b'a' < b'b' && false < true", True),
        ("'\U0001f6aa' > '\uffff'", True),
    ],
)
def test_equality_and_order(text: str, expected: object) -> None:
    assert same(both(text), expected)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("9223372036854775807 + 1", "overflow"),
        ("-9223372036854775808 - 1", "overflow"),
        ("4294967296 * 4294967296", "overflow"),
        ("-(-9223372036854775808)", "overflow"),
        ("-9223372036854775808 / -1", "overflow"),
        ("1u - 2u", "overflow"),
        ("18446744073709551615u + 1u", "overflow"),
        ("1 / 0", "divide by zero"),
        ("1u % 0u", "modulus by zero"),
        ("1 + 1.0", r"no such overload: int \+ double"),
        ("1 + 1u", "no such overload"),
        ("1.5 % 1.0", "no such overload"),
        ("-1u + 0u", "no such overload"),
        ("'a' < 1", "no such overload"),
        ("[1] < [2]", "no such overload"),
        ("null < null", "no such overload"),
        ("true + true", "no such overload"),
        ("!0", "no such overload"),
        ("1 ? 2 : 3", "no such overload"),
        ("1 && true", "no such overload"),
        ("1 in 'a'", "no such overload"),
        ("'abc'.a", "no such overload"),
        ("'abc'[0]", "no such overload"),
        ("[1, 2][2]", "out of range"),
        ("[1, 2][-1]", "out of range"),
        ("[1, 2]['0']", "invalid argument"),
        ("{'a': 1}.b", "no such field: b; there are: a"),
        ("{'a': 1}['b']", "no such key"),
        ("{'a': 1, 'a': 2}", "twice"),
        ("{1: 1, 1u: 2}", "twice"),
        ("{1.5: 1}", "map key"),
        ("has([1].a)", "no such overload"),
        ("size(5)", "no such overload"),
        ("unheard(5)", "unbound function"),
        ("missing", "undeclared reference"),
        ("[1, 2].map(x, x / 0)", "divide by zero"),
        ("[1, 0].exists_one(x, 1 / x == 1)", "divide by zero"),
        ("[1].filter(x, 'x')", "no such overload"),
        ("5.all(x, true)", "no such overload"),
        ("int('1e3')", "conversion"),
        ("int(' 1')", "conversion"),
        ("uint('-1')", "conversion"),
        ("uint(-1)", "range"),
        ("int(1e19)", "range"),
        ("int(0.0 / 0.0)", "range"),
        ("double('one')", "conversion"),
        ("bool('yes')", "conversion"),
        ("string(b'\\xff')", "UTF-8"),
        ("timestamp('2026-02-30T00:00:00Z')", "timestamp"),
        ("timestamp('2026-02-03 00:00:00')", "RFC 3339"),
        ("timestamp('2026-02-03T24:00:00Z')", "time of day"),
        ("duration('5')", "duration"),
        ("duration('5 s')", "duration"),
        ("duration('')", "duration"),
        ("duration('300000h') * 1", "no such overload"),
        ("duration('3000000h')", "range"),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1s')", "range"),
        ("timestamp(0).getHours('Mars/Base')", "time zone"),
        ("timestamp(0).getHours('../etc/passwd')", "time zone"),
        ("'a'.matches('(')", "regular expression"),
        ("'a'.matches('(?=a)')", "look-around"),
        (r"'aa'.matches(r'(a)\1')", "back reference"),
        ("google.protobuf.Int32Value{value: 5000000000}", "range"),
        ("google.protobuf.Nothing{}", "unknown message"),
        ("google.protobuf.BoolValue{value: 1}", "cannot hold"),
    ],
)
def test_errors_when_evaluated(text: str, cause: str) -> None:
    import re

    assert re.search(cause, fails(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 / 0 > 0 || true", True),
        ("true || 1 / 0 > 0", True),
        ("1 / 0 > 0 && false", False),
        ("'text' && false", False),
        ("missing.a.b && false", False),
        ("unheard(1) || true", True),
        ("(1 / 0 > 0 || false) || true", True),
        ("[0, 1, 2].exists(x, 2 / x == 1)", True),
        ("[0, 1].all(x, 2 / x == 1)", False),
        ("true ? 1 : 1 / 0", 1),
        ("false && missing || true && !false", True),
    ],
)
def test_errors_are_absorbed_where_they_cannot_matter(text: str, expected: object) -> None:
    assert same(both(text), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2, 3].all(x, x > 0)", True),
        ("[].all(x, 1 / 0 > 0)", True),
        ("[].exists(x, 1 / 0 > 0)", False),
        ("[1, 2, 3].exists_one(x, x > 2)", True),
        ("[3, 3].exists_one(x, x > 2)", False),
        ("[1, 2, 3].map(x, x * x)", [1, 4, 9]),
        ("[1, 2, 3].map(x, x > 1, x * x)", [4, 9]),
        ("[1, 2, 3].filter(x, x % 2 == 1)", [1, 3]),
        ("{'a': 1, 'b': 2}.filter(k, k > 'a')", ["b"]),
        ("{true: 1}.map(k, !k)", [False]),
        ("[[1, 2], [3]].map(row, row.map(x, x + size(row)))", [[3, 4], [4]]),
        ("[1, 2].map(x, [10, 20].map(x, x + 1))", [[11, 21], [11, 21]]),
        ("[1, 2].exists(x, [2, 3].exists(y, x == y))", True),
        ("[1].map(x, .x)", ["outer"]),
        ("[1 + 1, 2 * 3].map(x, x + 1).exists(y, y == 7)", True),
        ("[[1 + 2, 4].exists(x, x + 1 == 5)].all(b, b)", True),
        ("has({'a': null}.a) && !has({'a': null}.b)", True),
        ("{'all': 1}.all + {'map': 2}.map", 3),
    ],
)
def test_macros(text: str, expected: object) -> None:
    assert same(both(text, x="outer"), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size('门开🚪')", 3),
        ("'门开🚪'.size() + b'\\xff\\xff'.size() + [1].size() + {'a': 1}.size()", 7),
        ("'abc'.contains('b') && 'abc'.startsWith('ab') && 'abc'.endsWith('bc')", True),
        ("''.contains('')", True),
        ("'a\\n'.matches('a$')", False),
        ("'辽A12345'.matches('^辽[A-Z][0-9]{5}$')", True),
        ("matches('xay', 'a')", True),
        (r"'a.b'.matches(r'^\Qa.b\E$')", True),
        (r"'٣'.matches(r'\d')", False),
        ("int('-12') + int(3.99) + int(-3.99) + int(7u)", -5),
        ("uint(3.99)", UInt(3)),
        ("double('1e2') + double(1) + double(2u)", 103.0),
        ("string(1.0) + string(1.5) + string(-3) + string(4u) + string(true) + string(b'x')", "11.5-34truex"),
        ("bool('T') && !bool('0')", True),
        ("bytes('é')", b"\xc3\xa9"),
        ("type(1) == int && type(1u) == uint && type(1.0) == double && type([]) == list && type({}) == map", True),
        ("type(null) == null_type && type(int) == type && type(b'') == bytes && type(true) == bool", True),
        ("type(timestamp(0))", TypeValue("google.protobuf.Timestamp")),
        ("type(duration('1s')) == google.protobuf.Duration", True),
        ("google.protobuf.StringValue{value: 'x'} + google.protobuf.StringValue{}", "x"),
        ("google.protobuf.Value{} == null", True),
    ],
)
def test_functions(text: str, expected: object) -> None:
    assert same(both(text), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("timestamp('2026-11-23T18:42:07.5+08:00')", Timestamp(1795430527 * SECOND + SECOND // 2)),
        ("string(timestamp('2026-11-23T18:42:07.5+08:00'))", "2026-11-23T10:42:07.5Z"),
        ("string(timestamp('0001-01-01T00:00:00Z'))", "0001-01-01T00:00:00Z"),
        ("int(timestamp('1969-12-31T23:59:59.5Z'))", -1),
        ("timestamp(0) + duration('1h') - timestamp(0)", Duration(3600 * SECOND)),
        ("duration('1h30m') + duration('-90m')", Duration(0)),
        ("string(duration('1h0.25s'))", "3600.25s"),
        ("string(duration('-1.5ms'))", "-0.0015s"),
        ("duration('1us') > duration('999ns') && duration('1µs') == duration('1us')", True),
        ("duration('90m').getHours() * 1000 + duration('90m').getMinutes()", 1090),
        ("duration('-90m').getHours()", -1),
        ("duration('1.5s').getMilliseconds()", 500),
        ("timestamp('2026-03-01T00:00:00Z').getDayOfYear()", 59),
        ("timestamp('2026-03-01T00:00:00Z').getDayOfWeek()", 0),
        ("timestamp('2026-11-23T18:00:00Z').getHours('Asia/Shanghai')", 2),
        ("timestamp('2026-11-23T18:00:00Z').getDate('Asia/Shanghai')", 24),
        ("timestamp('2026-11-23T18:00:00Z').getHours('-03:30')", 14),
        ("timestamp('2026-11-23T18:00:00Z').getMinutes('-03:30')", 30),
        ("timestamp('2026-11-23T18:00:00Z').getHours('05:45')", 23),
        ("timestamp('0001-01-01T00:00:00Z').getFullYear('-01:00')", 0),
        ("timestamp('0001-01-01T00:00:00Z').getDayOfYear('-01:00')", 365),
        ("timestamp('9999-12-31T23:59:59Z').getFullYear('Asia/Shanghai')", 10000),
        ("timestamp('1969-12-31T23:59:59.999Z').getMilliseconds()", 999),
        # 1986 to 1991 China had summer time.
        ("timestamp('1988-07-01T00:00:00Z').getHours('Asia/Shanghai')", 9),
        ("timestamp(-1) < timestamp(0) && timestamp('2026-01-01T00:00:00Z') != timestamp(0)", True),
    ],
)
def test_times(text: str, expected: object) -> None:
    assert same(both(text), expected)


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ("", 0, "empty"),
        ("a &", 2, "&&"),
        ("a = b", 2, "=="),
        ("a +", 3, "the end"),
        ("(a", 2, r"'\)'"),
        ("[1, 2", 5, r"'\]'"),
        ("{'a' 1}", 5, "':'"),
        ("a ? b", 5, "':'"),
        ("a b", 2, "operator or the end"),
        ("a.", 2, "field"),
        ("f(1,)", 4, "argument"),
        ("'abc", 0, "not closed"),
        ("'a\nb'", 0, "not closed"),
        (r"'\s'", 1, "escape"),
        (r"'\ud83d'", 1, "code point"),
        (r"'\U00110000'", 1, "code point"),
        ("1 + while", 4, "reserved"),
        ("9223372036854775808", 0, "out of the range"),
        ("-9223372036854775809", 0, "out of the range"),
        ("18446744073709551616u", 0, "out of the range"),
        ("[1].map(x.y, 1)", 8, "simple name"),
        ("has(a)", 0, "field selection"),
        ("1 +* 2", 3, r"'\*'"),
        ("#", 0, "unexpected"),
        ("a.true", 2, "field"),
    ],
)
def test_syntax_errors_say_where_and_what(text: str, position: int, hint: str) -> None:
    with pytest.raises(CelSyntaxError, match=hint) as caught:
        cel.compile(text)
    assert caught.value.position == position


def test_error_locates_line_and_column() -> None:
    text = "a &&\n  b +"
    with pytest.raises(CelSyntaxError) as caught:
        cel.compile(text)
    assert caught.value.locate(text) == (2, 6)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 200 + "1" + ")" * 200,
        "[" * 5000 + "]" * 5000,
        "!" * 3000 + "true",
        "1" + " + 1" * 3000,
        "a" + ".b" * 3000,
        "a" + "[0]" * 3000,
        "false ? 1 : " * 200 + "2",
        "'" + "x" * 30_000 + "'",
        "(" + "1" + " + 1" * 90 + ")" + "".join(f" + ({i}" + " + 1" * 90 + ")" for i in range(2)) + " + 1" * 90,
    ],
)
def test_huge_texts_are_an_error_not_a_crash(text: str) -> None:
    limit = sys.getrecursionlimit()
    try:
        program = cel.compile(text)
    except CelSyntaxError as error:
        assert "limit" in str(error) or "deeper" in str(error) or "in a row" in str(error)
    else:
        program.evaluate({})
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize(
    "text",
    [
        "(" * 32 + "1" + ")" * 32,
        "[" * 32 + "]" * 32,
        " || ".join(["false"] * 40) + " || true",
        " + ".join(["1"] * 90),
        "a" + ".a" * 20,
        "false ? 1 : " * 25 + "2",
    ],
)
def test_the_repetitions_the_language_wants_work_in_both_forms(text: str) -> None:
    nested: dict[str, Any] = {}
    for _ in range(25):
        nested = {"a": nested}
    both(text, a=nested)


def test_macros_cannot_run_away() -> None:
    doubling = "['ab']" + ".map(x, x + x)" * 40
    assert "longer than" in fails(doubling)
    many = list(range(1001))
    assert "the limit is 1000" in fails("l.all(x, l.all(y, y >= 0))", l=many)
    assert both("l.map(x, x + 1).all(y, y > 0)", l=many) is True
    with pytest.raises(CelSyntaxError, match="macros are nested deeper than 4"):
        cel.compile("[1].all(a, " * 5 + "true" + ")" * 5)


def test_python_values_are_converted() -> None:
    moment = datetime(2026, 11, 23, 18, 42, 7, 125_000, tzinfo=timezone(timedelta(hours=8)))
    assert cel.compile("string(t)").evaluate({"t": moment}) == "2026-11-23T10:42:07.125Z"
    assert cel.compile("d > duration('1s')").evaluate({"d": timedelta(seconds=2)}) is True
    assert cel.compile("x[1] + size(b)").evaluate({"x": (1, 2), "b": bytearray(b"abc")}) == 5
    assert Timestamp.from_datetime(moment).to_datetime() == moment.astimezone(UTC)
    assert Timestamp.from_seconds(1.5) == 1_500_000_000
    assert Duration.from_seconds(-0.25) == -250_000_000
    with pytest.raises(ValueError, match="time zone"):
        Timestamp.from_datetime(datetime(2026, 1, 1))
    with pytest.raises(CelEvaluationError, match="no type"):
        cel.compile("x").evaluate({"x": object()})
    with pytest.raises(CelEvaluationError, match="range of int"):
        cel.compile("x").evaluate({"x": 2**63})


def test_names_with_dots_and_names_of_types() -> None:
    assert cel.compile("a.b + 1").evaluate({"a.b": 2}) == 3
    assert cel.compile("list[0]").evaluate({"list": [5]}) == 5
    assert cel.compile("list").evaluate({}) == TypeValue("list")
    assert cel.compile("int(type)").evaluate({"type": "7"}) == 7
    declared = cel.compile("a.b + 1", {"a.b": cel.INT})
    assert declared.variables == {"a.b"}
    assert declared.closure({"a.b": 2}) == 3
    assert declared.function("a.b")(2) == 3


def test_errors_share_a_base() -> None:
    assert issubclass(CelSyntaxError, CelError)
    assert issubclass(CelEvaluationError, CelError)
