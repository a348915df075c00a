"""Events as bytes of a stream (WHATWG HTML, server-sent events)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from shoufu.kernel.observations.wire import BatchRow

HEARTBEAT = b": \n\n"


class Shown(msgspec.Struct):
    """An observation as the browser gets it; times as RFC 3339 text in UTC."""

    id: UUID
    kind: str
    t: str
    known: str
    device: str
    place: int
    foi: str | None
    result: Any
    batch: int
    ix: int


def observation(row: BatchRow, number: int, known: str) -> bytes:
    """One observation; its event id is "batch.ix"."""
    shown = Shown(
        row.id, row.kind, rfc3339(row.t), known, row.device, row.place_id, row.foi, row.result, number, row.ix
    )
    return b"id: %d.%d\nevent: observation\ndata: %b\n\n" % (number, row.ix, msgspec.json.encode(shown))


def event(name: str, data: bytes, number: int) -> bytes:
    """Any other event; its event id is the last batch before it, so that a resumed stream goes on from there."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (number, name.encode(), data)


def rfc3339(t: float) -> str:
    """Epoch seconds as text in UTC."""
    return datetime.fromtimestamp(t, UTC).isoformat()


def position(text: str) -> tuple[int, int] | None:
    """A Last-Event-ID as (batch number, ix of the last row seen); the whole batch where it names no ix."""
    number, dot, ix = text.strip().partition(".")
    if not number.isdecimal() or len(number) > 18 or (dot and (not ix.isdecimal() or len(ix) > 9)):
        return None
    return int(number), int(ix) if dot else 1 << 31
