"""Text → tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from shoufu.engines.cel.errors import CelSyntaxError
from shoufu.engines.cel.values import UINT_MAX, UInt


class Sort(Enum):
    """The sorts of token."""

    INT = "an integer"
    UINT = "an unsigned integer"
    FLOAT = "a number"
    STRING = "a string"
    BYTES = "bytes"
    IDENT = "a name"
    QUOTED = "a quoted field name"
    KEYWORD = "a keyword"
    OPERATOR = "an operator"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """`value` is the literal's value; `text` the source."""

    sort: Sort
    text: str
    start: int
    value: object = None

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    def __str__(self) -> str:
        return "the end of the expression" if self.sort is Sort.END else f"'{self.text}'"


KEYWORDS = frozenset({"true", "false", "null", "in"})
# fmt: off
RESERVED = frozenset({
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return", "var", "void", "while",
})
# fmt: on

_SKIP = re.compile(r"(?:[ \t\n\f\r]+|//[^\n]*)*")
_NUMBER = re.compile(
    r"(?P<float>[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)|(?P<int>0x[0-9a-fA-F]+|[0-9]+)(?P<u>[uU]?)"
)
_STRING = re.compile(r"(?P<prefix>[bB][rR]?|[rR][bB]?|)(?P<quote>'''|\"\"\"|'|\")")
_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_QUOTED = re.compile(r"`[a-zA-Z0-9_.\-/ ]+`")
_OPERATOR = re.compile(r"&&|\|\||<=|>=|==|!=|[-+*/%<>!?:.,()\[\]{}]")
_ESCAPE = re.compile(
    r"\\(?:(?P<plain>[abfnrtv\\?\"'`])|[xX](?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})"
    r"|(?P<octal>[0-3][0-7]{2}))"
)
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def tokenize(text: str) -> list[Token]:
    """All tokens of `text`, with an END token last. Raises CelSyntaxError."""
    tokens: list[Token] = []
    position = _end(_SKIP.match(text, 0))
    while position < len(text):
        token = _token(text, position)
        tokens.append(token)
        position = _end(_SKIP.match(text, token.end))
    tokens.append(Token(Sort.END, "", len(text)))
    return tokens


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def _token(text: str, position: int) -> Token:
    if opening := _STRING.match(text, position):
        return _string(text, position, opening)
    if found := _NUMBER.match(text, position):
        return _number(found, position)
    if found := _NAME.match(text, position):
        sort = Sort.KEYWORD if found[0] in KEYWORDS else Sort.IDENT
        return Token(sort, found[0], position)
    if found := _QUOTED.match(text, position):
        return Token(Sort.QUOTED, found[0], position, found[0][1:-1])
    if found := _OPERATOR.match(text, position):
        return Token(Sort.OPERATOR, found[0], position)
    raise CelSyntaxError(_unexpected(text[position]), position)


def _unexpected(character: str) -> str:
    hints = {"&": "; 'and' is written &&", "|": "; 'or' is written ||", "=": "; equality is written =="}
    return f"unexpected character {character!r}{hints.get(character, '')}"


def _number(found: re.Match[str], position: int) -> Token:
    if found["float"]:
        return Token(Sort.FLOAT, found[0], position, float(found[0]))
    digits = found["int"]
    value = int(digits, 16) if digits.startswith("0x") else int(digits)
    if not found["u"]:
        # The range of int depends on a minus sign before it, which only the parser sees.
        return Token(Sort.INT, found[0], position, value)
    if value > UINT_MAX:
        raise CelSyntaxError(f"{found[0]} is out of the range of uint; the largest is {UINT_MAX}u", position)
    return Token(Sort.UINT, found[0], position, UInt(value))


def _string(text: str, position: int, opening: re.Match[str]) -> Token:
    prefix, quote = opening["prefix"].lower(), opening["quote"]
    raw, is_bytes = "r" in prefix, "b" in prefix
    end = _closing(text, opening.end(), quote, raw=raw)
    if end < 0:
        raise CelSyntaxError(f"the string that starts here is not closed; add {quote}", position)
    body = text[opening.end() : end]
    source = text[position : end + len(quote)]
    if is_bytes:
        value: object = body.encode() if raw else _bytes_body(body, opening.end())
        return Token(Sort.BYTES, source, position, value)
    return Token(Sort.STRING, source, position, body if raw else _string_body(body, opening.end()))


def _closing(text: str, position: int, quote: str, *, raw: bool) -> int:
    single = len(quote) == 1
    while position < len(text):
        character = text[position]
        if character == "\\" and not raw:
            position += 2
        elif text.startswith(quote, position):
            return position
        elif single and character in "\r\n":
            return -1
        else:
            position += 1
    return -1


def _string_body(body: str, offset: int) -> str:
    if "\\" not in body:
        return body
    parts: list[str] = []
    for chunk, escape in _chunks(body, offset):
        parts.append(chunk)
        if escape is not None:
            parts.append(_character(escape, offset))
    return "".join(parts)


def _bytes_body(body: str, offset: int) -> bytes:
    parts = bytearray()
    for chunk, escape in _chunks(body, offset):
        parts += chunk.encode()
        if escape is None:
            continue
        if escape["x"] or escape["octal"]:
            parts.append(int(escape["x"], 16) if escape["x"] else int(escape["octal"], 8))
        elif escape["plain"]:
            parts += _PLAIN.get(escape["plain"], escape["plain"]).encode()
        else:
            raise CelSyntaxError("bytes take \\x and octal escapes, not \\u or \\U", offset + escape.start())
    return bytes(parts)


def _chunks(body: str, offset: int) -> list[tuple[str, re.Match[str] | None]]:
    """The plain pieces of a string body, each with the escape that follows it."""
    chunks: list[tuple[str, re.Match[str] | None]] = []
    position = 0
    while (at := body.find("\\", position)) >= 0:
        escape = _ESCAPE.match(body, at)
        if escape is None:
            raise CelSyntaxError(
                f"unknown escape {body[at : at + 2]}; write \\\\ for a backslash or r'…' for a raw string", offset + at
            )
        chunks.append((body[position:at], escape))
        position = escape.end()
    chunks.append((body[position:], None))
    return chunks


def _character(escape: re.Match[str], offset: int) -> str:
    if escape["plain"]:
        return _PLAIN.get(escape["plain"], escape["plain"])
    if escape["octal"]:
        return chr(int(escape["octal"], 8))
    code = int(escape["x"] or escape["u"] or escape["U"], 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise CelSyntaxError(f"{escape[0]} is not a Unicode code point", offset + escape.start())
    return chr(code)
