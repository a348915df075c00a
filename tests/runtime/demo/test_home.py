"""The simulated sensors of the watched home, as the program that the supervisor starts."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[3] / "src"
SECRET = "a-sensor's-own"


@pytest.fixture
def edge() -> Iterator[tuple[int, queue.Queue[tuple[str, Any]]]]:
    """A port that takes what devices post, and what came: the credential and the items."""
    came: queue.Queue[tuple[str, Any]] = queue.Queue()

    class Intake(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.put((self.headers["Authorization"], json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Intake)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, came
    server.shutdown()


def test_the_sensors_of_the_home_beat_by_themselves(
    tmp_path: Path, edge: tuple[int, queue.Queue[tuple[str, Any]]]
) -> None:
    port, came = edge
    (tmp_path / "demo").mkdir()
    devices = [
        {"code": "home-a-hall", "kind": "sensor", "secret": SECRET},
        {"code": "x", "kind": "camera", "secret": "n"},
    ]
    (tmp_path / "demo" / "devices.json").write_text(json.dumps(devices), encoding="utf-8")
    # As the supervisor starts it: no settings of Django in the environment.
    surroundings = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    surroundings |= {"PYTHONPATH": str(SOURCE), "SHOUFU_DATA": str(tmp_path), "SHOUFU_PORT": str(port)}
    program = subprocess.Popen([sys.executable, "-m", "shoufu", "demo", "home"], env=surroundings)
    try:
        credential, items = came.get(timeout=60)
    finally:
        program.terminate()
        ended = program.wait(30)
    assert credential == f"Bearer {SECRET}" and items[0]["kind"] == "device.heartbeat"
    assert ended == 0
