"""`matches()`: does a regular expression (RE2 syntax) match anywhere in a text?"""

from __future__ import annotations

from shoufu.engines.cel.errors import CelEvaluationError
from shoufu.engines.cel.operators import show
from shoufu.engines.cel.regex import Pattern, PatternError
from shoufu.engines.cel.regex import compile_pattern as compile_regex


def matches(text: str, pattern: str) -> bool:
    """Whether `pattern` matches a part of `text`. Raises CelEvaluationError for a pattern RE2 would not take."""
    return compile_pattern(pattern).found(text)


def compile_pattern(pattern: str) -> Pattern:
    """The pattern, checked. Raises CelEvaluationError."""
    try:
        return compile_regex(pattern)
    except PatternError as error:
        raise CelEvaluationError(f"invalid regular expression {show(pattern)}: {error}") from None
