"""``shoufu drill door-offline``: many controllers against the real server, while everything around them fails."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import structlog

from shoufu.runtime.bench import stage
from shoufu.runtime.bench.stage import Stage
from shoufu.runtime.drill.door_offline import notes, setting
from shoufu.runtime.drill.door_offline.notes import Count, Material, Note, Revoked
from shoufu.runtime.drill.door_offline.oracle import Oracle
from shoufu.runtime.drill.door_offline.setting import Setting
from shoufu.runtime.errors import Problem

log = structlog.get_logger("drill")

WORKERS = 2
FIRST_REVOCATION = 8.0
EVERY = 1.2
PATIENCE = 240.0


class Figures(msgspec.Struct):
    """``decisions`` judged, ``wrong`` of them; of the events that a door promised (it acted on them),
    ``events_lost`` are not in the log, ``events_duplicated`` are there twice; ``revocation_p99_s`` at connected doors,
    from the beginning of the revocation."""

    decisions: int
    wrong: int
    events_lost: int
    events_duplicated: int
    revocation_p99_s: float
    revocation_p50_s: float
    revocations: int
    doors: int
    power_cuts: int
    network_cuts: int
    answers_lost: int
    bytes_lost: int
    days_alone: float
    events: int
    holes: int
    left_in_queues: int
    refused: int


def run(doors: int, seconds: float, seed: int, lying: bool = False) -> Figures:
    """Start server and controllers in a throw-away directory, let everything fail for ``seconds``, mend it, and judge.

    ``lying``: the controllers' disks lose even what was synced; then the drill must find losses.
    """
    with stage.stage() as server:
        made = setting.make(doors, seed)
        log.info("compound made", doors=doors)
        written = _drive(server, made, seconds, seed, lying)
        return _judge(server, made, written)


def _drive(server: Stage, made: Setting, seconds: float, seed: int, lying: bool) -> list[Path]:
    from shoufu.runtime.children import die_with_parent

    workers, written = [], []
    from shoufu.kernel.doors import keys

    for number in range(WORKERS):
        path = server.root / f"notes-{number}"
        material = Material(
            port=server.port, public=keys.public_key().hex(), sites=made.sites[number::WORKERS], readers=made.readers,
            seconds=seconds, seed=seed + number, lying=lying, cards=made.cards, pins=made.pins, phones=made.phones,
            fixed=made.fixed, turning=made.turning, notes=str(path),
        )  # fmt: skip
        told = server.root / f"material-{number}"
        told.write_bytes(msgspec.json.encode(material))
        workers.append(
            subprocess.Popen(
                [sys.executable, "-m", "shoufu.runtime.drill.door_offline.worker", str(told)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ},
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 – forks from the main thread
            )  # fmt: skip
        )
        written.append(path)
    try:
        for worker in workers:
            assert worker.stdout is not None
            if not worker.stdout.readline():
                raise Problem("A process of controllers failed; its message stands above.")
        _revoke(workers, made, seconds, random.Random(seed))
        for worker in workers:
            if worker.wait(PATIENCE):
                raise Problem("A process of controllers failed; its message stands above.")
    finally:
        for worker in workers:
            worker.kill()
    return written


def _revoke(workers: list[subprocess.Popen[bytes]], made: Setting, seconds: float, chance: random.Random) -> None:
    """Withdraw one card after the other while the doors live."""
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.doors.services import revoke

    end = time.time() + seconds - 6
    cards = sorted(made.by_card)
    chance.shuffle(cards)
    time.sleep(FIRST_REVOCATION)
    while time.time() < end and cards:
        card = cards.pop()
        order = notes.any_of(watch=card, real=time.time())
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(order)
            worker.stdin.flush()
        revoke(SYSTEM, [made.by_card[card]], "drill")
        time.sleep(EVERY)


def _judge(server: Stage, made: Setting, written: list[Path]) -> Figures:
    from shoufu.kernel.doors.models import RuleSet

    rows = RuleSet.objects.select_related("controller__device")
    oracle = Oracle({(row.controller.device.code, row.version): bytes(row.blob) for row in rows}, made.readers)
    counts: list[Count] = []
    revoked: list[float] = []
    for path in written:
        for line in path.read_bytes().splitlines():
            note: Note = notes.decode(line)
            if isinstance(note, Count):
                counts.append(note)
            elif isinstance(note, Revoked):
                revoked.append(note.seconds)
            else:
                oracle.take(note)
    for sentence in oracle.wrong[:20]:
        log.error("wrong", what=sentence)
    lost, doubled, holes, events = _count(server.dsn, oracle.promised)
    log.info("judged", reasons=dict(sorted(oracle.reasons.items(), key=lambda item: -item[1])))
    revoked.sort()
    if len(counts) != len(made.sites) or not revoked:
        raise Problem("Not every controller came to its end, or no revocation was seen; the log above says why.")
    return Figures(
        decisions=oracle.decisions,
        wrong=len(oracle.wrong),
        events_lost=lost,
        events_duplicated=doubled,
        revocation_p99_s=round(revoked[int(len(revoked) * 0.99)], 3),
        revocation_p50_s=round(revoked[len(revoked) // 2], 3),
        revocations=len(revoked),
        doors=len(made.sites),
        power_cuts=sum(one.power_cuts for one in counts),
        network_cuts=sum(one.network_cuts for one in counts),
        answers_lost=sum(one.lost_answers for one in counts),
        bytes_lost=sum(one.bytes_lost for one in counts),
        days_alone=round(sum(one.skipped_days for one in counts), 1),
        events=events,
        holes=holes,
        left_in_queues=sum(one.left for one in counts),
        refused=sum(one.refused for one in counts),
    )


def _count(dsn: str, promised: set[str]) -> tuple[int, int, int, int]:
    """Promised events that are missing; events that are there twice; numbers missing before a later one; events."""
    import psycopg

    with psycopg.connect(dsn) as connection:
        one = connection.execute(
            "SELECT count(*) FROM unnest(%s::uuid[]) AS sent (id) LEFT JOIN obs o ON o.id = sent.id WHERE o.id IS NULL",
            [list(promised)],
        ).fetchone()
        numbered = connection.execute(
            "SELECT device, (result->>'boot')::int, (result->>'sequence')::int, count(*) FROM obs"
            " WHERE result ? 'boot' AND result ? 'sequence' GROUP BY 1, 2, 3"
        ).fetchall()
    doubled = sum(count - 1 for *_, count in numbered)
    last: dict[tuple[int, int], tuple[int, int]] = {}
    for device, boot, sequence, _ in numbered:
        most, seen = last.get((device, boot), (0, 0))
        last[device, boot] = (max(most, sequence), seen + 1)
    holes = sum(most - seen for most, seen in last.values())
    return int(one[0]) if one else 0, doubled, holes, sum(count for *_, count in numbered)
