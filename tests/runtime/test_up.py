"""The product as a user starts it: every process, the sign-in page, a killed database, a second start, and the end."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from shoufu.runtime import preflight, processes
from shoufu.runtime.supervisor import status
from shoufu.runtime.supervisor.status import ProcessStatus

pytestmark = pytest.mark.timeout(240)


class Product:
    """``shoufu up`` on a data directory with its own ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        held = [socket.socket() for _ in preflight.ports()]
        for holder in held:
            holder.bind(("127.0.0.1", 0))
        ports = {port.setting: holder.getsockname()[1] for port, holder in zip(preflight.ports(), held, strict=True)}
        for holder in held:
            holder.close()
        self.port = ports["SHOUFU_PORT"]
        self.environment = dict(os.environ) | {name: str(number) for name, number in ports.items()}
        self.environment |= {"SHOUFU_DATA": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "shoufu", "up"]
        self.process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert re.search(r"ready after [\d.]+ s", line), self.logs()

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def row(self, name: str) -> ProcessStatus:
        found = status.read(self.folder / "run")
        assert found is not None
        return next(row for row in found.processes if row.name == name)

    def get(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        return connection.getresponse().status

    def left(self) -> list[str]:
        """Command lines of processes that still speak of the data directory."""
        found = []
        for process in psutil.process_iter(["cmdline", "environ"]):
            words = process.info["cmdline"] or []
            told = (process.info["environ"] or {}).get("SHOUFU_DATA")
            if str(self.folder) in " ".join(words) or told == str(self.folder):
                found.append(" ".join(words))
        return found

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in (self.folder / "logs").glob("*.log"))


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    found = Product(tmp_path / "data")
    yield found
    if found.process and found.process.poll() is None:
        found.process.kill()
        found.process.wait()


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)


def test_everything_starts_survives_a_killed_database_and_ends(product: Product) -> None:
    product.start()
    assert product.get(processes.SIGN_IN) == 200
    names = [row.name for row in status.read(product.folder / "run").processes]  # type: ignore[union-attr]
    assert {"postgres", "nats", "migrate", "web", "edge", "worker"} <= set(names)

    killed = product.row("postgres").pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    until(lambda: product.row("postgres").restarts > 0 and product.row("postgres").state == "ready")
    until(lambda: product.get(processes.SIGN_IN) == 200)

    key = (product.folder / "keys" / "secret-key").read_text()
    assert product.stop() == 0
    until(lambda: not product.left())

    product.start()
    assert product.get(processes.SIGN_IN) == 200
    assert (product.folder / "keys" / "secret-key").read_text() == key
    assert product.process is not None
    product.process.kill()
    product.process.wait()
    until(lambda: not product.left())
