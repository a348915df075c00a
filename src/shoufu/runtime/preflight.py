"""What must be true before the start: each check is one sentence that says what to do."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from shoufu.runtime import env
from shoufu.runtime.data import Layout
from shoufu.runtime.errors import Problem
from shoufu.runtime.servers import nats, postgres

SPACE_NEEDED = 300 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Port:
    """A port that we shall listen on, and the setting that moves it."""

    setting: str
    host: str
    purpose: str

    @property
    def number(self) -> int:
        """The port's number from the settings."""
        return int(env.get(self.setting))


def ports() -> list[Port]:
    """Every port that ``shoufu up`` takes with the present settings."""
    found = [
        Port("SHOUFU_PORT", str(env.get("SHOUFU_HOST")), "the console and the API"),
        Port("SHOUFU_WEB_PORT", "127.0.0.1", "the page server"),
    ]
    if nats.embedded():
        found.append(Port("SHOUFU_NATS_PORT", "127.0.0.1", "NATS"))
        found.append(Port("SHOUFU_MQTT_PORT", str(env.get("SHOUFU_MQTT_HOST")), "MQTT"))
    if postgres.embedded():
        found.append(Port("SHOUFU_PG_PORT", "127.0.0.1", "PostgreSQL"))
    if env.get("SHOUFU_DEMO"):
        found.append(Port("SHOUFU_PAYGATEWAY_PORT", "127.0.0.1", "the test payment gateway"))
    return found


def check(layout: Layout) -> None:
    """Run every check for a start in this data directory; the first that fails is raised as :class:`Problem`."""
    for problem in problems(layout):
        raise problem


def problems(layout: Layout) -> Iterator[Problem]:
    """Everything that would stop a start in this data directory, ports included."""
    yield from space(layout)
    yield from taken_ports()
    yield from databases()


def space(layout: Layout) -> Iterator[Problem]:
    """Too little room on the disk of the data directory."""
    free = shutil.disk_usage(layout.root).free
    if free < SPACE_NEEDED:
        yield Problem(
            f"The disk of the data directory {layout.root} is full ({free // 2**20} MB free, "
            f"{SPACE_NEEDED // 2**20} MB needed): free some space, or set SHOUFU_DATA to another directory."
        )


def taken_ports() -> Iterator[Problem]:
    """Ports that another program listens on, or that two of our settings share."""
    seen: dict[int, str] = {}
    for port in ports():
        if port.number in seen:
            yield Problem(
                f"{port.setting} and {seen[port.number]} are both {port.number}: give one of them another port."
            )
            continue
        seen[port.number] = port.setting
        reason = _refusal(port)
        if reason:
            yield Problem(
                f"Port {port.number} on {port.host} for {port.purpose} cannot be used ({reason}): "
                f"stop the program that holds it, or set {port.setting} to a free port."
            )


def _refusal(port: Port) -> str:
    family = socket.AF_INET6 if ":" in port.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.host, port.number))
        except (OSError, OverflowError) as error:
            return getattr(error, "strerror", None) or str(error)
    return ""


def databases() -> Iterator[Problem]:
    """``DATABASE_URL`` and ``NATS_URL`` that do not answer."""
    if not postgres.embedded():
        yield from _own_postgres()
    if not nats.embedded():
        yield from _own_nats()


def _own_postgres() -> Iterator[Problem]:
    import psycopg

    try:
        with psycopg.connect(postgres.dsn(), connect_timeout=5) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        yield Problem(f"The database of DATABASE_URL does not answer ({reason}): start it, or correct DATABASE_URL.")
        return
    if version < 150000:
        yield Problem(f"The database of DATABASE_URL is PostgreSQL {version // 10000}: version 15 or newer is needed.")


def _own_nats() -> Iterator[Problem]:
    address = urlsplit(nats.url().split(",")[0])
    try:
        socket.create_connection((address.hostname or "", address.port or 4222), timeout=5).close()
    except OSError as error:
        yield Problem(
            f"The NATS server of NATS_URL does not answer ({error.strerror or error}): start it, or correct NATS_URL."
        )
