"""What is asked for, and how long it takes: through the edge, signed in, as browsers, phones and programs ask."""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from shoufu.runtime.bench.care import district
from shoufu.runtime.bench.care.district import Made
from shoufu.runtime.bench.care.spent import processor_seconds
from shoufu.runtime.errors import Problem

SLOTS, BOARD, PAGE = 0.2, 0.1, 0.15
WARM = 2
Send = Callable[[], httpx.Response]


@dataclass(frozen=True)
class Ask:
    """Something that is asked for again and again: `next` makes the next question and what else happens before it, so
    that only its answer is timed. `limit` in seconds."""

    what: str
    limit: float
    next: Callable[[], Send]
    status: tuple[int, ...] = (200,)


@dataclass(frozen=True)
class Timing:
    """Seconds of `n` answers: the first one after the server's start (or of this kind), then the median and the 95th
    percentile; `cpu`: processor time of page server and database for one answer; `ratio` of the percentile to the
    limit."""

    what: str
    n: int
    first: float
    p50: float
    seconds: float
    cpu: float
    limit: float
    ratio: float

    def as_dict(self) -> Mapping[str, Any]:
        return asdict(self)


def timed(ask: Ask, rounds: int, processes: list[int]) -> Timing:
    """Ask `rounds` times after two that warm up. Problem where an answer is none."""
    first, *_rest = [_once(ask)[0] for _ in range(WARM)]
    found = []
    for _ in range(rounds):
        send, before = ask.next(), processor_seconds(processes)
        wall = _answered(ask, send)
        found.append((wall, processor_seconds(processes) - before))
    spans = sorted(wall for wall, _cpu in found)
    high = spans[min(len(spans) - 1, round(0.95 * (len(spans) - 1)))]
    cpu = sum(cpu for _wall, cpu in found) / rounds
    return Timing(
        ask.what, rounds, round(first, 4), round(statistics.median(spans), 4), round(high, 4), round(cpu, 4),
        ask.limit, round(high / ask.limit, 2),
    )  # fmt: skip


def told(ask: Ask, rounds: int, processes: list[int]) -> Mapping[str, Any]:
    """Time a question, print its JSON line, and say it for people."""
    row = timed(ask, rounds, processes).as_dict()
    print(json.dumps(row, ensure_ascii=False), flush=True)
    print(f"{row['what']:62} p50 {row['p50'] * 1000:6.0f}  p95 {row['seconds'] * 1000:6.0f}  "
          f"cpu {row['cpu'] * 1000:6.0f} ms  {row['ratio']:.2f}", file=sys.stderr, flush=True)  # fmt: skip
    return row


def _once(ask: Ask) -> tuple[float, None]:
    return _answered(ask, ask.next()), None


def _answered(ask: Ask, send: Send) -> float:
    began = time.perf_counter()
    answer = send()
    seconds = time.perf_counter() - began
    if answer.status_code not in ask.status:
        raise Problem(f"{ask.what} was answered with {answer.status_code}: {answer.text[:300]}")
    return seconds


class People:
    """Who asks: a signed-in browser of each account, which programs' questions go through too."""

    def __init__(self, base: str, held: ExitStack) -> None:
        self._base, self._held = base, held
        self._known: dict[str, httpx.Client] = {}

    def __getitem__(self, name: str) -> httpx.Client:
        if name not in self._known:
            self._known[name] = self._held.enter_context(self._signed_in(name))
        return self._known[name]

    def _signed_in(self, name: str) -> httpx.Client:
        from django.conf import settings

        from shoufu.kernel.access.models import User
        from shoufu.kernel.access.selectors import actor_for_user
        from shoufu.kernel.access.services import create_token
        from shoufu.runtime.commands.bench.pages import session

        token = create_token(actor_for_user(User.objects.get(username=name)), "bench").token
        cookies = {settings.SESSION_COOKIE_NAME: session(name)}
        browser = httpx.Client(base_url=self._base, cookies=cookies, timeout=60)
        browser.token = token  # type: ignore[attr-defined]
        return browser

    def program(self, name: str) -> httpx.Client:
        """The same account as a program with a token."""
        key = f"program {name}"
        if key not in self._known:
            headers = {"Authorization": f"Bearer {self[name].token}"}  # type: ignore[attr-defined]
            self._known[key] = self._held.enter_context(httpx.Client(base_url=self._base, headers=headers, timeout=60))
        return self._known[key]


def asks(made: Made, people: People, days: int) -> Iterator[Ask]:
    """Everything, the planning first. The order matters: giving visits away changes the days."""
    yield from _times(made, people, days)
    yield from _board(made, people)
    yield from _pages(made, people)


def _times(made: Made, people: People, days: int) -> Iterator[Ask]:
    wound, patient = made.services[0], made.patient
    program = people.program(district.RESIDENT)

    def slots() -> Send:
        now = datetime.now().astimezone()
        query: dict[str, str | int] = {
            "patient": patient.pk, "service": wound.pk, "since": now.isoformat(),
            "until": (now + timedelta(days=days)).isoformat(), "mine": "true",
        }  # fmt: skip
        return lambda: program.get("/api/homecare/visits/slots", params=query)

    def changed() -> Send:
        _touch(made, days)
        return slots()

    def one_changed() -> Send:
        _touch(made, 1)
        return slots()

    yield Ask(f"slots of {days} days, nothing changed since", SLOTS, slots)
    yield Ask(f"slots of {days} days, one day changed since", SLOTS, one_changed)
    yield Ask(f"slots of {days} days, all of them changed since", SLOTS, changed)
    address = f"/homecare/visits/mine/book/{patient.pk}/{wound.pk}/"
    yield Ask(
        "resident's page of times, one day changed since",
        SLOTS,
        lambda: _changed(made, _get(people[district.RESIDENT], address)),
    )


def _get(browser: httpx.Client, address: str) -> Send:
    return lambda: browser.get(address)


def _changed(made: Made, send: Send) -> Send:
    """The same question after something happened to tomorrow's plan."""
    _touch(made, 1)
    return send


def _touch(made: Made, days: int) -> None:
    """Something happens to the plans of so many days, as when somebody else books: no process may answer from what it
    remembers of them."""
    from django.db import connection

    sql = """
    update homecare_visits_stop set pinned = not pinned where id in (
      select distinct on (v.day) s.id from homecare_visits_stop s join homecare_visits_visit v on v.id = s.visit_id
      where v.institution_id = %s and v.day > %s and v.day <= %s and s.live order by v.day, random())
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [made.office.pk, made.day, made.day + timedelta(days=days)])


def _board(made: Made, people: People) -> Iterator[Ask]:
    from shoufu.scenes.homecare.visits.models import Visit

    draw, on = random.Random(3), made.day + timedelta(days=1)
    program = people.program(district.COORDINATOR)
    visits = list(Visit.objects.filter(institution=made.office, day=on).order_by("pk"))
    singles = [one for one in visits if one.version_id in {v.pk for s in made.services[:3] for v in s.versions.all()}]

    def check() -> Send:
        visit, nurse = draw.choice(singles), draw.choice(made.nurses)
        start = visit.starts_at + timedelta(minutes=5 * draw.randrange(7))
        body = {"crew": [nurse.pk], "start": start.isoformat()}
        return lambda: program.post(f"/api/homecare/planning/visits/{visit.pk}/check", json=body)

    def changed_check() -> Send:
        _touch(made, 1)
        return check()

    def assign() -> Send:
        body, visit = _fit(draw, singles)
        return lambda: program.post(f"/api/homecare/planning/visits/{visit}/assign", json=body)

    yield Ask("board: check of a dragged visit, nothing changed since", BOARD, check)
    yield Ask("board: check of a dragged visit, the day changed since", BOARD, changed_check)
    yield Ask("board: assign", SLOTS, assign)
    tail = f"?institution={made.office.pk}&day={on.isoformat()}"
    browser = people[district.COORDINATOR]
    yield Ask("board: page", SLOTS, lambda: _changed(made, _get(browser, f"/homecare/planning/{tail}")))
    yield Ask("board: data", SLOTS, lambda: _changed(made, _get(browser, f"/homecare/planning/data/{tail}")))
    yield Ask(
        "board: a visit beside it",
        SLOTS,
        lambda: _get(browser, f"/homecare/planning/visits/{draw.choice(singles).pk}/"),
    )


def _fit(draw: random.Random, visits: list[Any]) -> tuple[dict[str, Any], int]:
    """A place that a visit can have now, looked up beside the stopwatch; not the one that it has, where there are
    several."""
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.scenes.homecare.planning import services

    for _attempt in range(50):
        visit = draw.choice(visits)
        day, fits = services.places(SYSTEM, visit.pk)
        if fits:
            fit = fits[min(1, len(fits) - 1)]
            return {"crew": list(fit.crew), "start": day.moment(fit.starts[0]).isoformat()}, visit.pk
    raise Problem("No visit of the day has a place: the made-up day is too full.")


def _pages(made: Made, people: People) -> Iterator[Ask]:
    months = _months(made)
    coordinator, manager = people[district.COORDINATOR], people[district.MANAGER]
    quality, list_ = "/homecare/quality/", "/homecare/visits/"
    pages = (
        ("coordinator's list of visits", coordinator, list_),
        ("coordinator's list of visits: 150th page", coordinator, f"{list_}?page=150"),
        ("coordinator's list of visits: by state", coordinator, f"{list_}?state=missed"),
        ("coordinator's list of visits: by who comes", coordinator, f"{list_}?nurse=护士3"),
        ("coordinator's list of visits: by patient", coordinator, f"{list_}?patient=病人42"),
        ("coordinator's list of visits: by name of patient", coordinator, f"{list_}?sort=patient"),
        ("quality: figures of a year", manager, quality),
        ("quality: figures of three years", manager, f"{quality}?{months}"),
        ("quality: figures of a month", manager, f"{quality}?since={_month(made, 1)}&last={_month(made, 1)}"),
        ("quality: published figures of a year", manager, f"{quality}?published=yes"),
        ("quality: figures of a nurse", people[district.NURSE], quality),
        ("quality: rules of two months", manager, f"{quality}rules/"),
        ("quality: rules of a year", manager, f"{quality}rules/?since={_month(made, 11)}"),
        ("quality: institution, a year", manager, f"{quality}office/"),
        ("quality: institution, three years", manager, f"{quality}office/?{months}"),
        ("quality: ratings", manager, f"{quality}ratings/"),
        ("quality: ratings by stars", manager, f"{quality}ratings/?sort=stars"),
        ("quality: ratings of who came", manager, f"{quality}ratings/?who=护士3"),
        ("quality: complaints", manager, f"{quality}complaints/"),
        ("quality: complaints that are open", manager, f"{quality}complaints/?state=received&sort=answer_by"),
        ("quality: incidents", manager, f"{quality}incidents/"),
        ("quality: refusals", manager, f"{quality}refusals/"),
        ("quality: trace, the list", manager, f"{quality}trace/"),
        ("quality: trace, by service", manager, f"{quality}trace/?sort=service"),
        ("resident: my visits", people[district.RESIDENT], "/homecare/visits/mine/"),
        ("resident: ratings and complaints", people[district.RESIDENT], f"{quality}mine/"),
        ("nurse's list of visits", people[district.NURSE], list_),
    )
    for what, browser, address in pages:
        yield Ask(what, PAGE, lambda browser=browser, address=address: _get(browser, address))  # type: ignore[misc]
    yield Ask("quality: trace of a visit", PAGE, lambda: _trace(people, made))
    yield Ask("nurse's bundle of two days, a phone's first", PAGE, lambda: _bundle(people, str(uuid4()), ""))
    device = str(uuid4())
    yield Ask("nurse's bundle of two days, again", PAGE, lambda: _bundle(people, device, ""))


def _month(made: Made, back: int) -> str:
    number = made.day.year * 12 + made.day.month - 1 - back
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _months(made: Made) -> str:
    return f"since={_month(made, 33)}&last={_month(made, 0)}"


def _trace(people: People, made: Made) -> Send:
    from shoufu.scenes.homecare.visits.models import Visit

    draw = random.Random(time.perf_counter_ns())
    rows = Visit.objects.filter(institution=made.office, state="done").order_by("pk")
    low, high = rows.values_list("pk", flat=True)[0], rows.values_list("pk", flat=True).last()
    visit = rows.filter(pk__gte=draw.randint(low, high or low)).values_list("pk", flat=True)[0]
    program = people.program(district.MANAGER)
    return lambda: program.post(f"/api/homecare/quality/trace/{visit}", json={"reason": "measuring how long it takes"})


def _bundle(people: People, device: str, known: str) -> Send:
    program = people.program(district.NURSE)
    return lambda: program.get("/api/homecare/encounters/bundle", params={"device": device, "known": known})
