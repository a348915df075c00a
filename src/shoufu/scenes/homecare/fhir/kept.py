"""A resource as this server gives it: with id and meta, and whom it is about."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shoufu.engines.fhir import reading


@dataclass(frozen=True)
class Kept:
    """A resource of this server. `person` is whom it is about (audit), `place` where it counts; `row` is the key of a
    stored one, None for one that is made of the scene's own tables."""

    content: dict[str, Any]
    version: str
    updated: datetime
    person: int | None
    place: int | None
    row: int | None = None

    @property
    def type(self) -> str:
        return str(self.content["resourceType"])

    @property
    def id(self) -> str:
        return str(self.content["id"])

    @property
    def address(self) -> str:
        return f"{self.type}/{self.id}"


def instant(moment: datetime) -> str:
    """A moment as FHIR writes it, in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamped(content: Mapping[str, Any], logical_id: str, version: str, updated: datetime) -> dict[str, Any]:
    """The resource with the three things that the server says of it; all else as it came."""
    given = content.get("meta")
    meta = {"versionId": version, "lastUpdated": instant(updated)}
    if isinstance(given, dict):
        meta = given | meta
    head = {"resourceType": content["resourceType"], "id": logical_id, "meta": meta}
    return head | {name: value for name, value in content.items() if name not in head}


def fingerprint(content: Mapping[str, Any]) -> str:
    """A version for a resource that is made anew at each look: the same while its content is."""
    return hashlib.sha256(reading.write(dict(content))).hexdigest()[:16]
