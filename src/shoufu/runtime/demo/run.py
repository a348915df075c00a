"""The whole product with the demo district: started, shown, and (with ``--once``) waited for and stopped."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from shoufu.runtime import env, preflight, processes, up
from shoufu.runtime.demo import loader, tally, till
from shoufu.runtime.demo.tally import Tally
from shoufu.runtime.errors import Problem
from shoufu.runtime.supervisor import Spec, Supervisor

log = structlog.get_logger("demo")

CABINETS = 2
WAIT_SECONDS = 180.0
LOAD = "demo-load"
# These read cameras and rules when they start; the district must be there first.
AFTER_LOAD = ("evaluator", "watcher")


def specs(arrange: list[Spec]) -> list[Spec]:
    """The product's processes with the loader and the simulated door controllers among them."""
    # After the console answers: it shows what comes in, and answers sooner.
    load = Spec(LOAD, processes.command("demo", "load"), needs=("migrate", "web", "edge"), once=True)
    cabinets = [
        Spec(
            f"doors-{number}",
            processes.command("demo", "doors", "--part", f"{number}/{CABINETS}", *(["--incidents"] * (number == 1))),
            needs=(LOAD, "nats", "edge"),
            niceness=1,
        )
        for number in range(1, CABINETS + 1)
    ]
    entrance = Spec("entrance", processes.command("demo", "entrance"), needs=(LOAD, "edge"), niceness=1)
    home = Spec("home", processes.command("demo", "home"), needs=(LOAD, "edge"), niceness=1)
    past = Spec(
        "past",
        processes.command("demo", "past"),
        needs=(LOAD, *(name for name, _ in processes.evaluators())),
        once=True,
        niceness=1,
    )
    return [*(_after_load(spec) for spec in arrange), load, *cabinets, entrance, home, past, *till.specs()]


def _after_load(spec: Spec) -> Spec:
    if spec.name.split("-")[0] not in AFTER_LOAD:
        return spec
    return replace(spec, needs=(*spec.needs, LOAD))


def stay(verbose: bool) -> None:
    """Run the demo until Ctrl-C; prints the address and the sign-in links when both are there."""
    os.environ["SHOUFU_DEMO"] = "1"
    up.run(verbose=verbose, arrange=specs, on_start=_print_links_when_there)


def _print_links_when_there(supervisor: Supervisor) -> None:
    def wait() -> None:
        supervisor.wait_ready(LOAD, *processes.ESSENTIAL)
        print(welcome(), flush=True)

    threading.Thread(target=wait, daemon=True).start()


def welcome() -> str:
    """The address and one sign-in link a role, as text."""
    address = up.address()
    lines = ["", f"  首府 Shoufu  {address}", "", "  一键登录 · sign in as"]
    lines += [f"    {link['name']} ({link['role']}): {address}{link['path']}" for link in loader.read_links()]
    if env.get("SHOUFU_WECHATPAY").startswith(str(till.folder())):
        lines += ["", f"  付款人的页面 · where a payer pays (no real money): {till.address()}"]
    return "\n".join([*lines, "", "  Ctrl-C 结束 · ends everything", ""])


@dataclass(frozen=True, slots=True)
class Result:
    """What a run that was waited for brought."""

    seconds_to_ready: float | None
    tally: Tally

    def as_json(self) -> str:
        """The last line of ``bin/demo --once --json``."""
        seconds = None if self.seconds_to_ready is None else round(self.seconds_to_ready, 2)
        return json.dumps({"seconds_to_ready": seconds, **self.tally.as_dict()})

    def missing(self, seconds: float) -> str:
        """Why this is not enough; empty when it is."""
        if self.seconds_to_ready is None:
            return "it did not become ready"
        wanted = (("camera case", self.tally.camera_cases), ("door case", self.tally.door_cases))
        lacking = [name for name, count in wanted if not count]
        return f"there was no {' and no '.join(lacking)} within {seconds:.0f} s" if lacking else ""


def once(verbose: bool, seconds: float = WAIT_SECONDS) -> Result:
    """Run in a throw-away data directory on free ports until there is a camera case and a door case, then stop all."""
    with _throw_away():
        counter = _Counter(seconds)
        supervisor = up.run(verbose=verbose, arrange=specs, on_start=counter.start)
        return Result(supervisor.seconds_to_ready, counter.tally)


class _Counter:
    """Counts in the background until there is enough or the time is over, then stops the supervisor."""

    def __init__(self, seconds: float) -> None:
        self.tally = Tally()
        self._seconds = seconds

    def start(self, supervisor: Supervisor) -> None:
        threading.Thread(target=self._run, args=(supervisor,), daemon=True).start()

    def _run(self, supervisor: Supervisor) -> None:
        supervisor.wait_ready(*processes.ESSENTIAL)
        try:
            self.tally = tally.wait(self._seconds, supervisor.stopping)
        finally:
            supervisor.stop()


@contextlib.contextmanager
def _throw_away() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="shoufu-demo-"))
    os.environ["SHOUFU_DEMO"] = "1"
    os.environ["SHOUFU_DATA"] = str(folder)
    for name in ("DATABASE_URL", "NATS_URL", "SHOUFU_ORIGIN"):
        os.environ.pop(name, None)
    with contextlib.ExitStack() as held:
        for port in preflight.ports():
            holder = held.enter_context(socket.socket())
            holder.bind(("127.0.0.1", 0))
            os.environ[port.setting] = str(holder.getsockname()[1])
    try:
        yield folder
    finally:
        if not env.get("SHOUFU_DEBUG"):
            shutil.rmtree(folder, ignore_errors=True)


def require(result: Result, seconds: float) -> None:
    """:class:`Problem` with the reason when the run was not enough."""
    reason = result.missing(seconds)
    if reason:
        raise Problem(f"The demo ran, but {reason}; run it with --verbose to see what its processes say.")
