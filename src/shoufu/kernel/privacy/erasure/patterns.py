import re
from collections.abc import Iterable

from shoufu.kernel.privacy.declarations import Identifier, Sort
from shoufu.kernel.privacy.search.tokens import searchable

BETWEEN = r"[ \u00a0\u3000·•・.\-—–()（）]*"
MARK = "〔已删除〕"
"""What stands where an identifier stood; in both languages' texts, since it replaces a part of a sentence."""


def pattern(identifiers: Iterable[Identifier]) -> str:
    """A regular expression, good for PostgreSQL and Python, that finds the identifiers as people write them.

    Empty where there is nothing to look for. Numbers match with blanks and dashes between their characters.
    """
    wanted = [item for item in identifiers if searchable(item) and item.sort != Sort.HASH]
    parts = {_one(item) for item in sorted(wanted, key=lambda item: -len(item.text))}
    return "|".join(sorted(parts, key=lambda part: (-len(part), part)))


def _one(item: Identifier) -> str:
    text = item.text.strip()
    escaped = [re.escape(character) for character in text]
    body = BETWEEN.join(escaped) if item.sort == Sort.NUMBER else "".join(escaped)
    head = "(?<![0-9A-Za-z])" if text[0].isascii() and text[0].isalnum() else ""
    tail = "(?![0-9A-Za-z])" if text[-1].isascii() and text[-1].isalnum() else ""
    return f"{head}{body}{tail}"
