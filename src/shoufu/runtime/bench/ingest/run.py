"""The measurement: ingest and its limit in turn, then MQTT, then live push."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
import psycopg
import structlog

from shoufu.runtime.bench.ingest import http, live, mqtt
from shoufu.runtime.bench.ingest.bodies import Bodies, rows
from shoufu.runtime.bench.stage import Sender, Stage, senders, stage

log = structlog.get_logger("bench")

PER_REQUEST = 50
CONNECTIONS = 40
COMPOUNDS = 20
DOORS = 4
BATCH = 1_000
ROUNDS = 4
WARM_UP = 1.0
CLIENTS = 2_000
LIVE_PER_SECOND = 40
PUBLISHERS = 8
BACKLOG = 20_000


class Figures(msgspec.Struct):
    """The result. ``per_second`` observations acknowledged after their commit; ``limit_per_second`` rows of plain COPY;
    ``p99_ms`` of a request; ``mqtt_per_second`` published with QoS 1 and committed; ``live_p99_ms`` commit → client."""

    per_second: int
    limit_per_second: int
    ratio: float
    p99_ms: float
    mqtt_per_second: int
    live_p99_ms: float


@dataclass(frozen=True)
class Phase:
    """Observations, seconds, and the latencies of requests."""

    count: int
    seconds: float
    latencies: Sequence[float] = ()


def run(seconds: float) -> Figures:
    """Measure for about ``seconds`` seconds in all, in a throw-away installation."""
    with stage() as where:
        devices = senders(COMPOUNDS, DOORS)
        return asyncio.run(_measure(where, devices, seconds))


async def _measure(where: Stage, devices: list[Sender], seconds: float) -> Figures:
    await asyncio.sleep(2)  # the edge learns of new devices within a second
    bodies = Bodies(PER_REQUEST)
    await _ingest(where, devices, bodies, WARM_UP)
    part = max(seconds * 0.35 / ROUNDS, 0.5)
    ingest, limit = [], []
    for number in range(ROUNDS):
        ingest.append(await _ingest(where, devices, bodies, part))
        limit.append(await asyncio.to_thread(_limit, where.dsn, part))
        log.info("round", number=number + 1, ingest=_rate(ingest[-1:]), limit=_rate(limit[-1:]))
    over_mqtt = await _mqtt(where, devices, bodies, max(seconds * 0.15, 1.0))
    ages = await _live(where, devices, max(seconds * 0.15, 2.0))
    per_second, limit_per_second = _rate(ingest), _rate(limit)
    latencies = [latency for phase in ingest for latency in phase.latencies]
    return Figures(
        per_second, limit_per_second, round(per_second / limit_per_second, 3), _p99_ms(latencies),
        _rate([over_mqtt]), _p99_ms(ages),
    )  # fmt: skip


def _rate(phases: list[Phase]) -> int:
    return round(sum(phase.count for phase in phases) / sum(phase.seconds for phase in phases))


def _p99_ms(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] * 1000, 1)


async def _ingest(where: Stage, devices: list[Sender], bodies: Bodies, seconds: float) -> Phase:
    secrets = [device.secret for device in itertools.islice(itertools.cycle(devices), CONNECTIONS)]
    tally, took = await http.load(where.port, secrets, bodies.make, PER_REQUEST, seconds)
    if tally.refused:
        log.warning("answers other than 200", count=tally.refused)
    return Phase(tally.acknowledged, took, tally.latencies)


def _limit(dsn: str, seconds: float) -> Phase:
    """Plain COPY of the same rows into the same tables, batches of 1,000, one commit each, rows made beforehand."""
    with psycopg.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        found = cursor.execute(
            "SELECT k.id, d.id, d.place_id FROM observations_observationkind k, devices_device d "
            "WHERE k.code = 'line.crossing' LIMIT 1"
        ).fetchone()
        assert found is not None
        made = rows(BATCH, *found)
        count, took = 0, 0.0
        while took < seconds:
            ready = [next(made) for _ in range(20)]
            began = time.perf_counter()
            for text in ready:
                with cursor.copy(
                    "COPY obs (batch, known, ix, id, t, kind, device, place, shard, foi, result) FROM STDIN"
                ) as copy:
                    copy.write(text)
                count += BATCH
            took += time.perf_counter() - began
    return Phase(count, took)


async def _mqtt(where: Stage, devices: list[Sender], bodies: Bodies, seconds: float) -> Phase:
    """Publish, then wait until all is in the log."""
    before = await asyncio.to_thread(_logged, where.dsn)
    pace = mqtt.Pace()
    began = time.perf_counter()
    work = [
        asyncio.create_task(mqtt.publish(where.mqtt_port, device, bodies.make, pace)) for device in devices[:PUBLISHERS]
    ]
    logged = 0
    while not all(task.done() for task in work) or logged < pace.acknowledged * PER_REQUEST:
        # The broker takes more than the log does; without a bound the rest of the time would go into the backlog.
        (pace.go.set if pace.stopped or pace.acknowledged * PER_REQUEST - logged < BACKLOG else pace.go.clear)()
        pace.stopped = time.perf_counter() - began > seconds
        await asyncio.sleep(0.02)
        logged = await asyncio.to_thread(_logged, where.dsn) - before
    await asyncio.gather(*work)
    return Phase(logged, time.perf_counter() - began)


def _logged(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT coalesce(sum(count), 0) FROM batch_log").fetchone()
        return int(row[0]) if row else 0


async def _live(where: Stage, devices: list[Sender], seconds: float) -> list[float]:
    """2,000 streams of users of 20 compounds; two observations a second for each of them."""
    tokens = await asyncio.to_thread(_tokens, devices)
    streams, ages = await live.listen(where.port, tokens, CLIENTS)
    one = Bodies(1)
    tally = http.Tally()
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    for device in itertools.cycle(devices[::DOORS]):
        if loop.time() > until:
            break
        head = (
            f"POST /v1/observations HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {device.secret}\r\n"
            "content-type: application/json\r\n"
        ).encode()
        _, client = await loop.create_connection(
            partial(http.Client, head, one.make, 1, tally), "127.0.0.1", where.port
        )
        client.stop()
        await asyncio.sleep(1 / LIVE_PER_SECOND)
    await asyncio.sleep(1)
    for stream in streams:
        stream.close()
    expected = tally.acknowledged * CLIENTS // COMPOUNDS
    log.info("live", observations=tally.acknowledged, deliveries=len(ages), expected=expected)
    return ages


def _tokens(devices: list[Sender]) -> list[str]:
    """An API token of a guard of each compound."""
    from shoufu.kernel.access import selectors, services
    from shoufu.kernel.access.services import RoleDraft, UserDraft
    from shoufu.kernel.base.actor import SYSTEM

    places = sorted({device.place for device in devices})
    users = services.create_users(SYSTEM, [UserDraft(username=f"guard-{place}") for place in places])
    services.give_roles(SYSTEM, [RoleDraft(user.pk, "guard", place) for user, place in zip(users, places, strict=True)])
    return [services.create_token(selectors.actor_for_user(user), "bench").token for user in users]
