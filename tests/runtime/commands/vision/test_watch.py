import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shoufu.runtime import models
from shoufu.runtime.commands.vision.watch import command
from tests.runtime.watcher import footage

needs_model = pytest.mark.skipif(
    models.state(models.find("detector")) is not models.State.READY, reason="the detector is not installed"
)


def watch(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(one) for one in arguments])


@needs_model
def test_the_last_line_is_the_result(tmp_path: Path):
    result = watch(footage.write(tmp_path / "a.mp4", 20), "--json", "--stages")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout.splitlines()[-1])
    assert figures["frames"] == 20
    assert figures["persons"] == figures["vehicles"] == 0
    assert figures["stages"]["decode"]["runs"] >= 20


@needs_model
@pytest.mark.parametrize(("content", "says"), [(b"", "is empty"), (b"text" * 100, "not a video")])
def test_what_is_no_video_is_a_sentence_and_not_zero(tmp_path: Path, content: bytes, says: str):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    result = watch(path, "--json")
    assert result.exit_code != 0
    assert says in result.stderr
    assert result.stdout == ""


@needs_model
def test_a_truncated_video_is_told(tmp_path: Path):
    whole = footage.write(tmp_path / "a.avi", 40, "mpeg4").read_bytes()
    path = tmp_path / "b.avi"
    path.write_bytes(whole[: len(whole) // 2])
    result = watch(path, "--json")
    assert result.exit_code != 0
    assert "truncated" in result.stderr or "damaged" in result.stderr


@needs_model
def test_a_missing_file_is_told(tmp_path: Path):
    result = watch(tmp_path / "none.mp4")
    assert result.exit_code != 0
    assert "no such file" in result.stderr


def test_a_missing_model_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SHOUFU_MODELS", str(tmp_path))
    result = watch(footage.write(tmp_path / "a.mp4", 2))
    assert result.exit_code != 0
    assert "shoufu models install" in result.stderr
