"""Recognising identifiers by keyed hashes alone: what a proof of erasure searches with, when they are gone themselves.

Each identifier becomes tokens: its bytes in every form in which a text or a file may write it. A token keeps its
length, a fingerprint (the top 20 bits of a polynomial hash with a secret base) and an HMAC-SHA256 of 128 bits. A text
is searched by the polynomial hash of all its windows at once (prefix sums; Rabin and Karp 1987), and the few windows
whose fingerprint is known are settled by the HMAC.
"""

import hashlib
import hmac
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from shoufu.kernel.privacy.declarations import Identifier, Sort

SEPARATORS = re.compile(r"[ \u00a0\u3000·•・.\-—–()（）]+")
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
SHORTEST = {Sort.NAME: 2, Sort.NUMBER: 6, Sort.WORD: 4, Sort.HASH: 16}
BARE_ALONE = 11
"""A number of this many characters is recognised among others without blanks; shorter ones only if not ASCII alone."""
BITS = 20
WORD = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz")


class Form(StrEnum):
    """How a haystack was prepared: folded text, folded text without separators, or bytes as they lie on the disk."""

    TEXT = "text"
    BARE = "bare"
    RAW = "raw"


@dataclass(frozen=True)
class Token:
    """One form of one identifier, hashed. `alone`: it counts only outside longer words of ASCII letters or digits."""

    form: Form
    size: int
    print: int
    digest: str
    what: str
    alone: bool

    def stored(self) -> list[Any]:
        return [str(self.form), self.size, self.print, self.digest, self.what, self.alone]

    @classmethod
    def of_stored(cls, row: Sequence[Any]) -> "Token":
        return cls(Form(row[0]), int(row[1]), int(row[2]), str(row[3]), str(row[4]), bool(row[5]))


def fold(text: str) -> str:
    """One written form: compatibility characters as plain ones, no difference of case."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def bare(folded: str) -> str:
    """Without blanks, dots and dashes; ends of lines and tabs stay."""
    return SEPARATORS.sub("", folded)


def searchable(identifier: Identifier) -> bool:
    """Whether it is long enough to be told from other text."""
    return len(identifier.text.strip()) >= SHORTEST[identifier.sort]


@dataclass(frozen=True)
class Hasher:
    """The secret of a proof: 32 bytes, derived from the key ring."""

    key: bytes

    @property
    def base(self) -> int:
        return int.from_bytes(hashlib.sha256(self.key + b"base").digest()[:8], "big") | 1

    def digest(self, data: bytes) -> str:
        return hmac.new(self.key, data, hashlib.sha256).hexdigest()[:32]

    def fingerprint(self, data: bytes) -> int:
        value, power = 0, 1
        for byte in data:
            value += (byte + 1) * power
            power = power * self.base % (1 << 64)
        return int(value % (1 << 64)) >> (64 - BITS)

    def token(self, form: Form, data: bytes, what: str, alone: bool) -> Token:
        return Token(form, len(data), self.fingerprint(data), self.digest(data), what, alone)

    def tokens(self, identifiers: Iterable[Identifier]) -> list[Token]:
        """Every form of every identifier that is long enough to be searched for."""
        found: dict[tuple[Form, str], Token] = {}
        for identifier in identifiers:
            if searchable(identifier):
                for form, data, alone in _forms(identifier):
                    token = self.token(form, data, identifier.what, alone)
                    found.setdefault((form, token.digest), token)
        return list(found.values())


def _forms(identifier: Identifier) -> Iterator[tuple[Form, bytes, bool]]:
    text = identifier.text.strip()
    if identifier.sort == Sort.HASH:
        yield Form.RAW, bytes.fromhex(text).lower(), False
        yield Form.TEXT, text.lower().encode(), False
        return
    folded = fold(text)
    alone = folded[0].isascii() and folded[-1].isascii()
    yield Form.TEXT, folded.encode(), alone
    if identifier.sort == Sort.NUMBER:
        plain = bare(folded)
        yield Form.TEXT, plain.encode(), alone
        if not plain.isascii() or len(plain) >= BARE_ALONE:
            yield Form.BARE, plain.encode(), False
    for encoding in ENCODINGS:
        yield Form.RAW, text.encode(encoding, "replace").lower(), alone and encoding == "utf-8"
    if not text.isascii():
        yield Form.RAW, text.encode("unicode_escape").lower(), False
        yield Form.RAW, quote(text).encode().lower(), False


@dataclass(frozen=True)
class Hit:
    """A token recognised at a position of a haystack."""

    token: Token
    at: int


class Searcher:
    """Finds tokens in bytes. Memory: sixteen bytes for each byte of the largest haystack."""

    def __init__(self, hasher: Hasher, tokens: Iterable[Token]) -> None:
        self.hasher = hasher
        self._sizes: dict[Form, dict[int, list[Token]]] = defaultdict(lambda: defaultdict(list))
        for token in tokens:
            self._sizes[token.form][token.size].append(token)
        self._powers = np.ones(1, dtype=np.uint64)
        self._inverses = np.ones(1, dtype=np.uint64)

    @property
    def longest(self) -> int:
        return max((size for sizes in self._sizes.values() for size in sizes), default=0)

    def find(self, form: Form, data: bytes) -> list[Hit]:
        """Every token of the form in the bytes."""
        sizes = self._sizes.get(form)
        if not sizes or len(data) < min(sizes):
            return []
        self._grow(len(data))
        values = np.frombuffer(data, dtype=np.uint8).astype(np.uint64) + np.uint64(1)
        sums = np.empty(len(data) + 1, dtype=np.uint64)
        sums[0] = 0
        np.cumsum(values * self._powers[: len(data)], out=sums[1:])
        hits: list[Hit] = []
        for size, tokens in sizes.items():
            if size <= len(data):
                hits += self._settled(data, self._windows(sums, size), size, tokens)
        return hits

    def _windows(self, sums: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
        spans = sums[size:] - sums[:-size]
        prints: NDArray[np.uint64] = (spans * self._inverses[: len(spans)]) >> np.uint64(64 - BITS)
        return prints

    def _settled(self, data: bytes, prints: NDArray[np.uint64], size: int, tokens: list[Token]) -> Iterator[Hit]:
        wanted = np.zeros(1 << BITS, dtype=bool)
        wanted[[token.print for token in tokens]] = True
        by_digest = {token.digest: token for token in tokens}
        for at in np.flatnonzero(wanted[prints]).tolist():
            token = by_digest.get(self.hasher.digest(data[at : at + size]))
            if token is not None and not (token.alone and _inside_a_word(data, at, size)):
                yield Hit(token, at)

    def _grow(self, size: int) -> None:
        if len(self._powers) >= size:
            return
        self._powers = _powers(self.hasher.base, size)
        self._inverses = _powers(pow(self.hasher.base, -1, 1 << 64), size)


def _powers(base: int, count: int) -> NDArray[np.uint64]:
    """1, base, base², … modulo 2^64, by doubling."""
    found = np.ones(1, dtype=np.uint64)
    factor = base
    while len(found) < count:
        found = np.concatenate([found, found * np.uint64(factor)])
        factor = factor * factor % (1 << 64)
    return found[:count]


def _inside_a_word(data: bytes, at: int, size: int) -> bool:
    before = at > 0 and data[at - 1] in WORD
    after = at + size < len(data) and data[at + size] in WORD
    return before or after
