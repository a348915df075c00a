"""Tree → automaton: all ways through the pattern at once, so that time grows with the text and no more.

Thompson's construction; sets of states are remembered with the characters that lead on from them, which makes a
deterministic automaton as far as texts ever need it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shoufu.engines.cel.regex.tree import Assertion, Chars, Choice, PatternError, Place, Range, Repeat, Sequence, Tree

MAX_STATES = 3_000
_MAX_REMEMBERED = 20_000
_Set = frozenset[int]
_START: _Set = frozenset()
_ACCEPTED: _Set = frozenset({-1})
_NONE, _NEWLINE, _WORD, _OTHER = range(4)


@dataclass(slots=True)
class _State:
    """One of: a step over a character of `ranges`; a wait for `place`; a fork. Then on to all of `then`."""

    ranges: tuple[Range, ...] | None = None
    place: Place | None = None
    then: list[int] = field(default_factory=list)


class Automaton:
    """Searches one pattern; may be shared between threads (what it remembers is only ever added or dropped)."""

    def __init__(self, tree: Tree) -> None:
        self.states: list[_State] = [_State()]
        self.has_places = False
        self.start = self._build(tree, 0)
        self.sets: dict[_Set, _Set] = {}
        self.steps: dict[tuple[_Set, int, str], _Set] = {}

    # Construction, from the end to the start; state 0 is the match

    def _add(self, state: _State) -> int:
        if len(self.states) >= MAX_STATES:
            raise PatternError(f"the pattern needs more than {MAX_STATES} states; use smaller repetitions")
        self.states.append(state)
        return len(self.states) - 1

    def _build(self, tree: Tree, then: int) -> int:
        match tree:
            case Chars():
                return self._add(_State(ranges=tree.ranges, then=[then]))
            case Assertion():
                self.has_places = True
                return self._add(_State(place=tree.place, then=[then]))
            case Sequence():
                for item in reversed(tree.items):
                    then = self._build(item, then)
                return then
            case Choice():
                return self._add(_State(then=[self._build(item, then) for item in tree.items]))
            case Repeat():
                return self._repeat(tree, then)

    def _repeat(self, tree: Repeat, then: int) -> int:
        if tree.most is None:
            loop = self._add(_State(then=[then]))
            self.states[loop].then.append(self._build(tree.item, loop))
            then = loop
        else:
            after = then
            for _ in range(tree.most - tree.least):
                then = self._add(_State(then=[after, self._build(tree.item, then)]))
        for _ in range(tree.least):
            then = self._build(tree.item, then)
        return then

    # Search

    def found(self, text: str) -> bool:
        """Whether the pattern matches a part of `text`."""
        current, before = _START, _NONE
        for character in text:
            following = self.steps.get((current, before, character))
            if following is None:
                following = self._step(current, before, character)
            if following is _ACCEPTED:
                return True
            current = following
            if self.has_places:
                before = _sort(character)
        return self._step(current, before, "") is _ACCEPTED

    def _step(self, current: _Set, before: int, character: str) -> _Set:
        """The set after `character` ("" at the end of the text), which the states of the set are about to read."""
        reached = self._reach(current | {self.start}, before, _sort(character))
        if 0 in reached:
            following = _ACCEPTED
        else:
            code = ord(character) if character else -1
            states = [self.states[index] for index in reached]
            following = frozenset(
                state.then[0] for state in states if state.ranges is not None and _within(code, state.ranges)
            )
        if len(self.steps) >= _MAX_REMEMBERED:
            self.steps.clear()
            self.sets.clear()
        # One object for each set, so that look-ups compare by identity.
        following = self.sets.setdefault(following, following) if following is not _ACCEPTED else following
        self.steps[current, before, character] = following
        return following

    def _reach(self, states: frozenset[int], before: int, after: int) -> set[int]:
        """All states reached without reading a character."""
        reached: set[int] = set()
        waiting = list(states)
        while waiting:
            index = waiting.pop()
            if index in reached:
                continue
            reached.add(index)
            state = self.states[index]
            if state.ranges is None and (state.place is None or _holds(state.place, before, after)):
                waiting += state.then
        return reached


def _sort(character: str) -> int:
    if not character:
        return _NONE
    if character == "\n":
        return _NEWLINE
    return _WORD if character == "_" or (character.isascii() and character.isalnum()) else _OTHER


def _holds(place: Place, before: int, after: int) -> bool:
    match place:
        case Place.BEGIN_TEXT:
            return before == _NONE
        case Place.END_TEXT:
            return after == _NONE
        case Place.BEGIN_LINE:
            return before in (_NONE, _NEWLINE)
        case Place.END_LINE:
            return after in (_NONE, _NEWLINE)
        case Place.WORD_EDGE:
            return (before == _WORD) != (after == _WORD)
        case Place.NO_WORD_EDGE:
            return (before == _WORD) == (after == _WORD)


def _within(code: int, ranges: tuple[Range, ...]) -> bool:
    return any(low <= code <= high for low, high in ranges)
