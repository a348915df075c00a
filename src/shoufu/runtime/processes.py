"""The processes of one machine, in one list."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from shoufu.runtime import env
from shoufu.runtime.data import Layout
from shoufu.runtime.servers import nats, postgres
from shoufu.runtime.supervisor import Spec
from shoufu.runtime.supervisor.checks import heartbeat, http_ok, tcp

COMMANDS = Path(__file__).parent / "commands"
SIGN_IN = "/accounts/login/"
HEARTBEAT_SECONDS = 60.0
ESSENTIAL = ("migrate", "web", "edge")


def command(*words: str) -> tuple[str, ...]:
    """The command line of ``shoufu WORDS…`` in this very environment."""
    return (sys.executable, "-m", "shoufu", *words)


def all_specs(layout: Layout) -> list[Spec]:
    """Servers first, then the migration, then everything that needs it. A process without a command is left out."""
    return [*servers(layout), migrate(), *(spec for spec in services(layout) if has_command(spec.argv[3]))]


def servers(layout: Layout) -> list[Spec]:
    """The embedded servers that the settings ask for."""
    specs = []
    if postgres.embedded():
        port = int(env.get("SHOUFU_PG_PORT"))
        where = postgres.address(layout)
        specs.append(
            Spec(
                "postgres",
                tuple(postgres.argv(layout, port)),
                server=True,
                stop_signal=signal.SIGINT,
                stop_timeout=30,
                before=lambda: postgres.before_start(layout),
                spawn_options=postgres.spawn_options,
                ready=lambda: postgres.ready(where),
                healthy=tcp(port),
            )
        )
    if nats.embedded():
        listen = nats.ports()
        specs.append(
            Spec(
                "nats",
                tuple(nats.argv(layout)),
                server=True,
                before=lambda: nats.before_start(layout, listen),
                ready=lambda: nats.ready(listen.nats),
                healthy=tcp(listen.nats),
            )
        )
    return specs


def migrate() -> Spec:
    """Brings the tables up to date, once a start; waits for PostgreSQL by itself, after its imports."""
    return Spec("migrate", command("migrate"), once=True)


def services(layout: Layout) -> list[Spec]:
    """Pages, edge, and the background: the latter start when the console answers, so that it answers sooner."""
    web_port, edge_port, host = int(env.get("SHOUFU_WEB_PORT")), int(env.get("SHOUFU_PORT")), env.get("SHOUFU_HOST")
    reach = "127.0.0.1" if host in {"0.0.0.0", "::"} else str(host)
    background = [*evaluators(), ("worker", ("worker",)), *watchers()]
    return [
        Spec("web", command("web"), gate="migrate", ready=http_ok(web_port, SIGN_IN), healthy=tcp(web_port)),
        Spec("edge", command("edge"), needs=("nats",), gate="migrate", ready=tcp(edge_port, reach)),
        *(_background(layout, name, words) for name, words in background),
    ]


def _background(layout: Layout, name: str, words: tuple[str, ...]) -> Spec:
    alive = heartbeat(layout.run / f"{name}.beat", HEARTBEAT_SECONDS)
    return Spec(name, command(*words), needs=("web", "edge"), gate="migrate", healthy=alive, niceness=1)


def evaluators() -> list[tuple[str, tuple[str, ...]]]:
    """Name and sub-command of one evaluator a shard."""
    count = int(env.get("SHOUFU_SHARDS"))
    return [
        ("evaluator" if count == 1 else f"evaluator-{shard}", ("evaluator", "--shard", str(shard)))
        for shard in range(count)
    ]


def watchers() -> list[tuple[str, tuple[str, ...]]]:
    """Name and sub-command of the watchers, among which cameras are shared."""
    count = int(env.get("SHOUFU_WATCHERS"))
    if count == 1:
        return [("watcher", ("watcher",))]
    return [(f"watcher-{part}", ("watcher", "--part", f"{part}/{count}")) for part in range(count)]


def has_command(name: str) -> bool:
    """Whether the product has the sub-command."""
    stem = name.replace("-", "_")
    return (COMMANDS / f"{stem}.py").is_file() or (COMMANDS / stem).is_dir()
