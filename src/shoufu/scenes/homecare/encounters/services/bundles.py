"""What a phone takes along: the days of whoever carries it, and nothing of anybody else's."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from shoufu.engines.chronic import CONTEXTS
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Forbidden
from shoufu.kernel.parties.selectors import home_label, unit_label
from shoufu.scenes.homecare.assessment import services as assessment
from shoufu.scenes.homecare.assessment.instruments import label as scale_label
from shoufu.scenes.homecare.encounters import checklists
from shoufu.scenes.homecare.encounters.documents import VITALS
from shoufu.scenes.homecare.encounters.models import Encounter, Entry, Handed, Photo
from shoufu.scenes.homecare.encounters.services import doubts
from shoufu.scenes.homecare.encounters.services.common import LINE, PHOTO, clear_with, rules
from shoufu.scenes.homecare.encounters.services.handlers import VERSIONED
from shoufu.scenes.homecare.encounters.services.pictures import MOST
from shoufu.scenes.homecare.register import codes
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register import services as registry
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.visits.models import Stop, Visit
from shoufu.scenes.homecare.visits.services.checks import check_before
from shoufu.scenes.homecare.visits.services.states import JUDGED_AT_THE_DOOR

DAYS = 2
"""Today and tomorrow, by the days of the institution's place."""
LOOK_AGAIN = timedelta(hours=1)
"""A phone that fetches the same patient again within this leaves no further line under “who looked”."""
KEEP_HOURS = 36
"""How long after it was handed out a phone may show a day without having asked again."""
LANGUAGES = {"zh": "zh-hans", "en": "en"}


@dataclass(frozen=True)
class Bundle:
    """The document, and a tag by which a phone says that it has it already."""

    content: Mapping[str, Any]
    tag: str


def serving(actor: Actor) -> list[Practitioner]:
    """As whom the actor goes to homes now. Forbidden (reason "revoked") where they do not: their phone is wiped."""
    rows = register.practices(actor).filter(suspended_at__isnull=True, institution__suspended_at__isnull=True)
    found = list(rows) if actor.may_anywhere(register.CARE) else []
    if not found:
        refusal = Forbidden(_("You are not sent to homes now; ask your coordinator. Patients' data leaves this phone."))
        refusal.extra = {"reason": "revoked"}
        raise refusal
    return found


@transaction.atomic
def bundle(actor: Actor, device: UUID, known: str = "") -> Bundle | None:
    """The actor's visits of today and tomorrow with what it takes to do them offline. None where the phone has exactly
    that. Each patient's data that leaves is a recorded look (once an hour)."""
    practices = serving(actor)
    visits = _visits(practices)
    content = {
        "practitioners": [_practitioner(one) for one in practices],
        "checklists": [_checklist(one) for one in checklists.versions().values()],
        "vitals": [_quantity(code) for code in VITALS],
        "contexts": [{"code": code, "zh": zh, "en": en} for code, (zh, en) in CONTEXTS.items()],
        "most_bytes": MOST,
        "needed": doubts.NEEDED,
        "trusted_accuracy": doubts.TRUSTED,
        "early_minutes": round(doubts.EARLY.total_seconds() / 60),
        "keep_hours": KEEP_HOURS,
        "visits": [_visit(visit, practices) for visit in visits],
    }
    tag = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]
    _hand(actor, device, practices, visits, sent=tag != known)
    return None if tag == known else Bundle(content, tag)


def _visits(practices: Iterable[Practitioner]) -> list[Visit]:
    days = set()
    for one in practices:
        today = register.day_at(one.institution.place)
        days |= {(one.pk, today + timedelta(days=n)) for n in range(DAYS)}
    stops = Stop.objects.filter(practitioner__in={pk for pk, _day in days}, live=True)
    rows = Visit.objects.filter(pk__in=stops.values("visit"), day__in={day for _pk, day in days})
    rows = rows.filter(state__in=(Visit.State.BOOKED, Visit.State.UNDERWAY, Visit.State.DONE)).select_related(
        "patient__person", "patient__household__place__parent__parent", "patient__institution__place",
        "place__parent__parent", "institution__place", "institution__organisation", "version", "service", "assessment",
        "prescription", "patient__place",
    )  # fmt: skip
    every = Stop.objects.filter(live=True).select_related("practitioner__person")
    mine = Encounter.objects.filter(practitioner__in={pk for pk, _day in days}).prefetch_related("entries")
    rows = rows.prefetch_related(Prefetch("stops", every), Prefetch("encounters", mine, to_attr="own"))
    return sorted(rows, key=lambda row: (row.day, _begins(row, practices)))


def _own_stop(visit: Visit, practices: Iterable[Practitioner]) -> Stop:
    own = {one.pk for one in practices}
    return next(stop for stop in visit.stops.all() if stop.practitioner_id in own)


def _begins(visit: Visit, practices: Iterable[Practitioner]) -> datetime:
    begins: datetime = _own_stop(visit, practices).span.lower
    return begins


def _practitioner(row: Practitioner) -> dict[str, Any]:
    wanted = rules(row.institution)
    return {
        "id": row.pk,
        "name": row.person.name,
        "title": _both(lambda: row.title),
        "institution": _both(lambda: row.institution.label),
        "time_zone": row.institution.place.time_zone,
        "radius": wanted.radius,
        "grace": wanted.grace,
        "alarm_number": wanted.alarm_number,
        "trace": wanted.trace,
    }


def _both(read: Any) -> dict[str, str]:
    """A text in both languages: the phone changes its language without a network."""
    found = {}
    for short, language in LANGUAGES.items():
        with override(language):
            found[short] = str(read())
    return found


def _checklist(one: checklists.Checklist) -> dict[str, Any]:
    items = [
        {"code": item.code, "phase": item.phase, "zh": item.text, "en": item.text_en, "skill": item.skill,
         "must": item.must}
        for item in one.items
    ]  # fmt: skip
    return {"name": one.name, "items": items}


def _quantity(code: str) -> dict[str, Any]:
    one = VITALS[code]
    return {"code": code, "zh": one.text, "en": one.text_en, "unit": one.unit, "least": one.least, "most": one.most,
            "decimals": one.decimals}  # fmt: skip


def _visit(row: Visit, practices: Sequence[Practitioner]) -> dict[str, Any]:
    stop = _own_stop(row, practices)
    patient, version = row.patient, row.version
    shown = registry.shown(patient)
    home = register.position(row.place)
    skills = version.performers[min(stop.task, len(version.performers) - 1)]["skills"] if version.performers else []
    flags = [value for value in shown.health.flags if value in codes.Flag.values]
    return {
        "id": row.pk,
        "number": row.number,
        "changed": row.changed,
        "state": row.state,
        "day": row.day.isoformat(),
        "practitioner": stop.practitioner_id,
        "starts_at": stop.span.lower.isoformat(),
        "ends_at": stop.span.upper.isoformat(),
        "promised_at": row.starts_at.isoformat(),
        "latest_at": row.latest_at.isoformat(),
        "with": [one.practitioner.person.name for one in row.stops.all() if one.pk != stop.pk],
        "patient": {
            "name": patient.person.name,
            "born": patient.person.born.isoformat() if patient.person.born else "",
            "sex": shown.health.sex,
            "allergies": shown.health.allergies,
            "conditions": shown.health.conditions,
            "flags": _both(lambda: "、".join(str(codes.Flag(value).label) for value in flags)),
            "access": shown.access,
        },
        "home": _both(lambda: home_label(patient.household) if patient.household else unit_label(row.place)),
        "position": list(home) if home else None,
        "service": {
            "code": row.service.code,
            "version": version.number,
            "zh": version.name,
            "en": version.name_en,
            "what": {"zh": version.what, "en": version.what_en},
            "minutes": version.duration_minutes,
            "consent": {"zh": version.consent, "en": version.consent_en},
            "materials": list(version.materials),
        },
        "checklist": [item.code for item in checklists.newest().asked(skills)],
        "checklist_name": checklists.newest().name,
        "assessment": _assessed(row),
        "encounter": _begun(row, stop.practitioner_id),
        "last": _before(row),
        "against": _against(row),
    }


def _assessed(row: Visit) -> dict[str, Any] | None:
    """The decision that the visit rests on, and what the questionnaires came to."""
    if row.assessment is None:
        return None
    shown = assessment.summary(row.assessment)
    scores = []
    for one in shown.filled:
        band = one.score.band
        scores.append(
            {
                "name": _both(lambda one=one: scale_label(one.scale)),
                "total": one.score.total,
                "most": one.score.most,
                "band": {"zh": band.text, "en": band.text_en} if band else None,
            }
        )
    last = row.assessment.last_day
    return {"decision": row.assessment.decision, "last_day": last.isoformat() if last else "", "scores": scores}


def _begun(row: Visit, practitioner: int) -> dict[str, Any] | None:
    """What is here of the visit already: for a second phone, or one that was set up anew."""
    found = next((one for one in row.own if one.practitioner_id == practitioner), None)  # type: ignore[attr-defined]
    if found is None:
        return None
    person = row.patient.person_id
    key = subjects.known_keys([person]).get(person)
    newest: dict[str, Entry] = {}
    for entry in sorted(found.entries.all(), key=lambda one: one.number):
        if entry.kind in VERSIONED:
            newest[entry.kind] = entry
    return {
        "state": found.state,
        "in_at": found.in_at.isoformat() if found.in_at else None,
        "out_at": found.out_at.isoformat() if found.out_at else None,
        "entries": {
            kind: {"number": one.number, "content": clear_with(key, person, one.content, LINE)}
            for kind, one in newest.items()
        },
    }


def _against(row: Visit) -> list[dict[str, str]]:
    """Why it must not be begun as things stand: a prescription that lapsed, a licence that ended, a death."""
    if row.state != Visit.State.BOOKED:
        return []
    found = [one for one in check_before(row, timezone.now()) if one.reason.code not in JUDGED_AT_THE_DOOR]
    return [_both(lambda one=one: one.text) for one in found]


def _before(row: Visit) -> dict[str, Any] | None:
    """What the last visit measured: the newest vital signs, and the area of the last wound that was."""
    person = row.patient.person_id
    key = subjects.known_keys([person]).get(person)
    earlier = Entry.objects.filter(encounter__patient=row.patient_id).exclude(encounter__visit=row.pk)
    entry = earlier.filter(kind=Entry.Kind.VITALS).order_by("-at").first()
    photos = Photo.objects.filter(encounter__patient=row.patient_id).exclude(encounter__visit=row.pk).order_by("-at")
    details = (clear_with(key, person, photo.detail, PHOTO) for photo in photos[:5])
    area = next((one["measured"]["area"] for one in details if one["measured"] and one["measured"]["area"]), None)
    if entry is None:
        return None
    values = clear_with(key, person, entry.content, LINE)["values"]
    return {"at": entry.at.isoformat(), "values": values, "area": area}


def _hand(
    actor: Actor, device: UUID, practices: Sequence[Practitioner], visits: Sequence[Visit], *, sent: bool
) -> None:
    """Note which visits this phone has now, and the look at each patient."""
    now = timezone.now()
    own = {visit.pk: _own_stop(visit, practices).practitioner_id for visit in visits}
    kept = {
        row.visit_id: row for row in Handed.objects.filter(visit__in=own, device=device, practitioner__in=practices)
    }
    made = [
        Handed(visit_id=visit, practitioner_id=person, device=device, first_at=now, last_at=now)
        for visit, person in own.items()
        if visit not in kept
    ]
    again = [row for row in kept.values() if sent and row.last_at < now - LOOK_AGAIN]
    Handed.objects.bulk_create(made, ignore_conflicts=True)
    Handed.objects.filter(pk__in=[row.pk for row in again]).update(last_at=now)
    fresh = {row.visit_id for row in made} | {row.visit_id for row in again}
    patients = {visit.patient_id: visit.patient for visit in visits if visit.pk in fresh}
    reason = _("Visit at your home")
    acts = [
        Act("homecare.patient.look", one, one.place_id, reason=reason, subject=one.person_id, data={"phone": True})
        for one in patients.values()
    ]
    record_many(actor, acts)
