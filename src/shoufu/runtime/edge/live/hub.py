"""Who listens to which places, and handing out of events."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable, Iterator, Mapping

import msgspec
import structlog

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.observations.selectors import guarded
from shoufu.kernel.observations.wire import Batch
from shoufu.runtime.edge.live import frames

log = structlog.get_logger("live")

OBSERVATION = "observation"
PERMISSIONS: Mapping[str, str] = {
    OBSERVATION: "observations.view",
    "case": "cases.view",
    "notice": "notices.view",
    "device": "devices.view",
}
OTHER_PERMISSION = "places.view"
BUFFER_BYTES = 256 << 10
RECENT = 1_000


class Pushed(msgspec.Struct):
    """An event of another process at a place (its path), or for one user; pushed on the subject `live.<kind>`.

    `kind` names the event of the stream (case, notice, device, …) and the right that it takes to see it."""

    kind: str
    message: bytes
    """The message itself, JSON: the stream's data."""
    path: str = ""
    user: int | None = None


class _Address(msgspec.Struct):
    path: str = ""
    user: int | None = None


def read_pushed(subject: str, content: bytes) -> Pushed:
    """A message on `live.<kind>`; msgspec.DecodeError when it is not a JSON object on one line."""
    address = msgspec.json.decode(content, type=_Address)
    kind = subject.removeprefix("live.")
    if b"\n" in content or b"\r" in content or not kind.isidentifier():
        raise ValueError("a live event is one line of JSON on live.<kind>")
    return Pushed(kind, content, address.path, address.user)


class Listener:
    """One open stream: what it may see and the frames that wait for it (256 KiB at most, then it starts anew)."""

    def __init__(self, actor: Actor, root: str = "", events: frozenset[str] = frozenset()) -> None:
        self.actor = actor
        self.root = root
        self.events = events
        self.wake = asyncio.Event()
        self.closed = False
        self.overflowed = False
        self._frames: list[bytes] = []
        self._size = 0

    def push(self, frame: bytes) -> None:
        """Add a frame; over the bound everything waiting is dropped and the client is told to load anew."""
        self._size += len(frame)
        if self._size > BUFFER_BYTES:
            self._frames.clear()
            self._size = len(frame)
            self.overflowed = True
        self._frames.append(frame)
        self.wake.set()

    def take(self) -> bytes:
        """All that waits, as one piece."""
        whole = b"".join(self._frames)
        self._frames.clear()
        self._size = 0
        self.wake.clear()
        return whole

    def wants(self, event: str) -> bool:
        """Whether the stream asked for this kind of event."""
        return not self.events or event in self.events

    def roots(self, event: str) -> Iterator[str]:
        """Roots of the subtrees whose events it gets, none inside another."""
        allowed = ("/",) if self.actor.is_system else self.actor.paths(PERMISSIONS.get(event, OTHER_PERMISSION))
        narrowed = {max(path, self.root, key=len) for path in allowed if _related(path, self.root)}
        yield from (
            path for path in narrowed if not any(path != other and path.startswith(other) for other in narrowed)
        )


def _related(path: str, root: str) -> bool:
    return path.startswith(root) or root.startswith(path)


class Hub:
    """Hands each event to the listeners of its place and of the places above it.

    Everything runs on the event loop without waiting, so a listener that is added sees all batches after
    ``last_number`` and none before.
    """

    def __init__(self, path_of: Callable[[int], str | None]) -> None:
        self.last_number = self._began = 0
        self.missing: dict[int, float] = {}
        self.recent: collections.deque[tuple[int, Pushed]] = collections.deque(maxlen=RECENT)
        self.path_of = path_of
        self._by_root: dict[tuple[str, str], set[Listener]] = {}
        self._all: set[Listener] = set()
        self._guarded = frozenset(guarded())

    def __len__(self) -> int:
        return len(self._all)

    def add(self, listener: Listener) -> None:
        """Start to hand events to it."""
        self._all.add(listener)
        for event in (*PERMISSIONS, ""):
            if event == "" or listener.wants(event):
                for root in listener.roots(event):
                    self._by_root.setdefault((event, root), set()).add(listener)

    def remove(self, listener: Listener) -> None:
        """Stop."""
        self._all.discard(listener)
        for key, members in list(self._by_root.items()):
            members.discard(listener)
            if not members:
                del self._by_root[key]

    def listeners(self, event: str, path: str) -> Iterator[Listener]:
        """Whoever gets events of this kind at this place."""
        key = event if event in PERMISSIONS else ""
        end = 0
        while end >= 0:
            for listener in self._by_root.get((key, path[: end + 1]), ()):
                if key or listener.wants(event):
                    yield listener
            end = path.find("/", end + 1)

    def batch(self, batch: Batch) -> None:
        """Hand out a committed batch; each place's rows are encoded once. A batch seen before is passed over."""
        if not self._is_new(batch.number) or not self._all:
            return
        known = frames.rfc3339(batch.known)
        wanted: dict[int, list[Listener]] = {}
        parts: dict[int, list[bytes]] = {}
        for row in batch.rows:
            if row.kind in self._guarded:
                continue
            place = row.place_id
            listeners = wanted.get(place)
            if listeners is None:
                path = self.path_of(place)
                listeners = wanted[place] = list(self.listeners(OBSERVATION, path)) if path else []
            if listeners:
                parts.setdefault(place, []).append(frames.observation(row, batch.number, known))
        for place, pieces in parts.items():
            whole = b"".join(pieces)
            for listener in wanted[place]:
                listener.push(whole)

    def push(self, pushed: Pushed) -> None:
        """Hand out an event of another process."""
        self.recent.append((self.last_number, pushed))
        frame = frames.event(pushed.kind, pushed.message, self.last_number)
        for listener in self.receivers(pushed):
            listener.push(frame)

    def receivers(self, pushed: Pushed) -> list[Listener]:
        """Whoever gets this event."""
        if pushed.user is not None:
            return [one for one in self._all if one.actor.user_id == pushed.user and one.wants(pushed.kind)]
        return list(self.listeners(pushed.kind, pushed.path)) if pushed.path else []

    def recent_after(self, listener: Listener, number: int) -> list[bytes] | None:
        """Frames of other events since batch ``number``; None when this process cannot know them all."""
        if number < self._began or (len(self.recent) == RECENT and self.recent[0][0] >= number):
            return None
        return [
            frames.event(pushed.kind, pushed.message, at)
            for at, pushed in self.recent
            if at >= number and listener in self.receivers(pushed)
        ]

    def everyone(self) -> list[Listener]:
        """All listeners."""
        return list(self._all)

    def begin(self, number: int) -> None:
        """What is in the log already when this process starts."""
        self.last_number = self._began = number

    def heartbeat(self) -> None:
        """A comment to everyone, so that dead connections show."""
        for listener in self._all:
            listener.push(frames.HEARTBEAT)

    def _is_new(self, number: int) -> bool:
        if number > self.last_number:
            if self.last_number:
                now = asyncio.get_running_loop().time()
                self.missing.update((lost, now) for lost in range(max(self.last_number + 1, number - 200), number))
            self.last_number = number
            return True
        return self.missing.pop(number, None) is not None
