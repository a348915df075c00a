"""Batches over a real NATS: taken in order, gaps left to the database."""

import asyncio
import time

import msgspec
import pytest


@pytest.fixture
def url(nats_server: object) -> str:
    from django.conf import settings

    return str(settings.NATS_URL)


async def publish(url: str, numbers: list[int]) -> None:
    import nats

    client = await nats.connect(url)
    for number in numbers:
        row = {
            "id": "01980000-0000-7000-8000-000000000001", "t": 1.5, "kind": "door.state", "device": "d", "device_id": 1,
            "place_id": 2, "shard": 0, "foi": None, "result": {"state": "open"}, "ix": 0,
        }  # fmt: skip
        batch = {"number": number, "known": 2.0, "rows": [row], "origin": "edge"}
        await client.publish("obs.batch", msgspec.msgpack.encode(batch))
    await client.publish("obs.batch", b"not msgpack")
    await client.flush()
    await client.close()


def test_batches_come_in_order_and_stop_at_a_gap(url: str) -> None:
    from shoufu.runtime.evaluator.inbox import Inbox

    inbox = Inbox(url)
    deadline = time.monotonic() + 20
    found: list[int] = []
    while not found and time.monotonic() < deadline:
        # Until the subscription stands, messages go nowhere: send again.
        asyncio.run(publish(url, [4, 2, 3, 6]))
        inbox.wait(0.5)
        time.sleep(0.1)
        found = [batch.number for batch in inbox.after(1, 10)]
    assert found == [2, 3, 4]
    assert inbox.after(4, 10) == []
    inbox.close()
