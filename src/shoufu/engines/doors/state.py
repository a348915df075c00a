"""What a controller remembers, what it is asked, and what it answers."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from .model import ClockQuality, Side, Technology
from .reasons import Alarm, Reason


class Mode(StrEnum):
    """Modes of a door (ONVIF Door Control, DoorMode)."""

    LOCKED = "Locked"
    UNLOCKED = "Unlocked"
    ACCESSED = "Accessed"
    BLOCKED = "Blocked"
    LOCKED_DOWN = "LockedDown"
    LOCKED_OPEN = "LockedOpen"
    DOUBLE_LOCKED = "DoubleLocked"


class Bolt(StrEnum):
    """What the bolt's sensor says."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"
    FAULT = "fault"
    UNKNOWN = "unknown"


class Contact(StrEnum):
    """What the door contact says."""

    CLOSED = "closed"
    OPEN = "open"
    FAULT = "fault"
    UNKNOWN = "unknown"


class DoorState(msgspec.Struct, kw_only=True):
    """A door is four facts: command, bolt, contact, mode. Times named ``…_until`` and ``…_at`` without a word in their
    docstring are seconds of the controller's monotonic clock."""

    mode: Mode | None = None
    """Ordered by a person; None: the schedule decides."""
    mode_until: float | None = None
    """Unix seconds; None: until changed."""
    unlocked_until: float = 0.0
    """The command: the lock is told to be open until then."""
    bolt: Bolt = Bolt.UNKNOWN
    contact: Contact = Contact.UNKNOWN
    opened_at: float | None = None
    held_until: float = 0.0
    warned: bool = False
    too_long: bool = False
    forced: bool = False
    grants: int = 0
    """Grants since the door was last closed."""
    counted: int = 0
    """People counted since the door was last closed."""
    first_person_span: int | None = None
    """The local day number whose unlock span a first person has begun."""
    pin_wrong: int = 0
    pin_lockouts: int = 0
    pin_locked_until: float = 0.0


class State(msgspec.Struct, kw_only=True):
    """All that decisions depend on besides the rule set. ``synced_at``: Unix seconds of the server's last answer, 0
    never."""

    doors: dict[int, DoorState] = {}
    synced_at: float = 0.0
    fire: set[int] = set()
    """Fire zones released and not yet reset by a person."""
    fire_inputs: set[int] = set()
    """Fire zones whose input is active now."""
    areas: dict[int, tuple[int, float]] = {}
    """Where a person was last seen: area, Unix seconds."""
    steps: dict[bytes, int] = {}
    """Last accepted step of a code, by credential key."""
    passes: dict[tuple[bytes, int], int] = {}
    """Used passes, by key of the pass and door (-1: all doors)."""

    def door(self, number: int) -> DoorState:
        """State of a door, made when first asked for."""
        found = self.doors.get(number)
        if found is None:
            found = self.doors[number] = DoorState()
        return found

    def see(self, person: int, area: int, at: float) -> None:
        """Note where a person is; news from before what is known changes nothing."""
        known = self.areas.get(person)
        if known is None or known[1] <= at:
            self.areas[person] = (area, at)

    def forgive(self, person: int | None = None) -> None:
        """Forget where one person is, or everybody (anti-passback reset)."""
        if person is None:
            self.areas.clear()
        else:
            self.areas.pop(person, None)

    def forget_area(self, area: int) -> None:
        """Whoever was there may have left by a button: from now on nobody knows."""
        for person in [person for person, (where, _) in self.areas.items() if where == area]:
            del self.areas[person]


class Request(msgspec.Struct, kw_only=True):
    """A credential shown at a reader. ``identifier``: see the package's docstring, for QR and VISITOR the text as read;
    ``now`` Unix seconds, ``uptime`` monotonic seconds; ``uncertainty`` how far ``now`` may be off, seconds."""

    reader: int
    technology: Technology
    identifier: bytes
    now: float
    uptime: float
    clock: ClockQuality = ClockQuality.SYNCED
    uncertainty: float = 0.0


class Decision(msgspec.Struct, kw_only=True):
    """The answer. ``pulse``: seconds for which the lock opens (0 where it is open anyway); ``key`` of the credential (8
    bytes, empty unknown); ``flags`` are bits of Flag; ``step`` and ``passes_key``: what this grant uses up."""

    granted: bool
    reason: Reason
    version: int = 0
    clock: ClockQuality = ClockQuality.SYNCED
    door: int = -1
    reader: int = -1
    side: Side = Side.IN
    technology: Technology = Technology.CARD
    mode: Mode = Mode.LOCKED
    key: bytes = b""
    person: int = 0
    flags: int = 0
    pulse: float = 0.0
    held: float = 0.0
    alarms: tuple[Alarm, ...] = ()
    step: int | None = None
    passes_key: tuple[bytes, int] | None = None

    @property
    def duress(self) -> bool:
        """Opened under duress: for the alarm role only."""
        return Alarm.DURESS in self.alarms
