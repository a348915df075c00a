import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _

from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound, Problem
from shoufu.scenes.homecare.encounters.models import Encounter, Entry, Operation, Photo, Rules
from shoufu.scenes.homecare.register.models import Institution, Practitioner
from shoufu.scenes.homecare.register.services.common import opened, sealed
from shoufu.scenes.homecare.visits.models import Visit

LINE, PHOTO, TRAIL = "homecare.encounter.line", "homecare.encounter.photo", "homecare.encounter.trail"
MOST_CONTENT = 1 << 19
"""Bytes of one line; a picture's bytes come by themselves."""


@dataclass(frozen=True)
class Draft:
    """A line as the phone sent it. `at` is by the phone's clock; `base` is the number of the entry that it was written
    upon (0: none was there), None where that does not matter."""

    id: UUID
    visit: int
    sequence: int
    kind: str
    at: datetime
    content: Mapping[str, Any]
    base: int | None = None

    @property
    def digest(self) -> bytes:
        text = json.dumps(
            [str(self.id), self.visit, self.sequence, self.kind, self.at.isoformat(), self.base, self.content],
            sort_keys=True,
            ensure_ascii=False,
        )
        return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True)
class Answer:
    """What became of a line: "applied", "already" (was carried out before), "held" (kept until earlier ones come),
    "conflict" (kept, a person must look) or "refused"; `problem` says why (RFC 9457), `number` is the entry's."""

    id: UUID
    result: str
    problem: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0


def act(action: str, row: models.Model, visit: Visit, reason: str = "", **data: object) -> Act:
    """An audit line about a patient; `data` must hold no health data."""
    return Act(action, row, visit.place_id, reason=reason, subject=visit.patient.person_id, data=data)


def told(problem: Problem) -> dict[str, Any]:
    """A refusal as it is kept and sent, in the language of who sent the line."""
    return problem.as_dict() | {"title": _(str(problem.title))}


def keep(person_id: int, content: Any, where: str) -> bytes:
    """A document encrypted with a person's key; Conflict where their data was erased."""
    kept = sealed(person_id, {"": content}, where)
    assert kept is not None
    return kept


def clear(person_id: int, kept: bytes | memoryview | None, where: str) -> Any:
    """What `keep` took; None where nothing is kept."""
    key = subjects.known_keys([person_id]).get(person_id)
    return clear_with(key, person_id, kept, where)


def clear_with(key: bytes | None, person_id: int, kept: bytes | memoryview | None, where: str) -> Any:
    """The same with the key at hand, for many documents of one person."""
    found = opened(key, kept, person_id, where)
    return found[""] if found is not None else None


def rules(office: Institution) -> Rules:
    """How the institution wants its visits done, or as nothing was said."""
    return Rules.objects.filter(institution=office).first() or Rules(institution=office)


def rows_for(visit_id: int) -> models.QuerySet[Visit]:
    return Visit.objects.filter(pk=visit_id).select_related(
        "patient__person", "place", "institution__place", "version", "service"
    )


def sender(actor: Actor, visit_id: int) -> tuple[Visit, Practitioner]:
    """The visit and as whom the actor may send lines of it: who is sent there, or had it on their phone. NotFound
    where it is neither: it is another person's."""
    if actor.user_id is not None:
        mine = Practitioner.objects.filter(person__user=actor.user_id)
        named = models.Q(homecare_stops__visit=visit_id) | models.Q(handed__visit=visit_id)
        found = mine.filter(named).distinct().select_related("person", "institution__place").first()
        visit = rows_for(visit_id).first()
        if found is not None and visit is not None:
            return visit, found
    raise NotFound(_("Visit %(id)s is not one of yours.") % {"id": visit_id})


def skills_asked(visit: Visit, practitioner: int) -> list[str]:
    """The skills that the service needs of this one of who is sent; the first one's where they are not sent."""
    performers = visit.version.performers
    if not performers:
        return []
    stop = visit.stops.filter(practitioner=practitioner).order_by("task").first()
    found: list[str] = performers[min(stop.task if stop else 0, len(performers) - 1)]["skills"]
    return found


def next_number(encounter: Encounter, kind: str) -> int:
    last = Entry.objects.filter(encounter=encounter, kind=kind).aggregate(last=models.Max("number"))["last"]
    return (last or 0) + 1


__all__ = [
    "LINE",
    "MOST_CONTENT",
    "PHOTO",
    "TRAIL",
    "Answer",
    "Draft",
    "Operation",
    "Photo",
    "act",
    "clear",
    "clear_with",
    "keep",
    "next_number",
    "rows_for",
    "rules",
    "sender",
    "skills_asked",
    "told",
]
