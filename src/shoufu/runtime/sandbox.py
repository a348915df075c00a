"""A throw-away installation on free ports, for measuring and drilling on real parts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shoufu.runtime import data, env
from shoufu.runtime.servers import nats, postgres

PORTS = ("SHOUFU_PORT", "SHOUFU_WEB_PORT", "SHOUFU_NATS_PORT", "SHOUFU_MQTT_PORT", "SHOUFU_PG_PORT")
KEPT = ("SHOUFU_MODELS", "SHOUFU_CACHE")


def free_ports(count: int) -> list[int]:
    """Ports of loopback that are free now, all different."""
    holders = [socket.socket() for _ in range(count)]
    try:
        for holder in holders:
            holder.bind(("127.0.0.1", 0))
        return [int(holder.getsockname()[1]) for holder in holders]
    finally:
        for holder in holders:
            holder.close()


@dataclass
class Sandbox:
    """A running database and broker with the product's tables; `spawn` adds processes of the product."""

    root: Path
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def spawn(self, *words: str, quiet: bool = True) -> subprocess.Popen[bytes]:
        """Start `shoufu WORDS…` in this sandbox; it ends with it."""
        output = (self.root / f"{words[0]}.log").open("ab") if quiet else None
        child = subprocess.Popen([sys.executable, "-m", "shoufu", *words], stdout=output, stderr=output)
        self.children.append(child)
        return child

    def run(self, *words: str) -> None:
        """Run `shoufu WORDS…` to its end; CalledProcessError when it fails."""
        subprocess.run([sys.executable, "-m", "shoufu", *words], check=True, stdout=sys.stderr)

    def stop(self) -> None:
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _environment(root: Path, more: Mapping[str, str]) -> dict[str, str]:
    clean = {
        name: text
        for name, text in os.environ.items()
        if name in KEPT or not (name.startswith("SHOUFU_") or name in ("DATABASE_URL", "NATS_URL"))
    }
    ports = {name: str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    return clean | ports | {"SHOUFU_DATA": str(root)} | dict(more)


@contextmanager
def sandbox(more: Mapping[str, str] | None = None, with_nats: bool = True) -> Iterator[Sandbox]:
    """Start the embedded servers in a temporary data directory, apply the migrations, and remove all afterwards.

    Sets this process's environment, so call it before Django is set up.
    """
    root = Path(tempfile.mkdtemp(prefix="shoufu-sandbox-"))
    root.chmod(0o755)
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(_environment(root, more or {}))
    where = data.prepare()
    servers: list[postgres.Server | nats.Server] = []
    box = Sandbox(root)
    try:
        servers.append(postgres.start(where, env.get("SHOUFU_PG_PORT")))
        if with_nats:
            servers.append(nats.start(where, nats.ports()))
        box.run("migrate")
        yield box
    finally:
        box.stop()
        for server in reversed(servers):
            server.stop()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(root, ignore_errors=True)
