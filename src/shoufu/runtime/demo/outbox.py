"""What a device has to say, kept on its own disk until the broker has taken it."""

from __future__ import annotations

import sqlite3
from pathlib import Path


class Outbox:
    """A first-in first-out queue in an SQLite file, one a device. Not for use by several threads at once."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._rows = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._rows.execute("pragma journal_mode = wal")
        # autoincrement: a number that was used is never given again, so `after` cannot skip a new message.
        self._rows.execute(
            "create table if not exists outbox (number integer primary key autoincrement, topic text, payload blob)"
        )

    def put(self, topic: str, payload: bytes) -> int:
        """Keep a message; returns its number."""
        done = self._rows.execute("insert into outbox (topic, payload) values (?, ?)", (topic, payload))
        return int(done.lastrowid or 0)

    def after(self, number: int, limit: int = 50) -> list[tuple[int, str, bytes]]:
        """The oldest messages with a greater number: number, topic and payload."""
        query = "select number, topic, payload from outbox where number > ? order by number limit ?"
        return list(self._rows.execute(query, (number, limit)))

    def done(self, number: int) -> None:
        """The broker has the message."""
        self._rows.execute("delete from outbox where number = ?", (number,))

    def __len__(self) -> int:
        return int(self._rows.execute("select count(*) from outbox").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._rows.close()
