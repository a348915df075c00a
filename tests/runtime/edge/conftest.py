import asyncio
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shoufu.runtime import django

django.setup()  # a conftest below the root is imported before pytest_configure runs

from shoufu.kernel.access import selectors as access  # noqa: E402
from shoufu.kernel.access.models import RoleAssignment, User  # noqa: E402
from shoufu.kernel.access.services import create_token  # noqa: E402
from shoufu.kernel.base.actor import SYSTEM  # noqa: E402
from shoufu.kernel.devices.models import Device  # noqa: E402
from shoufu.kernel.observations import services  # noqa: E402
from shoufu.kernel.places.models import Place  # noqa: E402
from shoufu.runtime.edge import server  # noqa: E402
from shoufu.runtime.servers import nats  # noqa: E402


@dataclass
class Running:
    """An edge in a thread of this process, over the test's database and NATS."""

    port: int
    parts: server.Parts

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers and decoded body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, content, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        kind = answer.headers.get("content-type", "")
        return answer.status, dict(answer.headers), json.loads(text) if "json" in kind else text

    def send(self, body: Any, device: str = "door-east") -> tuple[int, dict[str, str], Any]:
        """POST observations with a device's secret."""
        headers = {"Authorization": f"Bearer secret-{device}", "Content-Type": "application/json"}
        return self.request("POST", "/v1/observations", body, headers)


def wait_until(done: Callable[[], Any], seconds: float = 10) -> None:
    """Wait for something that takes a moment."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.03)


@pytest.fixture
def eventually() -> Callable[..., None]:
    return wait_until


@pytest.fixture
def district(transactional_db: None) -> dict[str, Any]:
    """Two compounds, east and west, each with a door (secret "secret-CODE") and a guard."""
    services.sync_kinds(SYSTEM)
    services.make_partitions(SYSTEM)
    root = Place.objects.create(kind="district", code="d", name="区", path="/0/", depth=0)
    Place.objects.filter(pk=root.pk).update(path=f"/{root.pk}/")
    root.refresh_from_db()
    return {name: _compound(root, name) for name in ("east", "west")}


def _compound(root: Place, name: str) -> Place:
    place = Place.objects.create(kind="compound", code=name, name=name, parent=root, path=f"/{name}/", depth=1)
    place.path = f"{root.path}{place.pk}/"
    place.save()
    Device.objects.create(
        code=f"door-{name}", kind="door_controller", name=name, place=place,
        secret_hash=sha256(f"secret-door-{name}".encode()).digest(),
    )  # fmt: skip
    guard = User.objects.create(username=f"guard-{name}")
    RoleAssignment.objects.create(user=guard, role="guard", place=place, since=datetime(2020, 1, 1, tzinfo=UTC))
    return place


@pytest.fixture
def token(district: dict[str, Any]) -> Callable[[str], str]:
    def make(compound: str) -> str:
        return create_token(access.actor_for_user(User.objects.get(username=f"guard-{compound}")), "test").token

    return make


@pytest.fixture
def item() -> Callable[..., dict[str, Any]]:
    def make(state: str = "open", at: float | None = None, **more: Any) -> dict[str, Any]:
        moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
        return {"kind": "door.state", "phenomenonTime": moment.isoformat(), "result": {"state": state}} | more

    return make


@pytest.fixture
def web_port() -> int:
    """Where the page server would be; nothing listens there unless a test does."""
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])


@pytest.fixture
def edge(district: dict[str, Any], nats_server: nats.Server, tmp_path: Path, web_port: int) -> Iterator[Running]:
    from django.db import connection

    from shoufu.runtime import data

    settings = connection.settings_dict
    options = server.Options(
        dsn=psycopg.conninfo.make_conninfo(
            dbname=settings["NAME"], user=settings["USER"], password=settings["PASSWORD"],
            host=settings["HOST"], port=settings["PORT"],
        ),
        nats_url=nats_server.url, web_port=web_port, uploads=tmp_path / "uploads",
        issuer_seed=nats.issuer_seed(), account=nats.ACCOUNT, nats_log=data.layout().logs / "nats.log",
    )  # fmt: skip
    holder: dict[str, Any] = {}
    started = threading.Event()

    async def main() -> None:
        parts = server.Parts(options)
        options.uploads.mkdir()
        running = server.Server(server.configuration(parts, "127.0.0.1", 0), parts)
        holder.update(parts=parts, server=running)
        task = asyncio.create_task(running._serve())
        while not running.started:
            await asyncio.sleep(0.01)
        holder["port"] = running.servers[0].sockets[0].getsockname()[1]
        started.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert started.wait(10)
    found = Running(holder["port"], holder["parts"])
    wait_until(lambda: found.request("GET", "/healthz")[0] == 200)
    wait_until(lambda: holder["parts"].broker.signing)
    yield found
    holder["server"].should_exit = True
    thread.join(15)
    assert not thread.is_alive()
