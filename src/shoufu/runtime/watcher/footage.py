"""Footage as a camera's source: `footage:NAME` is the installed demo footage of that name, looped in real time."""

from __future__ import annotations

from shoufu.runtime import models

SCHEME = "footage:"
PREFIX = "footage-"


def resolve(source: str) -> str:
    """A source with `footage:NAME` replaced by the path of that footage; any other stays as it is.

    Where that footage is not installed (some comes from Debian only) another that is stands in for it. Raises
    `shoufu.runtime.models.ModelError` where none is.
    """
    if not source.startswith(SCHEME):
        return source
    wanted = PREFIX + source.removeprefix(SCHEME)
    there = [entry.name for entry in models.ENTRIES if entry.footage and models.state(entry) is models.State.READY]
    if there and wanted not in there:
        return str(models.path(there[0]))
    return str(models.path(wanted))
