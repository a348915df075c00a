"""Codes and secrets of the demo's devices, for the programs that simulate them; read without Django."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from shoufu.runtime import data
from shoufu.runtime.errors import Problem


@dataclass(frozen=True, slots=True)
class Identity:
    """What a simulated device needs to speak as itself."""

    code: str
    kind: str
    secret: str


def folder() -> Path:
    """Where the demo keeps what its simulated devices need."""
    return data.layout().root / "demo"


def read() -> list[Identity]:
    """Every device of the demo, by code; :class:`Problem` before the district was loaded."""
    path = folder() / "devices.json"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Problem(f"There is no {path}: load the demo district first ('shoufu demo load').") from error
    return [Identity(entry["code"], entry["kind"], entry["secret"]) for entry in entries]
