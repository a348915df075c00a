"""The evaluator's loop: take batches, run rules, write what they made, remember how far it came."""

from __future__ import annotations

import gc
import signal
import threading
import time
from typing import Any

import psycopg
import structlog
from django import db
from django.conf import settings

from shoufu.kernel.base.nerve import nerve
from shoufu.kernel.observations import reader
from shoufu.kernel.rules import outputs, selectors
from shoufu.kernel.rules.database import connect
from shoufu.kernel.rules.evaluation import SECOND, Batch, Engine, Firing, Late
from shoufu.kernel.rules.evaluation import checkpoint as checkpoints
from shoufu.kernel.rules.evaluation.buffer import GRAIN
from shoufu.kernel.rules.timeline import Runner, Timeline, from_log
from shoufu.runtime import heartbeat
from shoufu.runtime.evaluator.inbox import Inbox

log = structlog.get_logger(__name__)
POLL_SECONDS = 0.25
CHECKPOINT_SECONDS = 1.0
FULL_SECONDS = 300.0
DELTAS = 100
AT_ONCE = 500
REST_SECONDS = 1.0
PLACES_SECONDS = 30.0
SHARD_LOCK = 7306
DOWN = (psycopg.OperationalError, psycopg.InterfaceError, db.OperationalError, db.InterfaceError)
TICK = "SELECT number FROM log_batch(nextval('batch_key'), 0)"


def run(shard: int) -> None:
    """Evaluate a shard until SIGTERM or SIGINT; a database that goes away is waited for."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # The state is long-lived and without cycles: looking through it at every collection only costs.
    gc.set_threshold(50_000, 20, 50)
    inbox = Inbox(settings.NATS_URL)
    while not stop.is_set():
        try:
            Session(shard, inbox).run(stop)
        except Taken:
            log.warning("another evaluator has this shard; waiting for it to end", shard=shard)
            _rest(shard, stop)
        except DOWN as error:
            log.warning("the database does not answer; waiting for it", error=str(error).strip())
            db.connections.close_all()
            _rest(shard, stop)
    inbox.close()


def name_of(shard: int) -> str:
    """The process's name, as the supervisor knows it."""
    return "evaluator" if settings.SHARDS == 1 else f"evaluator-{shard}"


def _rest(shard: int, stop: threading.Event) -> None:
    heartbeat.beat(name_of(shard))
    stop.wait(REST_SECONDS)


class Taken(Exception):
    """Another evaluator works on this shard."""


class Session:
    """From a checkpoint on, until the database goes away; what was not committed then is evaluated again."""

    def __init__(self, shard: int, inbox: Inbox) -> None:
        self.shard = shard
        self.inbox = inbox
        self.reading = connect()
        self._take_shard()
        self.engine = Engine(selectors.kinds(), selectors.place_tree(), settings.LATENESS)
        self.runner = self._restored()
        self.deltas = 0
        self.saved = self.saved_full = self.polled = self.reported = 0.0
        self.looked = time.monotonic()
        self.firings: list[Firing] = []
        self.late: list[Late] = []
        self.counts = {"rows": 0, "firings": 0, "cases": 0}
        self.saved_batch = self.engine.batch

    def _take_shard(self) -> None:
        """Keep others from this shard for as long as the connection lives."""
        row = self.reading.execute("SELECT pg_try_advisory_lock(%s, %s)", [SHARD_LOCK, self.shard]).fetchone()
        if row is None or not row[0]:
            self.reading.close()
            raise Taken

    def _restored(self) -> Runner:
        blobs = outputs.checkpoints(self.shard)
        timeline = Timeline.load()
        # The rules that were in force at the checkpoint must be set before their states are filled in.
        self.engine.batch = outputs.last_batch(self.shard)
        runner = Runner(self.engine, timeline, self.shard)
        first = checkpoints.restore(self.engine, blobs)
        number = first - 1
        while blobs and number < self.engine.batch:
            for batch in reader.batches(self.reading, number, AT_ONCE):
                if batch.number <= self.engine.batch:
                    taken = from_log(batch)
                    self.engine.refill(taken, runner.rows(taken))
                number = batch.number
        for version, fault in self.engine.broken.items():
            log.error("a live rule cannot be compiled and does not run", version=version, error=fault)
        log.info("evaluator ready", shard=self.shard, batch=self.engine.batch, rules=len(self.engine.machines))
        return runner

    def run(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                batches = self._next()
                if batches:
                    self._process(batches)
                elif not self._tick():
                    self.inbox.wait(self._patience())
                self._save()
                self._report()
            self._save(last=True)
        finally:
            self.reading.close()

    def _next(self) -> list[Batch]:
        """The following batches: from the nerve, or from the database when it brought none for a while."""
        found = self.inbox.after(self.engine.batch, AT_ONCE)
        now = time.monotonic()
        if found or now - self.polled < POLL_SECONDS:
            return found
        self.polled = now
        rows = reader.batches(self.reading, self.engine.batch, AT_ONCE)
        if len(rows) == AT_ONCE:
            self.polled = 0.0
        return [from_log(batch) for batch in rows]

    def _process(self, batches: list[Batch]) -> None:
        # A change of the rules commits before the batch it begins with gets its number: seeing one, we see the other.
        timeline = Timeline.load()
        if timeline != self.runner.timeline:
            self.runner.update(timeline)
            self.engine.kinds = selectors.kinds()
        known = self.engine.places.paths
        stale = time.monotonic() - self.looked >= PLACES_SECONDS
        if stale or any(row.place_id not in known for batch in batches for row in batch.rows):
            self._look_at_places()
        output = self.runner.take(batches)
        self.firings += output.firings
        self.late += output.late
        self.counts["rows"] += output.rows

    def _look_at_places(self) -> None:
        """Follow the place tree: new places at once, moved ones soon."""
        self.looked = time.monotonic()
        places = selectors.place_tree()
        if places != self.engine.places:
            self.engine.move(places)

    def _tick(self) -> bool:
        """Log a tick when something waits for the watermark and nothing else moves it; other readers see it too."""
        due = self._due()
        if due is None or time.time() * SECOND < due:
            return False
        row = self.reading.execute(TICK).fetchone()
        assert row is not None
        self.polled = 0.0
        return True

    def _due(self) -> int | None:
        """When a tick makes the next thing happen, in microseconds of the wall clock."""
        due = self.engine.next_due
        return None if due is None else -(-due // GRAIN) * GRAIN + self.engine.buffer.lateness

    def _patience(self) -> float:
        due = self._due()
        wait = POLL_SECONDS if due is None else min(POLL_SECONDS, due / SECOND - time.time())
        return max(0.005, wait)

    def _save(self, last: bool = False) -> None:
        """Write firings at once, and a checkpoint with them or every second that something happened."""
        now = time.monotonic()
        made = bool(self.firings or self.late)
        moved = self.engine.batch != self.saved_batch
        if not made and not (moved and (last or now - self.saved >= CHECKPOINT_SECONDS)):
            return
        full = last or not self.saved_full or self.deltas >= DELTAS or now - self.saved_full >= FULL_SECONDS
        if full:
            self.engine.sweep()
        state = checkpoints.encode(self.engine, full=full)
        specs = {term.source.version: term.source.spec for term in self.runner.timeline.terms}
        cases = outputs.write(self.shard, self.firings, self.late, specs, (self.engine.batch, state, full))
        self.counts["firings"] += len(self.firings)
        self.counts["cases"] += len(cases)
        self.firings, self.late = [], []
        self.saved, self.saved_batch = now, self.engine.batch
        self.deltas = 0 if full else self.deltas + 1
        self.saved_full = now if full else self.saved_full

    def _report(self) -> None:
        now = time.monotonic()
        if now - self.reported < 1.0:
            return
        spent = now - self.reported if self.reported else 1.0
        self.reported = now
        heartbeat.beat(name_of(self.shard))
        nerve().publish("stats.evaluator", self._figures(spent))
        self.counts = dict.fromkeys(self.counts, 0)

    def _figures(self, seconds: float) -> dict[str, Any]:
        buffer = self.engine.buffer
        return {
            "shard": self.shard,
            "batch": self.engine.batch,
            "rules": len(self.engine.machines),
            "broken": {str(version): fault for version, fault in self.engine.broken.items()},
            "failing": {str(rule.version): rule.last_error for rule in self.engine.rules if rule.errors},
            "keys": self.engine.keys,
            "waiting": buffer.waiting,
            "late": self.engine.late_rows,
            "watermark": buffer.watermark / SECOND,
            "rows_per_second": round(self.counts["rows"] / seconds, 1),
            "firings": self.counts["firings"],
            "cases": self.counts["cases"],
        }
