"""A pattern with its two ways to search: `re` where that is surely quick, the automaton elsewhere."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from shoufu.engines.cel.regex.automaton import Automaton
from shoufu.engines.cel.regex.parser import parse
from shoufu.engines.cel.regex.python import risk, translate

MAX_STEPS = 50_000
"""Backtracking steps `re` may need in the worst case (about a millisecond); beyond, the automaton searches."""


class Pattern:
    """A compiled pattern. Raises PatternError for one that is not RE2's."""

    def __init__(self, text: str) -> None:
        self.tree = parse(text)
        found = risk(self.tree)
        self.ways, self.power = found.ways, found.power
        if self.ways > MAX_STEPS:
            # Built now, so that a pattern that is too large is an error before it is used.
            _ = self.automaton

    @cached_property
    def automaton(self) -> Automaton:
        return Automaton(self.tree)

    @cached_property
    def longest(self) -> int:
        """The longest text left to `re`."""
        if self.ways > MAX_STEPS:
            return -1
        return 10**9 if self.power == 0 else int((MAX_STEPS / self.ways) ** (1 / self.power))

    def found(self, text: str) -> bool:
        """Whether the pattern matches a part of `text`."""
        if len(text) <= self.longest:
            return self._python.search(text) is not None
        return self.automaton.found(text)

    @cached_property
    def _python(self) -> re.Pattern[str]:
        return translate(self.tree)


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Pattern:
    """The pattern, remembered. Raises PatternError."""
    return Pattern(text)
