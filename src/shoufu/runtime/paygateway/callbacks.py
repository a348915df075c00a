from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from shoufu.runtime.paygateway.state import Book, now

WAITS = (1.0, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between repetitions; WeChat waits 15 s to 6 h, Alipay 4 min to 15 h."""
SENDERS = 4
Seal = Callable[[Mapping[str, Any], datetime, bool], tuple[bytes, dict[str, str]]]


@dataclass(frozen=True)
class Message:
    """A callback: where to, its number, what it says, and how it is signed at a moment."""

    url: str
    number: str
    said: Mapping[str, Any]
    seal: Seal


@dataclass(order=True)
class Due:
    """A sending: when (monotonic seconds), the how-manieth."""

    at: float
    turn: int
    attempt: int = field(compare=False)
    message: Message = field(compare=False)


class Courier:
    """Sends callbacks and repeats each until it is taken, as the providers do."""

    def __init__(self, book: Book, waits: tuple[float, ...] = WAITS) -> None:
        self._book, self._waits = book, waits
        self._due: list[Due] = []
        self._turns = itertools.count()
        self._change = threading.Condition()
        self._chance = random.Random()
        self._flying = 0
        self.taken = self.refused = self.given_up = 0
        for n in range(SENDERS):
            threading.Thread(target=self._run, name=f"courier-{n}", daemon=True).start()

    @property
    def waiting(self) -> int:
        with self._change:
            return len(self._due) + self._flying

    def send(self, message: Message, *, losable: bool = False) -> None:
        """Send soon, with the faults that are set."""
        faults = self._book.faults
        if losable and self._chance.random() < faults.lost:
            return
        with self._change:
            for _copy in range(max(1, faults.copies)):
                at = time.monotonic() + faults.delay + self._chance.random() * faults.spread
                heapq.heappush(self._due, Due(at, next(self._turns), 0, message))
            self._change.notify_all()

    def _run(self) -> None:
        client = httpx.Client(timeout=10, trust_env=False)
        while True:
            due = self._next()
            taken = self._deliver(client, due.message)
            with self._change:
                self._flying -= 1
                if taken:
                    self.taken += 1
                elif due.attempt < len(self._waits):
                    self.refused += 1
                    at = time.monotonic() + self._waits[due.attempt]
                    heapq.heappush(self._due, Due(at, next(self._turns), due.attempt + 1, due.message))
                else:
                    self.given_up += 1
                self._change.notify_all()

    def _next(self) -> Due:
        with self._change:
            while True:
                wait = self._due[0].at - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    self._flying += 1
                    return heapq.heappop(self._due)
                self._change.wait(wait)

    @staticmethod
    def _deliver(client: httpx.Client, message: Message) -> bool:
        body, headers = message.seal(message.said, now(), False)
        try:
            answer = client.post(message.url, content=body, headers=headers)
        except httpx.HTTPError:
            return False
        return taken(answer.status_code, answer.text, headers)


def taken(status: int, text: str, headers: Mapping[str, str]) -> bool:
    """Whether the shop took a callback: Alipay wants the word, WeChat the status."""
    if "form" in headers["Content-Type"]:
        return text.strip() == "success"
    return status in (200, 204)
