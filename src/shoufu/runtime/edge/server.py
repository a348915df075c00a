"""The edge process: its parts put together, and served by uvicorn."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import structlog
import uvicorn

from shoufu.gateways.mqtt.auth import Issuer
from shoufu.gateways.mqtt.observations import Observations
from shoufu.kernel.observations.intake import Row
from shoufu.kernel.observations.wire import Batch
from shoufu.kernel.observations.writer import Outcome, Writer
from shoufu.runtime.edge.app import Edge, Handler, Health
from shoufu.runtime.edge.broker import Broker
from shoufu.runtime.edge.doors import Doors
from shoufu.runtime.edge.group import Group
from shoufu.runtime.edge.ingest import Ingest
from shoufu.runtime.edge.internal import Internal
from shoufu.runtime.edge.keeper import Keeper
from shoufu.runtime.edge.live import Hub, Live
from shoufu.runtime.edge.live.hub import read_pushed
from shoufu.runtime.edge.live.replay import Replay
from shoufu.runtime.edge.media import Media
from shoufu.runtime.edge.nerve import Nerve
from shoufu.runtime.edge.proxy import Proxy
from shoufu.runtime.edge.refusals import Counter
from shoufu.runtime.edge.signin import SignIn

log = structlog.get_logger("edge")

# Three batches under way: one is read from requests while the next is copied and the third waits for its commit.
WRITERS = 3
GRACE_SECONDS = 5


@dataclass(frozen=True)
class Options:
    """Where everything is. ``issuer_seed`` empty: this edge signs no devices in."""

    dsn: str
    nats_url: str
    web_port: int
    uploads: Path
    shards: int = 1
    issuer_seed: str = ""
    account: str = "APP"
    nats_log: Path | None = None
    behind_proxy: bool = False


class Parts:
    """The edge's parts and their life."""

    def __init__(self, options: Options) -> None:
        origin = uuid4().hex[:12]
        self._origin = origin
        self.keeper = Keeper(options.dsn, options.shards)
        self.nerve = Nerve(options.nats_url, "edge")
        self.hub = Hub(self._path_of)
        self.replay = Replay(options.dsn)
        tail = asyncio.Lock()
        self.group = Group([Writer(options.dsn, self._out, tail, origin) for _ in range(WRITERS)])
        self.refusals = Counter()
        self.sign_in = SignIn()
        self.live = Live(self.hub, self.replay, self.sign_in)
        self.ingest = Ingest(self.keeper, self.group, self.refusals)
        self.internal = Internal(self.keeper, self.group)
        self.proxy = Proxy(options.web_port, trusted=options.behind_proxy)
        observations = Observations(lambda: self.keeper.directory, self._store, self.refusals.add)
        issuer = Issuer(options.issuer_seed, options.account) if options.issuer_seed else None
        self.broker = Broker(issuer, self.keeper, observations, self.refusals, options.nats_log)
        media = Media(self.ingest, self.refusals, options.uploads)
        routes: dict[str, Handler] = {"/v1/observations": self.ingest, "/v1/media": media, "/live": self.live}
        self.doors = Doors(self.ingest)
        routes |= {"/v1/doors/rules": self.doors.rules, "/v1/doors/commands": self.doors.orders}
        self.app = Edge(routes, self.proxy, self._health, {"/v1/doors/commands/": self.doors.answered})
        self.app.start, self.app.stop = self._start, self._stop
        self._tasks: list[asyncio.Task[None]] = []

    def _path_of(self, place: int) -> str | None:
        return self.keeper.directory.paths.get(place)

    async def _out(self, batch: Batch) -> None:
        self.hub.batch(batch)
        await self.nerve.publish_batch(batch)

    async def _store(self, rows: list[Row]) -> list[Outcome]:
        return await self.group.submit_later(rows)

    def _health(self) -> Health:
        database, nats = self.keeper.healthy, self.nerve.connected
        return Health(database and nats, database, nats)

    async def _start(self) -> None:
        self.group.start()
        for work in (self.keeper.run(), self.refusals.run(), self.live.run(), self._listen()):
            self._spawn(work)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _listen(self) -> None:
        await self.nerve.connect()
        await self.keeper.loaded.wait()
        await self._begin_hub()
        await self.nerve.listen_batches(self.hub.batch, self._origin)
        await self.nerve.listen("live.>", lambda subject, content: self.hub.push(read_pushed(subject, content)))
        await self.internal.listen(self.nerve.client)
        await self.doors.listen(self.nerve)
        self._spawn(self.replay.fill(self.hub))
        await self.broker.run(self.nerve.client)

    async def _begin_hub(self) -> None:
        while True:
            try:
                self.hub.begin(max(self.hub.last_number, await self.replay.newest()))
                return
            except (psycopg.Error, OSError) as error:
                log.warning("log not read", reason=str(error).strip()[:200])
                await asyncio.sleep(0.5)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.group.stop()
        await self.nerve.close()
        self.proxy.close()


class Server(uvicorn.Server):
    """Ends the streams first: they would otherwise hold up the orderly end."""

    def __init__(self, config: uvicorn.Config, parts: Parts) -> None:
        super().__init__(config)
        self._parts = parts

    async def shutdown(self, sockets: Any = None) -> None:
        self._parts.live.close_all()
        await super().shutdown(sockets)


def configuration(parts: Parts, host: str, port: int) -> uvicorn.Config:
    """How uvicorn serves the edge. X-Forwarded-* of callers is not believed here; the proxy part decides."""
    return uvicorn.Config(
        parts.app, host=host, port=port, log_config=None, access_log=False, server_header=False, lifespan="on",
        timeout_graceful_shutdown=GRACE_SECONDS, timeout_keep_alive=75, proxy_headers=False, ws="none",
        h11_max_incomplete_event_size=64 << 10, backlog=4096,
    )  # fmt: skip


async def serve(options: Options, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    # Rows come and go by the ten thousand and form no cycles: looking for some cost a third of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    options.uploads.mkdir(parents=True, exist_ok=True)
    parts = Parts(options)
    await Server(configuration(parts, host, port), parts).serve()


def options() -> Options:
    """What the settings say."""
    from shoufu.runtime import data, env
    from shoufu.runtime.servers import nats, postgres

    layout = data.layout()
    embedded = nats.embedded()
    return Options(
        dsn=postgres.dsn(),
        nats_url=nats.url(),
        web_port=env.get("SHOUFU_WEB_PORT"),
        uploads=layout.run / "uploads",
        shards=env.get("SHOUFU_SHARDS"),
        issuer_seed=nats.issuer_seed(),
        account=nats.ACCOUNT,
        nats_log=layout.logs / "nats.log" if embedded else None,
        behind_proxy=bool(env.get("SHOUFU_ORIGIN")),
    )


def run() -> None:
    """The whole process."""
    from shoufu.runtime import env

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(options(), env.get("SHOUFU_HOST"), env.get("SHOUFU_PORT")))
    log.info("edge ended", pid=os.getpid())


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:  # not made for Windows
        return asyncio.new_event_loop
    return uvloop.new_event_loop
