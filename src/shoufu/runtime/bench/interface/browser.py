"""A real Chromium, where there is one: found, started, and a page signed in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shoufu.runtime.errors import Problem

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
"""Loopback pages only; a machine without a graphics card draws the map in software."""


class Missing(Problem):
    """There is no browser here to measure with."""


def path() -> str:
    """Where Chromium is: ``CHROMIUM``, else by its usual names; :class:`Missing` with what to do."""
    named = os.environ.get("CHROMIUM", "")
    if named and not os.access(named, os.X_OK):
        raise Missing(f"CHROMIUM names {named}, which cannot be run.")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise Missing("There is no Chromium here: install one (on Debian: apt install chromium) or set CHROMIUM.")
    return found


@contextmanager
def chromium(*flags: str) -> Iterator[Any]:
    """A started browser, with more flags where some are given; :class:`Missing` without Playwright or Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise Missing("Playwright is not installed: it comes with requirements-dev.lock.") from error
    program = path()
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            browser.close()
