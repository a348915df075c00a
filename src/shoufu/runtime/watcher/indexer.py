"""Tells the kernel what was recorded: in bulk, and again until the database takes it."""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import structlog
from django.db import Error, connections

from shoufu.engines.video import salvage
from shoufu.kernel.media import recordings
from shoufu.kernel.media.models import Segment
from shoufu.kernel.media.recordings import FOLDER, Lost, Recorded

from .backoff import Backoff

log = structlog.get_logger("watcher")

_EVERY = 1.0
_MOST = 20_000
# What is older and not in the index was expired, and its bytes are on their way out.
_REACH = 86_400.0


class DatabaseIndex:
    """An `Index` that writes rows from a thread of its own, so that a slow database delays no camera."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._waiting: deque[Recorded | Lost] = deque(maxlen=_MOST)
        self._began: dict[str, float] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self) -> None:
        """Write what waits, and end."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(10)

    def put(self, event: Recorded | Lost) -> None:
        """See `Index`."""
        with self._lock:
            self._waiting.append(event)

    def began(self, code: str, moment: float) -> None:
        """See `Index`."""
        with self._lock:
            self._began.setdefault(code, moment)

    def _run(self) -> None:
        backoff = Backoff(1, 15)
        wait = _EVERY
        while not self._stop.wait(wait):
            wait = _EVERY if self._flush() else backoff.next()
            if wait == _EVERY:
                backoff.reset()
        self._flush()
        connections.close_all()

    def _flush(self) -> bool:
        """Whether everything is written."""
        with self._lock:
            events, began = list(self._waiting), dict(self._began)
        if not events and not began:
            return True
        try:
            found = [event for code, moment in began.items() for event in unnoted(code, self._root, moment)]
            recordings.index([*found, *events])
        except Error as error:
            log.warning("recordings not indexed yet", waiting=len(events), reason=str(error).strip()[:200])
            connections.close_all()
            return False
        with self._lock:
            self._began = {code: moment for code, moment in self._began.items() if code not in began}
            for _ in range(min(len(events), len(self._waiting))):
                self._waiting.popleft()
        return True


def unnoted(code: str, root: Path, before: float) -> list[Recorded]:
    """Segments on the disk that a recorder wrote and was killed before it noted them, oldest first."""
    folder = root / FOLDER / code
    last = Segment.objects.filter(device__code=code, gap="").order_by("-t").values_list("t", flat=True).first()
    since = last.timestamp() if last is not None else before - _REACH
    found = []
    for path in sorted(_recent(folder, since, before)):
        start = recordings.began(path)
        chunk = salvage(path, start)
        if chunk is None:
            path.unlink(missing_ok=True)
            continue
        begin, end = (datetime.fromtimestamp(value, UTC) for value in (start, max(chunk.end, start + 0.001)))
        key = path.relative_to(root).as_posix()
        found.append(Recorded(code, begin, end, key, chunk.size, chunk.sha256, chunk.keyed, chunk.group))
    if found:
        log.info("recordings found again", camera=code, segments=len(found))
    return found


def _recent(folder: Path, since: float, before: float) -> list[Path]:
    hours = [hour for hour in folder.glob("*/*") if hour.is_dir() and _hour(hour) > since - 3600]
    chosen = []
    for path in (path for hour in hours for path in hour.glob("*.ts")):
        start = recordings.began(path)
        if since + 0.001 < start < before - 0.001:
            chosen.append(path)
    return chosen


def _hour(folder: Path) -> float:
    """When the hour of a folder …/20261124/07 began."""
    try:
        return datetime.strptime(folder.parent.name + folder.name, "%Y%m%d%H").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
