"""A process of clients that know nothing but HTTP. What each asks is in its journal before it is sent, and what was
answered after; a process that is killed in between leaves a question without an answer."""

from __future__ import annotations

import http.client
import json
import os
import random
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from shoufu.runtime.drill.booking.district import Course, Offer

TIMEOUT = 30
COURTS, CARE = "/api/booking/", "/api/homecare/visits/"
HOLDS = (f"{COURTS}bookings", f"{CARE}visits")
"""Where a hold is asked for."""
SLOWER = 3.0
"""Who books a nurse thinks so much longer than who books a court."""


class Entry(msgspec.Struct):
    """A line of a journal: a question (`status` 0) or its answer; `ms` for a look at the slots."""

    key: str
    client: int
    path: str
    body: dict[str, Any]
    status: int = 0
    answer: dict[str, Any] = msgspec.field(default_factory=dict)
    ms: float = 0.0


@dataclass
class Journal:
    """Lines appended by one write each, so that a killed process leaves whole lines behind."""

    descriptor: int
    lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, entry: Entry) -> None:
        with self.lock:
            os.write(self.descriptor, msgspec.json.encode(entry) + b"\n")


class Line:
    """A connection that is kept, and opened anew after it broke."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self._open: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, key: str = "") -> tuple[int, Any]:
        """Status and body; status 0 where no answer came."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        try:
            if self._open is None:
                self._open = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT)
            self._open.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = self._open.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError):
            if self._open is not None:
                self._open.close()
            self._open = None
            return 0, {}


class Client(threading.Thread):
    """One person who wants slots, again and again, and does with them what people do."""

    def __init__(self, course: Course, number: int, attempts: int, journal: Journal, seed: int) -> None:
        super().__init__(name=f"client-{number}")
        self._course, self._number, self._attempts, self._journal = course, number, attempts, journal
        self._line = Line(course.port, course.tokens[number])
        self._dice = random.Random(seed)

    def run(self) -> None:
        for _attempt in range(self._attempts):
            self._try()

    def _think(self, slower: float = 1.0) -> None:
        time.sleep(self._dice.uniform(0, 2 * slower * self._course.pause))

    def _try(self) -> None:
        if self._dice.random() < 0.5:
            self._try_care()
        else:
            self._try_court()

    def _try_court(self) -> None:
        self._think()
        offer = self._dice.choice(self._course.offers)
        start = self._look(offer) if self._dice.random() < 0.5 else self._dice.choice(self._course.starts)
        if not start:
            start = self._dice.choice(self._course.starts)
        status, held = self._post(HOLDS[0], {"offering": offer.id, "start": start})
        if status == 201:
            self._go_on(offer, held)

    def _look(self, offer: Offer) -> str:
        """A start that is offered now: most take one of the first, which is where they meet."""
        at = self._dice.randrange(len(self._course.starts))
        since = self._course.starts[at]
        until = self._course.starts[min(at + 24, len(self._course.starts) - 1)]
        if since >= until:
            return ""
        status, found = self._timed(f"{COURTS}offerings/{offer.id}/slots?since={since}&until={until}")
        if status != 200 or not found["items"]:
            return ""
        self._think()
        return str(self._dice.choice(found["items"][:3])["start"])

    def _timed(self, path: str) -> tuple[int, Any]:
        """A look at free slots, with how long it took in the journal."""
        path = path.replace("+", "%2B")
        begun = time.perf_counter()
        status, found = self._line.ask("GET", path)
        spent = (time.perf_counter() - begun) * 1000
        self._journal.write(Entry("", self._number, path, {}, status, {}, spent))
        return status, found

    def _go_on(self, offer: Offer, held: dict[str, Any]) -> None:
        one = f"{HOLDS[0]}/{held['id']}"
        if offer.short and self._dice.random() < 0.5:
            time.sleep(1.1)
        self._think()
        choice = self._dice.random()
        if choice < 0.55:
            status, _row = self._post(f"{one}/confirm", {})
            if status == 200 and self._dice.random() < 0.3:
                self._post(f"{one}/cancel", {})
        elif choice < 0.7:
            self._post(f"{one}/reschedule", {"start": self._dice.choice(self._course.starts)})
        elif choice < 0.85:
            self._post(f"{one}/cancel", {})

    def _try_care(self) -> None:
        """Somebody wants a nurse at home; most look first, as the page does."""
        homes = self._course.homes
        self._think(SLOWER)
        care = self._dice.choice(homes.services)
        asked = {"patient": homes.patients[self._number], "service": care.id, "mine": True}
        start = self._dice.choice(homes.starts)
        if self._dice.random() < 0.7:
            query = f"patient={asked['patient']}&service={care.id}&since={homes.since}&until={homes.until}&mine=true"
            status, found = self._timed(f"{CARE}slots?{query}")
            if status == 200 and found:
                self._think(SLOWER)
                start = str(self._dice.choice(found[:5])["start"])
        status, held = self._post(HOLDS[1], {**asked, "start": start, "consent": care.consent})
        if status == 201:
            self._think(SLOWER)
            self._go_on_care(f"{HOLDS[1]}/{held['id']}")

    def _go_on_care(self, one: str) -> None:
        choice = self._dice.random()
        if choice < 0.5:
            status, _row = self._post(f"{one}/pay", {"provider": "at_visit", "mine": True})
            if status == 200 and self._dice.random() < 0.3:
                self._post(f"{one}/cancel", {"mine": True})
        elif choice < 0.7:
            self._post(f"{one}/move", {"start": self._dice.choice(self._course.homes.starts), "mine": True})
        elif choice < 0.85:
            self._post(f"{one}/cancel", {"mine": True})

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        key = str(uuid.UUID(int=self._dice.getrandbits(128), version=4))
        self._journal.write(Entry(key, self._number, path, body))
        status, answer = self._line.ask("POST", path, body, key)
        # As if the answer had been lost on the way.
        again = self._dice.random() < 0.2 and (path.startswith(COURTS) or path in HOLDS)
        if status == 0 or (again and status < 300):
            if status:
                self._journal.write(Entry(key, self._number, path, body, status, short(answer)))
            status, answer = self._line.ask("POST", path, body, key)
        if status:
            self._journal.write(Entry(key, self._number, path, body, status, short(answer)))
        return status, answer


def short(answer: dict[str, Any]) -> dict[str, Any]:
    """What the journal keeps of an answer."""
    names = ("id", "booking", "state", "starts_at", "reason", "detail")
    return {name: answer[name] for name in names if name in answer}


def main(course_file: str, journal: str, first: int, last: int, attempts: int, seed: int) -> None:
    """Clients `first` up to `last`, each with so many attempts."""
    course = msgspec.json.decode(Path(course_file).read_bytes(), type=Course)
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    kept = Journal(descriptor)
    clients = [Client(course, n, attempts, kept, course.seed * 1_000_003 + seed * 1009 + n) for n in range(first, last)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(int(word) for word in sys.argv[3:7]))
