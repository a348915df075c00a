"""What the counting found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Faults:
    """What is wrong, in words and counted; `summary` says how the race went."""

    overlaps: int = 0
    lost: int = 0
    lines: list[str] = field(default_factory=list)
    summary: str = ""

    def lose(self, line: str) -> None:
        self.lost += 1
        self.lines.append(f"lost: {line}")
