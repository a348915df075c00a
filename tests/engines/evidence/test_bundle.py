import random
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from shoufu.engines.evidence import (
    FORMAT,
    MANIFEST,
    SIGNATURE,
    TIMESTAMP,
    CanonicalZip,
    File,
    Manifest,
    canonical,
    fingerprint,
    sign,
    timestamp,
    verify,
)
from shoufu.engines.evidence.archive import measure

AT = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
CONTENTS = {
    "index.html": b"<!doctype html><p>case</p>",
    "media/001.mp4": bytes(range(256)) * 5,
    "data/timeline.json": b"[]\n",
}


class Office:
    """Somebody who makes bundles: a signing key and a clock authority."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.clock = ec.generate_private_key(ec.SECP256R1())
        self.certificate = timestamp.make_certificate(self.clock, "Shoufu test clock", AT)

    def bundle(self, path: Path, contents: dict[str, bytes] = CONTENTS) -> Path:
        files = [
            File(path=name, sha256=(e := measure(name, [data])).sha256, size=e.size, role="data")
            for name, data in contents.items()
        ]
        manifest = canonical(
            Manifest(
                format=FORMAT, export="E-20261124-0001", software="0", made_at=AT.isoformat(), expires_at="",
                case={"number": "C-1"}, exporter="赵桂芬", recipient="派出所", reason="立案", mark="E-20261124-0001",
                key=fingerprint(self.key.public_key()), time_source="local", files=files, gaps=[],
            )
        )  # fmt: skip
        token = timestamp.stamp(manifest, self.clock, self.certificate, at=AT, serial=7)
        with CanonicalZip(path) as archive:
            archive.add(MANIFEST, manifest)
            archive.add(TIMESTAMP, token)
            archive.add(SIGNATURE, sign(self.key, manifest, token))
            for name, data in contents.items():
                archive.add(name, data)
        return path


@pytest.fixture(scope="module")
def office() -> Office:
    return Office()


@pytest.fixture
def bundle(office: Office, tmp_path: Path) -> Path:
    return office.bundle(tmp_path / "bundle.zip")


def codes(path: Path, key: str = "") -> set[tuple[str, str]]:
    return {(fault.code, fault.path) for fault in verify(path, key).faults}


def test_a_bundle_fresh_from_the_office_is_whole(office: Office, bundle: Path) -> None:
    report = verify(bundle, fingerprint(office.key.public_key()))
    assert report.ok and report.trusted and report.files == 6
    assert report.stamp is not None and report.stamp.at == AT
    assert zipfile.ZipFile(bundle).testzip() is None


def test_whichever_byte_is_flipped_it_is_noticed(bundle: Path) -> None:
    # A sample: flipping each of them in turn finds none unseen too, and takes a minute and a half.
    whole = bundle.read_bytes()
    unseen = []
    for position in random.Random(7).sample(range(len(whole)), 250):
        broken = bytearray(whole)
        broken[position] ^= 1 << (position % 8)
        bundle.write_bytes(broken)
        if verify(bundle).ok:
            unseen.append(position)
    assert not unseen


def test_a_bundle_cut_short_or_grown_is_refused(bundle: Path) -> None:
    whole = bundle.read_bytes()
    for length in random.Random(1).sample(range(len(whole)), 60):
        bundle.write_bytes(whole[:length])
        assert not verify(bundle).ok
    bundle.write_bytes(whole + b"\0")
    assert not verify(bundle).ok
    bundle.write_bytes(b"\0" + whole)
    assert not verify(bundle).ok


def rewritten(bundle: Path, change) -> None:
    """The same ZIP with its list of (name, bytes) changed, written as strictly as the office does."""
    with zipfile.ZipFile(bundle) as archive:
        items = [(name, archive.read(name)) for name in archive.namelist()]
    with CanonicalZip(bundle) as archive:
        for name, data in change(items):
            archive.add(name, data)


def test_what_was_done_to_which_file_is_named(bundle: Path, office: Office) -> None:
    rewritten(bundle, lambda items: [item for item in items if item[0] != "media/001.mp4"])
    assert codes(bundle) == {("missing", "media/001.mp4")}
    office.bundle(bundle)
    rewritten(bundle, lambda items: [*items, ("media/002.mp4", b"more")])
    assert codes(bundle) == {("extra", "media/002.mp4")}
    office.bundle(bundle)
    rewritten(bundle, lambda items: [*items[:3], items[5], *items[3:5]])
    assert codes(bundle) == {("order", "data/timeline.json")}
    office.bundle(bundle)
    rewritten(bundle, lambda items: [(n, b"[1]\n" if n.endswith("timeline.json") else d) for n, d in items])
    assert codes(bundle) == {("changed", "data/timeline.json")}


def test_a_bundle_signed_anew_by_somebody_else_is_told_by_the_key(bundle: Path, office: Office) -> None:
    Office().bundle(bundle)
    assert verify(bundle).ok
    assert codes(bundle, fingerprint(office.key.public_key())) == {("key", SIGNATURE)}


def test_parts_of_two_genuine_bundles_do_not_mix(bundle: Path, office: Office, tmp_path: Path) -> None:
    other = office.bundle(tmp_path / "other.zip", CONTENTS | {"data/timeline.json": b"[2]\n"})
    with zipfile.ZipFile(other) as archive:
        token = archive.read(TIMESTAMP)
    rewritten(bundle, lambda items: [(n, token if n == TIMESTAMP else d) for n, d in items])
    assert codes(bundle) == {("changed", TIMESTAMP), ("timestamp", TIMESTAMP)}


def test_packed_anew_by_another_program_is_said_so(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        items = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in items:
            archive.writestr(name, data)
    assert {code for code, _ in codes(bundle)} == {"archive"}


def test_what_is_no_bundle_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    for content in (b"", b"PK", b"hello" * 100):
        path.write_bytes(content)
        assert {code for code, _ in codes(path)} == {"unreadable"}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_accepts_the_time_stamp(office: Office, tmp_path: Path) -> None:
    data = b"a manifest"
    (tmp_path / "data").write_bytes(data)
    (tmp_path / "token").write_bytes(timestamp.stamp(data, office.clock, office.certificate, at=AT, serial=9))
    (tmp_path / "ca.pem").write_bytes(office.certificate.public_bytes(Encoding.PEM))
    command = ["openssl", "ts", "-verify", "-data", "data", "-in", "token", "-token_in", "-CAfile", "ca.pem"]
    command += ["-attime", str(int(AT.timestamp()))]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert "Verification: OK" in done.stdout + done.stderr, done.stderr
