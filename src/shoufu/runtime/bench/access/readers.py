"""Readers as a process of their own: OSDP devices with a secure channel, to which cards are held at a given rate.

``python -m shoufu.runtime.bench.access.readers`` takes a :class:`Task` as one line of JSON on stdin, prints the ports
on which the readers listen, and, when all cards were held, writes a :class:`Result` to the file that the task names.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import deque
from functools import partial
from pathlib import Path

import msgspec
import uvloop

from shoufu.gateways.door_controller.osdp.frame import Cmd
from shoufu.gateways.door_controller.osdp.peripheral import Peripheral, wiegand34

PATIENCE = 30.0
DRAIN = 5.0


class Task(msgspec.Struct):
    """``keys``: SCBK a reader, hex. ``known`` and ``unknown``: card numbers (32 bits). Every card is held at a moment
    of a Poisson process of ``per_second`` over all readers, open loop, for ``seconds`` after ``warm_up``."""

    keys: list[str]
    known: list[int]
    unknown: list[int]
    per_second: float
    seconds: float
    warm_up: float
    result: str
    seed: int = 1


class Result(msgspec.Struct):
    """Times in milliseconds: ``wire`` from the card on the wire to the answer, ``held`` from the card at the reader,
    which adds the wait for the panel's poll. ``unanswered`` and ``wrong`` should be 0."""

    wire: list[float]
    held: list[float]
    span: float
    wrong: int
    unanswered: int


class Stand:
    """One reader, and the cards that wait for their answer."""

    def __init__(self, key: str, tally: Result) -> None:
        self.peripheral = Peripheral(0, bytes.fromhex(key), self._command, self._sent)
        self._tally = tally
        self._shown: deque[tuple[float, bool, bool]] = deque()
        self._wire: deque[tuple[float, float, bool, bool]] = deque()
        self._skip_light = False

    def hold(self, number: int, good: bool, counts: bool) -> None:
        """Hold a card to the reader."""
        self._shown.append((time.perf_counter(), good, counts))
        self.peripheral.show(34, wiegand34(number))

    def _sent(self) -> None:
        self._wire.append((time.perf_counter(), *self._shown.popleft()))

    def _command(self, code: int, data: bytes) -> None:
        if code == Cmd.LED and self._skip_light:
            self._skip_light = False
            return
        if code not in (Cmd.OUT, Cmd.LED) or not self._wire:
            return
        now = time.perf_counter()
        wire, held, good, counts = self._wire.popleft()
        opened = code == Cmd.OUT
        self._skip_light = opened
        if opened != good:
            self._tally.wrong += 1
        if counts:
            self._tally.wire.append((now - wire) * 1e3)
            self._tally.held.append((now - held) * 1e3)

    @property
    def waiting(self) -> int:
        """Cards without an answer."""
        return len(self._shown) + len(self._wire)


async def work(task: Task) -> Result:
    """Run the readers; the result."""
    tally = Result([], [], 0.0, 0, 0)
    stands = [Stand(key, tally) for key in task.keys]
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(partial(getattr, stand, "peripheral"), "127.0.0.1", 0) for stand in stands]
    print(msgspec.json.encode([server.sockets[0].getsockname()[1] for server in servers]).decode(), flush=True)
    deadline = loop.time() + PATIENCE
    while not all(stand.peripheral.secure for stand in stands):
        if loop.time() > deadline:
            raise TimeoutError("the controller did not open a secure channel to every reader")
        await asyncio.sleep(0.05)
    await asyncio.sleep(1)
    chance = random.Random(task.seed)
    begin = loop.time()
    moment = begin
    end = begin + task.warm_up + task.seconds
    while True:
        moment += chance.expovariate(task.per_second)
        if moment >= end:
            break
        if moment > loop.time():
            await asyncio.sleep(moment - loop.time())
        good = chance.random() < 0.95
        number = chance.choice(task.known if good else task.unknown)
        chance.choice(stands).hold(number, good, moment >= begin + task.warm_up)
    deadline = loop.time() + DRAIN
    while any(stand.waiting for stand in stands) and loop.time() < deadline:
        await asyncio.sleep(0.01)
    tally.span = task.seconds
    tally.unanswered = sum(stand.waiting for stand in stands)
    return tally


def main() -> None:
    """Take the task from stdin, leave the result in its file."""
    task = msgspec.json.decode(sys.stdin.readline(), type=Task)
    Path(task.result).write_bytes(msgspec.json.encode(uvloop.run(work(task))))


if __name__ == "__main__":
    main()
