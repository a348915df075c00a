"""What the drill writes down of every controller, for the judge: one JSON object a line."""

from __future__ import annotations

from typing import Any

import msgspec


class Boot(msgspec.Struct, tag="boot"):
    """A start: the battery clock then (Unix s), the monotonic clock, the version of the rule set found on the disk."""

    site: str
    boot: int
    wall: float
    uptime: float
    version: int


class Heard(msgspec.Struct, tag="heard"):
    """The server told its time: true time then, and the seconds that its answer took."""

    site: str
    real: float
    uptime: float
    took: float


class Renewed(msgspec.Struct, tag="renewed"):
    """The server confirmed the rule set held; the door's time then, and whether it took it as the start of leases."""

    site: str
    now: float
    clock: str


class Took(msgspec.Struct, tag="rules"):
    """A rule set came into force."""

    site: str
    version: int
    real: float


class Shown(msgspec.Struct, tag="shown"):
    """A credential was shown, and what the controller said. ``wall``: the system's clock at that moment."""

    site: str
    boot: int
    sequence: int
    event: str
    real: float
    wall: float
    uptime: float
    now: float
    clock: str
    uncertainty: float
    technology: int
    identifier: bytes
    granted: bool
    reason: str
    version: int


class Answered(msgspec.Struct, tag="answered"):
    """The event of a decision was on the disk, and the door acted."""

    site: str
    boot: int
    sequence: int


class Cut(msgspec.Struct, tag="cut"):
    """The power went."""

    site: str


class Revoked(msgspec.Struct, tag="revoked"):
    """A connected controller refused a revoked credential for the first time, seconds after the revocation began."""

    site: str
    seconds: float


class Count(msgspec.Struct, tag="count"):
    """Figures of one controller's life."""

    site: str
    power_cuts: int
    network_cuts: int
    lost_answers: int
    bytes_lost: int
    skipped_days: float
    refused: int
    left: int


Note = Boot | Heard | Renewed | Took | Shown | Answered | Cut | Revoked | Count
decode = msgspec.json.Decoder(Note).decode
encode = msgspec.json.Encoder().encode


class Material(msgspec.Struct):
    """What a worker needs. ``cards`` … are what people hold, those who were never registered among them."""

    port: int
    public: str
    sites: list[tuple[str, str]]
    """Code and secret of each controller."""
    readers: dict[str, int]
    seconds: float
    seed: int
    lying: bool
    cards: list[str]
    pins: list[str]
    phones: list[tuple[bytes, bytes, int]]
    """Credential id, key, group."""
    fixed: list[str]
    turning: list[tuple[bytes, bytes, int]]
    """Head, key, bytes of HMAC shown."""
    notes: str


class Order(msgspec.Struct):
    """From the drill to a worker: watch for the refusal of this card, or bring everything to its end."""

    watch: str = ""
    real: float = 0.0
    end: bool = False


def any_of(**fields: Any) -> bytes:
    """An order as a line."""
    return encode(Order(**fields)) + b"\n"
