"""An encounter in clear. Each look of staff is recorded with its reason; the patient reads who looked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.scenes.homecare.encounters import selectors
from shoufu.scenes.homecare.encounters.models import Encounter, Entry, Operation, Photo, Trace
from shoufu.scenes.homecare.encounters.services import pictures
from shoufu.scenes.homecare.encounters.services.common import LINE, PHOTO, TRAIL, act, clear, clear_with


@dataclass(frozen=True)
class Written:
    """An entry in clear."""

    entry: Entry
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Pictured:
    """A picture with what it shows and how large it was measured; `here` is False while its bytes are still coming."""

    photo: Photo
    detail: Mapping[str, Any]

    @property
    def here(self) -> bool:
        return self.photo.key is not None


@dataclass(frozen=True)
class Disputed:
    """A line that a person must look at, with what it says where that can still be read."""

    operation: Operation
    content: Any


@dataclass(frozen=True)
class Shown:
    """An encounter in clear after a recorded look. `last` has the newest entry of each kind of which one counts."""

    encounter: Encounter
    written: Sequence[Written]
    photos: Sequence[Pictured]
    disputed: Sequence[Disputed]

    @property
    def last(self) -> dict[str, Mapping[str, Any]]:
        return {one.entry.kind: one.content for one in self.written}

    def all(self, kind: str) -> list[Written]:
        """Every entry of a kind, the oldest first."""
        return [one for one in self.written if one.entry.kind == kind]


@transaction.atomic
def look(actor: Actor, encounter_id: int, reason: str = "", *, mine: bool = False) -> Shown:
    """One encounter; staff say why they look."""
    row = selectors.encounter(actor, encounter_id, mine=mine)
    if not mine:
        if not reason.strip():
            raise Invalid.one("reason", _("Say why you look; the person can read it."))
        record(actor, act("homecare.encounter.look", row, row.visit, reason.strip()))
    return shown(row)


def shown(row: Encounter) -> Shown:
    """The same for callers that leave the audit entry themselves."""
    person = row.patient.person_id
    key = subjects.known_keys([person]).get(person)
    entries = row.entries.select_related("author__person", "operation").order_by("kind", "number")
    photos = row.photos.order_by("at", "pk")
    waiting = Operation.objects.filter(visit=row.visit_id, practitioner=row.practitioner_id)
    waiting = waiting.exclude(result=Operation.Result.APPLIED).select_related("practitioner__person", "settled_by")
    return Shown(
        row,
        [Written(one, clear_with(key, person, one.content, LINE)) for one in entries],
        [Pictured(one, clear_with(key, person, one.detail, PHOTO)) for one in photos],
        [Disputed(one, (clear_with(key, person, one.content, LINE) or {}).get("content")) for one in waiting],
    )


@transaction.atomic
def picture(actor: Actor, encounter_id: int, photo_id: UUID, *, mine: bool = False) -> tuple[Photo, bytes]:
    """A picture of an encounter; the look of staff is recorded."""
    row = selectors.encounter(actor, encounter_id, mine=mine)
    photo = row.photos.select_related("encounter__patient").filter(pk=photo_id).first()
    if photo is None:
        raise NotFound(_("There is no such picture."))
    content = pictures.content(photo)
    if not mine:
        record(actor, act("homecare.encounter.look_photo", photo, row.visit, _("Picture of a visit")))
    return photo, content


@transaction.atomic
def look_line(actor: Actor, operation_id: UUID, reason: str) -> Any:
    """What a line in conflict says; the look of staff is recorded."""
    row = selectors.conflicts(actor).filter(pk=operation_id).first()
    if row is None:
        raise NotFound(_("There is no such line that you may see."))
    if not reason.strip():
        raise Invalid.one("reason", _("Say why you look; the person can read it."))
    record(actor, act("homecare.encounter.look", row, row.visit, reason.strip()))
    person = row.visit.patient.person_id
    kept = Operation.objects.values_list("content", flat=True).get(pk=row.pk)
    return (clear(person, kept, LINE) or {}).get("content") or {}


@dataclass(frozen=True)
class Way:
    """Points of somebody's way: time, longitude, latitude, accuracy."""

    points: Sequence[tuple[datetime, float, float, float]]


@transaction.atomic
def way(actor: Actor, encounter_id: int, reason: str) -> Way:
    """The way of who gave care, during one encounter. Whoever's it is reads who looked, and why."""
    row = selectors.encounter(actor, encounter_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why you look; the person can read it."))
    person = row.practitioner.person_id
    said = Act("homecare.encounter.look_trace", row, row.place_id, reason=reason.strip(), subject=person)
    record(actor, said)
    found = []
    for trace in Trace.objects.filter(encounter=row).order_by("since"):
        content = clear(person, trace.content, TRAIL)
        found += [(datetime.fromtimestamp(t / 1000).astimezone(), x, y, a) for t, x, y, a in content["points"]]
    return Way(found)


def exported(row: Encounter) -> dict[str, Any]:
    """What a copy of one's data shows of an encounter."""
    found = shown(row)
    return {
        "number": row.number,
        "service": row.visit.version.name,
        "who": row.practitioner.person.name,
        "state": row.state,
        "in_at": row.in_at,
        "out_at": row.out_at,
        "entries": [
            {"kind": one.entry.kind, "number": one.entry.number, "at": one.entry.at, "content": one.content}
            for one in found.written
        ],
        "photos": [{"at": one.photo.at, **one.detail} for one in found.photos],
    }
