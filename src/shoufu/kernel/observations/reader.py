from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import psycopg

from shoufu.kernel.observations.schema import ResultError, Validator
from shoufu.kernel.observations.wire import Batch, BatchRow

Connection = psycopg.Connection[Any]

ROW = """
o.id, extract(epoch FROM o.t)::float8, o.kind, d.code, o.device, o.place, o.shard, o.foi, o.result::text, o.ix
"""
HEADS = """
SELECT number, key, extract(epoch FROM known)::float8 FROM batch_log WHERE number > %s ORDER BY number LIMIT %s
"""
BATCH_ROWS = f"""
SELECT o.batch, {ROW} FROM obs o JOIN devices_device d ON d.id = o.device
WHERE o.batch = ANY(%s) AND (%s::int IS NULL OR o.shard = %s) ORDER BY o.batch, o.ix
"""
SPAN_ROWS = f"""
SELECT 0, {ROW} FROM obs o JOIN devices_device d ON d.id = o.device JOIN observations_observationkind k ON k.id = o.kind
WHERE o.t >= %s AND o.t < %s AND (%s::int IS NULL OR o.shard = %s)
ORDER BY o.t, d.code COLLATE "C", k.code COLLATE "C", o.id
"""
LAST = "SELECT coalesce(max(number), 0) FROM batch_log"


@dataclass(frozen=True)
class Kinds:
    """The kinds by the number of their row, with their validators: rows decode as they did when they came in."""

    codes: Mapping[int, str]
    validators: Mapping[int, Validator]

    def row(self, values: Sequence[Any]) -> BatchRow:
        id, t, kind, device, device_id, place_id, shard, foi, result, ix = values
        decoded = msgspec.to_builtins(self.validators[kind].decode(result))
        return BatchRow(id, t, self.codes[kind], device, device_id, place_id, shard, foi, decoded, ix)


def kinds(connection: Connection) -> Kinds:
    """The kinds as they are in the database now."""
    rows = connection.execute("SELECT id, code, schema::text FROM observations_observationkind").fetchall()
    return Kinds({row[0]: row[1] for row in rows}, {row[0]: _lenient(row[2]) for row in rows})


class _Lenient(Validator):
    """Decodes what was stored under an older version of the schema too."""

    def decode(self, text: bytes | str | msgspec.Raw) -> Any:  # type: ignore[override]
        raw = text.encode() if isinstance(text, str) else text
        try:
            return super().decode(raw)
        except ResultError:
            return msgspec.json.decode(raw)


# Every batch asks for the kinds; checking and compiling their schemas costs more than the batch.
@lru_cache(maxsize=1024)
def _lenient(schema: str) -> _Lenient:
    return _Lenient(msgspec.json.decode(schema))


def last_number(connection: Connection) -> int:
    """The number of the newest batch; 0 for an empty log."""
    row = connection.execute(LAST).fetchone()
    return int(row[0]) if row else 0


def batches(connection: Connection, after: int, limit: int = 100, shard: int | None = None) -> list[Batch]:
    """Up to `limit` batches with a number over `after`, in order and without a gap; rows in their order of arrival.

    With `shard`, only its rows; a batch without any is there all the same, so that the reader's number moves on.
    """
    heads = connection.execute(HEADS, [after, limit]).fetchall()
    if not heads:
        return []
    found: dict[int, list[BatchRow]] = {key: [] for _, key, _ in heads}
    known = kinds(connection)
    for values in connection.execute(BATCH_ROWS, [list(found), shard, shard]).fetchall():
        found[values[0]].append(known.row(values[1:]))
    return [Batch(number, moment, found[key]) for number, key, moment in heads]


def span(connection: Connection, since: datetime, until: datetime, shard: int | None = None) -> Iterator[BatchRow]:
    """Rows with since ≤ t < until in the total order (t, device code, kind code, id), by a server-side cursor.

    The connection must be in a transaction or allow one to be opened; memory stays at 5,000 rows.
    """
    known = kinds(connection)
    with connection.transaction(), connection.cursor(name="obs_span") as cursor:
        cursor.itersize = 5000
        cursor.execute(SPAN_ROWS, [since, until, shard, shard])
        for values in cursor:
            yield known.row(values[1:])


MISSED = f"""
SELECT b.number, extract(epoch FROM b.known)::float8, {ROW}
FROM batch_log b JOIN obs o ON o.batch = b.key JOIN devices_device d ON d.id = o.device
JOIN places_place p ON p.id = o.place
WHERE b.number BETWEEN %(number)s AND %(last)s AND (b.number, o.ix) > (%(number)s, %(ix)s)
AND EXISTS (SELECT FROM unnest(%(roots)s::text[]) AS root WHERE starts_with(p.path, root))
ORDER BY b.number, o.ix LIMIT %(limit)s
"""


def after(
    connection: Connection, position: tuple[int, int], last: int, roots: Sequence[str], limit: int
) -> list[tuple[int, float, BatchRow]]:
    """(number, known, row) after the position (number, ix) up to batch `last`, in the subtrees of `roots`, in order."""
    known = kinds(connection)
    given = {"number": position[0], "ix": position[1], "last": last, "roots": list(roots), "limit": limit}
    found = connection.execute(MISSED, given).fetchall()
    return [(values[0], values[1], known.row(values[2:])) for values in found]


OF_DEVICES = f"""
SELECT b.number, extract(epoch FROM b.known)::float8, {ROW}
FROM batch_log b JOIN obs o ON o.batch = b.key JOIN devices_device d ON d.id = o.device
WHERE b.number > %(after)s AND b.number <= %(last)s AND o.device = ANY(%(devices)s)
ORDER BY b.number, o.t, d.code COLLATE "C", o.id
"""


def of_devices(
    connection: Connection, after: int, last: int, devices: Sequence[int]
) -> list[tuple[int, float, BatchRow]]:
    """(number, known, row) of some devices in the batches after < number ≤ last, batch by batch, each in order of t."""
    known = kinds(connection)
    given = {"after": after, "last": last, "devices": list(devices)}
    found = connection.execute(OF_DEVICES, given).fetchall()
    return [(values[0], values[1], known.row(values[2:])) for values in found]
