"""The controller as a process: readers on a line, a lock, a server that comes and goes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shoufu.engines.doors import (
    Command,
    CommandName,
    Credential,
    Door,
    Reader,
    RuleSet,
    Settings,
    Technology,
    build,
    credential_key,
    delta,
    hash_of,
    make_resident_code,
    resident_key,
    sign,
    sign_command,
)
from shoufu.gateways.door_controller import config
from shoufu.gateways.door_controller.osdp.frame import Cmd
from shoufu.gateways.door_controller.osdp.peripheral import Peripheral

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
SCBK = bytes(range(16, 32))
HASH_KEY, QR_KEY = b"h" * 16, b"q" * 32


def rule_set(version: int, *cards: bytes) -> bytes:
    settings = Settings(
        controller="gate-1", zone="Asia/Shanghai", hash_key=HASH_KEY, qr_key=QR_KEY,
        doors=(Door(number=0, code="gate", held=5.0, warning=4.0),),
        readers=(Reader(number=9, door=0), Reader(number=11, door=0)),
    )  # fmt: skip
    known = [(Technology.CARD, card) for card in cards] + [(Technology.QR, b"phone1")]
    credentials = [
        Credential(key=credential_key(HASH_KEY, kind, one), technology=kind, doors=1, person=n)
        for n, (kind, one) in enumerate(known, start=1)
    ]
    issued = int(time.time()) - 60
    return sign(build(RuleSet(version=version, issued_at=issued, settings=settings, credentials=credentials)), KEY)


class Server:
    """As much of the server as the protocol's description says, to see both sides of it."""

    def __init__(self) -> None:
        self.blobs = [rule_set(1, b"123456")]
        self.events: dict[str, dict[str, Any]] = {}
        self.forms: list[str] = []
        self.orders: list[Command] = []
        self.answers: list[dict[str, Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def _say(self, status: int, body: bytes = b"", **headers: str) -> None:
                self.send_response(status)
                for name, value in {"Shoufu-Time": str(int(time.time() * 1000)), **headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                if self.headers["Authorization"] != "Bearer secret":
                    return self._say(401)
                return self._rules() if self.path.startswith("/v1/doors/rules") else self._orders()

            def _rules(self) -> None:
                asked = dict(part.split("=") for part in self.path.partition("?")[2].split("&"))
                end = time.monotonic() + 2
                while time.monotonic() < end and asked["hash"] == hash_of(server.blobs[-1]):
                    time.sleep(0.02)
                if asked["hash"] == hash_of(server.blobs[-1]):
                    return self._say(204)
                old = next((blob for blob in server.blobs if hash_of(blob) == asked["hash"]), None)
                body = delta(old, server.blobs[-1]) if old else server.blobs[-1]
                server.forms.append("delta" if old else "full")
                return self._say(200, body, Shoufu_Rules=server.forms[-1])

            def _orders(self) -> None:
                end = time.monotonic() + 2
                while time.monotonic() < end and not server.orders:
                    time.sleep(0.02)
                if not server.orders:
                    return self._say(204)
                from msgspec import json as fast

                return self._say(200, fast.encode({"commands": server.orders}))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path != "/v1/observations":
                    server.answers.append(body)
                    server.orders = [one for one in server.orders if not self.path.endswith(one.id)]
                    return self._say(204)
                for one in body:
                    server.events[one["id"]] = one
                items = [{"index": n, "status": "stored", "id": one["id"]} for n, one in enumerate(body)]
                return self._say(200, json.dumps({"items": items}).encode())

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        Thread(target=self._http.serve_forever, daemon=True).start()

    def kinds(self, kind: str) -> list[dict[str, Any]]:
        return [event["result"] for event in list(self.events.values()) if event["kind"] == kind]

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


class Gate:
    """The reader with the lock on it, the QR reader, and the controller process between them and the server."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server = folder, server
        self.outputs: list[bytes] = []
        self.lights: list[int] = []
        self.shown: list[str] = []
        self.reader = Peripheral(0, SCBK, self._command, inputs=3)
        self._qr: asyncio.StreamWriter | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def _command(self, code: int, data: bytes) -> None:
        if code == Cmd.OUT:
            self.outputs.append(data)
        elif code == Cmd.LED:
            self.lights.append(data[5])

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        osdp = await loop.create_server(lambda: self.reader, "127.0.0.1", 0)
        text = await asyncio.start_server(self._scanner, "127.0.0.1", 0)
        path = self.folder / "door.toml"
        path.write_text(
            f"""
controller = "gate-1"
server = "http://127.0.0.1:{self.server.port}"
server_key = "{PUBLIC.hex()}"
secret = "secret"
data = "{self.folder / "data"}"
[[line]]
name = "bus"
address = "tcp:127.0.0.1:{osdp.sockets[0].getsockname()[1]}"
poll_ms = 10
[[device]]
name = "outside"
line = "bus"
key = "{SCBK.hex()}"
[[reader]]
number = 9
device = "outside"
[[line]]
name = "qr"
address = "tcp:127.0.0.1:{text.sockets[0].getsockname()[1]}"
protocol = "text"
[[reader]]
number = 11
line = "qr"
[[door]]
number = 0
lock = {{ device = "outside", output = 0 }}
contact = {{ device = "outside", input = 0 }}
exit = {{ device = "outside", input = 1 }}
fire = {{ device = "outside", input = 2 }}
""",
            encoding="utf-8",
        )
        self.boot()

    def boot(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "shoufu", "door-controller", "--config", str(self.folder / "door.toml")],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    async def _scanner(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._qr = writer
        while content := await reader.read(4096):
            self.shown += [line for line in content.decode().split("\r") if line]

    def scan(self, text: str) -> None:
        assert self._qr is not None
        self._qr.write(text.encode() + b"\r")

    async def until(self, condition: Callable[[], bool], seconds: float = 40) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(20)


def card(number: int) -> bytes:
    """26 Wiegand bits, left aligned."""
    even = (number >> 12).bit_count() & 1
    odd = 1 - ((number & 0xFFF).bit_count() & 1)
    return ((even << 25 | number << 1 | odd) << 6).to_bytes(4, "big")


def test_a_day_at_the_gate(tmp_path: Path, server: Server) -> None:
    gate = Gate(tmp_path, server)

    async def story() -> None:
        await gate.start()
        await gate.until(lambda: any(event["rules"] == 1 for event in server.kinds("door.controller")))
        await gate.until(lambda: gate.reader.secure)

        gate.reader.show(26, card(0x123456))
        await gate.until(lambda: bytes((0, 5, 50, 0)) in gate.outputs)
        gate.reader.show(26, card(0x654321))
        await gate.until(lambda: 1 in gate.lights)
        await gate.until(lambda: len(server.kinds("door.access")) == 2)
        assert [(e["granted"], e["reason"]) for e in server.kinds("door.access")] == [
            (True, "granted"), (False, "unknown_credential"),
        ]  # fmt: skip

        await gate.until(lambda: gate._qr is not None)
        code = make_resident_code(resident_key(QR_KEY, b"phone1"), 0, b"phone1", int(time.time() // 30))
        gate.scan(code)
        await gate.until(lambda: len(gate.shown) == 1)
        gate.scan(code)
        await gate.until(lambda: len(gate.shown) == 2)
        assert gate.shown[0].startswith("+请进")
        assert gate.shown[1].startswith("-二维码已用过")

        server.blobs.append(rule_set(2, b"777777"))
        await gate.until(lambda: any(event["rules"] == 2 for event in server.kinds("door.controller")))
        assert server.forms == ["full", "delta"]
        gate.reader.show(26, card(0x123456))
        await gate.until(lambda: len(server.kinds("door.access")) == 5)

        before = len(gate.outputs)
        order = Command(
            id="01900000-0000-7000-8000-000000000001", name=CommandName.OPEN, door=0, expires=int(time.time()) + 60
        )
        server.orders.append(sign_command(KEY, "gate-1", order))
        await gate.until(lambda: server.answers == [{"ok": True, "answer": "done"}])
        await gate.until(lambda: len(gate.outputs) > before)

        gate.reader.set_input(2, True)
        await gate.until(lambda: any(event["alarm"] == "fire" for event in server.kinds("door.alarm")))
        gate.reader.show(26, card(0x000001))
        await gate.until(lambda: any(event["reason"] == "fire_release" for event in server.kinds("door.access")))

    try:
        asyncio.run(story())
    finally:
        gate.stop()
    numbers = sorted(event["result"]["sequence"] for event in server.events.values())
    assert numbers == list(range(1, len(numbers) + 1)), "no hole"


def test_inputs_that_spoke_before_the_first_rule_set_are_heard(tmp_path: Path, server: Server) -> None:
    gate = Gate(tmp_path, server)
    blobs, server.blobs = server.blobs, [b""]

    async def story() -> None:
        await gate.start()
        gate.reader.inputs[2] = True
        await gate.until(lambda: gate.reader.secure)
        await asyncio.sleep(0.5)
        server.blobs = blobs
        await gate.until(lambda: any(event["alarm"] == "fire" for event in server.kinds("door.alarm")))
        await gate.until(lambda: any(event["contact"] == "closed" for event in server.kinds("door.state")))

    try:
        asyncio.run(story())
    finally:
        gate.stop()


def test_without_a_server_it_goes_on_and_tells_later(tmp_path: Path, server: Server) -> None:
    gate = Gate(tmp_path, server)

    async def story() -> None:
        await gate.start()
        await gate.until(lambda: any(event["rules"] == 1 for event in server.kinds("door.controller")))
        gate.stop(signal.SIGKILL)
        real, server.port = server.port, 0
        config_file = tmp_path / "door.toml"
        text = config_file.read_text(encoding="utf-8")
        config_file.write_text(text.replace(f":{real}", ":9", 1), encoding="utf-8")
        gate.boot()
        await asyncio.sleep(0.5)
        await gate.until(lambda: gate.reader.secure)
        for _ in range(5):
            gate.reader.show(26, card(0x123456))
        await gate.until(lambda: gate.outputs.count(bytes((0, 5, 50, 0))) >= 5)
        gate.stop(signal.SIGKILL)
        assert not server.kinds("door.access")
        config_file.write_text(text, encoding="utf-8")
        gate.boot()
        await gate.until(lambda: len(server.kinds("door.access")) == 5)

    try:
        asyncio.run(story())
    finally:
        gate.stop()
    assert {event["boot"] for event in server.kinds("door.access")} == {2}


def test_it_starts_without_the_heavy_parts() -> None:
    code = (
        "import shoufu.gateways.door_controller.program, shoufu.gateways.door_controller.config, sys;"
        "print([name for name in ('django', 'numpy', 'cv2', 'psycopg') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                           env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("key = ", "kee = "), "kee"),
        ((SCBK.hex(), bytes(range(0x30, 0x40)).hex()), "default key"),
        ((SCBK.hex(), "12"), "32 hexadecimal digits"),
        (('device = "outside", output', 'device = "inside", output'), "inside"),
        (('line = "bus"', 'line = "buz"'), "buz"),
        (('secret = "secret"', ""), "secret_file"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    good = f"""
controller = "gate-1"
server = "http://127.0.0.1:1"
server_key = "{PUBLIC.hex()}"
secret = "secret"
data = "x"
[[line]]
name = "bus"
address = "tcp:127.0.0.1:1"
[[device]]
name = "outside"
line = "bus"
key = "{SCBK.hex()}"
[[door]]
number = 0
lock = {{ device = "outside", output = 0 }}
"""
    path = tmp_path / "door.toml"
    path.write_text(good, encoding="utf-8")
    assert config.read(path).controller == "gate-1"
    path.write_text(good.replace(*change), encoding="utf-8")
    with pytest.raises(config.ConfigError, match=told):
        config.read(path)
