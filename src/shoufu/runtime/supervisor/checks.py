"""Ways to ask whether a process is ready or healthy; each returns a function without arguments."""

from __future__ import annotations

import http.client
import socket
import time
from pathlib import Path

from shoufu.runtime.supervisor.spec import Check


def tcp(port: int, host: str = "127.0.0.1") -> Check:
    """True when something accepts connections on the port."""

    def check() -> bool:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            return False
        return True

    return check


def http_ok(port: int, path: str, host: str = "127.0.0.1", timeout: float = 5) -> Check:
    """True when ``GET path`` answers with a status below 400."""

    def check() -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"Host": f"{host}:{port}"})
            return connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return check


def heartbeat(path: Path, seconds: float) -> Check:
    """True while the file is younger than ``seconds``; a process that never writes one is not judged by it."""

    def check() -> bool:
        try:
            age = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            return True
        return age < seconds

    return check
