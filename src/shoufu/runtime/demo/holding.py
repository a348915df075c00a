"""The simulated controllers' rule sets: fetched like a real one's, checked, and used to say who passed."""

from __future__ import annotations

import random
import threading
from typing import Any

import httpx
import structlog

from shoufu.engines import doors as engine
from shoufu.engines.doors import Flag, Rules, Technology

log = structlog.get_logger("door")

EVERY = 5.0
TRIES = 12
GATES = "gate-"
GATES_BY_TURN = ("south", "north", "east")
WORDS = {Technology.CARD: "card", Technology.PIN: "pin", Technology.QR: "qr", Technology.FACE: "face"}


class Holding:
    """What each simulated controller holds; `run` keeps it up to date, asking every five seconds."""

    def __init__(self, server: str, secrets: dict[str, str]) -> None:
        self._secrets = secrets
        self._client = httpx.Client(base_url=server, timeout=10, trust_env=False)
        self._blobs: dict[str, bytes] = {}
        self._rules: dict[str, Rules] = {}
        self._people: dict[str, frozenset[int]] = {}

    def run(self, stop: threading.Event) -> None:
        """Until told to stop. A server that is away is asked again."""
        while not stop.is_set():
            for code in self._secrets:
                try:
                    self._fetch(code)
                except (httpx.HTTPError, engine.RuleSetError) as error:
                    log.info("rule set not fetched", device=code, reason=str(error)[:200])
                if stop.is_set():
                    return
            stop.wait(EVERY)

    def _fetch(self, code: str) -> None:
        held = self._rules.get(code)
        blob = self._blobs.get(code, b"")
        query: dict[str, str | int] = {"have": held.version if held else 0, "hash": engine.hash_of(blob), "wait": 0}
        headers = {"Authorization": f"Bearer {self._secrets[code]}"}
        answer = self._client.get("/v1/doors/rules", params=query, headers=headers)
        if answer.status_code != 200:
            return
        delta = answer.headers.get("Shoufu-Rules") == "delta"
        new = engine.apply_delta(blob, answer.content) if delta else answer.content
        # The signing key of an installation is pinned at a real door; a simulated one trusts whom it was started by.
        from shoufu.kernel.doors import keys

        self._rules[code] = engine.load(new, [keys.public_key()], code)
        self._blobs[code] = new
        rules = self._rules[code]
        self._people[code] = frozenset(_record(rules, number).person for number in range(len(rules)))
        # What it holds now is its receipt.
        receipt: dict[str, str | int] = {"have": self._rules[code].version, "hash": engine.hash_of(new), "wait": 0}
        self._client.get("/v1/doors/rules", params=receipt, headers=headers)

    def somebody(self, code: str, dice: random.Random) -> dict[str, Any]:
        """Somebody who may pass and usually passes here, as a decision's fields; none where chance finds nobody."""
        rules = self._rules.get(code)
        if rules is None or not len(rules):
            return {}
        tried = (_record(rules, dice.randrange(len(rules))) for _ in range(TRIES))
        found = next((one for one in tried if self._usual(code, one)), None)
        if found is None:
            return {}
        told: dict[str, Any] = {"key": found.key.hex(), "person": found.person, "credential": WORDS[found.technology]}
        return told | {"reason": "granted", "rules": rules.version, "clock": "synced"}

    def _usual(self, code: str, record: engine.model.Credential) -> bool:
        """Whether this person is one of this door's own.

        Doors are simulated apart from one another. Each person passes only one of them, or the same person would be
        seen at two doors at once: a quarter of the people use the gates, the others the door of their own staircase.
        """
        if record.flags & (Flag.REVOKED | Flag.EMERGENCY) or record.technology not in WORDS:
            return False
        usual = record.person % 4
        if code.startswith(GATES):
            return usual == 0 and GATES_BY_TURN[record.person // 4 % len(GATES_BY_TURN)] == code.rpartition("-")[2]
        elsewhere = (other for other in self._people if other != code and not other.startswith(GATES))
        return usual != 0 and not any(record.person in self._people[other] for other in elsewhere)


def _record(rules: Rules, number: int) -> engine.model.Credential:
    start = number * engine.model.RECORD
    return engine.unpack_record(rules.records[start : start + engine.model.RECORD])
