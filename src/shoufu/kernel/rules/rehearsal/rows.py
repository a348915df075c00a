"""Single rows of the log, for reasons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psycopg

from shoufu.kernel.observations import reader
from shoufu.kernel.rules.evaluation import Row, microseconds, to_datetime
from shoufu.kernel.rules.rehearsal.matching import Mark

BY_ID = f"""
SELECT {reader.ROW} FROM obs o JOIN devices_device d ON d.id = o.device
WHERE o.id = ANY(%s) AND o.t >= %s AND o.t <= %s
"""
OF_DEVICE = f"""
SELECT {reader.ROW} FROM obs o JOIN devices_device d ON d.id = o.device
WHERE o.device = %s AND o.t > %s AND o.t <= %s AND (%s::int[] IS NULL OR o.kind = ANY(%s))
ORDER BY o.t, o.kind, o.id LIMIT 500
"""
MOST_IDS = 20
REACH = timedelta(days=31)


class RowReader:
    """Reads the rows behind some marks with one query; those of days that were dropped are simply not there."""

    def __init__(self, connection: psycopg.Connection[Any], marks: Sequence[Mark]) -> None:
        self.connection = connection
        self.kinds = reader.kinds(connection)
        ids = sorted({one for mark in marks for one in mark.observations[-MOST_IDS:]})
        self._rows: dict[str, tuple[int, Row]] = {}
        if ids:
            times = [to_datetime(mark.t) for mark in marks]
            found = connection.execute(BY_ID, [ids, min(times) - REACH, max(times)]).fetchall()
            self._rows = {row.id: (t, row) for t, row in map(self._row, found)}

    def of(self, mark: Mark) -> list[tuple[int, Row]]:
        """The rows that made it, oldest first."""
        return [self._rows[one] for one in mark.observations[-MOST_IDS:] if one in self._rows]

    def following(self, row: Row, after: int, until: int, kinds: Sequence[str] | None = None) -> list[tuple[int, Row]]:
        """Rows of the same device (of some kinds) after one time and up to another, 500 at most."""
        codes = None if kinds is None else [number for number, code in self.kinds.codes.items() if code in kinds]
        bounds = [row.device_id, to_datetime(after), to_datetime(until), codes, codes]
        found = self.connection.execute(OF_DEVICE, bounds).fetchall()
        return [self._row(values) for values in found]

    def _row(self, values: tuple[Any, ...]) -> tuple[int, Row]:
        read = self.kinds.row(values)
        row = Row(
            str(read.id), read.t, read.kind, read.device, read.device_id, read.place_id, read.shard, read.foi,
            read.result, read.ix,
        )  # fmt: skip
        return microseconds(read.t), row
