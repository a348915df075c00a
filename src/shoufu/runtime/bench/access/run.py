"""``shoufu bench access``: cards at readers, through the readers' own protocol, to a controller process."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import psutil
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shoufu.engines.doors import (
    Credential,
    Door,
    Reader,
    RuleSet,
    Settings,
    Technology,
    build,
    card_identifier,
    credential_key,
    sign,
)
from shoufu.gateways.door_controller.files import DiskFiles
from shoufu.gateways.door_controller.store import RuleStore
from shoufu.runtime.bench.access.readers import Result, Task
from shoufu.runtime.bench.stage import start, stop
from shoufu.runtime.errors import Problem

log = structlog.get_logger("bench")

DOORS = 32
READERS = 32
WARM_UP = 2.0
STRANGERS = 1_000


class Figures(msgspec.Struct):
    """``p50_ms`` and ``p99_ms``: from the reader having put the card on the wire until it has its answer (lock's output
    or red light), with the event on the disk before it. ``held_p99_ms`` counts from the card at the reader, which adds
    the wait for the panel's poll (every 50 ms). ``rss_mb``: memory of the controller process."""

    per_second: float
    p50_ms: float
    p99_ms: float
    doors: int
    credentials: int
    readers: int
    held_p99_ms: float
    wrong: int
    unanswered: int
    rss_mb: float
    events_on_disk: int


def run(seconds: float, per_second: float, credentials: int) -> Figures:
    """Start a controller and the readers in a temporary directory, hold cards, and measure."""
    with tempfile.TemporaryDirectory(prefix="shoufu-bench-") as folder:
        root = Path(folder)
        keys = [secrets.token_hex(16) for _ in range(READERS)]
        numbers = [0x04000000 + 7 * one for one in range(credentials)]
        public = _rules(root / "data", numbers)
        strangers = [0xA0000000 + one for one in range(STRANGERS)]
        task = Task(keys, numbers, strangers, per_second, seconds, WARM_UP, str(root / "result.json"))
        readers = subprocess.Popen(
            [sys.executable, "-m", "shoufu.runtime.bench.access.readers"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ},
        )  # fmt: skip
        try:
            assert readers.stdin is not None and readers.stdout is not None
            readers.stdin.write(msgspec.json.encode(task).decode() + "\n")
            readers.stdin.flush()
            ports = json.loads(readers.stdout.readline())
            (root / "door.toml").write_text(_config(root, public, keys, ports), encoding="utf-8")
            controller = start("door-controller", "--config", str(root / "door.toml"), log=root / "controller.log")
            try:
                if readers.wait() or not (root / "result.json").exists():
                    raise Problem(f"The readers failed; the controller says: {_tail(root / 'controller.log')}")
                result = msgspec.json.decode((root / "result.json").read_bytes(), type=Result)
                memory = psutil.Process(controller.pid).memory_info().rss / 2**20
            finally:
                stop(controller)
        finally:
            readers.kill()
            readers.wait()
        return _figures(result, credentials, memory, _events(root / "data"))


def _tail(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "(nothing)"


def _rules(folder: Path, numbers: list[int]) -> bytes:
    """Put a signed rule set where the controller looks; the public key."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    hash_key = secrets.token_bytes(16)
    doors = tuple(Door(number=one, code=f"bench-{one}") for one in range(DOORS))
    readers = tuple(Reader(number=one, door=one % DOORS) for one in range(READERS))
    settings = Settings(
        controller="bench", zone="Asia/Shanghai", hash_key=hash_key, qr_key=secrets.token_bytes(32), doors=doors,
        readers=readers,
    )  # fmt: skip
    credentials = [
        Credential(
            key=credential_key(hash_key, Technology.CARD, card_identifier(f"{number:08X}")),
            technology=Technology.CARD,
            doors=(1 << DOORS) - 1,
            person=index + 1,
            lease_days=0,
        )  # fmt: skip
        for index, number in enumerate(numbers)
    ]
    blob = sign(
        build(RuleSet(version=1, issued_at=int(time.time()) - 60, settings=settings, credentials=credentials)), key
    )
    store = RuleStore(DiskFiles(folder), "bench", [public])
    store.full(blob)
    return public


def _config(root: Path, public: bytes, keys: list[str], ports: list[int]) -> str:
    # Port 9 (discard) answers nobody: the controller decides alone, and all events stay in its queue.
    parts = [
        f'controller = "bench"\nserver = "http://127.0.0.1:9"\nserver_key = "{public.hex()}"\n'
        f'secret = "none"\ndata = "{root / "data"}"\n'
    ]
    for index, (key, port) in enumerate(zip(keys, ports, strict=True)):
        parts.append(f'[[line]]\nname = "l{index}"\naddress = "tcp:127.0.0.1:{port}"\n')
        parts.append(f'[[device]]\nname = "d{index}"\nline = "l{index}"\nkey = "{key}"\n')
        parts.append(f'[[reader]]\nnumber = {index}\ndevice = "d{index}"\n')
    parts += [f'[[door]]\nnumber = {one}\nlock = {{ device = "d{one}", output = 0 }}\n' for one in range(DOORS)]
    return "\n".join(parts)


def _events(folder: Path) -> int:
    from shoufu.gateways.door_controller.journal import read_segment

    segments = [read_segment(path.read_bytes()) for path in sorted(folder.glob("q-*"))]
    return sum(entry.body.count(b'"door.access"') for segment in segments for entry in segment)


def _figures(result: Result, credentials: int, memory: float, events: int) -> Figures:
    wire, held = sorted(result.wire), sorted(result.held)
    if not wire:
        raise Problem("No card was answered.")
    return Figures(
        per_second=round(len(wire) / result.span, 1),
        p50_ms=round(wire[len(wire) // 2], 2),
        p99_ms=round(wire[int(len(wire) * 0.99)], 2),
        doors=DOORS,
        credentials=credentials,
        readers=READERS,
        held_p99_ms=round(held[int(len(held) * 0.99)], 1),
        wrong=result.wrong,
        unanswered=result.unanswered,
        rss_mb=round(memory, 1),
        events_on_disk=events,
    )
