import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Item = Callable[..., dict[str, Any]]


class Stream:
    """A browser's EventSource, in small."""

    def __init__(self, port: int, token: str, path: str = "/live", last: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        resume = f"last-event-id: {last}\r\n" if last else ""
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{resume}\r\n".encode()
        )
        self._file = self._socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        while self._file.readline().strip():
            pass

    def event(self) -> tuple[str, str, Any]:
        """The next event: name, id, data."""
        found: dict[str, str] = {}
        while True:
            line = self._file.readline().decode().rstrip("\r\n")
            if not line and "data" in found:
                return found.get("event", ""), found.get("id", ""), json.loads(found["data"])
            name, colon, value = line.partition(": ")
            if colon and name:
                found[name] = value

    def events(self, count: int) -> list[tuple[str, str, Any]]:
        return [self.event() for _ in range(count)]

    def silent(self, seconds: float = 0.6) -> bool:
        """Whether no event comes for a while."""
        self._socket.settimeout(seconds)
        try:
            self.event()
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@pytest.fixture
def listen(edge: Any, token: Any) -> Iterator[Callable[..., Stream]]:
    open_streams: list[Stream] = []

    def start(compound: str, **more: str) -> Stream:
        before = len(edge.parts.hub)
        stream = Stream(edge.port, token(compound), **more)
        open_streams.append(stream)
        deadline = time.monotonic() + 5
        while stream.status == 200 and len(edge.parts.hub) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        return stream

    yield start
    for stream in open_streams:
        stream.close()


def test_a_guard_hears_of_the_own_compound_only(edge: Any, listen: Any, item: Item) -> None:
    east, west = listen("east"), listen("west")
    edge.send([item("open"), item("closed")])
    name, id, data = east.event()
    assert (name, data["result"], data["device"]) == ("observation", {"state": "open"}, "door-east")
    assert id == f"{data['batch']}.{data['ix']}"
    assert east.event()[2]["result"] == {"state": "closed"}
    assert west.silent()


def test_strangers_hear_nothing(edge: Any) -> None:
    assert Stream(edge.port, "sft_nonsense").status == 401
    assert edge.request("GET", "/live")[0] == 401


def test_a_stream_resumes_where_it_was(edge: Any, listen: Any, item: Item) -> None:
    first = listen("east")
    edge.send([item("open", featureOfInterest=f"n{n}", at=time.time() - n) for n in range(3)])
    _, seen, _ = first.event()
    first.close()
    edge.send(item("closed"), device="door-west")
    edge.send(item("closed", featureOfInterest="n3"))
    again = listen("east", last=seen)
    edge.send(item("open", featureOfInterest="n4"))
    assert [data["foi"] for _, _, data in again.events(4)] == ["n1", "n2", "n3", "n4"]


def test_a_stream_that_was_away_too_long_is_told_to_load_anew(
    edge: Any, listen: Any, monkeypatch: Any, item: Item
) -> None:
    from shoufu.runtime.edge.live import replay

    monkeypatch.setattr(replay, "MAX_ROWS", 2)
    edge.send(item())
    edge.send([item(featureOfInterest=f"n{n}") for n in range(5)])
    assert listen("east", last="1.0").event()[0] == "resync"
    assert listen("east", last="nonsense").event()[0] == "resync"


def test_events_of_other_processes_reach_whoever_may_see_them(edge: Any, listen: Any, district: Any) -> None:
    from shoufu.kernel.base.nerve import nerve

    east, west = listen("east"), listen("west")
    message = {"path": district["east"].path, "event": "raised", "id": "7", "data": {"number": "C-7"}}
    deadline = time.monotonic() + 5
    while not nerve()._client.is_connected and time.monotonic() < deadline:
        time.sleep(0.02)
    nerve().publish("live.case", message)
    name, _, data = east.event()
    assert (name, data["event"], data["data"]) == ("case", "raised", {"number": "C-7"})
    assert west.silent()


def test_a_stream_can_be_narrowed(edge: Any, listen: Any, district: Any, item: Item) -> None:
    cases_only = listen("east", path="/live?events=case")
    edge.send(item())
    assert cases_only.silent()
    assert listen("east", path=f"/live?place={district['west'].pk}").status == 404
    assert listen("east", path=f"/live?place={district['east'].path}").status == 200


def test_dead_clients_are_forgotten(edge: Any, listen: Any, eventually: Any) -> None:
    stream = listen("east")
    assert len(edge.parts.hub) == 1
    stream.close()
    eventually(lambda: len(edge.parts.hub) == 0)


def test_a_withdrawn_role_ends_the_stream(edge: Any, listen: Any, item: Item, monkeypatch: Any) -> None:
    from django.utils import timezone

    from shoufu.kernel.access.models import RoleAssignment
    from shoufu.runtime.edge import signin
    from shoufu.runtime.edge.live import stream as module

    monkeypatch.setattr(signin, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(module, "HEARTBEAT_EVERY", 0.0)
    stream = listen("east")
    RoleAssignment.objects.update(until=timezone.now())
    edge.send([item(), item("closed")])
    stream.event()
    stream.event()
    deadline = time.monotonic() + 5
    while len(edge.parts.hub) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(edge.parts.hub) == 0


def test_a_browsers_session_is_enough(edge: Any, district: Any, item: Item) -> None:
    from django.conf import settings
    from django.test import Client

    from shoufu.kernel.access.models import User

    browser = Client()
    browser.force_login(User.objects.get(username="guard-east"), backend=settings.AUTHENTICATION_BACKENDS[0])
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as connection:
        connection.sendall(
            f"GET /live HTTP/1.1\r\nhost: x\r\ncookie: a=b; {settings.SESSION_COOKIE_NAME}={cookie}\r\n\r\n".encode()
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert edge.request("GET", "/live", headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}=nonsense"})[0] == 401
