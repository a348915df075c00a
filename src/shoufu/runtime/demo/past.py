"""What happened at some doors of the demo in the weeks before: told to the edge like any observation, evaluated by the
rules in force, and judged by the demo's guard case by case."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import nats.errors
import structlog
from django.conf import settings
from nats.aio.client import Client

from shoufu.kernel.access import selectors as access
from shoufu.kernel.access.models import User
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.cases import services as cases
from shoufu.kernel.cases.models import Case
from shoufu.kernel.devices.models import Device
from shoufu.kernel.notices import services as notices
from shoufu.kernel.observations.limits import MAX_ITEMS
from shoufu.kernel.observations.models import ObservationKind
from shoufu.runtime.edge.internal import SUBJECT

log = structlog.get_logger("demo")

RULE = "door_held_open.songshan"
DOORS = tuple(f"door-songshan-{building}-{unit}" for building in (1, 2, 3) for unit in (1, 2))
DAYS = range(28, 1, -1)
"""Days before today; the log takes nothing older than thirty."""
PASSES = 6
PARCELS = (24, 27, 31, 33, 36, 38, 41, 44, 46, 49, 52, 55, 57, 61, 66, 72, 185, 290)
WEDGED = (160, 240, 310, 420, 560, 700, 880)
SEED = 7
BUSY, REAL = (
    ("快递员搬包裹", "居民搬家具", "推婴儿车的人进出慢", "等人一起进门"),
    ("门被砖头顶住", "闭门器坏了，已报修", "门锁未扣上"),
)
TELLING_SECONDS, WAIT_SECONDS = 60.0, 120.0


@dataclass(frozen=True)
class Opened:
    """A door stands open from `at` (RFC 3339) for some seconds; `words` say why, or nothing where somebody passed."""

    device: str
    at: str
    seconds: float
    real: bool = False
    words: str = ""


def story(now: datetime) -> list[Opened]:
    """Four weeks at some doors, in the order of time; doors do not open while they are open."""
    dice = random.Random(SEED)
    long = [(seconds, False) for seconds in PARCELS] + [(seconds, True) for seconds in WEDGED]
    dice.shuffle(long)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight - timedelta(days=day) for day in DAYS]
    held: dict[tuple[datetime, str], tuple[int, bool]] = {}
    for seconds, real in long:
        held[dice.choice([(day, door) for day in days for door in DOORS if (day, door) not in held])] = seconds, real
    found = [one for day in days for door in DOORS for one in _day(day, door, held.get((day, door)), dice)]
    return sorted(found, key=lambda one: one.at)


def _day(day: datetime, door: str, held: tuple[int, bool] | None, dice: random.Random) -> Iterator[Opened]:
    # From the evening of one day in UTC to the next lies a day at the place: 23:00 to 14:00 is 7:00 to 22:00 there.
    for number in range(PASSES):
        at = day + timedelta(hours=2 * number, minutes=dice.uniform(0, 60))
        yield Opened(door, at.isoformat(timespec="milliseconds"), round(dice.uniform(3, 9), 1))
    if held is not None:
        seconds, real = held
        at = day + timedelta(hours=2 * dice.randrange(PASSES) + 1, minutes=dice.uniform(5, 40))
        words = dice.choice(REAL if real else BUSY)
        yield Opened(door, at.isoformat(timespec="milliseconds"), seconds + round(dice.random(), 1), real, words)


def path() -> Path:
    """Where the story is kept between telling and judging."""
    return Path(settings.DATA_ROOT) / "demo" / "past.json"


def tell() -> None:
    """Put the weeks before into an empty log; does nothing where it holds anything."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM batch_log)")
        if cursor.fetchone()[0] or not ObservationKind.objects.filter(code="door.state").exists():
            return
    told = story(datetime.now(UTC))
    items = sorted((item for one in told for item in _items(one)), key=lambda item: str(item["phenomenonTime"]))
    try:
        asyncio.run(_send(items))
    except (OSError, nats.errors.Error, TimeoutError) as error:
        log.warning("the weeks before were not told", error=str(error) or type(error).__name__)
        return
    path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path().write_text(json.dumps([asdict(one) for one in told if one.words], ensure_ascii=False), encoding="utf-8")
    log.info("told the weeks before", observations=len(items))


def _items(one: Opened) -> Iterator[dict[str, Any]]:
    shut = datetime.fromisoformat(one.at) + timedelta(seconds=one.seconds)
    for at, state in ((one.at, "open"), (shut.isoformat(timespec="milliseconds"), "closed")):
        yield {
            "device": one.device,
            "kind": "door.state",
            "phenomenonTime": at,
            "result": {"state": state, "bolt": "unlocked" if state == "open" else "locked"},
        }


async def _send(items: list[dict[str, Any]]) -> None:
    """By the way of the product's own processes; the edge learns of new devices within seconds."""
    client = Client()
    await client.connect(settings.NATS_URL, name="demo-past", connect_timeout=5)
    deadline = time.monotonic() + TELLING_SECONDS
    try:
        for start in range(0, len(items), MAX_ITEMS):
            body = msgspec.json.encode(items[start : start + MAX_ITEMS])
            while b'"refused":0' not in (answer := (await client.request(SUBJECT, body, timeout=15)).data):
                if time.monotonic() > deadline:
                    log.warning("the weeks before were not taken", answer=answer[:300].decode(errors="replace"))
                    return
                await asyncio.sleep(0.5)
    finally:
        await client.close()


def judge() -> None:
    """Wait until the rules have read the weeks before, then end each case as the demo's guard would have."""
    from shoufu.kernel.rules import selectors
    from shoufu.kernel.rules.learning.study import learn

    if not path().exists():
        return
    told = [Opened(**one) for one in json.loads(path().read_text(encoding="utf-8"))]
    found = _raised(told)
    guard = access.actor_for_user(User.objects.get(username="guard"))
    for case in found:
        opened = _behind(case, told)
        if opened is not None and case.state == Case.State.NEW:
            _end(guard, case, opened)
    notices.mark_read(guard)
    learn(selectors.by_code(guard, RULE))
    path().unlink()
    log.info("judged the weeks before", cases=len(found))


def _raised(told: list[Opened]) -> list[Case]:
    deadline = time.monotonic() + WAIT_SECONDS
    until = datetime.fromisoformat(max(one.at for one in told)) + timedelta(hours=1)
    while True:
        rows = Case.objects.filter(rule_version__rule__code=RULE, opened_at__lt=until).select_related("device")
        found = list(rows.order_by("opened_at"))
        if len(found) >= len(told) or time.monotonic() > deadline:
            return found
        time.sleep(1)


def _behind(case: Case, told: list[Opened]) -> Opened | None:
    device: Device | None = case.device
    for one in told:
        since = (case.opened_at - datetime.fromisoformat(one.at)).total_seconds()
        if device is not None and one.device == device.code and 0 <= since <= one.seconds:
            return one
    return None


def _end(guard: Actor, case: Case, opened: Opened) -> None:
    cases.acknowledge(guard, case.pk)
    if opened.real:
        cases.resolve(guard, case.pk, outcome=opened.words)
    else:
        cases.false_alarm(guard, case.pk, reason=opened.words)
