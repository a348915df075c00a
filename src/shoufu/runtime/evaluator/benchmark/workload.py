"""A made-up district for measuring rules: kinds, devices, rules of every pattern, and a log as JSON batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from shoufu.kernel.rules.evaluation import Places, RuleSource
from shoufu.kernel.rules.spec import RuleSpec, parse

KINDS = 40
DEVICES = 20_000
PLACES = 2_000
RULES = 50
BATCH = 1_000
START = 1_764_028_800.0 - 300.0
"""Five minutes before a UTC midnight, so that the log covers two days."""
RATE = 1_000.0
STATES = ("open", "closed", "locked", "fault")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "value": {"type": "number"},
        "state": {"type": "string", "enum": list(STATES)},
        "people": {"type": "integer"},
        "granted": {"type": "boolean"},
    },
    "required": ["value", "state", "people"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class BenchKind:
    code: str
    schema: dict[str, Any]


def kinds() -> dict[str, BenchKind]:
    """40 kinds with a number, a choice, an integer, and a boolean that is sometimes missing."""
    return {f"bench.kind{index:02d}": BenchKind(f"bench.kind{index:02d}", SCHEMA) for index in range(KINDS)}


def places() -> Places:
    """A district (id 1) with 2,000 places below."""
    paths = {1: "/1/"} | {place: f"/1/{place}/" for place in range(2, PLACES + 2)}
    return Places(paths, dict.fromkeys(paths, "Asia/Shanghai"))


PATTERNS: tuple[dict[str, Any], ...] = (
    {"where": "result.value > 99.9", "pattern": {"type": "match"}, "cooldown": 60},
    {"where": "result.value > 97.0", "pattern": {"type": "threshold", "for": 120, "clear": "result.value < 40.0"}},
    {"where": "result.state == 'fault' && result.value > 80.0", "pattern": {"type": "count", "n": 3, "window": 300}},
    {"where": "result.people > 0", "pattern": {"type": "absence", "after": 900}, "cooldown": 600},
    {
        "pattern": {
            "type": "sequence",
            "steps": ["result.state == 'open' && result.value > 60.0", "result.value > 99.0"],
            "window": 120,
            "unless": "has(result.granted) && result.granted && result.value < 20.0",
        }
    },
    {"where": "result.state == 'open'", "pattern": {"type": "dwell", "for": 300, "until": "result.state != 'open'"}},
    {
        "where": "result.state != 'fault'",
        "key": "place",
        "pattern": {"type": "occupancy", "delta": "result.people - 5", "limit": 40},
        "schedule": {"from": "07:57", "to": "08:30"},
    },
    {
        "where": "result.value >= 99.5 && (result.state == 'open' || result.people in [1, 2, 3])",
        "pattern": {"type": "match"},
        "schedule": {"days": [1, 2, 3, 4, 5], "from": "07:00", "to": "08:05"},
        "key": "place",
        "cooldown": 600,
    },
)


def rules(count: int = RULES) -> list[RuleSource]:
    """Rules of every pattern, spread over the kinds."""
    codes = sorted(kinds())
    built: list[RuleSource] = []
    for index in range(count):
        document = {"kinds": [codes[index % len(codes)]], "severity": "low"} | PATTERNS[index % len(PATTERNS)]
        spec: RuleSpec = parse(document)
        built.append(RuleSource(version=index + 1, place=1, spec=spec))
    return built


def batches(observations: int, seed: int = 1) -> Iterator[bytes]:
    """The log as JSON texts of 1,000 rows each, rows up to a second out of order; the last one is a tick after all."""
    random = np.random.default_rng(seed)
    codes = sorted(kinds())
    total = max(1, observations // BATCH)
    step = BATCH / RATE
    for number in range(1, total + 1):
        begin = START + (number - 1) * step
        t = np.round(begin + random.uniform(-0.9, step, BATCH), 6)
        device = random.integers(0, DEVICES, BATCH)
        rows = [
            _row(when, which, codes, value, state, people, granted, tail)
            for when, which, value, state, people, granted, tail in zip(
                t.tolist(), device.tolist(), np.round(random.uniform(0, 100, BATCH), 2).tolist(),
                random.integers(0, len(STATES), BATCH).tolist(), random.integers(0, 11, BATCH).tolist(),
                random.integers(0, 4, BATCH).tolist(), random.bytes(BATCH * 10).hex(":", 10).split(":"), strict=True,
            )
        ]  # fmt: skip
        yield msgspec.json.encode({"number": number, "known": begin + step + 0.5, "rows": rows})
    yield msgspec.json.encode({"number": total + 1, "known": START + total * step + 3_600.0, "rows": []})


def _row(
    t: float, device: int, codes: list[str], value: float, state: int, people: int, granted: int, tail: str
) -> dict[str, Any]:
    stamp = f"{int(t * 1000):012x}"
    result: dict[str, Any] = {"value": value, "state": STATES[state], "people": people}
    if granted:
        result["granted"] = granted == 1
    return {
        "id": f"{stamp[:8]}-{stamp[8:]}-7{tail[:3]}-8{tail[3:6]}-{tail[6:18]}",
        "t": t,
        # A device is of one or two kinds, as a controller or a sensor is.
        "kind": codes[(device + (value > 50.0) * 7) % len(codes)],
        "device": f"dev-{device:05d}",
        "device_id": device + 1,
        "place_id": device % PLACES + 2,
        "shard": 0,
        "foi": None,
        "result": result,
    }
