import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
import psycopg
import pytest

from shoufu.runtime import django

django.setup()  # a conftest below the root is imported before pytest_configure runs

from shoufu.kernel.base.actor import SYSTEM  # noqa: E402
from shoufu.kernel.devices.models import Device  # noqa: E402
from shoufu.kernel.observations import services  # noqa: E402
from shoufu.kernel.observations.directory import Directory, load  # noqa: E402
from shoufu.kernel.observations.intake import Row, admit  # noqa: E402
from shoufu.kernel.observations.wire import Batch, parse  # noqa: E402
from shoufu.kernel.observations.writer import Writer, Written  # noqa: E402
from shoufu.kernel.places.models import Place  # noqa: E402


@pytest.fixture
def dsn(transactional_db: None) -> str:
    from django.db import connection

    settings = connection.settings_dict
    return psycopg.conninfo.make_conninfo(
        dbname=settings["NAME"], user=settings["USER"], password=settings["PASSWORD"],
        host=settings["HOST"], port=settings["PORT"],
    )  # fmt: skip


@pytest.fixture
def district(transactional_db: None) -> list[Device]:
    """Two compounds with a door each; device secrets are "secret-CODE"."""
    services.sync_kinds(SYSTEM)
    services.make_partitions(SYSTEM)
    root = Place.objects.create(kind="district", code="d", name="区", path="/0/", depth=0)
    root.path = f"/{root.pk}/"
    root.save()
    return [_door(root, name) for name in ("east", "west")]


def _door(root: Place, name: str) -> Device:
    place = Place.objects.create(kind="compound", code=name, name=name, parent=root, path=f"/{name}/", depth=1)
    place.path = f"{root.path}{place.pk}/"
    place.save()
    return Device.objects.create(
        code=f"door-{name}", kind="door_controller", name=name, place=place,
        secret_hash=sha256(f"secret-door-{name}".encode()).digest(),
    )  # fmt: skip


@pytest.fixture
def directory(district: list[Device], dsn: str) -> Directory:
    async def read() -> Directory:
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            return await load(connection, shards=1)

    return asyncio.run(read())


@pytest.fixture
def item() -> Callable[..., dict[str, Any]]:
    """Makes an observation of a door as a device sends it."""

    def make(state: str = "open", at: float | None = None, **more: Any) -> dict[str, Any]:
        moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
        return {"kind": "door.state", "phenomenonTime": moment.isoformat(), "result": {"state": state}} | more

    return make


@pytest.fixture
def rows(directory: Directory) -> Callable[..., list[Row]]:
    def make(items: list[dict[str, Any]], device: str = "door-east") -> list[Row]:
        parsed, _ = parse(msgspec.json.encode(items))
        admitted = admit(parsed, directory.devices[device], directory)
        assert all(isinstance(one, Row) for one in admitted), admitted
        return admitted  # type: ignore[return-value]

    return make


@pytest.fixture
def write(dsn: str) -> Callable[..., tuple[list[Written], list[Batch]]]:
    """Write groups of rows one after another; returns what became of them and what went out."""

    def run(*groups: list[Row]) -> tuple[list[Written], list[Batch]]:
        out: list[Batch] = []

        async def publish(batch: Batch) -> None:
            out.append(batch)

        async def go() -> list[Written]:
            writer = Writer(dsn, publish, asyncio.Lock(), "test")
            try:
                return [await writer.write(group) for group in groups]
            finally:
                await writer.close()

        return asyncio.run(go()), out

    return run
