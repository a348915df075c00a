"""One cabinet of door controllers as a process."""

from __future__ import annotations

import signal
import threading

from shoufu.runtime import env
from shoufu.runtime.demo import door_controller, entrance, identities
from shoufu.runtime.demo.door_controller import Login
from shoufu.runtime.demo.holding import Holding
from shoufu.runtime.errors import Problem

KINDS = frozenset({"door_controller"})


def logins(part: str) -> list[Login]:
    """The doors of a share ``i/n`` (from 1) of the demo's; :class:`Problem` before the district was loaded."""
    try:
        index, count = (int(word) for word in part.split("/"))
    except ValueError as error:
        raise Problem(f"--part {part!r} is not of the form 2/3.") from error
    # One gate has a controller of its own, and is not to be spoken for twice.
    real = {entrance.GATE} if entrance.setting() is not None else set()
    doors = [entry for entry in identities.read() if entry.kind in KINDS and entry.code not in real]
    host, port = str(env.get("SHOUFU_MQTT_HOST")), int(env.get("SHOUFU_MQTT_PORT"))
    reach = "127.0.0.1" if host == "0.0.0.0" else host
    return [Login(entry.code, entry.secret, reach, port) for entry in doors[index - 1 :: count]]


def run(part: str, incidents: bool) -> None:
    """Run a share of the doors until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    found = logins(part)
    holding = Holding(f"http://127.0.0.1:{env.get('SHOUFU_PORT')}", {login.code: login.secret for login in found})
    door_controller.run(found, identities.folder() / "queues", stop, incidents, holding)
