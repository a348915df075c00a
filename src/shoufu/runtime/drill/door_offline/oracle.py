"""The judge: the written rules once more, as plainly as possible, sharing no code with the engine.

Reads what the drill wrote down, in order, and says for every decision what it should have been with what the door could
know then: the rule set in force there, its clock, what it had accepted before.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from shoufu.runtime.drill.door_offline.notes import Answered, Boot, Cut, Heard, Note, Renewed, Shown, Took

CARD, PIN, QR, VISITOR = 1, 2, 3, 4
DAY = 86_400.0
EPOCH = 1_577_836_800
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
TOLERANCE = 6.0


@dataclass
class Table:
    """A rule set as the console published it."""

    version: int
    issued: int
    settings: dict[str, Any]
    records: list[tuple[bytes, int, int, int, int, int, int, int]]
    """Key, from, until (0xFFFFFF: none), schedule, technology, lease days, flags, doors."""


def table(blob: bytes) -> Table:
    """Read a blob by the format's description."""
    _, version, issued, length, count = struct.unpack_from(">6sIQII", blob)
    settings = msgspec.msgpack.decode(blob[26 : 26 + length])
    rows = []
    for number in range(count):
        row = blob[26 + length + 24 * number :][:24]
        kind = row[15] << 8 | row[16]
        begin, end = int.from_bytes(row[8:11], "big"), int.from_bytes(row[11:14], "big")
        lease = (0, 7, 14, 30)[kind >> 4 & 3]
        rows.append((row[:8], begin, end, row[14], kind & 15, lease, kind >> 6, int.from_bytes(row[17:21], "big")))
    return Table(version, issued, settings, rows)


@dataclass
class Door:
    """What one controller can know."""

    code: str
    version: int = 0
    synced_at: float = 0.0
    quality: str = "lost"
    unsure: bool = False
    base: tuple[float, float] = (0.0, 0.0)
    error: float = 2.0
    last_low: float = 0.0
    last_high: float = 0.0
    booted: float = 0.0
    steps: dict[bytes, int] = field(default_factory=dict)
    passes: dict[tuple[bytes, int], int] = field(default_factory=dict)
    doubtful: set[bytes] = field(default_factory=set)
    wrong_pins: int = 0
    lockouts: int = 0
    locked_until: float = 0.0
    open: dict[tuple[int, int], tuple[Shown, list[tuple[str, Any, Any]]]] = field(default_factory=dict)


class Oracle:
    """Judges notes of one drill. ``tables``: (controller, version) → blob."""

    def __init__(self, blobs: dict[tuple[str, int], bytes], readers: dict[str, int]) -> None:
        self._blobs = blobs
        self._tables: dict[tuple[str, int], Table] = {}
        self._readers = readers
        self._doors: dict[str, Door] = {}
        self._hashes: dict[tuple[bytes, int, bytes], bytes] = {}
        self.decisions = 0
        self.wrong: list[str] = []
        self.reasons: dict[str, int] = {}
        self.promised: set[str] = set()
        self._events: dict[tuple[str, int, int], str] = {}

    def take(self, note: Note) -> None:
        """The next note of its controller."""
        door = self._doors.setdefault(note.site, Door(note.site))
        if isinstance(note, Boot):
            self._boot(door, note)
        elif isinstance(note, Heard):
            self._heard(door, note)
        elif isinstance(note, Renewed):
            if note.clock != "lost":
                door.synced_at = note.now
        elif isinstance(note, Took):
            if note.version <= door.version:
                self.wrong.append(f"{door.code}: rule set {note.version} after {door.version}")
            door.version = note.version
        elif isinstance(note, Shown):
            self._shown(door, note)
        elif isinstance(note, Answered):
            shown, _ = door.open.pop((note.boot, note.sequence))
            door.last_low = max(door.last_low, shown.now)
            self.promised.add(shown.event)
        elif isinstance(note, Cut):
            self._cut(door)

    def _table(self, door: Door) -> Table | None:
        if not door.version:
            return None
        key = (door.code, door.version)
        if key not in self._tables:
            self._tables[key] = table(self._blobs[key])
        return self._tables[key]

    def _boot(self, door: Door, note: Boot) -> None:
        if note.version != door.version:
            self.wrong.append(f"{door.code}: started with rule set {note.version}, held {door.version}")
            door.version = note.version
        told = self._table(door)
        issued = float(told.issued) if told else 0.0
        verdicts = {_plausible(note.wall, max(low, issued)) for low in (door.last_low, door.last_high)}
        door.quality = "held" if verdicts == {True} else "lost"
        door.unsure = len(verdicts) > 1
        door.base = (note.wall, note.uptime)
        door.booted = note.uptime
        if door.quality == "held":
            door.last_high = max(door.last_high, note.wall)
        door.wrong_pins = door.lockouts = 0
        door.locked_until = 0.0

    def _heard(self, door: Door, note: Heard) -> None:
        known = door.error + 20e-6 * (note.uptime - door.base[1])
        if door.quality != "synced" or note.took / 2 <= known:
            door.base, door.error = (note.real, note.uptime), note.took / 2
        door.quality, door.unsure = "synced", False
        if door.last_high > note.real + 5:
            door.last_low = min(door.last_low, note.real)
            door.last_high = note.real
            # Events on their way to the disk were stamped by the wrong clock too, and must not hold the time back.
            for key, (shown, effects) in door.open.items():
                earlier = msgspec.structs.replace(shown, now=min(shown.now, note.real))
                door.open[key] = (earlier, effects)

    def _cut(self, door: Door) -> None:
        for shown, effects in door.open.values():
            door.last_high = max(door.last_high, shown.now)
            for name, key, before in effects:
                # Whether this was on the disk nobody knows.
                door.doubtful.add(key if name == "step" else key[0])
                del before
        door.open.clear()

    def _shown(self, door: Door, note: Shown) -> None:
        self.decisions += 1
        self._check_clock(door, note)
        granted, reason, effects, key = self._judge(door, note)
        fits = (granted, reason) == (note.granted, note.reason)
        if not fits and key in door.doubtful and note.reason in ("granted", "code_used", "pass_used_up"):
            fits = True
            effects = effects or []
        if note.version != door.version:
            self.wrong.append(f"{door.code}: decided by rule set {note.version}, {door.version} was in force")
        if not fits:
            self.wrong.append(f"{door.code} {note.boot}/{note.sequence}: {note.reason}, should be {reason}")
        self.reasons[note.reason] = self.reasons.get(note.reason, 0) + 1
        if note.granted:
            for name, one, value in effects:
                if name == "step":
                    door.steps[one] = value
                else:
                    door.passes[one] = door.passes.get(one, 0) + 1
        door.open[note.boot, note.sequence] = (note, effects if note.granted else [])
        door.last_high = max(door.last_high, note.now)

    def _check_clock(self, door: Door, note: Shown) -> None:
        if door.quality == "lost" and not door.unsure:
            told = self._table(door)
            floor = max(door.last_low, float(told.issued) if told else 0.0)
            if _plausible(note.wall, floor) and floor > 0 and note.clock == "held":
                door.quality, door.base = "held", (note.wall, note.uptime)
        if door.unsure:
            door.quality, door.unsure = note.clock, False
            if note.clock == "held":
                door.base = (note.now, note.uptime)
        if note.clock != door.quality:
            self.wrong.append(f"{door.code} {note.boot}/{note.sequence}: clock {note.clock}, should be {door.quality}")
            door.quality = note.clock
        if door.quality == "lost":
            if note.now < door.last_low - 0.01:
                self.wrong.append(f"{door.code} {note.boot}/{note.sequence}: time before the last event")
            return
        expected = door.base[0] + note.uptime - door.base[1]
        if abs(note.now - expected) > TOLERANCE + door.error:
            self.wrong.append(f"{door.code} {note.boot}/{note.sequence}: {note.now - expected:.1f} s off")

    def _uncertain(self, door: Door, note: Shown) -> bool:
        if door.quality == "synced":
            return door.error + 20e-6 * (note.uptime - door.base[1]) > 30
        return 2.0 + 20e-6 * max(0.0, note.now - door.synced_at) > 30

    def _judge(self, door: Door, note: Shown) -> tuple[bool, str, list[tuple[str, Any, Any]], bytes]:
        told = self._table(door)
        if told is None:
            return False, "no_rules", [], b""
        settings = told.settings
        reader = next((r for r in settings.get("readers", []) if r["number"] == self._readers[door.code]), None)
        if reader is None:
            return False, "unknown_reader", [], b""
        number = reader["door"]
        rule = next(d for d in settings["doors"] if d["number"] == number)
        if note.technology == PIN and note.uptime < door.locked_until:
            return False, "pin_locked_out", [], b""
        if note.technology in (CARD, PIN):
            key = self._hash(settings["hash_key"], note.technology, note.identifier)
            granted, reason = self._levels(told, door, note, key, number)
            if note.technology == PIN:
                self._pin(door, note, rule, reason)
            return granted, reason, [], key
        return self._code(told, door, note, number, rule)

    def _pin(self, door: Door, note: Shown, rule: dict[str, Any], reason: str) -> None:
        if reason != "unknown_credential":
            door.wrong_pins = door.lockouts = 0
            return
        door.wrong_pins += 1
        if door.wrong_pins >= rule.get("pin_tries", 5):
            door.locked_until = note.uptime + min(900.0, rule.get("pin_lockout", 60.0) * 2**door.lockouts)
            door.lockouts = min(door.lockouts + 1, 10)
            door.wrong_pins = 0

    def _hash(self, key: bytes, technology: int, identifier: bytes) -> bytes:
        asked = (key, technology, identifier)
        if asked not in self._hashes:
            content = bytes([technology]) + identifier
            self._hashes[asked] = hashlib.blake2b(content, digest_size=8, key=key).digest()
        return self._hashes[asked]

    def _levels(self, told: Table, door: Door, note: Shown, key: bytes, number: int) -> tuple[bool, str]:
        mine = [row for row in told.records if row[0] == key]
        if not mine:
            return False, "unknown_credential"
        if any(row[6] & 16 for row in mine):
            return False, "revoked"
        stages = ["not_at_this_door", "validity", "lease_expired", "schedule", "granted"]
        best, word = -1, ""
        for row in mine:
            stage, reason = self._level(told, door, note, row, number)
            if stages.index(stage) > best:
                best, word = stages.index(stage), reason
        return word == "granted", word

    def _level(self, told: Table, door: Door, note: Shown, row: Any, number: int) -> tuple[str, str]:
        _, begin, end, schedule, _, lease, _, doors = row
        lost = note.clock == "lost"
        if not doors & 1 << number:
            return "not_at_this_door", "not_at_this_door"
        if end != 0xFFFFFF and note.now >= EPOCH + 60 * end:
            return "validity", "expired"
        if note.now < EPOCH + 60 * begin:
            return "validity", "clock_lost" if lost else "not_yet_valid"
        if lease and note.now >= door.synced_at + lease * DAY:
            return "lease_expired", "lease_expired"
        if schedule == 0:
            return "granted", "granted"
        if lost:
            return "schedule", "clock_lost"
        if not _open(told.settings, schedule, note.now):
            return "schedule", "outside_schedule"
        return "granted", "granted"

    def _code(
        self, told: Table, door: Door, note: Shown, number: int, rule: dict[str, Any]
    ) -> tuple[bool, str, list[tuple[str, Any, Any]], bytes]:
        settings = told.settings
        content = _base45(note.identifier.decode())
        kinds = {(1, 19): 8, (2, 32): 10}
        size = kinds.get((content[0] >> 4, len(content)), 0) if content else 0
        if not content or not size:
            return False, "code_unreadable", [], b""
        if not settings.get("qr_key"):
            return False, "no_codes_here", [], b""
        if content[0] & 15 != settings.get("group", 0):
            return False, "other_group", [], b""
        resident = len(content) == 19
        about = b"shoufu doors resident\x00" + content[1:7] if resident else b"shoufu doors visitor\x00" + content[1:18]
        secret = _hkdf(settings["qr_key"], about)
        if hmac.new(secret, content[:-size], "sha256").digest()[:size] != content[-size:]:
            return False, "code_forged", [], b""
        if note.clock == "lost" or self._uncertain(door, note):
            return False, "clock_lost", [], b""
        step = int.from_bytes(content[7:11] if resident else content[18:22], "big")
        key = self._hash(settings["hash_key"], QR if resident else VISITOR, content[1:7])
        turning = resident or step != 0 or not content[17] & 64
        present = int(note.now // 30)
        if turning and not present - 1 <= step <= present + 1:
            return False, "code_old" if step < present else "code_early", [], key
        if turning and step <= door.steps.get(key, -1):
            return False, "code_used", [], key
        effects: list[tuple[str, Any, Any]] = [("step", key, step)] if turning else []
        if resident:
            granted, reason = self._levels(told, door, note, key, number)
            return granted, reason, effects if granted else [], key
        reason = self._visitor(told, door, note, content, key, number, rule)
        if reason == "granted" and content[17] & 31:
            effects.append(("pass", (key, -1 if content[17] & 32 else number), 1))
        return reason == "granted", reason, effects if reason == "granted" else [], key

    def _visitor(
        self, told: Table, door: Door, note: Shown, content: bytes, key: bytes, number: int, rule: dict[str, Any]
    ) -> str:
        if any(row[0] == key and row[6] & 16 for row in told.records):
            return "revoked"
        begin, minutes = int.from_bytes(content[7:11], "big"), int.from_bytes(content[11:13], "big")
        doors, use = int.from_bytes(content[13:17], "big"), content[17]
        bit = rule.get("group_bit", -1)
        if bit < 0 or not doors >> bit & 1:
            return "not_at_this_door"
        if note.now < begin:
            return "not_yet_valid"
        if note.now >= begin + 60 * minutes:
            return "expired"
        own = sum(1 << d["group_bit"] for d in told.settings["doors"] if d.get("group_bit", -1) >= 0)
        if use & 32 and use & 31 and doors & ~own:
            return "pass_not_bound"
        if use & 31 and door.passes.get((key, -1 if use & 32 else number), 0) >= use & 31:
            return "pass_used_up"
        return "granted"


def _plausible(wall: float, floor: float) -> bool:
    return floor > 0 and floor - 2 <= wall <= floor + 400 * DAY


def _open(settings: dict[str, Any], number: int, now: float) -> bool:
    schedule = next((s for s in settings.get("schedules", []) if s["number"] == number), None)
    if schedule is None:
        return False
    local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(settings["zone"]))
    minute = local.hour * 60 + local.minute
    return _inside(settings, schedule, local.date(), minute) or _inside(
        settings, schedule, local.date() - timedelta(days=1), minute + 1440
    )


def _inside(settings: dict[str, Any], schedule: dict[str, Any], day: date, minute: int) -> bool:
    """Whether a span that begins on this day holds so many minutes after its midnight."""
    kind = day.weekday()
    for special in settings.get("special_days", []):
        if special["date"] == day.isoformat():
            own = [span[0] for span in schedule.get("spans", [])] + list(schedule.get("special", []))
            if special["day_type"] < 7 or special["day_type"] in own:
                kind = special["day_type"]
    for span_kind, start, end in schedule.get("spans", []):
        until = end if end > start else end + 1440
        if span_kind == kind and start <= minute < until:
            return True
    return False


def _hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256, no salt, 32 bytes: one block."""
    extracted = hmac.new(bytes(32), key, "sha256").digest()
    return hmac.new(extracted, info + b"\x01", "sha256").digest()


def _base45(text: str) -> bytes:
    """RFC 9285; empty for what is none."""
    found = b""
    try:
        for start in range(0, len(text), 3):
            part = text[start : start + 3]
            number = sum(LETTERS.index(letter) * 45**place for place, letter in enumerate(part))
            found += number.to_bytes({3: 2, 2: 1}[len(part)], "big")
    except (ValueError, KeyError, OverflowError):
        return b""
    return found
