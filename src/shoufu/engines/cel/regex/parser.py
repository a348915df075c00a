"""Pattern text → tree, after https://github.com/google/re2/wiki/Syntax."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from shoufu.engines.cel.regex.classes import PERL, POSIX, folded, unicode_class
from shoufu.engines.cel.regex.tree import (
    LAST,
    Assertion,
    Chars,
    PatternError,
    Place,
    Range,
    Repeat,
    Sequence,
    Tree,
    chars,
    choice,
    negated,
)

MAX_LENGTH = 1_000
MAX_REPEAT = 1_000
_MAX_NESTING = 50
_COUNT = re.compile(r"\{(\d+)(,(\d*))?\}", re.ASCII)
_GROUP = re.compile(r"\(\?(?:P?<(?P<name>\w+)>|(?P<flags>[imsU]*(?:-[imsU]+)?)(?P<end>[:)]))", re.ASCII)
_HEX = re.compile(r"\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{2})")
_OCTAL = re.compile(r"[0-7]{1,3}")
_PROPERTY = re.compile(r"\{(\^?)(\w+)\}|(\w)", re.ASCII)
_POSIX = re.compile(r"\[:(\^?)(\w+):\]", re.ASCII)
_CONTROLS = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_PLACES = {"A": Place.BEGIN_TEXT, "z": Place.END_TEXT, "b": Place.WORD_EDGE, "B": Place.NO_WORD_EDGE}
_NEWLINE = 10


@dataclass(frozen=True, slots=True)
class _Flags:
    ignore_case: bool = False
    lines: bool = False
    dot_all: bool = False


def parse(text: str) -> Tree:
    """The tree of a pattern. Raises PatternError."""
    if len(text) > MAX_LENGTH:
        raise PatternError(f"the pattern has {len(text)} characters; the limit is {MAX_LENGTH}")
    parser = _Parser(text)
    tree = parser.alternatives(_Flags(), 0)
    if parser.position < len(text):
        raise PatternError("a ')' too many")
    return tree


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    @property
    def next(self) -> str:
        return self.text[self.position : self.position + 1]

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()
        return found

    def accept(self, text: str) -> bool:
        if not self.text.startswith(text, self.position):
            return False
        self.position += len(text)
        return True

    def alternatives(self, flags: _Flags, depth: int) -> Tree:
        if depth > _MAX_NESTING:
            raise PatternError(f"groups are nested deeper than {_MAX_NESTING}")
        branches: list[Tree] = []
        while True:
            # `(?i)` in one branch holds for the branches after it.
            flags, branch = self.sequence(flags, depth)
            branches.append(branch)
            if not self.accept("|"):
                return choice(branches)

    def sequence(self, flags: _Flags, depth: int) -> tuple[_Flags, Tree]:
        items: list[Tree] = []
        while self.next not in ("", "|", ")"):
            if self.next == "(":
                flags, group = self.group(flags, depth)
                if group is None:
                    continue
                items.append(self.repeated(group))
            elif self.accept(r"\Q"):
                items += self.quoted(flags)
            else:
                items.append(self.repeated(self.single(flags)))
        return flags, items[0] if len(items) == 1 else Sequence(tuple(items))

    def group(self, flags: _Flags, depth: int) -> tuple[_Flags, Tree | None]:
        """A group, or None for one that only sets flags."""
        inner = flags
        if self.text.startswith("(?", self.position):
            found = self.match(_GROUP)
            if found is None:
                start = self.text[self.position : self.position + 4]
                raise PatternError(f"RE2 has no groups that start with {start!r} (no look-around, no conditions)")
            if not found["name"]:
                inner = _changed(flags, found["flags"])
                if found["end"] == ")":
                    return inner, None
        else:
            self.position += 1
        tree = self.alternatives(inner, depth + 1)
        if not self.accept(")"):
            raise PatternError("a ')' is missing")
        return flags, tree

    def repeated(self, item: Tree) -> Tree:
        count = self.count()
        if count is None:
            return item
        self.accept("?")
        if self.next and (self.next in "*+?" or _COUNT.match(self.text, self.position)):
            raise PatternError(f"a repetition of a repetition at character {self.position + 1}; use a group")
        return Repeat(item, *count)

    def count(self) -> tuple[int, int | None] | None:
        for mark, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.accept(mark):
                return counts
        found = self.match(_COUNT)
        if found is None:
            return None
        least = int(found[1])
        most = least if found[2] is None else int(found[3]) if found[3] else None
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            raise PatternError(f"the repetition {found[0]} must be in order and at most {MAX_REPEAT}")
        return least, most

    def quoted(self, flags: _Flags) -> list[Tree]:
        end = self.text.find(r"\E", self.position)
        stop = len(self.text) if end < 0 else end
        items: list[Tree] = [_literal(ord(character), flags) for character in self.text[self.position : stop]]
        self.position = stop if end < 0 else end + 2
        # A repetition after the quotation belongs to its last character.
        return [*items[:-1], self.repeated(items[-1])] if items else items

    def single(self, flags: _Flags) -> Tree:
        """One character, set or assertion."""
        character = self.next
        self.position += 1
        if character == ".":
            return chars([(0, LAST)]) if flags.dot_all else negated(chars([(_NEWLINE, _NEWLINE)]))
        if character == "^":
            return Assertion(Place.BEGIN_LINE if flags.lines else Place.BEGIN_TEXT)
        if character == "$":
            return Assertion(Place.END_LINE if flags.lines else Place.END_TEXT)
        if character == "[":
            return self.bracket(flags)
        if character == "\\":
            return self.escape(flags)
        if character in "*+?":
            raise PatternError(f"nothing to repeat before {character!r} at character {self.position}")
        return _literal(ord(character), flags)

    def escape(self, flags: _Flags) -> Tree:
        if self.next in _PLACES and self.next:
            self.position += 1
            return Assertion(_PLACES[self.text[self.position - 1]])
        found = self.class_escape()
        if found is None:
            return _literal(self.code(), flags)
        return folded(found) if flags.ignore_case else found

    def class_escape(self) -> Chars | None:
        r"""\d, \W, \p{Lu} and so on; the position is after the backslash."""
        letter = self.next
        if letter.lower() in PERL:
            self.position += 1
            found = PERL[letter.lower()]
            return negated(found) if letter.isupper() else found
        if letter not in ("p", "P"):
            return None
        self.position += 1
        name = self.match(_PROPERTY)
        if name is None:
            raise PatternError(f"\\{letter} needs a name, as in \\{letter}{{L}}")
        found = unicode_class(name[2] or name[3])
        return negated(found) if (letter == "P") != bool(name[1]) else found

    def code(self) -> int:
        """The code point of an escaped character; the position is after the backslash."""
        letter = self.next
        self.position += 1
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter == "x" and (found := self.match(_HEX)) and int(found[1] or found[2], 16) <= LAST:
            return int(found[1] or found[2], 16)
        if letter == "0" or (letter in "1234567" and letter and self.next in "01234567" and self.next):
            self.position -= 1
            digits = self.match(_OCTAL)
            assert digits is not None
            return int(digits[0], 8)
        if letter.isdigit() and letter.isascii():
            raise PatternError(f"RE2 has no back references such as \\{letter}")
        if not letter or (letter.isalnum() and letter.isascii()) or not letter.isascii():
            raise PatternError(f"unknown escape \\{letter}")
        return ord(letter)

    def bracket(self, flags: _Flags) -> Tree:
        negative = self.accept("^")
        ranges: list[Range] = []
        first = True
        while first or self.next != "]":
            if not self.next:
                raise PatternError("a ']' is missing")
            ranges += self.bracket_item()
            first = False
        self.position += 1
        found = chars(ranges)
        if flags.ignore_case:
            found = folded(found)
        return negated(found) if negative else found

    def bracket_item(self) -> tuple[Range, ...]:
        if found := self.match(_POSIX):
            if found[2] not in POSIX:
                raise PatternError(f"unknown class {found[0]}; there are {', '.join(sorted(POSIX))}")
            return (negated(POSIX[found[2]]) if found[1] else POSIX[found[2]]).ranges
        if self.next == "\\":
            self.position += 1
            if (escaped := self.class_escape()) is not None:
                return escaped.ranges
            self.position -= 1
        low = self.bracket_code()
        if self.next != "-" or self.text[self.position + 1 : self.position + 2] in ("]", ""):
            return ((low, low),)
        self.position += 1
        high = self.bracket_code()
        if high < low:
            raise PatternError(f"the range {chr(low)}-{chr(high)} is the wrong way round")
        return ((low, high),)

    def bracket_code(self) -> int:
        if self.accept("\\"):
            return self.code()
        self.position += 1
        return ord(self.text[self.position - 1])


def _literal(code: int, flags: _Flags) -> Chars:
    found = chars([(code, code)])
    return folded(found) if flags.ignore_case else found


def _changed(flags: _Flags, letters: str) -> _Flags:
    on, _, off = letters.partition("-")
    for letters_, value in ((on, True), (off, False)):
        for letter in letters_:
            if letter == "i":
                flags = replace(flags, ignore_case=value)
            elif letter == "m":
                flags = replace(flags, lines=value)
            elif letter == "s":
                flags = replace(flags, dot_all=value)
    return flags
