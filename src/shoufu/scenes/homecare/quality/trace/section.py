from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Section:
    """One part of a trace: facts (label, value) and lines (when, what, who, words)."""

    code: str
    title: str
    facts: Sequence[tuple[str, Any]] = ()
    lines: Sequence[tuple[datetime, str, str, str]] = ()

    @property
    def empty(self) -> bool:
        return not self.facts and not self.lines
