import json
from pathlib import Path

from click.testing import CliRunner

from shoufu.runtime.commands.fhir.check import command

GOOD = '{"resourceType": "Patient", "gender": "female"}'
BAD = '{"resourceType": "Patient", "gender": "F"}'


def test_one_line_a_file_and_the_exit_code(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(GOOD)
    (tmp_path / "bad.json").write_text(BAD)
    files = [str(tmp_path / "good.json"), str(tmp_path / "bad.json")]
    answer = CliRunner().invoke(command, [*files, "--json"])
    good, bad = (json.loads(line) for line in answer.stdout.splitlines())
    assert good == {"file": files[0], "valid": True, "issues": []}
    assert bad["file"] == files[1] and not bad["valid"]
    assert list(bad["issues"][0]) == ["severity", "expression", "message"]
    assert bad["issues"][0]["expression"] == "Patient.gender"
    assert answer.exit_code == 1
    assert CliRunner().invoke(command, [files[0], "--json"]).exit_code == 0


def test_in_words(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(BAD)
    (tmp_path / "broken.json").write_text("{")
    answer = CliRunner().invoke(command, [str(tmp_path / "bad.json"), str(tmp_path / "broken.json")])
    assert answer.exit_code == 1
    assert "not valid" in answer.stdout and "error Patient.gender: 'F'" in answer.stdout
    assert "fatal the file: is not JSON" in answer.stdout
