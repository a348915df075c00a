"""``intake.observations``: how the product's own processes store observations through the edge."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import nats
import nats.errors
import pytest

from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.observations.models import Observation
from shoufu.runtime.edge.internal import SUBJECT

Item = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(edge: Any, nats_server: Any) -> Callable[[Any], Any]:
    def request(body: Any) -> Any:
        async def talk() -> Any:
            client = await nats.connect(nats_server.url)
            try:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                return json.loads((await client.request(SUBJECT, content, timeout=10)).data)
            finally:
                await client.close()

        return asyncio.run(talk())

    return request


def test_the_answer_comes_after_the_commit_as_over_http(ask: Any, item: Item) -> None:
    answer = ask([item(device="door-east"), item("closed", device="door-west")])
    assert [entry["status"] for entry in answer["items"]] == ["stored", "stored"]
    assert set(Observation.objects.values_list("device__code", flat=True)) == {"door-east", "door-west"}


def test_the_same_twice_is_stored_once(ask: Any, item: Item) -> None:
    one = item(device="door-east", id=str(uuid7()))
    assert [ask(one)["items"][0]["status"] for _ in range(2)] == ["stored", "duplicate"]
    assert Observation.objects.count() == 1


def test_good_items_of_a_mixed_body_are_kept(ask: Any, item: Item) -> None:
    answer = ask([item(device="door-east"), item("ajar", device="door-east")])
    assert [entry["status"] for entry in answer["items"]] == ["stored", "refused"]
    assert answer["items"][1]["field"] == "/result/state"
    assert Observation.objects.count() == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b'[{"kind": 1}', b"\xff\xfe"])
def test_what_is_no_observation_is_answered_with_a_problem(ask: Any, body: bytes) -> None:
    answer = ask(body)
    assert answer.get("title") or answer.get("items") == []
    assert not Observation.objects.exists()


def test_an_unknown_device_or_none_is_said(ask: Any, item: Item) -> None:
    for body in (item(), item(device="nobody")):
        assert ask(body)["status"] == 422
    assert not Observation.objects.exists()
