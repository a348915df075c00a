"""Delivery to the edge over HTTP: in order, again and again until it is taken, within a bounded memory."""

from __future__ import annotations

import threading
import time as clock
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import structlog

from .backoff import Backoff
from .sink import Observed, timestamp

log = structlog.get_logger("watcher")

_BATCH = 200
_MOST_ITEMS = 20_000
_MOST_BYTES = 64 << 20


@dataclass(slots=True)
class Delivered:
    """What became of what was handed in. `refused`: the edge said no; `dropped`: the oldest, for want of room."""

    sent: int = 0
    refused: int = 0
    dropped: int = 0
    waiting: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class _Media:
    device: str
    id: UUID
    content: bytes | Path
    kind: str
    time: float
    until: float | None

    @property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else 0

    def discard(self) -> None:
        if isinstance(self.content, Path):
            self.content.unlink(missing_ok=True)


@dataclass(slots=True)
class _Queue:
    items: deque[Observed | _Media] = field(default_factory=deque)
    size: int = 0


class HttpSink:
    """A `Sink` that posts to the edge with one credential. Start it, and close it at the end."""

    def __init__(self, base: str, secret: str, name: str = "sink") -> None:
        self._client = httpx.Client(
            base_url=base, headers={"Authorization": f"Bearer {secret}"}, timeout=httpx.Timeout(30, connect=5)
        )
        self._queue = _Queue()
        self._changed = threading.Condition()
        self._stopping = False
        self.delivered = Delivered()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def close(self, patience: float = 5.0) -> None:
        """Deliver what waits, for at most `patience` seconds."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(patience)
        self._client.close()

    def publish(self, observations: Sequence[Observed]) -> None:
        """See `Sink`."""
        self._add(list(observations))

    def store_snapshot(self, device: str, media: UUID, jpeg: bytes, time: float) -> None:
        """See `Sink`."""
        self._add([_Media(device, media, jpeg, "image/jpeg", time, None)])

    def store_clip(self, device: str, media: UUID, path: Path, start: float, end: float) -> None:
        """See `Sink`."""
        self._add([_Media(device, media, path, "video/mp4", start, end)])

    def _add(self, items: Sequence[Observed | _Media]) -> None:
        with self._changed:
            queue = self._queue
            queue.items.extend(items)
            queue.size += sum(_size(item) for item in items)
            while len(queue.items) > _MOST_ITEMS or queue.size > _MOST_BYTES:
                self._drop(queue.items.popleft())
            self._changed.notify_all()

    def _drop(self, item: Observed | _Media) -> None:
        self._queue.size -= _size(item)
        self.delivered.dropped += 1
        if isinstance(item, _Media):
            item.discard()

    def _run(self) -> None:
        backoff = Backoff(0.5, 15)
        while (batch := self._next()) is not None:
            while not self._deliver(batch):
                self.delivered.retries += 1
                if self._stopping:
                    return
                self._pause(backoff.next())
            backoff.reset()

    def _next(self) -> list[Observed] | _Media | None:
        """The next item of media, or the observations up to the next one; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue.items or self._stopping)
            items = self._queue.items
            self.delivered.waiting = len(items)
            if not items:
                return None
            if isinstance(items[0], _Media):
                media = items.popleft()
                self._queue.size -= _size(media)
                return media if isinstance(media, _Media) else None
            batch: list[Observed] = []
            while items and len(batch) < _BATCH and isinstance(items[0], Observed):
                batch.append(items.popleft())  # type: ignore[arg-type]
            return batch

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, seconds)

    def _deliver(self, batch: list[Observed] | _Media) -> bool:
        """Whether the batch is done with, taken or refused; False to try again."""
        try:
            answer = self._post_media(batch) if isinstance(batch, _Media) else self._post_observations(batch)
        except httpx.HTTPError as error:
            log.warning("the edge does not answer", reason=str(error) or type(error).__name__)
            return False
        except OSError as error:
            log.warning("media lost", reason=str(error))
            return True
        if answer.status_code in {401, 408, 425, 429} or answer.status_code >= 500:
            # 401 too: the edge learns of a new credential within seconds.
            log.warning("the edge asks to try again", status=answer.status_code)
            return False
        self._note(batch, answer)
        return True

    def _note(self, batch: list[Observed] | _Media, answer: httpx.Response) -> None:
        if isinstance(batch, _Media):
            batch.discard()
            if answer.is_success:
                self.delivered.sent += 1
                return
            refused = 1
        else:
            refused = _refused(answer, len(batch))
            self.delivered.sent += len(batch) - refused
        self.delivered.refused += refused
        if refused:
            log.warning("the edge refused", items=refused, status=answer.status_code, reason=answer.text[:300])

    def _post_observations(self, batch: list[Observed]) -> httpx.Response:
        body = msgspec.json.encode([observed.wire() for observed in batch])
        return self._client.post("/v1/observations", content=body, headers={"Content-Type": "application/json"})

    def _post_media(self, media: _Media) -> httpx.Response:
        query = {"id": str(media.id), "device": media.device, "t": timestamp(media.time)}
        if media.until is not None:
            query["until"] = timestamp(media.until)
        content = media.content if isinstance(media.content, bytes) else media.content.read_bytes()
        start = clock.perf_counter()
        answer = self._client.post("/v1/media", params=query, content=content, headers={"Content-Type": media.kind})
        log.debug("media sent", kind=media.kind, size=len(content), seconds=clock.perf_counter() - start)
        return answer


def _size(item: Observed | _Media) -> int:
    return item.size if isinstance(item, _Media) else 0


def _refused(answer: httpx.Response, total: int) -> int:
    if not answer.is_success:
        return total
    return int(answer.json().get("refused", 0))
