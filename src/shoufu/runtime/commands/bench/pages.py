"""Measure the console's pages on a large installation."""

from __future__ import annotations

import json
import statistics
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from shoufu.runtime.bench import bulk
from shoufu.runtime.bench.kept import DATA_HELP, Kept
from shoufu.runtime.bench.stage import Stage, filled, start, stop

PAGES = (
    "/overview/",
    "/desk/",
    "/cases/",
    "/cases/?state=new",
    "/cases/?severity=high&page=200",
    "/observations/",
    "/devices/",
    "/rules/",
    "/places/",
    "/notices/",
    "/audit/",
)


@dataclass(frozen=True)
class Timing:
    """One page's answers, in milliseconds, and the bytes of one."""

    page: str
    n: int
    p50_ms: float
    p95_ms: float
    bytes: int


@click.command()
@click.option("--cases", default=100_000, show_default=True, help="Cases to make.")
@click.option("--observations", default=10_000_000, show_default=True, help="Observations to make.")
@click.option("--rounds", default=20, show_default=True, help="Times that each page is asked for.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help=DATA_HELP)
@click.option("--json", "as_json", is_flag=True, help="The last line is JSON; a JSON line a page before it.")
def command(cases: int, observations: int, rounds: int, data: Path | None, as_json: bool) -> None:
    """Time the pages at many cases and observations, signed in as operator, through the edge, as a browser asks."""
    with filled(kept(data, cases, observations), lambda: load(cases, observations)) as place:
        timings = _served(place, rounds)
    for timing in timings:
        click.echo(json.dumps(timing.__dict__))
    worst = max(timings, key=lambda timing: timing.p95_ms)
    total = {"pages": len(timings), "cases": cases, "observations": observations}
    click.echo(json.dumps(total | {"p95_ms": worst.p95_ms, "worst": worst.page}))
    if not as_json:
        click.echo(f"The slowest page is {worst.page}: p95 {worst.p95_ms:.0f} ms.", err=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def kept(data: Path | None, cases: int, observations: int) -> Kept:
    """The district of so many cases and observations, kept in a directory; measurements of pages share it."""
    return Kept(data, {"bench": "pages", "cases": cases, "observations": observations})


def load(cases: int, observations: int) -> None:
    """The demo district with so many observations and cases; other measurements of pages start from it too."""
    from shoufu.runtime.demo import loader

    _say("Loading the demo district …")
    loader.load()
    _say(f"Making {observations:,} observations …")
    _observations(observations)
    _say(f"Making {cases:,} cases …")
    _cases(cases)
    _say("Vacuuming …")
    bulk.settle()


def _observations(total: int, days: int = 30) -> None:
    from django.db import connection

    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        first = (now - timedelta(days=days)).date()
        cursor.execute("select obs_make_partitions(%s, %s)", [first, now.date()])
        per_batch, step = 1000, 500_000
        with bulk.bare("obs"):
            for start in range(0, total, step):
                count = min(step, total - start)
                cursor.execute(FILL_OBSERVATIONS, {"start": start, "count": count, "total": total, "days": days})
                _say(f"  {start + count:,}")
        cursor.execute(
            "insert into batch_log select n, n, now() - make_interval(secs => %s * (1 - n::float8 / %s)), %s "
            "from generate_series(1, %s) n",
            [days * 86400, max(1, total // per_batch), per_batch, total // per_batch],
        )
        cursor.execute(FILL_HOURLY)


FILL_OBSERVATIONS = """
with d as (select id, place_id, row_number() over (order by id) - 1 as n, count(*) over () as all_devices
           from devices_device),
     k as (select id, row_number() over (order by id) - 1 as n, count(*) over () as all_kinds
           from observations_observationkind where code in ('door.state', 'object.count', 'device.heartbeat'))
insert into obs (id, t, known, batch, ix, kind, device, place, shard, result)
select uuidv7(m.t - clock_timestamp()), m.t, m.t + interval '20 ms', s / 1000 + 1, s %% 1000, k.id, d.id, d.place_id, 0,
       case when s %% 2 = 0 then '{"state": "open"}'::jsonb else '{"state": "closed"}'::jsonb end
from generate_series(%(start)s, %(start)s + %(count)s - 1) s
cross join lateral (select now() - make_interval(secs => %(days)s * 86400 * (1 - s::float8 / %(total)s)) as t) m
join d on d.n = s %% d.all_devices join k on k.n = (s / 7) %% k.all_kinds
"""
FILL_HOURLY = """
insert into observations_hourlycount (place_id, kind_id, hour, count)
select place, kind, date_trunc('hour', t), count(*) from obs group by 1, 2, 3 on conflict do nothing
"""


def _cases(total: int, chunk: int = 5_000) -> None:
    from django.utils import timezone

    from shoufu.kernel.cases.models import Case, CaseEvent
    from shoufu.kernel.devices.models import Device
    from shoufu.kernel.rules.models import Rule, RuleVersion

    devices = list(Device.objects.select_related("place"))
    rule, _ = Rule.objects.get_or_create(code="bench", defaults={"name": "Bench", "place": devices[0].place})
    version, _ = RuleVersion.objects.get_or_create(
        rule=rule, number=1, defaults={"spec": {}, "author": "bench", "state": "draft"}
    )
    now = timezone.now()
    states = ["closed"] * 80 + ["false_alarm"] * 15 + ["resolved"] * 3 + ["new", "dispatched"]
    for begin in range(0, total, chunk):
        made = []
        for n in range(begin, min(begin + chunk, total)):
            made.append(_case(n, total, devices[n % len(devices)], version, states[n % 100], now))
        Case.objects.bulk_create(made)
        CaseEvent.objects.bulk_create(
            [
                CaseEvent(case=case, kind="raised", at=case.opened_at, known=case.known_at, actor="bench")
                for case in made
            ]
        )


def _case(n: int, total: int, device: Any, version: Any, state: str, now: datetime) -> Any:
    from shoufu.kernel.cases.models import Case

    severities = ("critical", "high", "medium", "low")
    opened = now - timedelta(days=365) * (1 - n / total)
    done = state not in ("new", "dispatched")
    return Case(
        number=f"B-{n:08d}",
        kind=("door.forced", "door.held_open", "yard.after_hours")[n % 3],
        title="单元门被强行打开",
        title_en="Door forced",
        severity=severities[n % 4],
        severity_rank=n % 4,
        state=state,
        place=device.place,
        device=device,
        rule_version=version,
        key=device.code,
        opened_at=opened,
        known_at=opened,
        last_at=opened,
        acknowledge_by=opened + timedelta(minutes=5),
        due_at=None if done else now + timedelta(minutes=n % 90),
        acknowledged_at=None if state == "new" else opened + timedelta(minutes=2),
        closed_at=opened + timedelta(hours=1) if done else None,
        role="guard",
    )


def session(username: str) -> str:
    """A session of a user of the demo district, for a browser's cookie."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from shoufu.kernel.access.models import User

    user = User.objects.get(username=username)
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def _pages() -> list[str]:
    from shoufu.kernel.cases.models import Case
    from shoufu.kernel.devices.models import Device

    case, device = Case.objects.latest("pk"), Device.objects.earliest("pk")
    return [*PAGES, f"/cases/{case.pk}", f"/devices/{device.pk}"]


def _served(place: Stage, rounds: int) -> list[Timing]:
    web = start("web", log=place.root / "logs" / "web.log")
    try:
        return _measure(f"http://127.0.0.1:{place.port}", rounds)
    except click.ClickException:
        _say((place.root / "logs" / "web.log").read_text(errors="replace")[-3000:])
        raise
    finally:
        stop(web)


def _measure(base: str, rounds: int) -> list[Timing]:
    import httpx
    from django.conf import settings

    timings = []
    cookies = {settings.SESSION_COOKIE_NAME: session("operator")}
    with httpx.Client(base_url=base, cookies=cookies, timeout=60) as client:
        wait(client)
        for page in _pages():
            timings.append(_time(client, page, rounds))
    return timings


def wait(client: Any, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if client.get("/accounts/login/").status_code < 500:
            return
        time.sleep(0.2)
    raise click.ClickException("The page server did not answer; look at its log.")


def _time(client: Any, page: str, rounds: int) -> Timing:
    spans, answer = [], client.get(page)
    if answer.status_code != 200:
        raise click.ClickException(f"{page} answered {answer.status_code}.")
    for _ in range(rounds):
        began = time.perf_counter()
        answer = client.get(page)
        spans.append((time.perf_counter() - began) * 1000)
    spans.sort()
    p95 = spans[min(len(spans) - 1, round(0.95 * (len(spans) - 1)))]
    _say(f"{page:45} p50 {statistics.median(spans):6.1f} ms  p95 {p95:6.1f} ms")
    return Timing(page, rounds, round(statistics.median(spans), 1), round(p95, 1), len(answer.content))
