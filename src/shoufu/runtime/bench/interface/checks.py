"""What is measured inside a page: contrast of its texts, and what the keyboard reaches; used by tests too.

The page is anything with Playwright's ``evaluate`` and ``keyboard``, so that this module needs no Playwright.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

MOST_STOPS = 400


@dataclass(frozen=True)
class Contrast:
    """Texts measured; those over a picture or a gradient, taken at its worst; and those below WCAG 2.2 AA, with why."""

    texts: int
    unsure: int
    failures: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Reach:
    """Controls on the page, those that the Tab key did not reach, and those whose focus cannot be seen; by name."""

    controls: int
    unreached: list[str]
    unseen: list[str]


@cache
def _script(name: str) -> str:
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    # An expression for `evaluate`: comments before it and the last semicolon are none.
    lines = [line for line in text.splitlines() if not line.startswith("//")]
    return "\n".join(lines).strip().removesuffix(";")


def contrast(page: Any) -> Contrast:
    """Measure every visible text of the page as it is now."""
    return Contrast(**page.evaluate(_script("contrast.js")))


def reach(page: Any) -> Reach:
    """Walk through the page by the Tab key, once round.

    Dialogs and menus that are closed do not count; neither does what the walk itself brings up.
    """
    page.evaluate(_script("keyboard.js"))
    names: list[str] = page.evaluate("shoufuKeyboard.mark()")
    reached: set[int] = set()
    unseen: list[str] = []
    lost = 0
    for _ in range(min(MOST_STOPS, 2 * len(names) + 20)):
        page.keyboard.press("Tab")
        found = page.evaluate("shoufuKeyboard.focused()")
        if found is None:
            lost += 1
            if lost > 2:
                break
            continue
        index = found["index"]
        if index in reached and len(reached) >= len(names):
            break
        if index >= 0:
            if index not in reached and not found["visible"]:
                unseen.append(found["name"])
            reached.add(index)
    return Reach(len(names), [name for index, name in enumerate(names) if index not in reached], unseen)
