"""Loads the demo district: every app's part, then every scene's."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.runtime import data

log = structlog.get_logger("demo")

# People stand in places, accounts belong to people, rules speak of devices.
ORDER = (
    "places",
    "parties",
    "access",
    "devices",
    "observations",
    "media",
    "rules",
    "cases",
    "notices",
    "doors",
    "referrals",
    "evidence",
    "privacy",
    "imports",
    "booking",
)
Loader = Callable[[Actor], None]


def loaders() -> Iterator[tuple[str, Loader]]:
    """Name and function of each part of the district, in the order in which they build on one another."""
    for app in ORDER:
        name = f"shoufu.kernel.{app}.demo"
        if importlib.util.find_spec(name):
            yield app, importlib.import_module(name).load
    for scene in registry.scenes():
        if scene.demo:
            module, _, function = scene.demo.rpartition(".")
            yield scene.code, getattr(importlib.import_module(module), function)


def load() -> None:
    """Load everything that is missing; a second call changes nothing. Needs Django."""
    for name, loader in loaders():
        loader(SYSTEM)
        log.info("loaded", part=name)
    _write_links()


def links_path() -> Path:
    """Where the one-click sign-in links are: role code, user name, shown name and path of each (mode 0600)."""
    return data.layout().root / "demo" / "links.json"


def read_links() -> list[dict[str, str]]:
    """The links, empty before the district was loaded."""
    try:
        links: list[dict[str, str]] = json.loads(links_path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return links


def _write_links() -> None:
    from shoufu.kernel.access.demo import ACCOUNTS
    from shoufu.scenes.community.resident.demo import PEOPLE
    from shoufu.scenes.homecare.careplans.demo import ACCOUNTS as CAREPLANS
    from shoufu.scenes.homecare.demo import ACCOUNTS as CARE
    from shoufu.scenes.homecare.quality.demo import ACCOUNTS as QUALITY
    from shoufu.web.demo import link

    accounts = [(name, shown, role) for name, shown, role, *_ in ACCOUNTS]
    accounts += [(name, shown, "resident") for name, _code, shown, *_ in PEOPLE]
    accounts += CARE + CAREPLANS + QUALITY
    links = [{"user": name, "role": role, "name": shown, "path": link(name)} for name, shown, role in accounts]
    path = links_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(links, file, ensure_ascii=False, indent=1)
    draft.replace(path)
