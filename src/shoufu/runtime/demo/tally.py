"""Counts what the demo has brought so far, straight from the database."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass

import psycopg

from shoufu.runtime.servers import postgres

POLL_SECONDS = 1.0
CASES = """
    select count(*), count(*) filter (where d.kind = 'camera'), count(*) filter (where d.kind = 'door_controller')
    from cases_case c left join devices_device d on d.id = c.device_id
    where c.opened_at > now() - interval '1 day'
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """Observations in the log, cases of this day, and those whose device is a camera or a door controller."""

    observations: int = 0
    cases: int = 0
    camera_cases: int = 0
    door_cases: int = 0

    def as_dict(self) -> dict[str, int]:
        """The figures by name."""
        return asdict(self)

    @property
    def enough(self) -> bool:
        """Whether there is a case from a camera and one from a door."""
        return self.camera_cases > 0 and self.door_cases > 0


def count(connection: psycopg.Connection[tuple[int, ...]]) -> Tally:
    """The figures now."""
    observations = connection.execute("select count(*) from obs").fetchone()
    cases = connection.execute(CASES).fetchone()
    assert observations is not None and cases is not None
    return Tally(observations[0], *cases)


def wait(seconds: float, stopping: threading.Event) -> Tally:
    """Count once a second until there is enough, ``seconds`` have passed or ``stopping`` is set; the last figures."""
    deadline = time.monotonic() + seconds
    found = Tally()
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        while not found.enough and time.monotonic() < deadline and not stopping.wait(POLL_SECONDS):
            found = count(connection)
    return found
