"""Everything about one visit, from the question to the complaint, for who has to find out what happened.

Without a reason there are no personal data, only initials. The reason is in the audit log, where the patient and those
who came read it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.models import User
from shoufu.kernel.access.policy import lent
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.kernel.base.pdf import Document
from shoufu.kernel.payments import money
from shoufu.kernel.payments import selectors as payments
from shoufu.scenes.homecare.assessment.services import exported
from shoufu.scenes.homecare.encounters.models import Encounter, Sos
from shoufu.scenes.homecare.encounters.services.looks import shown
from shoufu.scenes.homecare.planning.models import PlanEvent
from shoufu.scenes.homecare.quality import selectors
from shoufu.scenes.homecare.quality.models import Complaint, Incident, Rating, Refusal
from shoufu.scenes.homecare.quality.services.common import Reader, trail
from shoufu.scenes.homecare.quality.services.complaints import WISH
from shoufu.scenes.homecare.quality.services.incidents import IMMEDIATE
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
class Section:
    """One part of a trace: facts (label, value) and lines (when, what, who, words)."""

    code: str
    title: str
    facts: Sequence[tuple[str, Any]] = ()
    lines: Sequence[tuple[datetime, str, str, str]] = ()

    @property
    def empty(self) -> bool:
        return not self.facts and not self.lines


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
    sections = [one for one in _sections(actor, visit) if not one.empty]
    at = timezone.now()
    digest = hashlib.sha256(canonical(_document(visit, said, actor.label, at, sections))).hexdigest()
    data = {"sha256": digest} if action.endswith("export") else {}
    people = {visit.patient.person_id, *visit.stops.values_list("practitioner__person", flat=True)}
    record_many(
        actor, [Act(action, visit, visit.place_id, reason=said, subject=one, data=data) for one in sorted(people)]
    )
    return Trace(visit, said, actor.label, at, sections, digest)


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


def _sections(actor: Actor, visit: Visit) -> Iterable[Section]:
    read = Reader(visit.patient.person_id)
    yield _asked(visit)
    yield _assessed(visit)
    yield _prescribed(visit)
    yield _history(visit)
    yield _planned(visit)
    yield _paid(actor, visit)
    for encounter in Encounter.objects.filter(visit=visit).order_by("opened_at"):
        yield _encountered(encounter)
    yield _called(visit)
    yield _rated(visit, read)
    for row in Complaint.objects.filter(visit=visit).order_by("made_at"):
        yield _complained(row, read)
    for one in Incident.objects.filter(visit=visit).order_by("happened_at"):
        yield _happened(one, read)
    yield _refused(visit)


def _who(user: User | None) -> str:
    return user.label if user is not None else ""


def _facts(*pairs: tuple[str, Any]) -> list[tuple[str, Any]]:
    return [(label, value) for label, value in pairs if value not in (None, "")]


def _asked(visit: Visit) -> Section:
    visit = Visit.objects.select_related(
        "patient__person", "version", "institution__organisation", "requested_by", "consented_by"
    ).get(pk=visit.pk)
    people = [
        f"{stop.practitioner.person.name} · {stop.practitioner.title} · {stop.practitioner.licence_number}"
        for stop in visit.stops.select_related("practitioner__person")
    ]
    return Section(
        "visit",
        _("The visit"),
        _facts(
            (_("Number"), visit.number),
            (_("Patient"), visit.patient.person.name),
            (_("Service"), f"{visit.version.label} · {_('version')} {visit.version.number}"),
            (_("Institution"), visit.institution.label),
            (_("State"), visit.get_state_display()),
            (_("Asked for at"), visit.requested_at),
            (_("Asked for by"), _who(visit.requested_by)),
            (_("Consent given at"), visit.consented_at),
            (_("Consent given by"), _who(visit.consented_by)),
            (_("Promised from"), visit.starts_at),
            (_("Promised until"), visit.latest_at),
            (_("Who came"), "; ".join(people)),
            (_("Begun at"), visit.began_at),
            (_("Ended at"), visit.ended_at),
            (_("Cause"), visit.end_cause),
        ),
    )


def _assessed(visit: Visit) -> Section:
    row = visit.assessment
    if row is None:
        return Section("assessment", _("Assessment"))
    found = exported(row)
    scores = found["scores"]
    told = "; ".join(f"{name} {points}" for name, points in scores.items()) if isinstance(scores, dict) else ""
    return Section(
        "assessment",
        _("Assessment"),
        _facts(
            (_("Decision"), row.get_decision_display()),
            (_("Decided by"), row.decided_by.person.name if row.decided_by is not None else ""),
            (_("Decided at"), row.ended_at),
            (_("Valid until"), row.last_day),
            (_("Score"), told),
            (_("Reason"), found["reason"]),
        ),
    )


def _prescribed(visit: Visit) -> Section:
    row = visit.prescription
    if row is None:
        return Section("prescription", _("Prescription"))
    return Section(
        "prescription",
        _("Prescription"),
        _facts(
            (_("Issued on"), row.issued_on),
            (_("Valid until"), row.last_day),
            (_("Checked at"), row.checked_at),
            (_("Checked by"), _who(row.checked_by)),
        ),
    )


def _history(visit: Visit) -> Section:
    rows = visit.events.select_related("user").order_by("at", "pk")
    lines = [(row.at, row.kind, _who(row.user), _data(row.data)) for row in rows]
    return Section("history", _("What happened to it"), (), lines)


def _data(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in found.items())


def _planned(visit: Visit) -> Section:
    """Every change of that day's plan that gave this visit another person or time, or was about it."""
    rows = PlanEvent.objects.filter(plan__institution=visit.institution_id, plan__day=visit.day)
    about = rows.filter(Q(moved__contains=[visit.pk]) | Q(data__visit=visit.pk)).select_related("user")
    lines = [(row.at, row.kind, _who(row.user), row.reason) for row in about.order_by("at", "pk")]
    return Section("plan", _("Changes of the plan"), (), lines)


def _paid(actor: Actor, visit: Visit) -> Section:
    if visit.order_id is None:
        return Section("payment", _("Payment"))
    able = lent(actor, visit.institution.organisation.place.path, "payments.view")
    order = payments.order(lent(able, visit.place.path, "payments.view"), visit.order_id)
    return Section(
        "payment",
        _("Payment"),
        _facts(
            (_("Number"), order.number),
            (_("State"), order.get_state_display()),
            (_("Sum"), money.shown(order.total_minor, order.currency)),
            (_("Insurance"), money.shown(order.insurance_minor, order.currency)),
            (_("Paid"), money.shown(order.paid_minor, order.currency)),
            (_("Refunded"), money.shown(order.refunded_minor, order.currency)),
        ),
        [
            (one.at, one.kind, one.by, money.shown(one.amount_minor, order.currency) or one.text)
            for one in order.events.all()
        ],
    )


def _encountered(row: Encounter) -> Section:
    """What one person did at the visit and wrote down there, as the phone wrote it."""
    found = shown(row)
    lines = [
        (one.entry.at, one.entry.get_kind_display(), one.entry.author.person.name, _flat(one.entry.kind, one.content))
        for one in found.written
    ]
    lines += [(one.photo.at, _("Picture"), "", f"SHA-256 {bytes(one.photo.sha256).hex()}") for one in found.photos]
    return Section(
        "encounter",
        _("What was done at the visit"),
        _facts(
            (_("Practitioner"), row.practitioner.person.name),
            (_("State"), row.get_state_display()),
            (_("Checked in at"), row.in_at),
            (_("Metres from the home"), None if row.in_distance is None else round(row.in_distance)),
            (_("Why that far"), row.in_reason),
            (_("Checked out at"), row.out_at),
            (_("In conflict with another line"), _("yes") if row.contested else ""),
        ),
        sorted(lines, key=lambda line: line[0]),
    )


def _flat(kind: str, content: Any) -> str:
    """An entry as text; of a signature only that there is one."""
    if kind == "signature":
        return str(content.get("name", "")) if isinstance(content, dict) else ""
    return "\n".join(_pairs(content, ""))


def _pairs(content: Any, name: str) -> Iterator[str]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _pairs(value, f"{name}.{key}" if name else str(key))
    elif isinstance(content, list):
        for number, value in enumerate(content, start=1):
            yield from _pairs(value, f"{name}[{number}]")
    elif content not in (None, "", False):
        yield f"{name}: {content}" if name else str(content)


def _called(visit: Visit) -> Section:
    rows = Sos.objects.filter(visit=visit).select_related("practitioner__person").order_by("pressed_at")
    lines = [(row.pressed_at, _("Called for help"), row.practitioner.person.name, "") for row in rows]
    return Section("sos", _("Calls for help"), (), lines)


def _rated(visit: Visit, read: Reader) -> Section:
    row = Rating.objects.filter(visit=visit).first()
    if row is None:
        return Section("rating", _("Rating"))
    from shoufu.scenes.homecare.quality import codes
    from shoufu.scenes.homecare.register.words import names

    return Section(
        "rating",
        _("Rating"),
        _facts(
            (_("Stars"), row.stars),
            (_("Said"), names(codes.Tag, row.tags)),
            (_("Words"), read(row.words)),
            (_("Rated at"), row.changed_at or row.made_at),
        ),
    )


def _steps(row: Complaint | Incident, read: Reader) -> list[tuple[datetime, str, str, str]]:
    from shoufu.scenes.homecare.quality.words import step_word

    found = trail(row.steps.select_related("user"), read)
    return [(one["at"], step_word(one["kind"]), one["who"], one["words"]) for one in found]


def _complained(row: Complaint, read: Reader) -> Section:
    return Section(
        "complaint",
        _("Complaint %(number)s") % {"number": row.number},
        _facts(
            (_("About"), row.get_kind_display()),
            (_("State"), row.get_state_display()),
            (_("Words"), read(row.what)),
            (_("Wish"), read(row.wish, WISH)),
            (_("To be answered by"), row.answer_by),
        ),
        _steps(row, read),
    )


def _happened(row: Incident, _read: Reader) -> Section:
    read = Reader(row.subject_id)
    return Section(
        "incident",
        _("Adverse event %(number)s") % {"number": row.number},
        _facts(
            (_("Kind"), row.get_kind_display()),
            (_("Grade"), row.grade_label),
            (_("Happened at"), row.happened_at),
            (_("What happened"), read(row.what)),
            (_("Done at once"), read(row.immediate, IMMEDIATE)),
            (_("State"), row.get_state_display()),
        ),
        _steps(row, read),
    )


def _refused(visit: Visit) -> Section:
    rows = Refusal.objects.filter(visit=visit).select_related("made_by").order_by("made_at")
    lines = [(row.made_at, row.get_side_display(), _who(row.made_by), row.get_code_display()) for row in rows]
    return Section("refusal", _("Refusals"), (), lines)


def pdf(found: Trace) -> bytes:
    """The trace as PDF; its hash stands on every page."""
    made = Document(
        _("Trace of visit %(number)s") % {"number": found.visit.number},
        f"{found.visit.number} · SHA-256 {found.digest}",
    )
    document = found.document()
    made.table(
        ("", ""),
        [
            (_("Institution"), document["institution"]),
            (_("Looked at by"), found.by),
            (_("Looked at"), document["looked_at"]),
            (_("Reason"), found.reason),
            ("SHA-256", found.digest),
        ],
        (1, 3),
    )
    for one in document["sections"]:
        made.heading(one["title"])
        if one["facts"]:
            made.table(("", ""), [(fact["label"], fact["value"]) for fact in one["facts"]], (1, 3))
        if one["lines"]:
            rows = [(line["at"], line["what"], line["who"], line["words"]) for line in one["lines"]]
            made.table((_("When"), _("What"), _("Who"), _("Words")), rows, (2, 2, 2, 3))
    return made.render()


def record_publication(actor: Actor, place: int | None, rows: int) -> None:
    """Note that figures were exported as published."""
    record(actor, Act("homecare.quality.publish", place=place, data={"rows": rows}, object_type="homecare.figures"))
