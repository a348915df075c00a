"""Where observations, snapshots and clips of the cameras go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from shoufu.kernel.base.ids import uuid7


@dataclass(frozen=True, slots=True)
class Observed:
    """One observation: `time` in seconds since 1970, `result` as the kind's schema wants it."""

    device: str
    kind: str
    time: float
    result: Mapping[str, Any]
    feature: str | None = None
    id: UUID = field(default_factory=uuid7)

    def wire(self) -> dict[str, Any]:
        """As `POST /v1/observations` takes it."""
        body: dict[str, Any] = {
            "id": str(self.id),
            "kind": self.kind,
            "phenomenonTime": timestamp(self.time),
            "device": self.device,
            "result": dict(self.result),
        }
        if self.feature is not None:
            body["featureOfInterest"] = self.feature
        return body


class Sink(Protocol):
    """Takes what cameras tell. May be called from many threads; returns at once and delivers by itself."""

    def publish(self, observations: Sequence[Observed]) -> None:
        """Send observations."""

    def store_snapshot(self, device: str, media: UUID, jpeg: bytes, time: float) -> None:
        """Keep a picture under the id that observations name."""

    def store_clip(self, device: str, media: UUID, path: Path, start: float, end: float) -> None:
        """Keep a clip; the file now belongs to the sink, which removes it when it is delivered or given up."""


def timestamp(time: float) -> str:
    """RFC 3339 with milliseconds, UTC."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
