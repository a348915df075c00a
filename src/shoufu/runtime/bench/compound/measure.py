"""What is measured on the compound: pages, the jump to a moment, and a month of rehearsal."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from shoufu.runtime.bench.compound.register import USER, Made
from shoufu.runtime.errors import Problem

PAGES = (
    "/desk/",
    "/overview/",
    "/cases/",
    "/observations/",
    "/devices/",
    "/doors/",
    "/places/",
    "/parties/people/",
    "/parties/households/",
    "/replay/",
    "/replay/movement/",
    "/community/vehicles/",
    "/community/visitors/",
)


@dataclass(frozen=True)
class Timings:
    """Milliseconds of each page (50th and 95th percentile) and of all answers together."""

    pages: dict[str, tuple[float, float]]
    p95_ms: float


def client(base: str) -> httpx.Client:
    """A browser's session of the compound's manager."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from shoufu.kernel.access.models import User

    user = User.objects.get(username=USER)
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return httpx.Client(base_url=base, cookies={settings.SESSION_COOKIE_NAME: str(store.session_key)}, timeout=60)


def wait(browser: httpx.Client, seconds: float = 120) -> None:
    """Until the page server answers."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if browser.get("/accounts/login/").status_code < 500:
            return
        time.sleep(0.2)
    raise Problem("The page server did not answer; look at its log.")


def pages(browser: httpx.Client, place: int, rounds: int) -> Timings:
    """Ask for each page `rounds` times after a first one that warms up."""
    found, everything = {}, []
    for page in PAGES:
        address = f"{page}?place={place}"
        _get(browser, address)
        spans = sorted(_timed(browser, address) for _ in range(rounds))
        everything += spans
        found[page] = (round(statistics.median(spans), 1), round(_share(spans, 0.95), 1))
    return Timings(found, round(_share(sorted(everything), 0.95), 1))


def seeks(browser: httpx.Client, made: Made, days: int, rounds: int) -> tuple[float, float, int]:
    """Jump to random moments of the year: the chunk with its decoding, the day's bars and the pictures, one after
    another as a slow browser would. Seconds (50th and 95th percentile) and the bytes of the largest chunk."""
    dice, now = random.Random(5), time.time()
    spans, largest = [], 0
    for _ in range(rounds):
        at = now - 3600 - dice.random() * (days - 1) * 86400
        day = datetime.fromtimestamp(at + 8 * 3600, UTC).date()
        tail = f"place={made.compound.pk}"
        began = time.perf_counter()
        chunk = browser.get(f"/replay/chunk?{tail}&since={at}", headers={"Accept-Encoding": "gzip"})
        chunk.raise_for_status()
        chunk.json()
        largest = max(largest, int(chunk.headers.get("Content-Length", "0") or 0))
        _get(browser, f"/replay/bars?{tail}&day={day}")
        _get(browser, f"/replay/pictures?{tail}&at={at}")
        spans.append(time.perf_counter() - began)
    spans.sort()
    return round(statistics.median(spans), 3), round(_share(spans, 0.95), 3), largest


def rehearse_month(made: Made, now: datetime) -> tuple[float, int]:
    """Rehearse “door held open” over 30 days as the worker does, its first one included; seconds and rows read."""
    from shoufu.kernel.base import registry
    from shoufu.kernel.rules.models import Rehearsal
    from shoufu.kernel.rules.rehearsal import archive, jobs

    archive.archive_due(0, now)
    templates = [one for scene in registry.scenes() for one in scene.rule_templates]
    template = next(one for one in templates if one.code == "door_held_open")
    version = _draft(made.compound, template)
    row = Rehearsal.objects.create(version=version, since=now - timedelta(days=30), until=now, asked_by="bench")
    began = time.perf_counter()
    jobs.run(row.pk)
    seconds = time.perf_counter() - began
    row.refresh_from_db()
    if row.state != Rehearsal.State.DONE:
        raise Problem(f"The rehearsal failed: {row.error}")
    return round(seconds, 2), int((row.result or {}).get("rows", 0))


def _draft(place: Any, template: Any) -> Any:
    from shoufu.kernel.rules.models import Rule, RuleVersion

    rule = Rule.objects.create(
        code=f"bench-held-{uuid4().hex[:8]}", name=template.name, name_en=template.name_en, place=place
    )
    return RuleVersion.objects.create(rule=rule, number=1, spec=template.spec, state="draft", author="bench")


def _get(browser: httpx.Client, address: str) -> httpx.Response:
    answer = browser.get(address)
    if answer.status_code != 200:
        raise Problem(f"{address} answered {answer.status_code}.")
    return answer


def _timed(browser: httpx.Client, address: str) -> float:
    began = time.perf_counter()
    _get(browser, address)
    return (time.perf_counter() - began) * 1000


def _share(spans: Sequence[float], share: float) -> float:
    return spans[min(len(spans) - 1, round(share * (len(spans) - 1)))]
