"""The lateness buffer: rows wait until the watermark passed them, then leave in their total order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from shoufu.kernel.rules.evaluation.dispatch import Pick, Steps
from shoufu.kernel.rules.evaluation.rows import SECOND, Batch, Late, Row

GRAIN = SECOND // 10
"""The watermark moves in these steps, so that each bucket is sorted once, when it leaves."""

Entry = tuple[int, int, str, str, int, Row, Steps]
"""(t, device, kind, id) is the total order of rows; arrival plays no part in it. Then batch, row, steps to take."""


class LatenessBuffer:
    """Buckets of `GRAIN` by phenomenon time.

    The watermark is the newest time seen less the lateness, where a row counts at most as new as its commit (a clock
    that runs ahead moves nothing). Only what is logged moves it: rows, and the commit of a batch without rows for this
    shard; a batch without any row is a tick, logged when nothing else comes.
    """

    def __init__(self, lateness: int) -> None:
        self.lateness = lateness
        self.top = 0
        self.watermark = 0
        self._buckets: dict[int, list[Entry]] = {}
        self._first_batch: dict[int, int] = {}
        self.waiting = 0
        self.picks: Mapping[str, Pick] = {}

    def add(self, batch: Batch, rows: Sequence[Row]) -> list[Late]:
        """Take a batch (`rows` are those of this shard, in the order of the log); the late ones come back.

        Rows that concern no rule move the watermark, and are let go.
        """
        late: list[Late] = []
        known = round(batch.known * 1e6)
        buckets, number, picks, kept = self._buckets, batch.number, self.picks, 0
        top, watermark = self.top, self.watermark
        for row in rows:
            t = round(row.t * 1e6)
            if t < watermark:
                late.append(Late(row.id, t, number))
                continue
            if t > top:
                top = t if t < known else max(top, known)
                watermark = max(watermark, (top - self.lateness) // GRAIN * GRAIN)
            kind = row.kind
            pick = picks.get(kind)
            if pick is None or (steps := pick(t, row)) is None:
                continue
            slot = t // GRAIN
            bucket = buckets.get(slot)
            if bucket is None:
                bucket = buckets[slot] = []
                self._first_batch[slot] = number
            bucket.append((t, row.device_id, kind, row.id, number, row, steps))
            kept += 1
        self.waiting += kept
        if not rows and known > top:
            top = known
            watermark = max(watermark, (top - self.lateness) // GRAIN * GRAIN)
        self.top, self.watermark = top, watermark
        return late

    def refill(self, batch: Batch, rows: Sequence[Row]) -> None:
        """Take again what a batch from before the checkpoint left waiting; the watermark was already moved by it."""
        top, watermark = self.top, self.watermark
        ahead = [row for row in rows if round(row.t * 1e6) >= watermark]
        self.lateness, lateness = 1 << 60, self.lateness
        self.add(batch, ahead)
        self.lateness, self.top, self.watermark = lateness, top, watermark

    def release(self) -> Iterator[list[Entry]]:
        """Whole buckets behind the watermark, oldest first, each in total order."""
        end = self.watermark // GRAIN
        for slot in sorted(slot for slot in self._buckets if slot < end):
            bucket = self._buckets.pop(slot)
            del self._first_batch[slot]
            bucket.sort()
            self.waiting -= len(bucket)
            yield bucket

    def revise(self, steps_of: Callable[[int, int, Row], Steps | None]) -> None:
        """The rules changed: ask of each waiting row (batch, t, row) again what it will have to do."""
        for slot, bucket in list(self._buckets.items()):
            kept = [
                (t, device, kind, id, number, row, steps)
                for t, device, kind, id, number, row, _ in bucket
                if (steps := steps_of(number, t, row)) is not None
            ]
            self.waiting -= len(bucket) - len(kept)
            if kept:
                self._buckets[slot] = kept
                self._first_batch[slot] = min(entry[4] for entry in kept)
            else:
                del self._buckets[slot], self._first_batch[slot]

    @property
    def first_batch(self) -> int | None:
        """The oldest batch of which a row still waits."""
        return min(self._first_batch.values(), default=None)

    @property
    def next_due(self) -> int | None:
        """When the oldest waiting row can leave: the watermark must reach this."""
        return None if not self._buckets else (min(self._buckets) + 1) * GRAIN
