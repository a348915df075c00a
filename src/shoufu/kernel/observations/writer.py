import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from shoufu.kernel.observations.intake import Row
from shoufu.kernel.observations.wire import Batch, Fault

COLUMNS = "batch, known, ix, id, t, kind, device, place, shard, foi, result"
COPY = f"COPY obs ({COLUMNS}) FROM STDIN"
COPY_ASIDE = f"COPY obs_aside ({COLUMNS}) FROM STDIN"
ASIDE = "CREATE TEMPORARY TABLE IF NOT EXISTS obs_aside (LIKE obs INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"
MERGE = f"INSERT INTO obs ({COLUMNS}) SELECT {COLUMNS} FROM obs_aside ORDER BY ix ON CONFLICT DO NOTHING RETURNING ix"
KEYS_AT_ONCE = 1000

STORED, DUPLICATE = "stored", "duplicate"
Outcome = str | Fault
"""What became of a row: STORED, DUPLICATE, or a Fault when the database refused it."""
Publish = Callable[[Batch], Awaitable[None]]


class Unavailable(Exception):
    """The database does not answer; nothing is known to be stored. Sending the same again is safe."""


@dataclass(slots=True)
class Written:
    """One outcome a row, in order."""

    outcomes: list[Outcome]


class Writer:
    """Writes batches into the log, one at a time, over one connection of its own.

    A batch is one COPY; only after a unique violation does it go through a temporary table that leaves out what is
    stored already. `tail` is shared by the writers of a process: number, commit and `publish` happen under it, so that
    batches go out in their order. Source of the method: measured in design/architecture.md.
    """

    def __init__(self, dsn: str, publish: Publish, tail: asyncio.Lock, origin: str = "") -> None:
        self._dsn = dsn
        self._publish = publish
        self._tail = tail
        self._origin = origin
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._key = self._last_key = 0

    async def write(self, rows: Sequence[Row]) -> Written:
        """Store the rows; returns once they are committed. Unavailable when the database does not answer."""
        try:
            return await self._write(rows)
        except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
            await self.close()
            raise Unavailable(str(error)) from error

    async def close(self) -> None:
        """Close the connection; the next write opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error, OSError):
                await connection.close()

    async def _write(self, rows: Sequence[Row]) -> Written:
        connection = await self._connected()
        try:
            await self._store(connection, rows)
        except psycopg.errors.UniqueViolation:
            await connection.rollback()
            return await self._write_aside(connection, rows)
        except psycopg.errors.CheckViolation:
            await connection.rollback()
            await _make_partitions(connection, rows)
            return await self._write_aside(connection, rows)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            await connection.rollback()
            return await self._write_halves(rows, error)
        return Written([STORED] * len(rows))

    async def _store(self, connection: psycopg.AsyncConnection[Any], rows: Sequence[Row]) -> None:
        key = await self._next_key(connection)
        async with connection.cursor() as cursor:
            await cursor.execute("BEGIN")
            async with cursor.copy(COPY) as copy:
                await copy.write(_text(rows, key))
            await self._finish(cursor, rows, key, None)

    async def _write_aside(self, connection: psycopg.AsyncConnection[Any], rows: Sequence[Row]) -> Written:
        key = await self._next_key(connection)
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(ASIDE)
                await cursor.execute("BEGIN")
                async with cursor.copy(COPY_ASIDE) as copy:
                    await copy.write(_text(rows, key))
                await cursor.execute(MERGE)
                kept = {row[0] for row in await cursor.fetchall()}
                if kept:
                    await self._finish(cursor, rows, key, kept)
                else:
                    await cursor.execute("ROLLBACK")
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            await connection.rollback()
            return await self._write_halves(rows, error)
        return Written([STORED if ix in kept else DUPLICATE for ix in range(len(rows))])

    async def _finish(
        self, cursor: psycopg.AsyncCursor[Any], rows: Sequence[Row], key: int, kept: set[int] | None
    ) -> None:
        count = len(rows) if kept is None else len(kept)
        statement = f"SELECT number, extract(epoch FROM known)::float8 FROM log_batch({key}, {count}); COMMIT"
        async with self._tail:
            await cursor.execute(sql.SQL(statement))  # type: ignore[arg-type]
            answer = await cursor.fetchone()
            assert answer is not None
            number, known = answer
            out = []
            for ix, row in enumerate(rows):
                if kept is None or ix in kept:
                    row.out.ix = ix
                    out.append(row.out)
            await self._publish(Batch(number, known, out, self._origin))

    async def _write_halves(self, rows: Sequence[Row], error: psycopg.Error) -> Written:
        """The database refused a value: find the row, so that the others are kept."""
        if len(rows) == 1:
            reason = (error.diag.message_primary or str(error)).strip()
            return Written([Fault("refused", "/result", f"The database refused it ({reason}): correct the value.")])
        middle = len(rows) // 2
        first, second = await self._write(rows[:middle]), await self._write(rows[middle:])
        return Written(first.outcomes + second.outcomes)

    async def _next_key(self, connection: psycopg.AsyncConnection[Any]) -> int:
        if self._key >= self._last_key:
            row = await (await connection.execute("SELECT nextval('batch_key')")).fetchone()
            assert row is not None
            self._key, self._last_key = row[0], row[0] + KEYS_AT_ONCE
        self._key += 1
        return self._key - 1

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._dsn, autocommit=True, connect_timeout=5, application_name="shoufu-writer"
            )
            await self._connection.execute("SET timezone = 'UTC'")
            self._key = self._last_key
        return self._connection


def _text(rows: Sequence[Row], key: int) -> bytes:
    head = b"%d\t%b\t" % (key, datetime.now(UTC).isoformat().encode())
    return b"".join([b"%b%d\t%b" % (head, ix, row.copy) for ix, row in enumerate(rows)])


async def _make_partitions(connection: psycopg.AsyncConnection[Any], rows: Sequence[Row]) -> None:
    times = [row.out.t for row in rows]
    days = [time.strftime("%Y-%m-%d", time.gmtime(stamp)) for stamp in (min(times), max(times))]
    await connection.execute("SELECT obs_make_partitions(%s::date, %s::date)", days)
