"""The test gateway as a process of its own, and what the drill asks of it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from shoufu.runtime.bench import stage
from shoufu.runtime.errors import Problem

READY_SECONDS = 20.0


class Hand:
    """The hand that lets payers pay and makes faults."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}/control/", timeout=30, trust_env=False)

    def do(self, name: str, **said: Any) -> Mapping[str, Any]:
        """Ask the gateway; Problem where it refuses."""
        answer = self._client.post(name, json=said)
        if answer.status_code != 200:
            raise Problem(f"The test gateway refused {name}: {answer.text[:200]}")
        found: Mapping[str, Any] = answer.json()
        return found


@contextmanager
def running(folder: Path, port: int, shop: str, log: Path) -> Iterator[Hand]:
    """Start the gateway on a port with keys in a folder; stop it afterwards."""
    process = stage.start("paygateway", "--folder", str(folder), "--port", str(port), "--shop", shop, log=log)
    try:
        hand = Hand(port)
        _wait(hand, process)
        yield hand
    finally:
        stage.stop(process)


def _wait(hand: Hand, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            hand.do("state")
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise Problem("The test gateway did not start.")
