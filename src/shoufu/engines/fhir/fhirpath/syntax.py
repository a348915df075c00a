"""FHIRPath (HL7 FHIRPath N1, http://hl7.org/fhirpath/N1): text to a syntax tree, by operator precedence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<date>@(?:T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?|\d{4}[-\d]*(?:T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)?
        (?:Z|[+-]\d\d:\d\d)?)?))
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<quoted>`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*")
    | (?P<name>[A-Za-z_$][A-Za-z0-9_]*)
    | (?P<sign>!=|!~|<=|>=|[-+*/&|<>=~.,()\[\]{}%])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}
# The looser binds, the smaller the number.
_BINARY = {
    "implies": 1,
    "or": 2,
    "xor": 2,
    "and": 3,
    "in": 4,
    "contains": 4,
    "=": 5,
    "~": 5,
    "!=": 5,
    "!~": 5,
    "<": 6,
    ">": 6,
    "<=": 6,
    ">=": 6,
    "|": 7,
    "is": 8,
    "as": 8,
    "+": 9,
    "-": 9,
    "&": 9,
    "*": 10,
    "/": 10,
    "div": 10,
    "mod": 10,
}


class FhirPathError(ValueError):
    """An expression that cannot be read, or that asks for what is not known here."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; ``kind`` is its system type (``String``, ``Integer``, …), None for the empty collection."""

    value: str | int | Decimal | bool | None
    kind: str


@dataclass(frozen=True, slots=True)
class Variable:
    """``$this``, ``$index``, or an external constant such as ``%resource``."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A name, of the node before it where there is one."""

    source: Syntax | None
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function, of the node before it where there is one."""

    source: Syntax | None
    name: str
    arguments: tuple[Syntax, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """``source[index]``."""

    source: Syntax
    index: Syntax


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two expressions."""

    operator: str
    left: Syntax
    right: Syntax


@dataclass(frozen=True, slots=True)
class Negation:
    """A minus before a number."""

    operand: Syntax


@dataclass(frozen=True, slots=True)
class TypeTest:
    """``is`` and ``as`` with the name of a type."""

    operator: str
    operand: Syntax
    type: str


Syntax = Literal | Variable | Member | Call | Index | Binary | Negation | TypeTest


def parse(text: str) -> Syntax:
    """The tree of an expression; :class:`FhirPathError` where it cannot be read."""
    reader = _Reader(list(_tokens(text)), text)
    tree = reader.expression(0)
    reader.end()
    return tree


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    end = len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise FhirPathError(f"{text!r}: cannot read from letter {place + 1}")
        place = found.end()
        if found.lastgroup != "comment":
            yield found.lastgroup, found[found.lastgroup]


def _unescaped(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code[1:], 16)) if code.startswith("u") else _ESCAPES.get(code, code)

    return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", one, text[1:-1], flags=re.DOTALL)


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]], text: str) -> None:
        self.tokens = tokens
        self.text = text
        self.place = 0

    def expression(self, least: int) -> Syntax:
        left = self._unary()
        while True:
            word = self._word()
            strength = _BINARY.get(word, -1)
            if strength < least or strength < 0:
                return left
            self.place += 1
            if word in ("is", "as"):
                left = TypeTest(word, left, self._type())
            else:
                left = Binary(word, left, self.expression(strength + 1))

    def end(self) -> None:
        if self.place < len(self.tokens):
            raise FhirPathError(f"{self.text!r}: {self.tokens[self.place][1]!r} was not expected")

    def _word(self) -> str:
        if self.place >= len(self.tokens):
            return ""
        kind, word = self.tokens[self.place]
        return word if kind in ("sign", "name") else ""

    def _next(self) -> tuple[str, str]:
        if self.place >= len(self.tokens):
            raise FhirPathError(f"{self.text!r}: ends too early")
        self.place += 1
        return self.tokens[self.place - 1]

    def _take(self, word: str) -> bool:
        if self._word() != word:
            return False
        self.place += 1
        return True

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise FhirPathError(f"{self.text!r}: {word!r} is missing")

    def _type(self) -> str:
        name = self._name()
        while self._take("."):
            name += "." + self._name()
        return name

    def _name(self) -> str:
        kind, word = self._next()
        if kind == "quoted":
            return _unescaped(word)
        if kind != "name":
            raise FhirPathError(f"{self.text!r}: a name was expected, not {word!r}")
        return word

    def _unary(self) -> Syntax:
        if self._take("-"):
            return Negation(self._unary())
        self._take("+")
        return self._postfix(self._term())

    def _postfix(self, tree: Syntax) -> Syntax:
        while True:
            if self._take("."):
                tree = self._invocation(tree)
            elif self._take("["):
                tree = Index(tree, self.expression(0))
                self._need("]")
            else:
                return tree

    def _term(self) -> Syntax:
        if self._take("("):
            tree = self.expression(0)
            self._need(")")
            return tree
        if self._take("{"):
            self._need("}")
            return Literal(None, "Empty")
        if self._take("%"):
            kind, word = self._next()
            return Variable("%" + (_unescaped(word) if kind in ("quoted", "string") else word))
        kind, word = self.tokens[self.place] if self.place < len(self.tokens) else ("", "")
        if kind in ("name", "quoted"):
            return self._named(kind, word)
        self._next()
        if kind == "string":
            return Literal(_unescaped(word), "String")
        if kind == "number":
            return Literal(Decimal(word), "Decimal") if "." in word else Literal(int(word), "Integer")
        if kind == "date":
            kind = "Time" if word[1] == "T" else "DateTime" if "T" in word else "Date"
            return Literal(word[1:].removeprefix("T") if kind == "Time" else word[1:].removesuffix("T"), kind)
        raise FhirPathError(f"{self.text!r}: {word!r} was not expected")

    def _named(self, kind: str, word: str) -> Syntax:
        if kind == "name" and word in ("true", "false"):
            self.place += 1
            return Literal(word == "true", "Boolean")
        if kind == "name" and word.startswith("$"):
            self.place += 1
            return Variable(word)
        return self._invocation(None)

    def _invocation(self, source: Syntax | None) -> Syntax:
        name = self._name()
        if not self._take("("):
            return Member(source, name)
        arguments: list[Syntax] = []
        while not self._take(")"):
            if arguments:
                self._need(",")
            arguments.append(self.expression(0))
        return Call(source, name, tuple(arguments))
