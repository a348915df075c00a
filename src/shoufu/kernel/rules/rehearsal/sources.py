"""Where the frames of a span come from: the archive for closed days, the database for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.conf import settings

from shoufu.kernel.rules.database import uri
from shoufu.kernel.rules.evaluation import to_microseconds
from shoufu.kernel.rules.models import HistoryDay
from shoufu.kernel.rules.rehearsal import archive, database
from shoufu.kernel.rules.rehearsal.frames import Frame, Part
from shoufu.kernel.rules.rehearsal.result import Load
from shoufu.kernel.rules.spec import KindLike


@dataclass(frozen=True)
class Piece:
    """A UTC day, or the part of one that the span covers."""

    day: date
    since: datetime
    until: datetime
    archived: bool


def pieces(shard: int, since: datetime, until: datetime) -> list[Piece]:
    """The days of a span in order. An archived day is read whole: what lies outside of the span is cut off by time."""
    archived = set(HistoryDay.objects.filter(shard=shard).values_list("day", flat=True))
    home = archive.history()
    found = []
    day, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    while day <= last:
        start, end = archive.bounds(day)
        whole = day in archived and home.has(shard, day)
        if max(start, since) < min(end, until):
            found.append(Piece(day, max(start, since), min(end, until), whole))
        day += timedelta(days=1)
    return found


def frames(kinds: Mapping[str, KindLike], shard: int, since: datetime, until: datetime) -> list[Load]:
    """A loader for each day of the span with the rows of these kinds; shards keep apart what rules keep apart."""
    return [_loader(piece, kinds, shard) for piece in pieces(shard, since, until)]


def _loader(piece: Piece, kinds: Mapping[str, KindLike], shard: int) -> Load:
    # Rows of the open day stay in memory between two loads: they cost a query, and the day still grows.
    kept: dict[str, Part | None] = {}

    def load() -> Frame:
        return Frame([part for code in kinds if (part := _part(code)) is not None])

    def _part(code: str) -> Part | None:
        if piece.archived:
            found = archive.history().part(shard, piece.day, code, kinds[code])
            return found.between(to_microseconds(piece.since), to_microseconds(piece.until)) if found else None
        if code not in kept:
            kept[code] = database.read_part(uri(), code, kinds[code], shard, piece.since, piece.until)
        return kept[code]

    return load


def shards() -> Sequence[int]:
    return range(settings.SHARDS)
