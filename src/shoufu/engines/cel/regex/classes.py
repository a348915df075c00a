"""Named sets of characters."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache

from shoufu.engines.cel.regex.tree import Chars, PatternError, Range, chars

DIGIT = chars([(0x30, 0x39)])
WORD = chars([(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
SPACE = chars([(0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)])
PERL = {"d": DIGIT, "w": WORD, "s": SPACE}

POSIX = {
    "alnum": chars([(0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)]),
    "alpha": chars([(0x41, 0x5A), (0x61, 0x7A)]),
    "ascii": chars([(0x00, 0x7F)]),
    "blank": chars([(0x09, 0x09), (0x20, 0x20)]),
    "cntrl": chars([(0x00, 0x1F), (0x7F, 0x7F)]),
    "digit": DIGIT,
    "graph": chars([(0x21, 0x7E)]),
    "lower": chars([(0x61, 0x7A)]),
    "print": chars([(0x20, 0x7E)]),
    "punct": chars([(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)]),
    "space": chars([(0x09, 0x0D), (0x20, 0x20)]),
    "upper": chars([(0x41, 0x5A)]),
    "word": WORD,
    "xdigit": chars([(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)]),
}

# Of the scripts only Chinese characters (Unicode's Scripts.txt).
HAN = chars(
    [(0x2E80, 0x2E99), (0x2E9B, 0x2EF3), (0x2F00, 0x2FD5), (0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029)]
    + [(0x3038, 0x303B), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFA6D), (0xFA70, 0xFAD9)]
    + [(0x16FE2, 0x16FE3), (0x16FF0, 0x16FF1), (0x20000, 0x2A6DF), (0x2A700, 0x2EE5D), (0x2F800, 0x2FA1D)]
    + [(0x30000, 0x323AF)]
)
_CATEGORIES = frozenset(
    ["L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe"]
    + ["Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Co"]
)


@cache
def unicode_class(name: str) -> Chars:
    r"""The set of `\p{name}`: a general category, or Han. Raises PatternError."""
    if name == "Han":
        return HAN
    if name not in _CATEGORIES:
        raise PatternError(f"unknown class \\p{{{name}}}; there are the general categories (L, Lu, Nd, …) and Han")
    ranges: list[Range] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)).startswith(name):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1] = (ranges[-1][0], code)
            else:
                ranges.append((code, code))
    return chars(ranges)


_MAX_FOLDED = 4096


def folded(found: Chars) -> Chars:
    """With the other cases of its letters; very large sets stay as they are."""
    if sum(high - low + 1 for low, high in found.ranges) > _MAX_FOLDED:
        return found
    more: list[Range] = list(found.ranges)
    for low, high in found.ranges:
        for code in range(low, high + 1):
            more += [(ord(other), ord(other)) for other in _cases(chr(code))]
    return chars(more)


def _cases(character: str) -> set[str]:
    seen = {character.lower(), character.upper()}
    # K and the Kelvin sign, s and the long s: letters that share a case with a case.
    seen |= {case for other in list(seen) if len(other) == 1 for case in (other.lower(), other.upper())}
    extra = {"k": "\u212a", "s": "\u017f", "å": "\u212b"}
    seen |= {extra[other] for other in list(seen) if other in extra}
    return {other for other in seen if len(other) == 1}
