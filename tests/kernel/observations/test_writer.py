import asyncio
import time
from collections.abc import Callable
from typing import Any

import psycopg

from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.observations import reader
from shoufu.kernel.observations.intake import Row
from shoufu.kernel.observations.models import BatchLog, Observation
from shoufu.kernel.observations.wire import Batch, Fault
from shoufu.kernel.observations.writer import DUPLICATE, STORED, Unavailable, Writer

Rows = Callable[..., list[Row]]
Write = Callable[..., Any]
Item = Callable[..., dict[str, Any]]


def test_stores_a_batch_and_sends_it_out(item: Item, rows: Rows, write: Write) -> None:
    written, out = write(rows([item("open"), item("closed", featureOfInterest="track:\t\\17")]))
    assert written[0].outcomes == [STORED, STORED]
    stored = list(Observation.objects.order_by("ix"))
    assert [row.result for row in stored] == [{"state": "open"}, {"state": "closed"}]
    assert stored[1].foi == "track:\t\\17"
    assert [row.ix for row in out[0].rows] == [0, 1]
    assert BatchLog.objects.get().number == out[0].number


def test_same_id_twice_is_stored_once(item: Item, rows: Rows, write: Write) -> None:
    one = item(id=str(uuid7()))
    written, out = write(rows([one, item("closed"), one]), rows([one]), rows([one, item("closed", at=time.time() - 9)]))
    assert [group.outcomes for group in written] == [
        [STORED, STORED, DUPLICATE], [DUPLICATE], [DUPLICATE, STORED],
    ]  # fmt: skip
    assert Observation.objects.count() == 3
    assert [len(batch.rows) for batch in out] == [2, 1]
    assert [row.count for row in BatchLog.objects.order_by("number")] == [2, 1]


def test_same_content_without_id_is_stored_once(item: Item, rows: Rows, write: Write) -> None:
    now = time.time()
    written, _ = write(rows([item(at=now)]), rows([item(at=now)]), rows([item(at=now)], "door-west"))
    assert [group.outcomes[0] for group in written] == [STORED, DUPLICATE, STORED]


def test_a_day_without_a_partition_gets_one(item: Item, rows: Rows, write: Write, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT obs_drop_partitions(current_date + 9)").fetchall()
    written, _ = write(rows([item(), item(at=time.time() - 86400 * 5)]))
    assert written[0].outcomes == [STORED, STORED]


def test_a_value_the_database_refuses_fails_alone(item: Item, rows: Rows, write: Write) -> None:
    good = rows([item(at=time.time() - n) for n in range(5)])
    good[3].copy = good[3].copy.replace(b'"open"', b'"\\\\ud800"')
    written, _ = write(good)
    assert [type(one) for one in written[0].outcomes] == [str, str, str, Fault, str]
    assert Observation.objects.count() == 4


def test_numbers_have_no_gap_under_concurrent_writers(item: Item, rows: Rows, dsn: str) -> None:
    out: list[Batch] = []

    async def publish(batch: Batch) -> None:
        out.append(batch)

    async def go() -> None:
        tail = asyncio.Lock()
        writers = [Writer(dsn, publish, tail) for _ in range(3)] + [Writer(dsn, publish, asyncio.Lock())]

        async def produce(writer: Writer, offset: int) -> None:
            for n in range(10):
                await writer.write(rows([item(at=time.time() - offset * 100 - n)]))
            await writer.close()

        await asyncio.gather(*(produce(writer, offset) for offset, writer in enumerate(writers)))

    asyncio.run(go())
    numbers = list(BatchLog.objects.order_by("number").values_list("number", "known"))
    assert [number for number, _ in numbers] == list(range(numbers[0][0], numbers[0][0] + 40))
    assert [known for _, known in numbers] == sorted({known for _, known in numbers})
    assert sorted(batch.number for batch in out) == [number for number, _ in numbers]


def test_reader_gives_what_went_out(item: Item, rows: Rows, write: Write, dsn: str) -> None:
    items = [item(at=time.time() - n, featureOfInterest=f"f{n}") for n in range(3)]
    reading = item() | {"kind": "environment.reading", "result": {"quantity": "noise", "value": 60}}
    _, out = write(rows(items), rows([reading], "door-west"))
    with psycopg.connect(dsn) as connection:
        read = reader.batches(connection, 0)
        first = read[0].number
        assert [batch.number for batch in read] == [batch.number for batch in out]
        assert reader.batches(connection, first)[0].rows[0].result == {"quantity": "noise", "value": 60.0}
        assert [(row.id, row.t, row.ix, row.foi) for row in read[0].rows] == [
            (row.id, row.t, row.ix, row.foi) for row in out[0].rows
        ]
        assert reader.last_number(connection) == first + 1


def test_an_unreachable_database_is_said_so(item: Item, rows: Rows) -> None:
    async def publish(batch: Batch) -> None:
        raise AssertionError

    async def go() -> None:
        writer = Writer("host=127.0.0.1 port=1 dbname=none", publish, asyncio.Lock())
        try:
            await writer.write(rows([item()]))
        except Unavailable:
            return
        raise AssertionError

    asyncio.run(go())
