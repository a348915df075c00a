"""`shoufu rules cel`."""

from __future__ import annotations

import json

from click.testing import CliRunner

from shoufu.runtime.commands.rules.cel import command


def answers(lines: list[str], *options: str) -> list[str]:
    result = CliRunner().invoke(command, list(options), input="\n".join(lines) + "\n")
    assert result.exit_code == 0
    return result.output.splitlines()


def test_command_answers_each_line_and_goes_on_after_bad_ones() -> None:
    lines = [
        json.dumps({"expr": "x + 1", "vars": {"x": 41}}),
        "not json",
        json.dumps({"expr": "x +"}),
        json.dumps({"expr": "x"}),
        json.dumps({"vars": {}}),
        json.dumps({"expr": "1", "vars": [1]}),
        json.dumps({"expr": "x", "vars": {"x": {"int64Value": "z"}}}),
        "[" * 5000,
        "",
        json.dumps({"expr": "1.0", "vars": None}),
        json.dumps({"expr": "1 / 0 > 0 || true"}),
    ]
    got = [json.loads(line) for line in answers(lines, "--json")]
    assert [next(iter(answer)) for answer in got] == ["value", *["error"] * 7, "value", "value"]
    assert got[0] == {"value": 42}
    assert "line is no JSON" in got[1]["error"]
    assert "undeclared reference to 'x'" in got[3]["error"]
    assert '"expr"' in got[4]["error"]
    assert got[-1] == {"value": True}


def test_command_without_json_speaks_to_people() -> None:
    lines = [json.dumps({"expr": "'门' + '开'"}), json.dumps({"expr": "1 / 0"})]
    assert answers(lines) == ['"门开"', "error: divide by zero (at character 3)"]
