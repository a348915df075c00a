"""Evaluate CEL expressions, one a line."""

from __future__ import annotations

import io
import json
import sys

import click

from shoufu.engines.cel import CelError, compile
from shoufu.engines.cel.jsonform import from_json, to_json


@click.command()
@click.option("--json", "as_json", is_flag=True, help='Answer each line with {"value": …} or {"error": …}.')
def command(as_json: bool) -> None:
    """Evaluate CEL expressions, one a line.

    Reads lines {"expr": "x + 1", "vars": {"x": 41}} from standard input ("vars" may be left out) and answers each
    at once with one line: {"value": 42} or {"error": "…"}; without --json with the value or the error alone.
    A line that is no such object is answered with an error, and the next line is read.

    Variables are plain JSON (a number without point or exponent is int, with one double) or typed as in the JSON
    form of the protocol buffer cel.expr.Value: {"int64Value": "5"}, {"uint64Value": "5"}, {"doubleValue": 5},
    {"stringValue": "x"}, {"bytesValue": "base64"}, {"boolValue": true}, {"nullValue": null}, {"typeValue": "int"},
    {"listValue": {"values": […]}}, {"mapValue": {"entries": [{"key": …, "value": …}]}},
    {"objectValue": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1.5s"}} (or …Timestamp).

    Values come as plain JSON: int and uint as numbers, double with a point or exponent ("NaN", "Infinity" and
    "-Infinity" as strings), bytes as base64, timestamps as RFC 3339, durations as "1.5s", types as their name,
    maps as objects with their keys as strings. Nothing is type-checked beforehand.
    """
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            # Broken UTF-8 or a lone surrogate is one line's problem; it must not end the stream.
            stream.reconfigure(encoding="utf-8", errors=errors)
    for line in sys.stdin:
        if not line.strip():
            continue
        sys.stdout.write(_answer(line, as_json) + "\n")
        sys.stdout.flush()


def _answer(line: str, as_json: bool) -> str:
    try:
        value = _evaluate(line)
    except CelError as error:
        return json.dumps({"error": str(error)}, ensure_ascii=False) if as_json else f"error: {error}"
    return f'{{"value": {value}}}' if as_json else value


def _evaluate(line: str) -> str:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CelError(f"the line is no JSON: {error}") from error
    if not isinstance(request, dict) or not isinstance(request.get("expr"), str):
        raise CelError('the line must be an object with a text "expr", e.g. {"expr": "1 + 1", "vars": {}}')
    given = request.get("vars") or {}
    if not isinstance(given, dict):
        raise CelError('"vars" must be an object of variables')
    variables = {name: from_json(value) for name, value in given.items()}
    return to_json(compile(request["expr"]).evaluate(variables))
