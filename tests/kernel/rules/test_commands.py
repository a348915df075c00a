"""`shoufu rules …` as a person calls it."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from shoufu.kernel.base.actor import SYSTEM

DOCUMENT = {
    "kinds": ["door.state"],
    "where": "result.state == 'open'",
    "pattern": {"type": "match"},
}


def test_check_says_what_is_wrong(tmp_path: Path) -> None:
    from shoufu.runtime.commands.rules.check import command

    path = tmp_path / "rule.json"
    path.write_text(json.dumps(DOCUMENT | {"where": "result.stat == 'open'"}))
    done = CliRunner().invoke(command, [str(path), "--json"])
    answer = json.loads(done.output.splitlines()[-1])
    assert done.exit_code == 1 and not answer["ok"]
    assert answer["errors"][0]["field"] == "/where"


def test_rehearse_a_document_that_nobody_saved(story: Any, tmp_path: Path) -> None:
    from shoufu.kernel.rules import services
    from shoufu.kernel.rules.models import Rehearsal, RuleVersion
    from shoufu.runtime.commands.rules.rehearse import command

    rule = services.create_rule(
        SYSTEM, services.RuleDraft(place=story.places["d"].pk, name="门开了", code="open", spec=DOCUMENT)
    )
    story.log((0, "east", "door.state", {"state": "open"}), (5, "west", "door.state", {"state": "closed"}))
    path = tmp_path / "rule.json"
    path.write_text(json.dumps(DOCUMENT | {"where": "true"}))
    done = CliRunner().invoke(command, [rule.code, "--spec", str(path), "--since", "3h", "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.output.splitlines()[-1])
    assert answer["draft_figures"]["raised"] == 2 and answer["live_number"] is None
    saved = json.loads(CliRunner().invoke(command, [rule.code, "--since", "3h", "--json"]).output.splitlines()[-1])
    assert saved["draft_figures"]["raised"] == 1 and saved["draft_number"] == 1
    assert RuleVersion.objects.count() == 1 and not Rehearsal.objects.exists()


def test_rehearse_refuses_what_it_cannot_do(story: Any) -> None:
    from shoufu.runtime.commands.rules.rehearse import command
    from shoufu.runtime.errors import Problem

    done = CliRunner().invoke(command, ["nothing", "--since", "3h"])
    assert isinstance(done.exception, Problem)
    assert CliRunner().invoke(command, ["nothing", "--since", "yesterday"]).exit_code == 2
