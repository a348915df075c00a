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


def test_what_cannot_be_read_is_not_valid_and_has_its_line(tmp_path: Path) -> None:
    """Whatever stands in a file, or does not: one line of JSON for it, and the next file's turn."""
    odd = {
        "empty": b"",
        "xml": b"<Patient/>",
        "utf16": GOOD.encode("utf-16"),
        "latin": b'{"resourceType": "Patient", "id": "\xff"}',
        "twice": b'{"resourceType": "Patient", "gender": "male", "gender": "male"}',
        "deep": b'{"resourceType": "Patient", "extension": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        "open": b"[" * 10_000,
        "half": b'{"resourceType": "Patient", "\\ud800": ]',
        "huge": b" " * (65 * 1024 * 1024),
    }
    for name, data in odd.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder").mkdir()
    files = [str(tmp_path / name) for name in (*odd, "folder", "nowhere", "\udcff")]
    answer = CliRunner().invoke(command, [*files, "--json"])
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(rows) == len(files) and answer.exit_code == 1 and not answer.stderr
    assert not any(row["valid"] for row in rows) and all(row["issues"] for row in rows)
    assert rows[-2]["issues"][0]["message"] == "cannot be read: No such file or directory"


def test_xml_is_read_too_with_the_names_of_json(tmp_path: Path) -> None:
    gender = '<Patient xmlns="http://hl7.org/fhir"><gender value="{}"/></Patient>'
    (tmp_path / "good.xml").write_text(gender.format("female"))
    (tmp_path / "bad.xml").write_text(gender.format("F"))
    answer = CliRunner().invoke(command, [str(tmp_path / "good.xml"), str(tmp_path / "bad.xml"), "--json"])
    good, bad = (json.loads(line) for line in answer.stdout.splitlines())
    assert good["valid"] and not bad["valid"] and answer.exit_code == 1
    assert bad["issues"][0]["expression"] == "Patient.gender"


def test_definitions_among_the_files_count_for_the_others(tmp_path: Path) -> None:
    system = {"resourceType": "CodeSystem", "url": "http://a.example/skin", "status": "active", "content": "complete"}
    coding = {"system": system["url"], "code": "wet"}
    (tmp_path / "skin.json").write_text(json.dumps(system | {"concept": [{"code": "dry"}]}))
    observed = {"resourceType": "Observation", "status": "final", "code": {"coding": [coding]}}
    (tmp_path / "seen.json").write_text(json.dumps(observed))
    files = [str(tmp_path / "seen.json"), str(tmp_path / "skin.json")]
    assert CliRunner().invoke(command, [files[0]]).exit_code == 0
    answer = CliRunner().invoke(command, [*files, "--json"])
    first, second = (json.loads(line) for line in answer.stdout.splitlines())
    assert first["issues"][0]["expression"] == "Observation.code.coding[0].code" and second["valid"]
