"""Real photos through the installed models and the command line; skipped where either is absent."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from shoufu.runtime import models
from shoufu.runtime.commands.plates.match import command as match
from shoufu.runtime.commands.plates.read import command as read

GROUNDS = {"冀D5L690": "yellow", "津B6H920": "blue", "苏ED51712": "green"}
PHOTOS = Path(__file__).parents[4] / "shared/data/plates"
MODELS = ("plate-detector", "plate-reader", "plate-reader-clp", "plate-reader-road")


def _missing() -> str:
    absent = [name for name in MODELS if models.state(models.find(name)) is not models.State.READY]
    if absent:
        return f"models not installed ({', '.join(absent)}): run `shoufu models install`"
    return "" if any(PHOTOS.glob("*.jpg")) else "no photos in ../shared/data/plates"


needs_photos = pytest.mark.skipif(bool(_missing()), reason=_missing() or "there")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(read, [*arguments, "--json"])


def rows(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@needs_photos
def test_shared_photos_are_read_right() -> None:
    photos = sorted(PHOTOS.glob("*.jpg"))
    result = run(*map(str, photos))
    assert result.exit_code == 0
    for photo, row in zip(photos, rows(result), strict=True):
        plates = row["plates"]
        assert isinstance(plates, list)
        text = photo.stem.split("-")[1]
        assert plates[0]["plate"] == text
        assert plates[0]["colour"] == GROUNDS.get(text, plates[0]["colour"])


@needs_photos
def test_corners_lie_on_the_plate_in_the_original_image() -> None:
    photo = next(PHOTOS.glob("parked-*.jpg"))
    row = rows(run(str(photo)))[0]
    plates = row["plates"]
    assert isinstance(plates, list)
    corners = np.array(plates[0]["corners"])
    assert corners.shape == (4, 2)
    edges = np.roll(corners, -1, axis=0) - corners
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    assert (turns > 0).all(), "clockwise"
    assert corners[0].sum() == corners.sum(axis=1).min(), "top left first"


@needs_photos
def test_bad_input_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    good = next(PHOTOS.glob("crop-*.jpg"))
    copy = tmp_path / "车牌 照片.jpg"
    copy.write_bytes(good.read_bytes())
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "cut.jpg").write_bytes(good.read_bytes()[:1500])
    (tmp_path / "text.jpg").write_text("not a picture")
    names = ["empty.jpg", "cut.jpg", "text.jpg", "missing.jpg"]
    result = run(*(str(tmp_path / name) for name in names), str(tmp_path), str(copy))
    assert result.exit_code == 1
    told = rows(result)
    assert [sorted(row) for row in told[:5]] == [["error", "image"]] * 5
    assert told[5]["plates"]


@needs_photos
def test_an_empty_street_has_no_plates(tmp_path: Path) -> None:
    street = np.random.default_rng(0).normal(120, 20, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    _, data = cv2.imencode(".png", cv2.GaussianBlur(street, (0, 0), 3))
    (tmp_path / "street.png").write_bytes(bytes(data))
    assert rows(run(str(tmp_path / "street.png")))[0]["plates"] == []


def test_matching_readings_against_a_register(tmp_path: Path) -> None:
    (tmp_path / "register.txt").write_bytes("辽A12345\n沪AF71017\n".encode("gb18030"))
    (tmp_path / "reads.txt").write_text("辽A12345\n沪AF7101Z\n京B99999\n", encoding="utf-8")
    options = ["--registered", str(tmp_path / "register.txt"), "--reads", str(tmp_path / "reads.txt"), "--json"]
    result = CliRunner().invoke(match, options)
    assert result.exit_code == 0
    assert [(row["class"], row["plate"]) for row in rows(result)] == [
        ("exact", "辽A12345"),
        ("fuzzy", "沪AF71017"),
        ("none", None),
    ]
