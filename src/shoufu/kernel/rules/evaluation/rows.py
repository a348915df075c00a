"""What goes into an evaluation and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

SECOND = 1_000_000
"""All times inside are whole microseconds since 1970 (UTC), as PostgreSQL keeps them: sums stay exact."""

Key = Any
"""What a rule's state is kept by: a device or place id, a feature, or (device id, feature)."""


class Row(msgspec.Struct, gc=False):
    """A row of the log as it comes from the nerve; `t` in epoch seconds, `ix` its place in the batch."""

    id: str
    t: float
    kind: str
    device: str
    device_id: int
    place_id: int
    shard: int
    foi: str | None
    result: Any
    ix: int = -1


NOTHING = msgspec.Raw(b"\xc0")
"""No row, as it is packed."""
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Row)


def pack(row: Row) -> msgspec.Raw:
    """A row as states keep it: one block of bytes.

    Kept as it is, a row is a dozen small objects between those of its neighbours, which are soon let go. Memory full
    of such holes made decoding new rows twice as slow.
    """
    return msgspec.Raw(_encoder.encode(row))


def unpack(packed: msgspec.Raw) -> Row:
    return _decoder.decode(packed)


class Batch(msgspec.Struct, gc=False):
    """A committed batch; `known` in epoch seconds."""

    number: int
    known: float
    rows: list[Row]


def microseconds(t: float) -> int:
    """Epoch seconds as whole microseconds."""
    return round(t * 1e6)


class Firing(msgspec.Struct):
    """A rule fired. (version, key, t) is its identity; `t` in microseconds, `observations` the rows that made it.

    `suppressed` fell into the cool-down; `late` came of a row behind the watermark (only rules that match single rows).
    """

    version: int
    key: str
    t: int
    place: int
    device: int
    observations: tuple[str, ...]
    why: list[dict[str, Any]]
    batch: int = 0
    suppressed: bool = False
    late: bool = False

    @property
    def order(self) -> tuple[int, int, str]:
        return self.t, self.version, self.key


class Late(msgspec.Struct, gc=False):
    """A row behind the watermark: in the log, counted, but without effect on any state."""

    id: str
    t: int
    batch: int


@dataclass(slots=True)
class Output:
    """What some batches made: firings sorted by (t, version, key), late rows in the order of the log."""

    firings: list[Firing] = field(default_factory=list)
    late: list[Late] = field(default_factory=list)
    rows: int = 0
