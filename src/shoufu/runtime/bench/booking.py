"""The questions of the booking drill one after the other: what each takes when nobody else asks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any
from uuid import uuid4

import httpx

from shoufu.runtime.bench.care.measure import Ask, Send
from shoufu.runtime.drill.booking.client import CARE, HOLDS
from shoufu.runtime.drill.booking.district import Course
from shoufu.runtime.drill.booking.homes import Care
from shoufu.runtime.errors import Problem

LOOK, ACT = 0.2, 0.3
"""Seconds that a look at free slots may take (as in the drill), and an act."""
FULL = "No time is left in these days; book fewer visits before, or ask for more days or fewer rounds."


@dataclass(frozen=True)
class Booker:
    """A patient of the drill's institution, on a connection of their own."""

    client: httpx.Client
    patient: int

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return self.client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})


class Asking:
    """What is asked for: each time by the next patient, of the next service, at times that the seed chooses."""

    def __init__(self, course: Course, held: ExitStack, seed: int = 1) -> None:
        self.course, self._dice, self._turn = course, random.Random(seed), count()
        self._bookers = [
            Booker(held.enter_context(_client(course.port, token)), patient)
            for token, patient in zip(course.tokens, course.homes.patients, strict=True)
        ]

    def _next(self) -> tuple[Booker, Care]:
        turn = next(self._turn)
        services = self.course.homes.services
        return self._bookers[turn % len(self._bookers)], services[turn % len(services)]

    def look(self) -> Send:
        """At the nurses' times of all days."""
        who, care = self._next()
        return lambda: self._look(who, care)

    def _look(self, who: Booker, care: Care) -> httpx.Response:
        asked = {"patient": str(who.patient), "service": str(care.id), "mine": "true"}
        return who.client.get(f"{CARE}slots", params=self._days() | asked)

    def fill(self, visits: int) -> int:
        """Book visits to be paid when somebody comes, until so many are or no time is left; how many."""
        for made in range(visits):
            found = self._held()
            if found is None:
                return made
            who, visit = found
            _made(who.post(f"{HOLDS[1]}/{visit}/pay", {"provider": "at_visit", "mine": True}))
        return visits

    def _free_handed(self) -> tuple[Booker, Care]:
        """The next patient, who gave up what they held unpaid: nobody may hold more than a few."""
        who, care = self._next()
        for one in _made(who.client.get(HOLDS[1], params={"mine": True, "state": "held"})).json()["items"]:
            _made(who.post(f"{HOLDS[1]}/{one['id']}/cancel", {"mine": True}))
        return who, care

    def _held(self) -> tuple[Booker, int] | None:
        who, care = self._free_handed()
        free = _made(self._look(who, care)).json()
        if not free:
            return None
        answer = _made(self._hold(who, care, str(self._dice.choice(free)["start"])))
        return who, int(answer.json()["id"])

    def _hold(self, who: Booker, care: Care, start: str) -> httpx.Response:
        body = {"patient": who.patient, "service": care.id, "start": start, "consent": care.consent, "mine": True}
        return who.post(HOLDS[1], body)

    def hold(self) -> Send:
        """A time that is free."""
        who, care = self._free_handed()
        free = _made(self._look(who, care)).json()
        if not free:
            raise Problem(FULL)
        start = str(self._dice.choice(free)["start"])
        return lambda: self._hold(who, care, start)

    def refused(self) -> Send:
        """A time that nobody has: told with the nearest that can be had."""
        for _try in range(len(self._bookers)):
            who, care = self._next()
            free = {datetime.fromisoformat(one["start"]) for one in _made(self._look(who, care)).json()}
            taken = [one for one in self.course.homes.starts if datetime.fromisoformat(one) not in free]
            if taken:
                start = self._dice.choice(taken)
                return lambda: self._hold(who, care, start)
        raise Problem("Every time is free; book more visits before.")

    def pay(self) -> Send:
        who, visit = self._some()
        return lambda: who.post(f"{HOLDS[1]}/{visit}/pay", {"provider": "at_visit", "mine": True})

    def move(self) -> Send:
        who, visit = self._some()
        free = _made(who.client.get(f"{HOLDS[1]}/{visit}/slots", params=self._days() | {"mine": "true"})).json()
        start = self._dice.choice(free)["start"]
        return lambda: who.post(f"{HOLDS[1]}/{visit}/move", {"start": start, "mine": True})

    def _days(self) -> dict[str, str]:
        return {"since": self.course.homes.since, "until": self.course.homes.until}

    def cancel(self) -> Send:
        who, visit = self._some()
        return lambda: who.post(f"{HOLDS[1]}/{visit}/cancel", {"mine": True})

    def _some(self) -> tuple[Booker, int]:
        found = self._held()
        if found is None:
            raise Problem(FULL)
        return found

    def courts(self) -> Iterator[Ask]:
        """The same of a court, which only its own bookings take."""
        yield Ask("court: free slots", LOOK, lambda: self._court()[1])
        yield Ask("court: cancel", ACT, lambda: self._of_court("cancel"))
        yield Ask("court: hold", ACT, lambda: self._court_to_hold()[1], (201,))
        yield Ask("court: confirm", ACT, lambda: self._of_court("confirm"))

    def _court(self) -> tuple[Booker, Send]:
        who, _care = self._next()
        path = f"/api/booking/offerings/{self.course.offers[0].id}/slots"
        span = {"since": self.course.starts[0], "until": self.course.starts[-1]}
        return who, lambda: who.client.get(path, params=span)

    def _court_to_hold(self) -> tuple[Booker, Send]:
        who, look = self._court()
        start = self._dice.choice(_made(look()).json()["items"])["start"]
        return who, lambda: who.post(HOLDS[0], {"offering": self.course.offers[0].id, "start": start})

    def _of_court(self, act: str) -> Send:
        who, hold = self._court_to_hold()
        path = f"{HOLDS[0]}/{_made(hold()).json()['id']}/{act}"
        return lambda: who.post(path, {})

    def asks(self) -> Sequence[Ask]:
        """Everything; what is booked in the course of it is cancelled or stays."""
        return (
            Ask("home visit: free times", LOOK, self.look),
            Ask("home visit: cancel", ACT, self.cancel),
            Ask("home visit: a hold that is refused", ACT, self.refused, (409,)),
            Ask("home visit: hold", ACT, self.hold, (201,)),
            Ask("home visit: move", ACT, self.move),
            Ask("home visit: pay when somebody comes", ACT, self.pay),
            *self.courts(),
        )


def _client(port: int, token: str) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def _made(answer: httpx.Response) -> httpx.Response:
    if answer.status_code not in (200, 201):
        raise Problem(f"{answer.request.url} was answered with {answer.status_code}: {answer.text[:300]}")
    return answer
