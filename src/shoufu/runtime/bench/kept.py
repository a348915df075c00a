"""Data of a measurement that is kept in a directory, so that measuring again costs seconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoufu.runtime.errors import Problem

MARK = "bench.json"
DATA_HELP = "Make the data in this directory and keep it; measure on what it holds the next time."


@dataclass(frozen=True)
class Kept:
    """What a directory holds: `what` names the measurement and its sizes; `folder` None keeps nothing."""

    folder: Path | None
    what: Mapping[str, Any]

    def filled(self) -> bool:
        """Whether the data is there already; :class:`Problem` where the directory holds anything else."""
        if self.folder is None or not self.folder.exists() or not any(self.folder.iterdir()):
            return False
        mark = self.folder / MARK
        if not mark.exists():
            raise Problem(f"{self.folder} holds something else than a measurement's data: name an empty directory.")
        found = json.loads(mark.read_text())
        if not found["whole"]:
            raise Problem(f"Making the data in {self.folder} was broken off: remove the directory, or name another.")
        if found["what"] != dict(self.what):
            raise Problem(
                f"{self.folder} was made for {found['what']}, not for {dict(self.what)}: give the same sizes, or name "
                "another directory."
            )
        return True

    def fill(self, make: Callable[[], None]) -> None:
        """Make the data, and mark the directory as whole only then."""
        self._mark(whole=False)
        make()
        self._mark(whole=True)

    def _mark(self, *, whole: bool) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / MARK).write_text(json.dumps({"what": dict(self.what), "whole": whole}))
