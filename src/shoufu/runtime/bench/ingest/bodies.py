"""Bodies and rows with fresh ids, made cheaply: the load must not cost what it measures."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

ITEM = (
    '{"id":"@HEAD@%%012x","kind":"line.crossing","phenomenonTime":"@TIME@%03d+00:00","featureOfInterest":"track:%d",'
    '"result":{"line":"gate-%d","object":"person","direction":"in","score":0.91,"box":[12.5,80.25,110.0,310.75]}}'
)
RESULT = '{{"line":"gate-{line}","object":"person","direction":"in","score":0.91,"box":[12.5,80.25,110.0,310.75]}}'


def _head() -> str:
    """The first 24 characters of a fresh UUID of version 7."""
    stamp = f"{time.time_ns() // 1_000_000:012x}"
    random = os.urandom(4).hex()
    return f"{stamp[:8]}-{stamp[8:]}-7{random[:3]}-8{random[3:6]}-"


def _second() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.")


class Bodies:
    """JSON arrays of ``size`` observations, each time with ids never used before and the present second."""

    def __init__(self, size: int) -> None:
        self.size = size
        items = ",".join(ITEM % (n * 7 % 1000, n, n % 4) for n in range(size))
        self._form = f"[{items}]"
        self._counter = itertools.count(int.from_bytes(os.urandom(4), "big"), size)
        self._made = 0.0
        self._template = ""

    def make(self) -> bytes:
        """One body."""
        now = time.monotonic()
        if now - self._made > 0.5:
            self._made = now
            self._template = self._form.replace("@HEAD@", _head()).replace("@TIME@", _second())
        first = next(self._counter)
        return (self._template % tuple(range(first, first + self.size))).encode()


def rows(size: int, kind: int, device: int, place: int) -> Iterator[bytes]:
    """The same observations as COPY text of ``size`` rows, for the limit; ids and keys are fresh each time."""
    for key in itertools.count(-(time.time_ns() // 1_000_000) * 1000, -1):
        head, second = _head(), _second()
        moment = datetime.now(UTC).isoformat()
        first = int.from_bytes(os.urandom(5), "big")
        yield "".join(
            [
                f"{key}\t{moment}\t{n}\t{head}{first + n:012x}\t{second}{n % 1000:03d}+00:00\t{kind}\t{device}\t{place}"
                f"\t0\ttrack:{n % 50}\t{RESULT.format(line=n % 4)}\n"
                for n in range(size)
            ]
        ).encode()
