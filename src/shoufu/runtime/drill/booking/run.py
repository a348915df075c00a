"""Start everything, let the clients race, kill some of them, ask again what they had asked, and count."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from shoufu.runtime.bench.stage import Stage, stage, start, stop, wait_for
from shoufu.runtime.drill.booking import counting
from shoufu.runtime.drill.booking.client import CARE, HOLDS, Entry, Line, short
from shoufu.runtime.drill.booking.district import Course, make
from shoufu.runtime.errors import Problem

WORKERS = "3"
THREADS = 4
ROUNDS = 5
KILLED = 3


class Figures(msgspec.Struct):
    """The result. `attempts`: holds that were asked for; `accepted`: those acknowledged; `overlaps`: pairs of bookings
    on one resource at one time, and places sold beyond a slot's; `lost`: acknowledged and not in the database, or
    refused and there, or done twice under one key; `offer_p95_ms`: how long a look at free slots took meanwhile."""

    attempts: int
    accepted: int
    overlaps: int
    lost: int
    offer_p95_ms: float


@dataclass
class Asked:
    """What was asked and answered, by key."""

    questions: dict[str, Entry] = field(default_factory=dict)
    answers: dict[str, list[Entry]] = field(default_factory=dict)
    looks: list[float] = field(default_factory=list)
    """Milliseconds of looks at free slots, of all kinds."""
    looks_at_care: list[float] = field(default_factory=list)

    def read(self, journals: Iterable[Path]) -> None:
        for path in journals:
            for line in path.read_bytes().splitlines():
                self.add(msgspec.json.decode(line, type=Entry))

    def add(self, entry: Entry) -> None:
        if not entry.key:
            self.looks += [entry.ms] if entry.status == 200 else []
            self.looks_at_care += [entry.ms] if entry.status == 200 and entry.path.startswith(CARE) else []
        elif entry.status:
            self.answers.setdefault(entry.key, []).append(entry)
        else:
            self.questions[entry.key] = entry

    @property
    def open(self) -> list[Entry]:
        return [entry for key, entry in self.questions.items() if key not in self.answers]


def run(attempts: int, clients: int, seed: int, pause: float, say: Callable[[str], None]) -> Figures:
    """The whole drill in a temporary directory."""
    os.environ |= {"SHOUFU_WEB_WORKERS": WORKERS, "SHOUFU_LOG_FORMAT": "json"}
    with stage() as place:
        web = start("web", log=place.root / "logs" / "web.log")
        done = threading.Event()
        clearing = threading.Thread(target=_clear, args=(done,), daemon=True)
        try:
            course = make(place.port, clients, attempts, seed, pause)
            _wait(place, web)
            say(f"first looks at the nurses' times, after which each page server can plan: {_warmed(course):.1f} s")
            clearing.start()
            asked = _race(place, course, attempts, clients, say)
            done.set()
            clearing.join()
            say(f"{len(asked.open)} questions without an answer: asked again under their keys")
            _ask_again(course, asked)
            faults = counting.count(asked.questions, asked.answers, course)
        finally:
            done.set()
            stop(web)
        faults.lines += _errors(place.root / "logs" / "web.log")
    for line in faults.lines[:20]:
        say(line)
    holds = [key for key, entry in asked.questions.items() if entry.path in HOLDS]
    accepted = {
        (one.path, one.answer["id"]) for key in holds for one in asked.answers.get(key, ()) if one.status == 201
    }
    say(f"{len(asked.looks)} looks at slots, median {statistics.median(asked.looks or [0]):.0f} ms; {faults.summary}")
    care = [key for key in holds if asked.questions[key].path == HOLDS[1]]
    visits = sum(path == HOLDS[1] for path, _id in accepted)
    say(
        f"of them for home visits: {len(care)} attempts, {visits} accepted; {len(asked.looks_at_care)} looks, "
        f"median {statistics.median(asked.looks_at_care or [0]):.0f} ms, "
        f"p95 {_percentile(asked.looks_at_care, 0.95):.0f} ms"
    )
    return Figures(len(holds), len(accepted), faults.overlaps, faults.lost, round(_percentile(asked.looks, 0.95), 1))


def _errors(log: Path) -> list[str]:
    """What the page server wrote down of its own faults: a server error is told with its reason."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if '"level": "error"' in line]
    return [str(json.loads(line).get("exception", line)) for line in lines if line.startswith("{")]


def _wait(place: Stage, web: subprocess.Popen[bytes]) -> None:
    from shoufu.runtime import env

    wait_for(env.get("SHOUFU_WEB_PORT"), web, place.root / "logs" / "web.log")


def _warmed(course: Course) -> float:
    """Let every page server load what plans before the race, as it does once in its life; how many seconds that took.
    On a machine where nobody planned before it is compiled now."""
    from concurrent.futures import ThreadPoolExecutor

    from shoufu.engines.dispatch import warm_up
    from shoufu.runtime import dispatch  # noqa: F401 (where compiled code is kept)

    begun = time.perf_counter()
    warm_up()
    homes, crowd = course.homes, 4 * int(WORKERS)
    path = f"{CARE}slots?patient={homes.patients[0]}&service={homes.services[0].id}&since={homes.since}"
    path = f"{path}&until={homes.until}&mine=true".replace("+", "%2B")
    with ThreadPoolExecutor(crowd) as pool:
        asked = [pool.submit(Line(course.port, course.tokens[0]).ask, "GET", path) for _one in range(crowd)]
    if any(one.result()[0] != 200 for one in asked):
        raise Problem("The page servers do not say when nurses can come; the log of the web server says why.")
    return time.perf_counter() - begun


def _clear(done: threading.Event) -> None:
    """What the worker's task does every five seconds, here every second: holds expire while the race runs."""
    from django.db import connections

    from shoufu.kernel.booking import services

    while not done.wait(1):
        services.expire_holds()
    connections.close_all()


def _race(place: Stage, course: Course, attempts: int, clients: int, say: Callable[[str], None]) -> Asked:
    folder = place.root / "race"
    folder.mkdir()
    file = folder / "course.json"
    file.write_bytes(msgspec.json.encode(course))
    dice, left, number = random.Random(course.seed), attempts, 0
    begun = time.monotonic()
    while left > 0:
        each = -(-min(left, -(-attempts // ROUNDS)) // clients)
        _round(folder, file, clients, each, number, kill=dice.random() if number < KILLED else None)
        asked = Asked()
        asked.read(folder.glob("*.jsonl"))
        made = sum(entry.path in HOLDS for entry in asked.questions.values())
        left, number = attempts - made, number + 1
        say(f"round {number}: {made} attempts, {time.monotonic() - begun:.0f} s")
    return asked


def _round(folder: Path, file: Path, clients: int, each: int, number: int, kill: float | None) -> None:
    """Processes of four clients each; where `kill` says so, one of them is killed while it works."""
    processes = []
    for first in range(0, clients, THREADS):
        words = [str(file), str(folder / f"{number}-{first}.jsonl"), str(first), str(min(first + THREADS, clients))]
        command = [sys.executable, "-m", "shoufu.runtime.drill.booking.client", *words, str(each), str(number)]
        processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))
    if kill is not None:
        victim = int(kill * len(processes))
        _until_busy(folder / f"{number}-{victim * THREADS}.jsonl", lines=each * THREADS)
        processes[victim].kill()
    for process in processes:
        process.wait()
    broken = [one.returncode for n, one in enumerate(processes) if one.returncode and (kill is None or n != victim)]
    if broken:
        raise Problem(f"A client process of the drill ended with {broken[0]}.")


def _until_busy(journal: Path, lines: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.02)


def _ask_again(course: Course, asked: Asked) -> None:
    for entry in asked.open:
        status, answer = Line(course.port, course.tokens[entry.client]).ask("POST", entry.path, entry.body, entry.key)
        if not status:
            raise Problem("The web server does not answer any more; its log says why.")
        entry.status, entry.answer = status, short(answer)
        asked.answers[entry.key] = [entry]


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
