import json
import threading
import time
from collections.abc import Callable
from typing import Any

from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.devices.models import Device
from shoufu.kernel.observations.models import Observation, Rejection
from shoufu.runtime.edge import group

Item = Callable[..., dict[str, Any]]


def test_one_and_many_are_stored_before_the_answer(edge: Any, item: Item) -> None:
    status, _, answer = edge.send(item())
    assert (status, answer["stored"], Observation.objects.count()) == (200, 1, 1)
    status, _, answer = edge.send([item("closed"), item("open", id=str(uuid7()))])
    assert (status, answer["stored"], Observation.objects.count()) == (200, 2, 3)
    assert answer["items"][1]["status"] == "stored"


def test_the_same_twice_is_stored_once(edge: Any, item: Item) -> None:
    one = item(id=str(uuid7()))
    edge.send(one)
    status, _, answer = edge.send([one, item()])
    assert status == 200
    assert [entry["status"] for entry in answer["items"]] == ["duplicate", "stored"]
    assert Observation.objects.count() == 2


def test_good_items_of_a_mixed_body_are_kept_and_bad_ones_counted(edge: Any, item: Item, eventually: Any) -> None:
    status, _, answer = edge.send([item(), item("ajar"), item() | {"kind": "no.such"}])
    assert status == 207
    assert [entry["status"] for entry in answer["items"]] == ["stored", "refused", "refused"]
    assert answer["items"][1]["field"] == "/result/state"
    assert Observation.objects.count() == 1
    eventually(lambda: Rejection.objects.filter(device_code="door-east").count() == 2)
    assert set(Rejection.objects.values_list("reason", flat=True)) == {"schema", "kind"}


def test_all_bad_is_a_problem_that_names_each_field(edge: Any, item: Item) -> None:
    status, headers, answer = edge.send([item("ajar"), item(at=0)])
    assert status == 422
    assert headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer["errors"]] == ["/0/result/state", "/1/phenomenonTime"]
    assert Observation.objects.count() == 0


def test_bad_bodies_and_credentials(edge: Any, item: Item) -> None:
    assert edge.send(b"{not json")[0] == 400
    assert edge.send(b"[" * 200_000)[0] == 400
    assert edge.send(b" " * (1 << 20) + b"[]")[0] == 413
    assert edge.send(item(), device="nobody")[0] == 401
    assert edge.request("POST", "/v1/observations", b"{}")[0] == 401
    assert edge.request("GET", "/v1/observations")[0] == 405
    assert edge.send(item(device="door-west"))[0] == 422


def test_a_revoked_secret_is_refused_soon(edge: Any, item: Item, eventually: Any) -> None:
    assert edge.send(item())[0] == 200
    Device.objects.filter(code="door-east").update(secret_hash=None)
    eventually(lambda: edge.send(item())[0] == 401, 5)


def test_a_full_queue_says_when_to_come_back(edge: Any, item: Item, monkeypatch: Any) -> None:
    monkeypatch.setattr(group, "LIMIT_ROWS", 0)
    status, headers, answer = edge.send(item())
    assert (status, headers["retry-after"]) == (429, "1")
    assert answer["type"] == "urn:shoufu:busy"


def test_many_at_once_lose_and_double_nothing(edge: Any, item: Item) -> None:
    ids = [[str(uuid7()) for _ in range(20)] for _ in range(8)]
    statuses: list[int] = []
    now = time.time()

    def post(group_ids: list[str]) -> None:
        for _ in range(3):  # the same three times, as a device does that heard no answer
            statuses.append(edge.send([item(at=now, id=one) for one in group_ids])[0])

    threads = [threading.Thread(target=post, args=(group_ids,)) for group_ids in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 24
    assert Observation.objects.count() == 160


def test_a_dead_database_is_said_so_and_nothing_is_acknowledged(edge: Any, item: Item) -> None:
    for writer in edge.parts.group._writers:
        writer._dsn = "host=127.0.0.1 port=1 dbname=none"
        writer._connection = None
    status, headers, _ = edge.send(item())
    assert (status, headers["retry-after"]) == (503, "2")


def test_unknown_paths_go_to_the_page_server_and_say_when_it_is_away(edge: Any) -> None:
    status, headers, body = edge.request("GET", "/somewhere")
    assert status == 502
    assert "retry-after" in headers and "页面" in body.decode()


def test_the_page_server_gets_the_request_as_it_came(edge: Any, web_port: int) -> None:
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            text = json.dumps([self.path, dict(self.headers), body.decode()]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Set-Cookie", "a=1")
            self.send_header("Set-Cookie", "b=2")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None: ...

    page = ThreadingHTTPServer(("127.0.0.1", web_port), Page)
    threading.Thread(target=page.serve_forever, daemon=True).start()
    try:
        for _ in range(3):
            status, headers, answer = edge.request(
                "POST", "/form/%E9%97%A8?x=1", b"y" * 300_000, {"Cookie": "s=1", "X-Forwarded-For": "6.6.6.6"}
            )
            path, given, body = answer
            assert status == 200
            assert path == "/form/%E9%97%A8?x=1" and len(body) == 300_000
            names = {name.lower(): value for name, value in given.items()}
            assert names["cookie"] == "s=1"
            assert names["x-forwarded-for"] == "127.0.0.1"
    finally:
        page.shutdown()
