"""What a rule set says: doors, readers, schedules, special days and credentials."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, IntFlag, StrEnum

import msgspec

ALWAYS = 0
"""Schedule number: at all times."""
NEVER = 255
"""Schedule number: at no time."""
EPOCH = 1_577_836_800
"""2020-01-01T00:00:00Z, from which validity counts in minutes."""
NO_END = 0xFFFFFF
RECORD = 24
LEASES = (0, 7, 14, 30)
"""Days by lease class; 0 = works without any sync until its validity ends."""


class Technology(IntEnum):
    """How a credential is shown."""

    CARD = 1
    PIN = 2
    QR = 3
    VISITOR = 4
    FACE = 5
    PLATE = 6


class Flag(IntFlag):
    """Properties of a credential."""

    EXTENDED = 1
    """Slow walker: longer release and held-open times (ONVIF ExtendedReleaseTime)."""
    DURESS = 2
    """Opens normally and tells the alarm role."""
    FREE_ROAM = 4
    """No anti-passback."""
    FIRST_PERSON = 8
    """Starts an unlock schedule that waits for the first person."""
    REVOKED = 16
    """Refused with the reason; a removed credential is just unknown."""
    EMERGENCY = 32
    """Police, fire, ambulance, duty engineer: passes in locked-down modes."""
    CLONABLE = 64
    """Wiegand proximity or MIFARE Classic: can be copied; told with every decision."""


class ClockQuality(StrEnum):
    """What a controller knows of the time."""

    SYNCED = "synced"
    """Set by the server since the start."""
    HELD = "held"
    """From the battery clock, plausible, not confirmed since the start."""
    LOST = "lost"
    """Below the newest event or rule set, or wildly ahead: only a lower bound is known."""


class Side(StrEnum):
    """On which side of the door a reader stands. Who stands inside may always go out."""

    IN = "in"
    OUT = "out"


class Door(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One door of a controller. Times in seconds."""

    number: int
    """0–31: bit of the door mask."""
    code: str
    """Name in events (``featureOfInterest``); the place's code."""
    name: str = ""
    group_bit: int = -1
    """Bit (0–31) of the door in its door group's visitor codes; -1: no visitor codes here."""
    pulse: float = 5.0
    extended_pulse: float = 15.0
    held: float = 60.0
    """Open longer than this is DoorOpenTooLong."""
    extended_held: float = 120.0
    warning: float = 15.0
    """The pre-alarm sounds at the door this long before."""
    unlock_schedule: int = NEVER
    """Unlocked while this schedule is open."""
    first_person: bool = False
    """The unlock schedule begins with the first FIRST_PERSON credential granted in its span."""
    interlock: tuple[int, ...] = ()
    """Doors that must be closed and locked before this one opens."""
    tailgating: bool = False
    """People are counted by a sensor and compared with grants."""
    pin_tries: int = 5
    pin_lockout: float = 60.0
    """After so many wrong codes in a row the keypad of the door is shut; doubles each time, at most 15 minutes."""
    contact: bool = True
    """Has a door contact."""
    bolt: bool = True
    """Has a bolt sensor."""
    fire_zone: int = 0


class Reader(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A reader: where it stands, and between which anti-passback areas it lets pass (0 = no area)."""

    number: int
    door: int
    side: Side = Side.IN
    area_from: int = 0
    area_to: int = 0


class Schedule(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Wall-clock spans by day type.

    Each span is (day type, start, end) in minutes after local midnight, half-open. Day types 0–6 are Monday–Sunday, 7
    and more are groups of special days. A span whose end is not after its start crosses midnight: it begins on a day of
    its type and ends on the following day, whatever type that one has (end is understood as end + 1440).
    """

    number: int
    name: str = ""
    spans: tuple[tuple[int, int, int], ...] = ()
    special: tuple[int, ...] = ()
    """Groups of special days for which this schedule's own spans count (none given: closed that day). On a special day
    of another group the weekday counts (ONVIF special-day schedules)."""


class SpecialDay(msgspec.Struct, frozen=True):
    """A date (ISO text) that is a day of type ``day_type``: 7 and more a group such as public holidays, 0–6 a day that
    counts as that weekday (a make-up working Sunday counts as 0)."""

    date: str
    day_type: int


class Settings(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """All of a rule set but the credentials."""

    controller: str
    """Code of the device that this set is for; another refuses it."""
    zone: str
    """IANA name; schedules are wall time there."""
    hash_key: bytes
    """16 bytes, key of the credential hashes."""
    qr_key: bytes = b""
    """32 bytes, key of the door group (:func:`~shoufu.engines.doors.keys.group_key`); empty: no codes here."""
    group: int = 0
    """Number (0–15) of the door group, written into codes."""
    doors: tuple[Door, ...] = ()
    readers: tuple[Reader, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    special_days: tuple[SpecialDay, ...] = ()
    next_keys: tuple[bytes, ...] = ()
    """Further public keys (32 bytes) of the server, accepted from now on."""


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """One credential at one level. Times are Unix seconds, rounded to minutes: from down, until up."""

    key: bytes
    """8 bytes of :func:`~shoufu.engines.doors.keys.credential_key`."""
    technology: Technology
    valid_from: int = EPOCH
    valid_until: int | None = None
    schedule: int = ALWAYS
    doors: int = 0
    """Mask of door numbers."""
    person: int = 0
    """Index of the person, 0 none; the server knows whose it is."""
    flags: Flag = Flag(0)
    lease_days: int = 30
    """One of 0, 7, 14, 30: how long it works at a door that cannot reach the server."""


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """What :func:`~shoufu.engines.doors.blob.build` takes. ``version`` grows by each build of a controller's set;
    ``issued_at`` is Unix seconds."""

    version: int
    issued_at: int
    settings: Settings
    credentials: Sequence[Credential] = ()


def pack_record(credential: Credential) -> bytes:
    """The 24 bytes of a credential. ValueError names the field that does not fit."""
    if len(credential.key) != 8:
        raise ValueError("key: must be 8 bytes.")
    if credential.lease_days not in LEASES:
        raise ValueError(f"lease_days: {credential.lease_days} is none of {LEASES}.")
    if not 0 <= credential.doors < 1 << 32:
        raise ValueError("doors: the mask has 32 bits.")
    if not 0 <= credential.person < 1 << 24:
        raise ValueError("person: the index has 24 bits.")
    if not 0 <= credential.schedule <= NEVER:
        raise ValueError("schedule: must be 0–255.")
    begin = max(0, (credential.valid_from - EPOCH) // 60)
    end = NO_END if credential.valid_until is None else max(0, -((EPOCH - credential.valid_until) // 60))
    if begin > NO_END or end > NO_END:
        raise ValueError("valid_until: lies after the year 2051; leave it out for no end.")
    kind = int(credential.technology) | LEASES.index(credential.lease_days) << 4 | int(credential.flags) << 6
    return b"".join(
        (
            credential.key,
            begin.to_bytes(3, "big"),
            end.to_bytes(3, "big"),
            bytes((credential.schedule,)),
            kind.to_bytes(2, "big"),
            credential.doors.to_bytes(4, "big"),
            credential.person.to_bytes(3, "big"),
        )
    )


def unpack_record(content: bytes) -> Credential:
    """The credential of 24 bytes."""
    end = int.from_bytes(content[11:14], "big")
    kind = int.from_bytes(content[15:17], "big")
    return Credential(
        key=content[:8],
        technology=Technology(kind & 15),
        valid_from=EPOCH + 60 * int.from_bytes(content[8:11], "big"),
        valid_until=None if end == NO_END else EPOCH + 60 * end,
        schedule=content[14],
        doors=int.from_bytes(content[17:21], "big"),
        person=int.from_bytes(content[21:24], "big"),
        flags=Flag(kind >> 6),
        lease_days=LEASES[kind >> 4 & 3],
    )
