"""Delivery against a real HTTP server that can be told to refuse."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from shoufu.runtime.watcher.http_sink import HttpSink
from shoufu.runtime.watcher.sink import Observed


class Edge(ThreadingHTTPServer):
    """Takes what is posted; `answers` are statuses to give first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[int] = []
        self.taken: list[tuple[str, dict, str, bytes]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Edge

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            url = urlsplit(self.path)
            self.server.taken.append((url.path, parse_qs(url.query), self.headers["Authorization"], body))
        answer = b'{"stored":1,"refused":0}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def edge():
    server = Edge()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def observed(number: int) -> Observed:
    return Observed("cam", "object.count", 1_790_000_000.0 + number, {"persons": number, "vehicles": 0})


def wait_for(condition) -> bool:
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(condition())


def persons(edge: Edge) -> list[int]:
    bodies = [json.loads(body) for path, _, _, body in edge.taken if path == "/v1/observations"]
    return [item["result"]["persons"] for body in bodies for item in body]


def test_everything_arrives_once_in_order_with_the_credential(edge: Edge, tmp_path: Path):
    sink, media = HttpSink(edge.address, "secret"), uuid4()
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    sink.publish([observed(1), observed(2)])
    sink.store_snapshot("cam", media, b"jpeg", 1_790_000_000.0)
    sink.store_clip("cam", uuid4(), clip, 1_790_000_000.0, 1_790_000_010.0)
    sink.publish([observed(3)])
    sink.start()
    sink.close(20)
    assert persons(edge) == [1, 2, 3]
    assert [path for path, *_ in edge.taken] == ["/v1/observations", "/v1/media", "/v1/media", "/v1/observations"]
    assert {credential for _, _, credential, _ in edge.taken} == {"Bearer secret"}
    query = edge.taken[1][1]
    assert query["id"] == [str(media)]
    assert query["device"] == ["cam"]
    assert "until" in edge.taken[2][1]
    assert not clip.exists()
    assert sink.delivered.sent == 5


def test_an_edge_that_is_busy_is_asked_again(edge: Edge):
    edge.answers = [503, 429, 401]
    sink = HttpSink(edge.address, "secret")
    sink.start()
    sink.publish([observed(1)])
    assert wait_for(lambda: persons(edge) == [1])
    assert sink.delivered.retries == 3
    sink.close()


def test_what_is_refused_is_counted_and_does_not_stop_the_rest(edge: Edge):
    edge.answers = [422]
    sink = HttpSink(edge.address, "secret")
    sink.start()
    sink.publish([observed(1)])
    assert wait_for(lambda: sink.delivered.refused == 1)
    sink.publish([observed(2)])
    assert wait_for(lambda: persons(edge) == [2])
    sink.close()


def test_while_the_edge_is_away_the_oldest_goes_first_and_is_counted():
    sink = HttpSink("http://127.0.0.1:9", "secret")
    sink.publish([observed(number) for number in range(20_005)])
    assert sink.delivered.dropped == 5
    sink.close()
