"""Rule sets as bytes: built, signed, loaded, and brought forward by deltas."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .model import RECORD, Credential, Door, Reader, RuleSet, Settings, pack_record, unpack_record
from .schedules import Calendar

MAGIC = b"SFRS1\n"
DELTA_MAGIC = b"SFRD1\n"
SIGNATURE = 64
_HEAD = struct.Struct(">6sIQII")
_DELTA = struct.Struct(">6sII32sQIII")


class RuleSetError(ValueError):
    """A rule set or delta that cannot be used; its text says why."""


class Tampered(RuleSetError):
    """Not as the server signed it."""


class Gap(RuleSetError):
    """The delta does not follow on the rule set that is held: ask for the whole."""


class NotNewer(RuleSetError):
    """Older than, or of the same version as, what is held."""


class Rules:
    """A loaded rule set, ready for :func:`~shoufu.engines.doors.decide`."""

    def __init__(self, version: int, issued_at: int, settings: Settings, records: bytes) -> None:
        self.version = version
        self.issued_at = issued_at
        self.settings = settings
        self.doors: dict[int, Door] = {door.number: door for door in settings.doors}
        self.readers: dict[int, Reader] = {reader.number: reader for reader in settings.readers}
        self.calendar = Calendar(settings.zone, settings.schedules, settings.special_days)
        self.group_bits = sum({1 << door.group_bit for door in settings.doors if door.group_bit >= 0})
        self.records = records
        self.index: dict[bytes, int] = {}
        for start in range(len(records) - RECORD, -1, -RECORD):
            # Backwards, so that the first record of a key is the one that stays.
            self.index[records[start : start + 8]] = start

    def __bool__(self) -> bool:
        """A rule set that lets nobody in is one all the same: it must not count as none."""
        return True

    def __len__(self) -> int:
        return len(self.records) // RECORD

    def credentials(self) -> Iterable[Credential]:
        """All records, in order."""
        for start in range(0, len(self.records), RECORD):
            yield unpack_record(self.records[start : start + RECORD])


def build(rules: RuleSet) -> bytes:
    """The unsigned bytes of a rule set. ValueError names what does not fit."""
    _check(rules.settings)
    settings = msgspec.msgpack.encode(rules.settings)
    records = sorted({pack_record(credential) for credential in rules.credentials})
    return _body(rules.version, rules.issued_at, settings, b"".join(records))


def _check(settings: Settings) -> None:
    numbers = [door.number for door in settings.doors]
    if len(set(numbers)) != len(numbers) or not all(0 <= number < 32 for number in numbers):
        raise ValueError("doors: numbers must be different and 0–31.")
    if len(settings.hash_key) != 16:
        raise ValueError("hash_key: must be 16 bytes.")
    if len(settings.qr_key) not in {0, 32}:
        raise ValueError("qr_key: must be 32 bytes, or empty.")
    if not 0 <= settings.group < 16:
        raise ValueError("group: must be 0–15.")
    bits = [door.group_bit for door in settings.doors if door.group_bit >= 0]
    if len(set(bits)) != len(bits) or not all(bit < 32 for bit in bits):
        raise ValueError("doors: group bits must be different and at most 31.")
    for door in settings.doors:
        if unknown := set(door.interlock) - set(numbers):
            raise ValueError(f"doors: {door.code} is interlocked with the unknown door {min(unknown)}.")
    for reader in settings.readers:
        if reader.door not in numbers:
            raise ValueError(f"readers: reader {reader.number} stands at the unknown door {reader.door}.")
    Calendar(settings.zone, settings.schedules, settings.special_days)


def _body(version: int, issued_at: int, settings: bytes, records: bytes) -> bytes:
    return _HEAD.pack(MAGIC, version, issued_at, len(settings), len(records) // RECORD) + settings + records


def sign(body: bytes, key: Ed25519PrivateKey) -> bytes:
    """The blob: the body and its signature."""
    return body + key.sign(body)


def hash_of(blob: bytes) -> str:
    """SHA-256 of a whole blob in hex; empty for no blob."""
    return sha256(blob).hexdigest() if blob else ""


def load(
    blob: bytes, public_keys: Sequence[bytes], controller: str | None = None, newer_than: int | None = None
) -> Rules:
    """Check and open a blob.

    ``public_keys``: 32 bytes each, any of which may have signed it; ``controller``: the device it must be for;
    ``newer_than``: the version held. Raises Tampered, NotNewer or RuleSetError.
    """
    if len(blob) < _HEAD.size + SIGNATURE or blob[:6] != MAGIC:
        raise Tampered("This is not a rule set.")
    body, signature = blob[:-SIGNATURE], blob[-SIGNATURE:]
    if not _signed(body, signature, public_keys):
        raise Tampered("The rule set is not signed by this installation's server.")
    version, issued_at, settings, records = _parts(body)
    try:
        told = msgspec.msgpack.decode(settings, type=Settings)
    except msgspec.MsgspecError as error:
        raise RuleSetError(f"The settings of the rule set are not readable: {error}") from error
    if controller is not None and told.controller != controller:
        raise RuleSetError(f"The rule set is for {told.controller}, not for {controller}.")
    if newer_than is not None and version <= newer_than:
        raise NotNewer(f"Version {version} is not newer than {newer_than}, which is held.")
    try:
        return Rules(version, issued_at, told, records)
    except ValueError as error:
        raise RuleSetError(str(error)) from error


def _signed(body: bytes, signature: bytes, public_keys: Sequence[bytes]) -> bool:
    for key in public_keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, body)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def _parts(body: bytes) -> tuple[int, int, bytes, bytes]:
    _, version, issued_at, length, count = _HEAD.unpack_from(body)
    settings = body[_HEAD.size : _HEAD.size + length]
    records = body[_HEAD.size + length :]
    if len(settings) != length or len(records) != count * RECORD:
        raise RuleSetError("The lengths in the rule set do not add up.")
    return version, issued_at, settings, records


def _records(content: bytes) -> list[bytes]:
    return [content[start : start + RECORD] for start in range(0, len(content), RECORD)]


def delta(old: bytes, new: bytes) -> bytes:
    """What brings the blob ``old`` to the blob ``new``."""
    old_version, _, old_settings, old_records = _parts(old[:-SIGNATURE])
    version, issued_at, settings, records = _parts(new[:-SIGNATURE])
    before, after = set(_records(old_records)), set(_records(records))
    touched = {record[:8] for record in before - after}
    added = sorted(record for record in after if record not in before or record[:8] in touched)
    changed = b"" if settings == old_settings else settings
    head = _DELTA.pack(
        DELTA_MAGIC, old_version, version, sha256(old).digest(), issued_at, len(changed), len(touched), len(added)
    )
    return b"".join((head, changed, *sorted(touched), *added, new[-SIGNATURE:]))


def apply_delta(blob: bytes, change: bytes) -> bytes:
    """The blob that a delta makes of ``blob``. Raises Gap when it does not follow on, RuleSetError when it is damaged.

    The result is *not* checked here: give it to :func:`load`.
    """
    if len(change) < _DELTA.size + SIGNATURE or change[:6] != DELTA_MAGIC:
        raise RuleSetError("This is not a delta of a rule set.")
    _, before, after, digest, issued_at, length, removed, added = _DELTA.unpack_from(change)
    if len(change) != _DELTA.size + length + 8 * removed + RECORD * added + SIGNATURE:
        raise RuleSetError("The lengths in the delta do not add up.")
    if len(blob) < _HEAD.size + SIGNATURE or sha256(blob).digest() != digest:
        raise Gap(f"The delta from {before} to {after} does not follow on the rule set that is held.")
    held, _, settings, records = _parts(blob[:-SIGNATURE])
    if held != before:
        raise Gap(f"The delta follows on version {before}, but {held} is held.")
    start = _DELTA.size
    settings = change[start : start + length] or settings
    start += length
    gone = {change[at : at + 8] for at in range(start, start + 8 * removed, 8)}
    start += 8 * removed
    news = _records(change[start : start + RECORD * added])
    merged = sorted([record for record in _records(records) if record[:8] not in gone] + news)
    return _body(after, issued_at, settings, b"".join(merged)) + change[-SIGNATURE:]


def patched(blob: bytes, version: int, issued_at: int, removed: Iterable[bytes], added: Iterable[Credential]) -> bytes:
    """The unsigned bytes of a rule set that is ``blob`` without any record of the ``removed`` keys (8 bytes each), and
    with the ``added`` ones: what :func:`build` would make, without packing everybody again."""
    _, _, settings, records = _parts(blob[:-SIGNATURE])
    gone = set(removed)
    kept = [record for record in _records(records) if record[:8] not in gone]
    merged = sorted({*kept, *(pack_record(credential) for credential in added)})
    return _body(version, issued_at, settings, b"".join(merged))


def count_of(body: bytes) -> int:
    """How many records a rule set has, signed or not."""
    return int(_HEAD.unpack_from(body)[4])


def records_of(blob: bytes, keys: Iterable[bytes]) -> list[Credential]:
    """The records of some keys (8 bytes each) in a blob, in order."""
    _, _, _, records = _parts(blob[:-SIGNATURE])
    wanted = set(keys)
    return [unpack_record(record) for record in _records(records) if record[:8] in wanted]


def level(rules: Rules, key: bytes) -> list[Credential]:
    """All records of a key, in order; for the console, which asks what a door holds."""
    keys = range(0, len(rules.records), RECORD)
    first = bisect_left(keys, key, key=lambda at: rules.records[at : at + 8])
    found = []
    for start in keys[first:]:
        if rules.records[start : start + 8] != key:
            break
        found.append(unpack_record(rules.records[start : start + RECORD]))
    return found
