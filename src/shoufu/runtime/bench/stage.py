"""A throw-away installation for measuring: own data directory, database, NATS and edge, real settings."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoufu.runtime.bench import bulk
from shoufu.runtime.bench.kept import Kept
from shoufu.runtime.errors import Problem

if TYPE_CHECKING:
    from shoufu.kernel.places.models import Place

PORTS = (
    "SHOUFU_PORT",
    "SHOUFU_WEB_PORT",
    "SHOUFU_NATS_PORT",
    "SHOUFU_MQTT_PORT",
    "SHOUFU_PG_PORT",
    "SHOUFU_PAYGATEWAY_PORT",
)
FOREIGN = ("DATABASE_URL", "NATS_URL", "SHOUFU_SECRET_KEY", "SHOUFU_ORIGIN", "SHOUFU_GATE", "SHOUFU_HOST")
READY_SECONDS = 120.0
STOP_SECONDS = 120.0


@dataclass(frozen=True)
class Stage:
    """What runs: ports of the edge and of the MQTT listener, and the database's address."""

    port: int
    mqtt_port: int
    dsn: str
    root: Path


@dataclass(frozen=True)
class Sender:
    """A device of the stage, with its secret."""

    code: str
    secret: str
    place: int


@contextmanager
def stage(kept: Path | None = None) -> Iterator[Stage]:
    """Start everything in a temporary directory; stop it and remove the directory afterwards.

    `kept` is a directory that stays, with the data in it. Sets this process's environment, so it must come before
    Django is set up.
    """
    with _folder(kept) as folder:
        use(folder)
        from shoufu.runtime import data, env
        from shoufu.runtime.servers import nats, postgres

        layout = data.prepare()
        database = postgres.start(layout, env.get("SHOUFU_PG_PORT"))
        try:
            postgres.ensure_database(database.address)
            _migrate()
            broker = nats.start(layout, nats.ports())
            try:
                edge = start("edge", log=layout.logs / "edge.log")
                try:
                    wait_for(env.get("SHOUFU_PORT"), edge, layout.logs / "edge.log")
                    yield Stage(env.get("SHOUFU_PORT"), env.get("SHOUFU_MQTT_PORT"), postgres.dsn(), folder)
                finally:
                    stop(edge)
            finally:
                broker.stop()
        finally:
            _close_django()
            database.stop()


@contextmanager
def filled(kept: Kept, make: Callable[[], None]) -> Iterator[Stage]:
    """A stage with the data of a measurement: made by `make` on a database tuned for it, where it is not kept yet."""
    ready = kept.filled()
    with _folder(kept.folder) as folder:
        if not ready:
            with database(folder, bulk.TUNING):
                kept.fill(make)
            os.sync()
        with stage(folder) as place:
            yield place


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="shoufu-bench-") as folder:
        yield Path(folder)


@contextmanager
def database(kept: Path | None = None, tuning: Mapping[str, str] | None = None) -> Iterator[str]:
    """A throw-away database alone, migrated, with real settings; its address. As `stage`, before Django is set up.

    `tuning` is laid over the product's parameters of PostgreSQL.
    """
    with _folder(kept) as folder:
        use(folder)
        from shoufu.runtime import data, env
        from shoufu.runtime.servers import postgres

        server = postgres.start(data.prepare(), env.get("SHOUFU_PG_PORT"), tuning=tuning)
        try:
            postgres.ensure_database(server.address)
            _migrate()
            yield postgres.dsn()
        finally:
            _close_django()
            server.stop(STOP_SECONDS)


def use(folder: Path) -> None:
    """Point the settings at a folder and at ports that are free; the same folder keeps its ports."""
    if os.environ.get("SHOUFU_DATA") == str(folder) and all(name in os.environ for name in PORTS):
        return
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ["SHOUFU_DATA"] = str(folder)
    for name, number in zip(PORTS, free_ports(len(PORTS)), strict=True):
        os.environ[name] = str(number)


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now, all different."""
    holders = [socket.socket() for _ in range(count)]
    try:
        for holder in holders:
            holder.bind(("127.0.0.1", 0))
        return [int(holder.getsockname()[1]) for holder in holders]
    finally:
        for holder in holders:
            holder.close()


def start(*words: str, log: Path) -> subprocess.Popen[bytes]:
    """Start ``shoufu WORDS…`` with its output in a file."""
    from shoufu.runtime.children import die_with_parent

    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "shoufu", *words], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 – forks from the main thread
        )  # fmt: skip


def stop(process: subprocess.Popen[bytes], seconds: float = 15) -> None:
    """Ask a process to end; kill it when that takes too long."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until ``/healthz`` says yes."""
    import http.client

    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    lines = log.read_text(errors="replace").strip().splitlines()
    raise Problem(f"The edge did not start; its log ends: {lines[-1] if lines else '(empty)'}")


def _migrate() -> None:
    from django.core.management import call_command

    from shoufu.runtime import django

    django.setup()
    call_command("migrate", verbosity=0)


def _close_django() -> None:
    from django.db import connections

    connections.close_all()


def senders(compounds: int, each: int) -> list[Sender]:
    """Make a district of compounds with door controllers and return the devices with their secrets."""
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.devices import services
    from shoufu.kernel.devices.services import DeviceDraft

    places = _compounds(compounds)
    drafts = [
        DeviceDraft(f"door-{number}-{part}", "door_controller", f"门 {number}-{part}", place.pk)
        for number, place in enumerate(places)
        for part in range(each)
    ]
    made = services.register_many(SYSTEM, drafts)
    return [Sender(one.device.code, one.secret, one.device.place_id) for one in made]


def _compounds(count: int) -> Sequence[Place]:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.places import services
    from shoufu.kernel.places.services import PlaceDraft

    above = [
        PlaceDraft(kind="district", code="bench", name="测量区"),
        PlaceDraft(kind="block", code="bench-block", name="测量街道", parent="bench"),
    ]
    compounds = [
        PlaceDraft(kind="compound", code=f"bench-{number}", name=f"小区 {number}", parent="bench-block")
        for number in range(count)
    ]
    return services.create_many(SYSTEM, above + compounds)[len(above) :]
