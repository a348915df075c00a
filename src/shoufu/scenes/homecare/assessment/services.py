from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines.scales import Scale, Score, WrongAnswer, checked, score
from shoufu.kernel.access.policy import require_anywhere
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.scenes.homecare.assessment import instruments, selectors
from shoufu.scenes.homecare.assessment.models import Assessment, Response
from shoufu.scenes.homecare.register import codes, facts, national, words
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register import services as registry
from shoufu.scenes.homecare.register.eligibility import Reason, eligible
from shoufu.scenes.homecare.register.models import Patient, Practitioner, ServiceVersion
from shoufu.scenes.homecare.register.services.common import opened, sealed

Decision, State = Assessment.Decision, Assessment.State
ANSWERS, REASON, ELSEWHERE = "homecare.answers", "homecare.reason", "homecare.elsewhere"


def _act(action: str, row: Assessment, reason: str = "", **data: object) -> Act:
    return Act(action, row, row.place_id, reason=reason, subject=row.patient.person_id, data=data)


def _whose(actor: Actor, patient_id: int, mine: bool) -> Patient:
    return registry.own_patient(actor, patient_id) if mine else register.patient(actor, patient_id)


@transaction.atomic
def begin(actor: Actor, patient_id: int, service_id: int, *, mine: bool = False) -> Assessment:
    """Open the assessment of a patient for a service, with the questionnaires that its version names.

    With `mine` the actor does so for themselves, or for one who lets them act. Conflict while one is open.
    """
    patient = _whose(actor, patient_id, mine)
    if patient.ended_at is not None:
        raise Conflict(_("This person's home care has ended."))
    now = timezone.now()
    version = register.version_on(service_id, register.day_at(patient.place, now))
    if version is None or version.service.institution_id != patient.institution_id:
        raise NotFound(_("There is no service %(id)s that you may see.") % {"id": service_id})
    if not version.needs_assessment:
        raise Conflict(_("This service needs no assessment."))
    row = Assessment(
        patient=patient,
        service=version.service,
        version=version,
        place=patient.place,
        opened_at=now,
        opened_by_id=actor.user_id,
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("An assessment for this service is open already.")) from error
    known = instruments.newest()
    wanted = [known[code] for code in version.instruments if code in known]
    Response.objects.bulk_create(Response(assessment=row, instrument=one.code, number=one.version) for one in wanted)
    record(actor, _act("homecare.assessment.open", row, service=version.service_id))
    return row


@dataclass(frozen=True)
class Filled:
    """A questionnaire in clear: its scale, the answers so far, and what they add up to."""

    response: Response
    scale: Scale
    answers: Mapping[str, int]
    score: Score
    sex: str = ""


@dataclass(frozen=True)
class Shown:
    """An assessment in clear, after a recorded look. `against` are the patient's flags that speak against it."""

    assessment: Assessment
    filled: Sequence[Filled]
    reason: str
    elsewhere: str
    against: Sequence[str]
    sex: str

    @property
    def complete(self) -> bool:
        return all(one.score.complete for one in self.filled)


@transaction.atomic
def look(actor: Actor, assessment_id: int, *, mine: bool = False) -> Shown:
    """An assessment with answers, scores and decision; the look is recorded, the patient can read it."""
    row = selectors.assessment(actor, assessment_id, mine=mine)
    if not mine:
        reason = _("Assessment for %(service)s") % {"service": row.version.label}
        record(actor, _act("homecare.assessment.look", row, reason))
    return _shown(row)


def summary(row: Assessment) -> Shown:
    """The same for callers that leave the audit entry themselves."""
    return _shown(row)


def _shown(row: Assessment) -> Shown:
    person = row.patient.person_id
    key = subjects.known_keys([person]).get(person)
    kept = Assessment.objects.filter(pk=row.pk).values_list("reason", "elsewhere").get()
    health = registry.shown(row.patient).health
    filled = [_filled(one, key, person, health.sex) for one in row.responses.order_by("pk")]
    return Shown(
        row,
        filled,
        opened(key, kept[0], person, REASON) or "",
        opened(key, kept[1], person, ELSEWHERE) or "",
        sorted(set(row.version.contraindications) & set(health.flags)),
        health.sex,
    )


def _filled(row: Response, key: bytes | None, person: int, sex: str) -> Filled:
    scale = instruments.all_versions()[row.instrument, row.number]
    answers = opened(key, row.answers, person, ANSWERS) or {}
    return Filled(row, scale, answers, score(scale, answers, sex), sex)


@transaction.atomic
def read(actor: Actor, response_id: int, *, mine: bool = False) -> Filled:
    """One questionnaire with the answers so far; the look is recorded."""
    row = selectors.response(actor, response_id, mine=mine)
    found = next(one for one in look(actor, row.assessment_id, mine=mine).filled if one.response.pk == row.pk)
    return found


def preview(row: Response, answers: Mapping[str, int]) -> Score:
    """What answers to a visible questionnaire add up to while somebody fills it in; nothing is kept."""
    scale = instruments.all_versions()[row.instrument, row.number]
    sex = registry.shown(row.assessment.patient).health.sex
    return score(scale, _checked(scale, answers), sex)


def _checked(scale: Scale, answers: Mapping[str, int]) -> dict[str, int]:
    try:
        return checked(scale, answers)
    except WrongAnswer as wrong:
        allowed = ", ".join(str(points) for points in wrong.allowed)
        said = _("Use one of: %(kinds)s.") % {"kinds": allowed} if allowed else _("There is no such question.")
        raise Invalid.one(wrong.item, said) from wrong


@transaction.atomic
def answer(actor: Actor, response_id: int, answers: Mapping[str, int], *, mine: bool = False) -> Response:
    """Keep the answers to a questionnaire, whole or in part (they replace what was there). Conflict once decided."""
    seen = selectors.response(actor, response_id, mine=mine)
    assessment = Assessment.objects.select_for_update().get(pk=seen.assessment_id)
    if assessment.state != State.OPEN:
        raise Conflict(_("This assessment is closed; open a new one."))
    person = seen.assessment.patient.person_id
    scale = instruments.all_versions()[seen.instrument, seen.number]
    sex = registry.shown(seen.assessment.patient).health.sex
    given = _checked(scale, answers)
    seen.answers = sealed(person, given, ANSWERS)
    seen.complete = score(scale, given, sex).complete
    seen.answered_at, seen.answered_by_id = timezone.now(), actor.user_id
    seen.save(update_fields=["answers", "complete", "answered_at", "answered_by"])
    act = Act(
        "homecare.assessment.answer",
        seen,
        assessment.place_id,
        subject=person,
        data={"instrument": scale.code, "answered": len(given)},
    )
    record(actor, act)
    return seen


@dataclass(frozen=True)
class DecisionDraft:
    """A nurse's decision: a `Decision`; `reason` and, for unfit, `elsewhere` (where to go instead)."""

    decision: str
    reason: str = ""
    elsewhere: str = ""


@transaction.atomic
def decide(actor: Actor, assessment_id: int, draft: DecisionDraft) -> Assessment:
    """Decide on an open assessment, as a verified and licensed practitioner of the patient's institution.

    "fit" needs every questionnaire whole and no contraindication among the patient's flags.
    """
    require_anywhere(actor, selectors.ASSESS)
    row = selectors.assessment(actor, assessment_id)
    Assessment.objects.select_for_update().get(pk=row.pk)
    row.refresh_from_db(fields=["state"])
    if row.state != State.OPEN:
        raise Conflict(_("This assessment is closed; open a new one."))
    who = selectors.deciding(actor, row)
    if who is None:
        raise Conflict(_("Only a verified practitioner of the patient's institution with a valid licence decides."))
    _check(draft, _shown(row))
    person, now = row.patient.person_id, timezone.now()
    row.state, row.decision, row.decided_by, row.ended_at = State.DECIDED, draft.decision, who, now
    row.reason = sealed(person, draft.reason.strip()[:1000], REASON)
    row.elsewhere = sealed(person, draft.elsewhere.strip()[:300], ELSEWHERE)
    row.last_day = register.day_at(row.place, now) + timedelta(days=row.version.assessment_days)
    row.save(update_fields=["state", "decision", "decided_by", "ended_at", "reason", "elsewhere", "last_day"])
    record(actor, _act("homecare.assessment.decide", row, practitioner=who.pk))
    return row


def _check(draft: DecisionDraft, shown: Shown) -> None:
    errors = []
    if draft.decision not in Decision.values:
        said = _("Use one of: %(kinds)s.") % {"kinds": ", ".join(Decision.values)}
        errors.append(FieldError("decision", said))
    if draft.decision == Decision.FIT and not shown.complete:
        errors.append(FieldError("decision", _("Answer every questionnaire first.")))
    if draft.decision == Decision.FIT and shown.against:
        said = _("Contraindicated: %(flags)s.") % {"flags": words.names(codes.Flag, shown.against)}
        errors.append(FieldError("decision", said))
    if draft.decision != Decision.FIT and not draft.reason.strip():
        errors.append(FieldError("reason", _("Say why; they can read it.")))
    if draft.decision == Decision.UNFIT and not draft.elsewhere.strip():
        errors.append(FieldError("elsewhere", _("Say where to go instead.")))
    if errors:
        raise Invalid(*errors)


@transaction.atomic
def cancel(actor: Actor, assessment_id: int, reason: str) -> Assessment:
    """End an open assessment without a decision."""
    row = selectors.assessment(actor, assessment_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why; they can read it."))
    done = _cancel(actor, Assessment.objects.filter(pk=row.pk), reason.strip())
    if not done:
        raise Conflict(_("This assessment is closed; open a new one."))
    return done[0]


def cancel_open(actor: Actor, patients: Iterable[Patient], reason: str) -> int:
    """End whatever is open for patients whose care ends; how many. In the caller's transaction, which checked."""
    return len(_cancel(actor, Assessment.objects.filter(patient__in=[one.pk for one in patients]), reason))


def _cancel(actor: Actor, rows: QuerySet[Assessment], reason: str) -> list[Assessment]:
    found = list(rows.select_for_update(of=("self",)).select_related("patient").filter(state=State.OPEN))
    now = timezone.now()
    for row in found:
        row.state, row.ended_at = State.CANCELLED, now
        row.save(update_fields=["state", "ended_at"])
    record_many(actor, [_act("homecare.assessment.cancel", row, reason) for row in found])
    return found


@dataclass(frozen=True)
class Candidate:
    """Somebody who gives care, and every reason for which they may not do this (none: they may)."""

    practitioner: Practitioner
    reasons: Sequence[Reason]

    @property
    def sentences(self) -> list[str]:
        return [words.sentence(one) for one in self.reasons]


@dataclass(frozen=True)
class Who:
    """Who may do a service for a patient at a moment; `second` for who comes besides in a double service."""

    patient: Patient
    version: ServiceVersion | None
    candidates: Sequence[Candidate]
    second: Sequence[Candidate] = ()


@transaction.atomic
def who_may(actor: Actor, patient_id: int, service_id: int, moment: datetime | None = None) -> Who:
    """Everybody of the patient's institution with the reasons against them, the suitable first; a recorded look."""
    patient = register.patient(actor, patient_id)
    service = register.service(actor, service_id)
    if moment is not None and moment.tzinfo is None:
        raise Invalid.one("at", _("Write the time with its offset, such as 2026-11-29T09:00:00+08:00."))
    at = moment or timezone.now()
    day = register.day_at(service.institution.place, at)
    version = register.version_on(service.pk, day)
    needed = version is None or version.needs_assessment
    assessed = selectors.standing(patient, service.pk, at) if needed else "not_needed"
    act = Act("homecare.assessment.why_not", patient, patient.place_id, subject=patient.person_id)
    record(actor, act)
    cared = facts.cared(patient, registry.shown(patient).health)
    rows = Practitioner.objects.filter(institution=service.institution_id, left_at__isnull=True)
    people = list(rows.select_related("person", "institution__place").defer("person__phone", "person__identity"))
    rounds = (False, True) if version is not None and len(version.performers) > 1 else (False,)
    found = []
    for second in rounds:
        asked = facts.asked(service.institution, version, assessed, second)
        listed = [
            Candidate(one, eligible(asked, facts.practice(one), cared, day, national.in_force(one.profession, day)))
            for one in people
        ]
        found.append(sorted(listed, key=lambda one: (len(one.reasons), one.practitioner.person.name)))
    return Who(patient, version, *found)


def exported(row: Assessment) -> dict[str, object]:
    """What a copy of one's data shows of an assessment."""
    found = _shown(row)
    return {
        "service": row.version.name,
        "opened_at": row.opened_at,
        "decision": row.decision,
        "reason": found.reason,
        "elsewhere": found.elsewhere,
        "last_day": row.last_day,
        "answers": {one.scale.name: dict(one.answers) for one in found.filled},
        "scores": {one.scale.name: one.score.total for one in found.filled},
    }


@transaction.atomic
def forget(now: datetime) -> int:
    """Remove assessments past their retention; how many rows."""
    rows = Assessment.objects.filter(ended_at__lt=now - timedelta(days=Assessment.RETENTION_DAYS))
    removed = rows.delete()[0]
    if removed:
        record(SYSTEM, Act("homecare.assessment.retention", data={"rows": removed}))
    return removed
