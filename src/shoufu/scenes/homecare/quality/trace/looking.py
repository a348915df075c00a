"""Looking at a trace: who may, why, and the proof that it is as it was."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.scenes.homecare.quality import selectors
from shoufu.scenes.homecare.quality.trace.section import Section
from shoufu.scenes.homecare.quality.trace.sections import sections
from shoufu.scenes.homecare.register.models import Institution, Patient
from shoufu.scenes.homecare.visits.models import Visit

LEAST_REASON = 4


def visible(actor: Actor) -> QuerySet[Visit]:
    """Visits whose trace the actor may ask for: in the places that they supervise, or of their institution."""
    patients = Patient.objects.select_related("person").defer("access", "health", "person__phone", "person__identity")
    offices = Institution.objects.select_related("organisation", "place")
    # Fetched besides and not joined: sorting a long list then sorts visits alone.
    rows = Visit.objects.defer("note").prefetch_related(
        Prefetch("patient", patients), Prefetch("institution", offices), "version", "place"
    )
    if actor.is_system:
        return rows
    return rows.filter(selectors.supervised(actor) | selectors.staffed(actor, selectors.QUALITY))


@dataclass(frozen=True)
class Trace:
    """A visit's trace. `digest` is SHA-256 over its canonical JSON (sorted keys, no blanks, UTF-8)."""

    visit: Visit
    reason: str
    by: str
    at: datetime
    sections: Sequence[Section]
    digest: str = field(default="")

    def document(self) -> dict[str, Any]:
        """The trace as JSON: times in RFC 3339 with the offset of the institution's place."""
        return _document(self.visit, self.reason, self.by, self.at, self.sections)


def canonical(document: Mapping[str, Any]) -> bytes:
    """The bytes of which the hash is: sorted keys, no blanks, UTF-8."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def verify(document: Mapping[str, Any], digest: str) -> bool:
    """Whether an exported trace is as it was."""
    return hashlib.sha256(canonical(document)).hexdigest() == digest


@transaction.atomic
def look(actor: Actor, visit_id: int, reason: str) -> Trace:
    """The trace of a visit, after a reason; the look is recorded for the patient and for those who came.

    Invalid without a reason, NotFound for a visit out of sight.
    """
    return _made(actor, visit_id, reason, "homecare.trace.look")


@transaction.atomic
def export(actor: Actor, visit_id: int, reason: str) -> Trace:
    """The same to be taken away; its hash is in the audit log."""
    return _made(actor, visit_id, reason, "homecare.trace.export")


def _made(actor: Actor, visit_id: int, reason: str, action: str) -> Trace:
    if not any(actor.may_anywhere(right) for right in (selectors.REGULATE, selectors.QUALITY)):
        raise Forbidden(_("You need the right “%(right)s”.") % {"right": selectors.REGULATE})
    visit = visible(actor).filter(pk=visit_id).first()
    if visit is None:
        raise NotFound(_("There is no home visit %(id)s that you may see.") % {"id": visit_id})
    said = reason.strip()[:200]
    if len(said) < LEAST_REASON:
        raise Invalid.one("reason", _("Say why you look, in a few words; the patient can read it."))
    found = [one for one in sections(actor, visit) if not one.empty]
    at = timezone.now()
    digest = hashlib.sha256(canonical(_document(visit, said, actor.label, at, found))).hexdigest()
    data = {"sha256": digest} if action.endswith("export") else {}
    people = {visit.patient.person_id, *visit.stops.values_list("practitioner__person", flat=True)}
    record_many(
        actor, [Act(action, visit, visit.place_id, reason=said, subject=one, data=data) for one in sorted(people)]
    )
    return Trace(visit, said, actor.label, at, found, digest)


def _document(visit: Visit, reason: str, by: str, at: datetime, sections: Sequence[Section]) -> dict[str, Any]:
    zone = ZoneInfo(visit.institution.place.time_zone)

    def plain(value: Any) -> Any:
        return value.astimezone(zone).isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)

    return {
        "visit": visit.number,
        "institution": visit.institution.organisation.name,
        "reason": reason,
        "looked_by": by,
        "looked_at": plain(at),
        "sections": [
            {
                "code": one.code,
                "title": one.title,
                "facts": [{"label": label, "value": plain(value)} for label, value in one.facts],
                "lines": [
                    {"at": plain(when), "what": what, "who": who, "words": words}
                    for when, what, who, words in one.lines
                ],
            }
            for one in sections
        ],
    }


def record_publication(actor: Actor, place: int | None, rows: int) -> None:
    """Note that figures were exported as published."""
    record(actor, Act("homecare.quality.publish", place=place, data={"rows": rows}, object_type="homecare.figures"))
