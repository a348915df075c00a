from __future__ import annotations

from pathlib import Path

import pytest

from shoufu.runtime import models
from shoufu.runtime.watcher import footage
from shoufu.runtime.watcher.config import ConfigError, camera_spec


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> set[str]:
    """Names of the entries that count as installed; the test fills it."""
    names: set[str] = set()
    monkeypatch.setenv("SHOUFU_MODELS", str(tmp_path))

    def state(entry: models.Entry) -> models.State:
        return models.State.READY if entry.name in names else models.State.MISSING

    monkeypatch.setattr(models, "state", state)
    for entry in models.ENTRIES:
        (tmp_path / entry.file).touch()
    return names


def test_footage_is_named_by_its_scheme(installed: set[str], tmp_path: Path) -> None:
    installed |= {"footage-street", "footage-yard"}
    assert footage.resolve("footage:yard") == str(models.path("footage-yard"))


def test_other_footage_stands_in_where_it_is_missing(installed: set[str]) -> None:
    installed.add("footage-street")
    assert footage.resolve("footage:yard") == str(models.path("footage-street"))


def test_other_sources_stay_as_they_are(installed: set[str]) -> None:
    assert footage.resolve("rtsp://camera/1") == "rtsp://camera/1"


def test_no_footage_at_all_is_an_error_that_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHOUFU_MODELS", str(tmp_path))
    with pytest.raises(ConfigError, match="shoufu models install"):
        camera_spec("cam-1", {"source": "footage:yard"})
