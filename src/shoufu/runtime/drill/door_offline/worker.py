"""A process with many controllers: ``python -m shoufu.runtime.drill.door_offline.worker``."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from pathlib import Path

import msgspec
import structlog
import uvloop

from shoufu.runtime.drill.door_offline.notes import Material, Note, Order, encode
from shoufu.runtime.drill.door_offline.site import Site

PATIENCE = 90.0


async def work(material: Material) -> None:
    """Live, then settle."""
    with Path(material.notes).open("wb") as file:

        def tell(note: Note) -> None:
            file.write(encode(note) + b"\n")

        sites = [
            Site(code, secret, material, tell, material.seed * 1000 + number)
            for number, (code, secret) in enumerate(material.sites)
        ]
        await asyncio.gather(*(site.ready(PATIENCE) for site in sites))
        print("ready", flush=True)
        orders = asyncio.create_task(_orders(sites))
        until = time.time() + material.seconds
        await asyncio.gather(*(site.live(until) for site in sites))
        orders.cancel()
        await asyncio.gather(*(site.settle(PATIENCE) for site in sites))


async def _orders(sites: list[Site]) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with asyncio.TaskGroup() as tasks:
        while line := await reader.readline():
            order = msgspec.json.decode(line, type=Order)
            for site in sites:
                tasks.create_task(site.watch(order.watch, order.real))


def main() -> None:
    """The material is the first line of stdin's file, named by the argument."""
    # Not to stdout: that is a pipe of which the drill reads one line, and a full pipe would stop every door.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    material = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Material)
    uvloop.run(work(material))


if __name__ == "__main__":
    main()
