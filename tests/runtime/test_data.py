from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from shoufu.runtime import data, env


@pytest.fixture(autouse=True)
def own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUFU_DATA", str(tmp_path / "data"))


def test_secret_stays_the_same_and_is_readable_by_the_owner_only() -> None:
    first = data.secret("token")
    path = data.layout().keys / "token"
    assert data.secret("token") == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first) > 40


def test_two_who_ask_first_at_the_same_time_get_one_secret() -> None:
    data.prepare()
    found: list[str] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        found.append(data.secret("token"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1 and len(found) == 8
    assert [path.name for path in data.layout().keys.iterdir()] == ["token"]


def test_given_key_goes_before_the_generated_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUFU_SECRET_KEY", "given")
    assert data.secret_key() == "given"
    assert not data.layout().keys.exists()


@pytest.mark.parametrize(("text", "value"), [("1", True), ("yes", True), ("off", False), ("0", False)])
def test_boolean_settings_take_words(text: str, value: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUFU_DEBUG", text)
    assert env.get("SHOUFU_DEBUG") is value


def test_boolean_setting_that_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUFU_DEBUG", "perhaps")
    with pytest.raises(env.SettingError, match="neither 1 nor 0"):
        env.get("SHOUFU_DEBUG")


def test_every_setting_reads_its_own_default() -> None:
    for setting in env.SETTINGS:
        if not isinstance(setting.default, Path):
            assert setting.parse(str(setting.default)) == setting.default
        assert setting.help.endswith(".")
