"""Times of events that the server did not believe, because a clock ran ahead or they are older than it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from .clock import stamp
from .files import Files
from .journal import Entry

NAME = "late.bin"
TIME = re.compile(rb'"phenomenonTime":"[^"]*"')


class Run(msgspec.Struct, array_like=True, frozen=True):
    """Events ``first`` to ``last`` (sequence) of a start are told with the time ``moment`` (Unix ms)."""

    boot: int
    first: int
    last: int
    moment: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Run]).decode


class LateTimes:
    """Notes on other times, one file for all.

    A time is written down before the event is sent with it: after a power cut the same event must carry the same time,
    or it would count as another one. For the same reason a note stays as long as its event may come back.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._runs: list[Run] = []
        self.damaged = ""
        """What is wrong with the file; empty when it was good or there was none."""
        content = files.read(NAME)
        try:
            self._runs = _decode(content) if content else []
        except msgspec.MsgspecError as error:
            self.damaged = f"{NAME}: {error}"

    @property
    def some(self) -> bool:
        """Whether there are notes."""
        return bool(self._runs)

    def body(self, entry: Entry) -> bytes:
        """The event as it is to be sent: with its own time, or with the noted one and marked late."""
        run = self._run(entry)
        if run is None:
            return entry.body
        fixed = TIME.sub(f'"phenomenonTime":"{stamp(run.moment)}"'.encode(), entry.body, count=1)
        return fixed.replace(b'"result":{', b'"result":{"late":true,', 1)

    def has(self, entry: Entry) -> bool:
        """Whether another time is noted for this event."""
        return self._run(entry) is not None

    def _run(self, entry: Entry) -> Run | None:
        for run in self._runs:
            if run.boot == entry.boot and run.first <= entry.sequence <= run.last:
                return run
        return None

    def note(self, entries: Sequence[Entry], moment: int) -> None:
        """From now on these events have the time ``moment`` (Unix ms), whatever they had; durable on return."""
        self._save([*self._without(entries), *_runs(entries, moment)])

    def keep(self, entries: Iterable[tuple[int, int]]) -> None:
        """Drop the notes on all other events. ``entries``: (start, sequence) of those that are still on the disk."""
        if not self._runs:
            return
        # A segment whose name was removed must not be back after a power cut without its notes.
        self._files.sync_names()
        alive = set(entries)
        runs = [
            run for run in self._runs if any((run.boot, one) in alive for one in range(run.first, run.last + 1))
        ]  # fmt: skip
        if len(runs) < len(self._runs):
            self._save(runs)

    def _without(self, entries: Sequence[Entry]) -> list[Run]:
        gone = {(entry.boot, entry.sequence) for entry in entries}
        found: list[Run] = []
        for run in self._runs:
            numbers = [one for one in range(run.first, run.last + 1) if (run.boot, one) not in gone]
            if len(numbers) == run.last + 1 - run.first:
                found.append(run)
                continue
            found += [Run(run.boot, first, last, run.moment) for first, last in _spans(numbers)]
        return found

    def _save(self, runs: list[Run]) -> None:
        self._files.replace(NAME, _encode(runs))
        self._runs = runs


def _runs(entries: Sequence[Entry], moment: int) -> list[Run]:
    return [
        Run(boot, first, last, moment)
        for boot in sorted({entry.boot for entry in entries})
        for first, last in _spans(sorted(entry.sequence for entry in entries if entry.boot == boot))
    ]


def _spans(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as spans without a gap: first and last of each."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
