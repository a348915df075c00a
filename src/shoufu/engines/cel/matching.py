"""`matches()`: does a regular expression (RE2 syntax) match anywhere in a text?"""

from __future__ import annotations

import re
from functools import lru_cache

from shoufu.engines.cel.errors import CelEvaluationError
from shoufu.engines.cel.operators import show

_MAX_PATTERN = 1_000
_ATOM = re.compile(r"\\Q.*?\\E|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|\(\?[^)]?[^)]?|.", re.DOTALL)


def matches(text: str, pattern: str) -> bool:
    """Whether `pattern` matches a part of `text`. Raises CelEvaluationError for a pattern RE2 would not take."""
    return compile_pattern(pattern).search(text) is not None


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The pattern in Python's dialect, checked. Raises CelEvaluationError."""
    if len(pattern) > _MAX_PATTERN:
        raise CelEvaluationError(f"the pattern has {len(pattern)} characters; the limit is {_MAX_PATTERN}")
    try:
        return re.compile("".join(map(_translate, _ATOM.findall(pattern))), re.ASCII)
    except (re.error, OverflowError) as error:
        raise CelEvaluationError(f"invalid regular expression {show(pattern)}: {error}") from None


def _translate(atom: str) -> str:
    if atom == "$":
        return r"\Z"  # Python's $ also matches before a last newline
    if atom == r"\z":
        return r"\Z"
    if atom[:1] == "\\" and atom[1:2].isdigit() and atom[1:2] != "0":
        raise CelEvaluationError(f"the pattern has a back reference {atom}, which RE2 does not know")
    if atom.startswith(("(?=", "(?!", "(?<=", "(?<!", "(?>", "(?(", "(?P=")):
        raise CelEvaluationError(f"the pattern has a look-around {atom}, which RE2 does not know")
    if atom.startswith(r"\Q"):
        return re.escape(atom[2:].removesuffix(r"\E"))
    return atom
