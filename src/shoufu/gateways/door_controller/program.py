"""The controller as a process: ``shoufu door-controller --config FILE``."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import time
from pathlib import Path

import structlog

from shoufu import __version__

from .clock import Clock
from .config import Config, hex_bytes
from .core import Core
from .files import DiskFiles
from .sync import Sync
from .wiring import Wiring

log = structlog.get_logger("door")

REPORT_EVERY = 30.0
SWITCH = 0.0005
"""Seconds after which the loop gives way to the thread that brings events to the disk; Python's own 5 ms would be
the whole time that a card may take."""


def run(config: Config) -> None:
    """Until SIGTERM or SIGINT; then what waits is written down."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(config))
    else:
        uvloop.run(serve(config))


async def serve(config: Config) -> None:
    """Run one controller until a signal."""
    core = Core(
        config.controller,
        DiskFiles(Path(config.data)),
        [hex_bytes("server_key", config.server_key, 32)],
        Clock(time.time, time.monotonic),
    )
    core.open()
    # The rule set lives as long as the process: looking through it again and again would only cost pauses.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    sys.setswitchinterval(SWITCH)
    wiring = Wiring(config, core)
    sync = Sync(core, config.server, config.secret)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    work = [core.journal.run(), sync.run(), reports(core), *wiring.tasks()]
    tasks = [asyncio.create_task(one) for one in work]
    log.info(
        "started",
        controller=config.controller,
        rules=core.store.version,
        boot=core.boot,
        waiting=core.journal.waiting,
    )
    ended = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    core.close()
    await sync.close()
    failed = [task for task in done if task is not ended and task.exception()]
    if failed:
        log.error("stopped by a fault", reason=repr(failed[0].exception()))
        sys.exit(1)


async def reports(core: Core) -> None:
    """Tell how the controller is: every 30 seconds, and soon after a change."""
    changed = asyncio.Event()
    core.on_change = changed.set
    while True:
        core.report(__version__)
        try:
            async with asyncio.timeout(REPORT_EVERY):
                await changed.wait()
            changed.clear()
        except TimeoutError:
            continue
