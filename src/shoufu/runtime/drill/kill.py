"""``shoufu drill kill``: kill processes under load, then count."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg
import structlog

from shoufu.runtime.bench import stage
from shoufu.runtime.bench.stage import Sender
from shoufu.runtime.drill.load import Acknowledged, HttpDoor, MqttDoor
from shoufu.runtime.errors import Problem
from shoufu.runtime.supervisor import Supervisor

log = structlog.get_logger("drill")

VICTIMS = ("edge", "evaluator", "nats", "postgres", "watcher")
DOORS = 4
QUIET_SECONDS = 2.0
RECOVERY_SECONDS = 90.0
DRAIN_SECONDS = 120.0

RULES: tuple[dict[str, object], ...] = (
    {
        "kinds": ["door.alarm"], "where": "result.alarm == 'forced'", "key": "device",
        "pattern": {"type": "match"}, "cooldown": 2, "severity": "high", "case": {"kind": "door.forced"},
    },
    {
        "kinds": ["door.state"], "where": "result.state == 'open'", "key": "device",
        "pattern": {"type": "count", "n": 20, "window": 30}, "severity": "low", "case": {"kind": "door.held_open"},
    },
    {
        "kinds": ["door.access"], "where": "!result.granted", "key": "device",
        "pattern": {"type": "threshold", "for": 1, "clear": "result.granted"}, "severity": "low",
        "case": {"kind": "door.forced"},
    },
)  # fmt: skip


class Figures(msgspec.Struct):
    """The result. ``sent``: observations acknowledged to their senders; ``lost``: of them, not in the log;
    ``duplicates``: rows of the log beyond one an id; ``replay_equal``: the log read again gives the same firings and
    cases."""

    rounds: int
    sent: int
    lost: int
    duplicates: int
    replay_equal: bool


@dataclass
class _Outcome:
    acknowledged: Acknowledged
    killed: list[str]
    error: BaseException | None = None


def run(rounds: int, seed: int | None) -> Figures:
    """Start the product with the demo district in a temporary directory, kill as often as asked, stop, and count."""
    with tempfile.TemporaryDirectory(prefix="shoufu-drill-", ignore_cleanup_errors=True) as folder:
        stage.use(Path(folder))
        os.environ["SHOUFU_DEMO"] = "1"
        from shoufu.runtime import up
        from shoufu.runtime.demo.run import specs

        outcome = _Outcome(Acknowledged(), [])
        chance = random.Random(seed)

        def start(supervisor: Supervisor) -> None:
            threading.Thread(target=_drive, args=(supervisor, outcome, rounds, chance), daemon=True).start()

        up.run(arrange=specs, on_start=start)
        if outcome.error is not None:
            raise outcome.error
        return _count(outcome)


def _drive(supervisor: Supervisor, outcome: _Outcome, rounds: int, chance: random.Random) -> None:
    try:
        _rounds(supervisor, outcome, rounds, chance)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the main thread must hear of it and stop
        outcome.error = error
    finally:
        supervisor.stop()


def _rounds(supervisor: Supervisor, outcome: _Outcome, rounds: int, chance: random.Random) -> None:
    from shoufu.runtime import django, env
    from shoufu.runtime.demo.run import LOAD

    django.setup()
    names = [name for name in VICTIMS if name in supervisor.processes]
    supervisor.wait_ready(LOAD, "web", *names)
    stop = threading.Event()
    doors = [*_doors(env.get("SHOUFU_PORT"), env.get("SHOUFU_MQTT_PORT"), outcome.acknowledged, stop)]
    for door in doors:
        door.start()
    for number in range(rounds):
        time.sleep(QUIET_SECONDS)
        victim = names[number] if number < len(names) and rounds >= len(names) else chance.choice(names)
        _kill(supervisor, victim)
        outcome.killed.append(victim)
        _recover(supervisor, names)
        log.info("round", number=number + 1, killed=victim, acknowledged=len(outcome.acknowledged.ids))
    time.sleep(QUIET_SECONDS)
    stop.set()
    for door in doors:
        door.join()
    _drain(outcome.acknowledged)
    if outcome.acknowledged.refused:
        log.error("refused", count=len(outcome.acknowledged.refused), first=outcome.acknowledged.refused[0])


def _doors(port: int, mqtt_port: int, tally: Acknowledged, stop: threading.Event) -> list[threading.Thread]:
    senders = _senders()
    http = [HttpDoor(port, sender, tally, stop, number) for number, sender in enumerate(senders[:DOORS])]
    return [*http, *(MqttDoor(mqtt_port, sender, tally, stop, 100 + n) for n, sender in enumerate(senders[DOORS:]))]


def _senders() -> list[Sender]:
    """Doors of the drill's own in a compound of the demo, and rules that they set off."""
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.devices import services as devices
    from shoufu.kernel.devices.services import DeviceDraft
    from shoufu.kernel.places.models import Place
    from shoufu.kernel.rules import services as rules
    from shoufu.kernel.rules.services import RuleDraft

    place = Place.objects.filter(kind="compound").order_by("path").first()
    if place is None:
        raise Problem("The demo district has no compound; run `shoufu demo load` by itself to see why.")
    drafts = [DeviceDraft(f"drill-{n}", "door_controller", f"演练门 {n}", place.pk) for n in range(2 * DOORS)]
    made = devices.register_many(SYSTEM, drafts)
    created = rules.create_rules(
        SYSTEM, [RuleDraft(place.pk, f"演练 {n}", f"Drill {n}", spec=spec) for n, spec in enumerate(RULES)]
    )
    rules.activate_many(SYSTEM, [rule.versions.get().pk for rule in created])
    return [Sender(one.device.code, one.secret, place.pk) for one in made]


def _kill(supervisor: Supervisor, name: str) -> None:
    pid = supervisor.processes[name].pid
    if pid is None:
        log.warning("not running already", process=name)
        return
    os.kill(pid, signal.SIGKILL)
    log.info("killed", process=name, pid=pid)
    deadline = time.monotonic() + RECOVERY_SECONDS
    while supervisor.processes[name].pid == pid and time.monotonic() < deadline:
        time.sleep(0.02)


def _recover(supervisor: Supervisor, names: list[str]) -> None:
    """Wait until every process is ready again and the edge says that database and NATS answer."""
    from shoufu.runtime import env
    from shoufu.runtime.supervisor.checks import http_ok

    healthy = http_ok(env.get("SHOUFU_PORT"), "/healthz")
    deadline = time.monotonic() + RECOVERY_SECONDS
    while time.monotonic() < deadline:
        waiting = [name for name in names if str(supervisor.processes[name].state) != "ready"]
        if not waiting and healthy():
            return
        time.sleep(0.1)
    raise Problem(f"After {RECOVERY_SECONDS:.0f} s not ready again: {', '.join(waiting) or 'the edge'}.")


def _drain(tally: Acknowledged) -> None:
    """Wait until the log holds all that was acknowledged and the evaluator has read it; not longer than two minutes."""
    from shoufu.runtime.servers import postgres

    deadline = time.monotonic() + DRAIN_SECONDS
    end = -1
    while time.monotonic() < deadline:
        with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
            if end < 0 and not _missing(connection, tally.ids):
                end = _one(connection, "SELECT coalesce(max(number), 0) FROM batch_log")
            if end >= 0 and _one(connection, "SELECT coalesce(max(batch), 0) FROM rules_checkpoint") >= end:
                return
        time.sleep(0.5)
    log.warning("not drained", missing_from_the_log=end < 0)


def _one(connection: psycopg.Connection[tuple[int]], query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _missing(connection: psycopg.Connection[tuple[int]], ids: set[str]) -> int:
    row = connection.execute(
        "SELECT count(*) FROM unnest(%s::uuid[]) AS sent (id) LEFT JOIN obs o ON o.id = sent.id WHERE o.id IS NULL",
        [list(ids)],
    ).fetchone()
    return int(row[0]) if row else 0


def _count(outcome: _Outcome) -> Figures:
    """Start the database alone, look at the log, and read it again."""
    from django.db import connections

    from shoufu.kernel.rules.replay import replay
    from shoufu.runtime import data, env
    from shoufu.runtime.servers import postgres

    connections.close_all()
    server = postgres.start(data.layout(), env.get("SHOUFU_PG_PORT"))
    try:
        with psycopg.connect(postgres.dsn()) as connection:
            lost = _missing(connection, outcome.acknowledged.ids)
            duplicates = _one(connection, "SELECT count(*) - count(DISTINCT id) FROM obs")
        compared = replay()
        log.info(
            "replayed", **{name: value for name, value in compared.as_dict().items() if not isinstance(value, list)}
        )
        for name in ("missing", "surplus", "changed"):
            if getattr(compared, name):
                log.error("replay differs", what=name, examples=getattr(compared, name)[:3])
    finally:
        connections.close_all()
        server.stop()
    log.info("drilled", killed=outcome.killed, retries=outcome.acknowledged.retries)
    return Figures(len(outcome.killed), len(outcome.acknowledged.ids), lost, duplicates, compared.equal)
