"""Checks an evidence bundle with nothing but the file: no database, no network, no clock."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from . import timestamp
from .archive import CHUNK, Entry, directory, measure
from .manifest import FORMAT, MANIFEST, SIGNATURE, TIMESTAMP, Manifest, Signature, canonical, fingerprint

_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError)
_SMALL = 64 << 20


@dataclass(frozen=True)
class Fault:
    """One thing wrong: `code` ("changed", "missing", "extra", "order", "signature", "timestamp", "manifest", "key",
    "archive", "unreadable"), the file within the bundle (empty: the whole), and a sentence."""

    code: str
    path: str
    text: str


@dataclass
class Report:
    """What a bundle is and what is wrong with it. `trusted` is None when no fingerprint was given to compare with."""

    faults: list[Fault] = field(default_factory=list)
    files: int = 0
    size: int = 0
    manifest: Manifest | None = None
    key: str = ""
    trusted: bool | None = None
    stamp: timestamp.Stamp | None = None

    @property
    def ok(self) -> bool:
        return not self.faults

    def fault(self, code: str, path: str, text: str) -> None:
        self.faults.append(Fault(code, path, text))


@dataclass
class _Found:
    """What the archive holds, in its order; small files whole."""

    entries: list[Entry] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)


def verify(path: Path, trusted_key: str = "") -> Report:
    """Check hashes, order, signature and time stamp of the bundle at `path`, and every byte between them.

    `trusted_key` is the fingerprint (64 hexadecimal digits; spaces and colons do not matter) that the issuer told you
    by another way: a bundle signed by another key is then a fault.
    """
    report = Report()
    try:
        found = _read(path, report)
    except _BROKEN as error:
        report.fault("unreadable", "", f"this is no readable ZIP file: {error or type(error).__name__}")
        return report
    manifest = _manifest(found, report)
    _signature(found, report, trusted_key)
    _timestamp(found, report)
    if manifest is not None:
        _files(found, manifest, report)
    _container(path, found, report)
    return report


def _read(path: Path, report: Report) -> _Found:
    found = _Found()
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            small = info.filename in (MANIFEST, TIMESTAMP, SIGNATURE) and info.file_size < _SMALL
            kept: list[bytes] = []
            try:
                with archive.open(info) as stream:
                    found.entries.append(measure(info.filename, _pieces(stream, kept if small else None)))
            except _BROKEN as error:
                report.fault("changed", info.filename, f"cannot be read whole: {error or type(error).__name__}")
                found.entries.append(Entry(info.filename, 0, 0, ""))
            if small:
                found.texts.setdefault(info.filename, b"".join(kept))
    report.files, report.size = len(found.entries), path.stat().st_size
    return found


def _pieces(stream: IO[bytes], kept: list[bytes] | None) -> Iterator[bytes]:
    while piece := stream.read(CHUNK):
        if kept is not None:
            kept.append(piece)
        yield piece


def _manifest(found: _Found, report: Report) -> Manifest | None:
    raw = found.texts.get(MANIFEST)
    if raw is None:
        report.fault("missing", MANIFEST, "the manifest is missing: nothing in this bundle can be trusted")
        return None
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        report.fault("manifest", MANIFEST, f"the manifest cannot be read: {error}")
        return None
    if manifest.format != FORMAT:
        report.fault("manifest", MANIFEST, f"the format is {manifest.format!r}; this program knows {FORMAT!r}")
    report.manifest = manifest
    return manifest


def _signature(found: _Found, report: Report, trusted_key: str) -> None:
    raw = found.texts.get(SIGNATURE)
    if raw is None:
        report.fault("missing", SIGNATURE, "the signature is missing")
        return
    try:
        signature = msgspec.json.decode(raw, type=Signature)
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.public_key))
        signed = bytes.fromhex(signature.signature)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        report.fault("signature", SIGNATURE, f"the signature cannot be read: {error}")
        return
    report.key = fingerprint(public)
    if canonical(signature) != raw or signature.algorithm != "Ed25519" or signature.key != report.key:
        report.fault("signature", SIGNATURE, "the signature file was changed")
    try:
        public.verify(signed, signature.payload())
    except InvalidSignature:
        report.fault("signature", SIGNATURE, "the signature is not genuine")
    for name, said in ((MANIFEST, signature.manifest_sha256), (TIMESTAMP, signature.timestamp_sha256)):
        if name in found.texts and hashlib.sha256(found.texts[name]).hexdigest() != said:
            report.fault("changed", name, "is not what was signed")
    if report.manifest is not None and report.manifest.key != report.key:
        report.fault("key", SIGNATURE, "signed by another key than the manifest names")
    _trust(report, trusted_key)


def _trust(report: Report, trusted_key: str) -> None:
    wanted = trusted_key.replace(":", "").replace(" ", "").lower()
    if not wanted:
        return
    report.trusted = wanted == report.key
    if not report.trusted:
        report.fault("key", SIGNATURE, f"signed by the key {report.key}, not by the one that you trust")


def _timestamp(found: _Found, report: Report) -> None:
    token, manifest = found.texts.get(TIMESTAMP), found.texts.get(MANIFEST)
    if token is None:
        report.fault("missing", TIMESTAMP, "the time stamp is missing")
    elif manifest is not None:
        try:
            report.stamp = timestamp.check(token, manifest)
        except timestamp.BadTimestamp as error:
            report.fault("timestamp", TIMESTAMP, str(error))


def _files(found: _Found, manifest: Manifest, report: Report) -> None:
    there: dict[str, Entry] = {}
    for entry in found.entries:
        if entry.name in there:
            report.fault("extra", entry.name, "is in the bundle twice")
        there.setdefault(entry.name, entry)
    listed = [file.path for file in manifest.files]
    for file in manifest.files:
        held = there.get(file.path)
        if held is None:
            report.fault("missing", file.path, "is named by the manifest and not in the bundle")
        elif (held.sha256, held.size) != (file.sha256, file.size):
            report.fault("changed", file.path, "is not the file that the manifest names")
    own = [MANIFEST, TIMESTAMP, SIGNATURE]
    for name in there:
        if name not in listed and name not in own:
            report.fault("extra", name, "is in the bundle and not named by the manifest")
    order = [entry.name for entry in found.entries]
    expected = [name for name in [*own, *listed] if name in there]
    common = [name for name in order if name in set(expected)]
    for name, right in zip(common, expected, strict=False):
        if name != right:
            report.fault("order", name, f"stands where {right} belongs")
            break


def _container(path: Path, found: _Found, report: Report) -> None:
    """Headers and directory follow from names and contents; a byte of them that differs is a fault of the archive."""
    try:
        offsets, tail = directory(found.entries)
        heads = [entry.local() for entry in found.entries]
    except (UnicodeEncodeError, ValueError) as error:
        report.fault("archive", "", f"the archive was written by another program: {error}")
        return
    with path.open("rb") as file:
        for entry, head, offset in zip(found.entries, heads, offsets, strict=True):
            if _at(file, offset, len(head)) != head:
                report.fault("archive", entry.name, "its entry in the ZIP was changed or written by another program")
                return
        end = offsets[-1] + len(heads[-1]) + found.entries[-1].size if found.entries else 0
        file.seek(end)
        if file.read(len(tail) + 1) != tail:
            report.fault("archive", "", "the directory of the ZIP was changed or written by another program")


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)
