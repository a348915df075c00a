from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import chronic
from shoufu.kernel.access.policy import require_anywhere
from shoufu.kernel.audit.services import record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.scenes.homecare.careplans import guidelines, selectors
from shoufu.scenes.homecare.careplans.models import Done, Finding, Reading, Task
from shoufu.scenes.homecare.careplans.selectors import VALUES
from shoufu.scenes.homecare.careplans.services import findings
from shoufu.scenes.homecare.careplans.services.common import act, running, writer
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Patient
from shoufu.scenes.homecare.register.services.common import opened, sealed

AHEAD = timedelta(minutes=10)
BACK = timedelta(days=366)


@dataclass(frozen=True)
class ReadingDraft:
    """A measurement: `id` is made where it was measured, so that sending it again is no second one; `values` by
    quantity in the units of engines/chronic; `at` an aware time, now where it is None."""

    id: UUID
    kind: str
    values: Mapping[str, float] = field(default_factory=dict)
    at: datetime | None = None
    context: str = ""


@dataclass(frozen=True)
class Added:
    """What became of a reading: `fresh` is False for one that was there already; `findings` what it gave reason for."""

    row: Reading
    fresh: bool
    findings: Sequence[Finding]


@transaction.atomic
def add(actor: Actor, patient_id: int, draft: ReadingDraft, *, mine: bool = False) -> Added:
    """Note a reading of a patient and judge it. Invalid names each field with its limits; the same id with the same
    content is taken once, with another content a Conflict."""
    patient = _locked(selectors.patient(actor, patient_id, mine=mine))
    if not mine:
        require_anywhere(actor, selectors.WRITE)
        writer(actor, patient)
    running(patient)
    source = _source(actor, patient, mine)
    return keep(actor, patient, draft, source)


def _locked(seen: Patient) -> Patient:
    """The patient's row, locked: readings of one person are judged one after the other."""
    rows = Patient.objects.select_for_update(of=("self",)).select_related(
        "person", "place", "institution__place", "institution__organisation"
    )
    return rows.get(pk=seen.pk)


def _source(actor: Actor, patient: Patient, mine: bool) -> str:
    if not mine:
        return Reading.Source.NURSE
    own = patient.person_id in _people(actor)
    return Reading.Source.PATIENT if own else Reading.Source.FAMILY


def _people(actor: Actor) -> list[int]:
    from shoufu.kernel.access.models import User

    rows = User.objects.filter(pk=actor.user_id or 0, person__isnull=False)
    return list(rows.values_list("person", flat=True))


def keep(actor: Actor, patient: Patient, draft: ReadingDraft, source: str, device: Any = None) -> Added:
    """Note a reading in the caller's transaction, which checked the right and locked the patient."""
    now = timezone.now()
    at = draft.at or now
    values = checked(draft, at, now)
    seen = Reading.objects.filter(pk=draft.id).select_related("patient").first()
    if seen is not None:
        return _again(seen, patient, draft, values)
    row = Reading(
        id=draft.id,
        patient=patient,
        kind=draft.kind,
        context=draft.context,
        at=at,
        day=register.day_at(patient.place, at),
        known_at=now,
        values=sealed(patient.person_id, values, VALUES) or b"",
        source=source,
        device=device,
        by_id=actor.user_id,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(_("Another reading has this number; send it with a new one.")) from error
    record(actor, act("homecare.reading.add", row, patient, kind=draft.kind, source=source))
    return Added(row, True, findings.take(patient, [row], now))


@transaction.atomic
def add_many(actor: Actor, patient_id: int, drafts: Sequence[ReadingDraft], *, mine: bool = False) -> list[Finding]:
    """Note many readings of one patient at once (a device's memory, another system): all or none, judged together.

    Those whose id is there already are passed over. Errors name the reading as /index/field.
    """
    patient = _locked(selectors.patient(actor, patient_id, mine=mine))
    if not mine:
        require_anywhere(actor, selectors.WRITE)
        writer(actor, patient)
    running(patient)
    now, errors, kept = timezone.now(), [], []
    for n, draft in enumerate(drafts):
        try:
            kept.append((draft, checked(draft, draft.at or now, now)))
        except Invalid as wrong:
            errors += [FieldError(f"/{n}/{one.field}", one.message) for one in wrong.errors]
    if errors:
        raise Invalid(*errors)
    there = set(Reading.objects.filter(pk__in=[draft.id for draft in drafts]).values_list("pk", flat=True))
    fresh = {draft.id: (draft, values) for draft, values in kept if draft.id not in there}
    source = _source(actor, patient, mine)
    rows = [
        Reading(
            id=draft.id,
            patient=patient,
            kind=draft.kind,
            context=draft.context,
            at=draft.at or now,
            day=register.day_at(patient.place, draft.at or now),
            known_at=now,
            values=sealed(patient.person_id, values, VALUES) or b"",
            source=source,
            by_id=actor.user_id,
        )
        for draft, values in fresh.values()
    ]
    Reading.objects.bulk_create(rows)
    record(actor, act("homecare.reading.add", patient, patient, count=len(rows), source=source))
    return findings.take(patient, rows, now)


def _again(seen: Reading, patient: Patient, draft: ReadingDraft, values: Mapping[str, float]) -> Added:
    if seen.patient_id != patient.pk:
        raise Conflict(_("Another reading has this number; send it with a new one."))
    from shoufu.kernel.audit import subjects

    key = subjects.known_keys([patient.person_id]).get(patient.person_id)
    same = seen.kind == draft.kind and seen.context == draft.context
    if not same or (opened(key, seen.values, patient.person_id, VALUES) or {}) != dict(values):
        raise Conflict(_("Another reading has this number; send it with a new one."))
    return Added(seen, False, ())


def checked(draft: ReadingDraft, at: datetime, now: datetime) -> dict[str, float]:
    """The values, rounded as the quantity is measured; Invalid names what is wrong with which field."""
    errors = [FieldError(one.field, _said(one)) for one in chronic.faults(draft.kind, draft.values, draft.context)]
    if at.tzinfo is None:
        errors.append(FieldError("at", _("Write the time with its offset, such as 2026-11-29T09:00:00+08:00.")))
    elif at > now + AHEAD:
        errors.append(FieldError("at", _("This time is still to come; give the time of the measurement.")))
    elif at < now - BACK:
        errors.append(FieldError("at", _("This is more than a year ago; older readings do not count any more.")))
    if errors:
        raise Invalid(*errors)
    return {name: round(float(value), chronic.QUANTITIES[name].decimals) for name, value in draft.values.items()}


def _said(wrong: chronic.WrongValue) -> str:
    if wrong.what == "missing":
        return _("Must not be empty.")
    if wrong.what == "order":
        return _("Must be below the systolic pressure; check whether the two were mixed up.")
    if wrong.what == "unknown":
        return _("This sort of reading has no such field.")
    if wrong.what == "choice":
        return _("Use one of: %(kinds)s.") % {"kinds": ", ".join(wrong.choices)}
    unit = chronic.QUANTITIES[wrong.field].unit
    words = {"least": f"{wrong.least:g}", "most": f"{wrong.most:g}", "unit": unit}
    return _("Must be from %(least)s to %(most)s %(unit)s.") % words


@transaction.atomic
def void(actor: Actor, reading_id: UUID, reason: str, *, mine: bool = False) -> Reading:
    """Mark a reading as wrong (typed wrongly, measured on somebody else): it counts no more, and stays in the trail."""
    seen = selectors.readings(actor, mine=mine, void=True).filter(pk=reading_id).first()
    if seen is None:
        raise NotFound(_("There is no reading %(id)s that you may see.") % {"id": reading_id})
    patient = _locked(seen.patient)
    if not mine:
        require_anywhere(actor, selectors.WRITE)
        writer(actor, patient)
    if mine and seen.source not in (Reading.Source.PATIENT, Reading.Source.FAMILY):
        raise Conflict(_("Only what you entered yourself; ask your nurse about the others."))
    if not reason.strip():
        raise Invalid.one("reason", _("Say what is wrong with it."))
    if seen.void_at is not None:
        raise Conflict(_("This reading is marked as wrong already."))
    seen.void_at, seen.void_reason = timezone.now(), reason.strip()[:200]
    seen.save(update_fields=["void_at", "void_reason"])
    record(actor, act("homecare.reading.void", seen, patient))
    findings.refresh(patient, timezone.now())
    return seen


@transaction.atomic
def done(actor: Actor, task_id: int, id: UUID, *, mine: bool = False) -> Done:
    """Say that a task without a reading is done today, by the days of the place; the same id counts once."""
    plans = selectors.plans(actor, mine=mine, ended=False)
    task = Task.objects.filter(pk=task_id, plan__in=plans.values("pk"), ended_at__isnull=True).first()
    if task is None:
        raise NotFound(_("There is no task %(id)s that you may see.") % {"id": task_id})
    patient = _locked(selectors.patient(actor, task.plan.patient_id, mine=mine))
    if not mine:
        require_anywhere(actor, selectors.WRITE)
        writer(actor, patient)
    if task.kind:
        raise Conflict(_("A reading does this task: enter it."))
    now = timezone.now()
    row, made = Done.objects.get_or_create(
        pk=id, defaults={"task": task, "day": register.day_at(patient.place, now), "at": now, "by_id": actor.user_id}
    )
    if not made and row.task_id != task.pk:
        raise Conflict(_("Another reading has this number; send it with a new one."))
    if made:
        record(actor, act("homecare.task.done", task, patient))
        findings.refresh(patient, now)
    return row


def advice(rows: Sequence[Finding]) -> list[tuple[str, str, str]]:
    """What to do now, for who just entered a reading: (severity, what, advice), in the reader's language."""
    english = guidelines.english()
    # What a guideline asks of the nurse is nothing that the patient must do now.
    rows = [one for one in rows if one.severity in ("critical", "high")]
    found = [(one.severity, selectors.rule_of(one)) for one in rows]
    return [
        (severity, rule.text_en if english else rule.text, rule.advice_en if english else rule.advice)
        for severity, rule in found
        if rule is not None
    ]
