"""Load over MQTT 3.1.1, QoS 1: a few publishers with a window of unacknowledged messages."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from shoufu.runtime.bench.stage import Sender

WINDOW = 32


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def _packet(kind: int, content: bytes) -> bytes:
    length, size = bytearray(), len(content)
    while True:
        size, digit = size >> 7, size & 0x7F
        length.append(digit | (0x80 if size else 0))
        if not size:
            return bytes([kind]) + bytes(length) + content


@dataclass
class Pace:
    """Shared by the publishers: messages acknowledged by the broker, whether to go on, and when to wait."""

    acknowledged: int = 0
    stopped: bool = False
    go: asyncio.Event = field(default_factory=asyncio.Event)


async def publish(port: int, sender: Sender, body: Callable[[], bytes], pace: Pace) -> None:
    """Publish until told to stop, then wait for the broker's last acknowledgement."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    connect = _text("MQTT") + bytes([4, 0xC2]) + struct.pack(">H", 60)
    writer.write(_packet(0x10, connect + _text(sender.code) + _text(sender.code) + _text(sender.secret)))
    if (await reader.readexactly(4))[3] != 0:
        raise ConnectionRefusedError(f"the broker refused {sender.code}")
    topic = _text(f"obs/{sender.code}")
    sent = acknowledged = 0
    while acknowledged < sent or not pace.stopped:
        await pace.go.wait()
        while sent - acknowledged < WINDOW and not pace.stopped:
            sent += 1
            writer.write(_packet(0x32, topic + struct.pack(">H", sent % 65535 + 1) + body()))
        if acknowledged < sent:
            await reader.readexactly(4)
            acknowledged += 1
            pace.acknowledged += 1
    writer.close()
