"""A patient is handed over to a doctor of the institution by a letter that keeps what was known when it was sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import chronic
from shoufu.kernel.access.policy import require_anywhere
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.scenes.homecare.careplans import selectors
from shoufu.scenes.homecare.careplans.models import CarePlan, Finding, Handover
from shoufu.scenes.homecare.careplans.services import looks
from shoufu.scenes.homecare.careplans.services.common import LETTER, about, act, locked, tell, writer
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.register.services.common import opened, sealed

State = Handover.State
ANSWER = "homecare.handover.answer"
SPANS = (30, 90)


@dataclass(frozen=True)
class HandoverDraft:
    """Why the patient is handed over, and to whom: a practitioner's id, or None for any doctor of the institution."""

    reason: str
    to: int | None = None
    urgent: bool = False


@transaction.atomic
def send(actor: Actor, plan_id: int, draft: HandoverDraft) -> Handover:
    """Hand a plan's patient over to a doctor of the institution. Conflict while a letter is under way."""
    seen = selectors.plan(actor, plan_id)
    require_anywhere(actor, selectors.WRITE)
    sender = writer(actor, seen.patient)
    plan = locked(seen.pk)
    if not draft.reason.strip():
        raise Invalid.one("reason", _("Say why; they can read it."))
    doctors = {one.pk: one for one in selectors.doctors(plan.patient)}
    if not doctors:
        raise Conflict(_("The institution has no doctor who may work today; register and verify one first."))
    if draft.to is not None and draft.to not in doctors:
        raise Invalid.one("to", _("Choose a doctor of the patient's institution who may work today."))
    row = Handover(
        plan=plan,
        urgent=draft.urgent,
        sender=sender,
        to=doctors.get(draft.to) if draft.to is not None else None,
        document=sealed(plan.patient.person_id, _letter(plan, draft.reason.strip()), LETTER),
        sent_at=timezone.now(),
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("This patient is being handed over already.")) from error
    record(actor, act("homecare.handover.send", row, plan.patient))
    wanted = [row.to] if row.to is not None else list(doctors.values())
    _tell(row, "chronic.handover", wanted)
    return row


def _tell(row: Handover, template: str, people: Sequence[Practitioner | None]) -> None:
    patient = row.plan.patient
    urgency = {"zh-hans": "（尽快）" if row.urgent else "", "en": "(urgent)" if row.urgent else ""}
    words = {code: {"name": patient.person.name, "urgency": urgency[code]} for code in urgency}
    users = selectors.accounts(one.person_id for one in people if one is not None)
    tell(template, about(patient.place, f"handover:{row.pk}:{row.version}", timezone.now(), words), users)


def _letter(plan: CarePlan, reason: str) -> dict[str, Any]:
    """What the letter says: frozen, so that it shows what was known when it was sent."""
    found = looks.shown(plan, timedelta(days=max(SPANS)))
    zone, now = selectors.zone_of(plan.patient), timezone.now()
    trends = []
    for days in SPANS:
        since = now - timedelta(days=days)
        measured = [one.measured for one in found.readings if one.row.at >= since]
        for shown in found.goals:
            target = selectors.targets([shown.goal])[0]
            short = chronic.summary(measured, target.quantity, zone, target)
            if short is not None:
                trends.append({"span": days, **_short(short)})
    return {
        "reason": reason[:2000],
        "condition": plan.condition,
        "guideline": found.guideline.name,
        "guideline_en": found.guideline.name_en,
        "note": found.note,
        "goals": [
            {
                "quantity": one.goal.quantity,
                "context": one.goal.context,
                "low": float(one.goal.low) if one.goal.low is not None else None,
                "high": float(one.goal.high) if one.goal.high is not None else None,
                "strict": one.goal.strict,
                "state": one.control.state,
                "mean": round(one.control.mean, 1) if one.control.mean is not None else None,
            }
            for one in found.goals
        ],
        "trends": trends,
        "findings": [
            {
                "rule": one.row.rule,
                "text": one.rule.text if one.rule else one.row.rule,
                "text_en": one.rule.text_en if one.rule else one.row.rule,
                "clause": one.rule.clause if one.rule else "",
                "at": one.row.found_at.isoformat(),
                "quantity": one.quantity,
                "value": one.value,
                "open": one.row.state in Finding.RUNNING,
                "answer": one.answer,
            }
            for one in found.findings[:10]
        ],
        "follow_ups": [
            {
                "at": one.row.at.isoformat(),
                "adherence": one.row.adherence,
                "found": one.found,
                "measures": one.measures,
            }
            for one in found.follow_ups[:3]
        ],
        "readings": [
            {"at": one.row.at.isoformat(), "kind": one.row.kind, "context": one.row.context, "values": dict(one.values)}
            for one in found.readings[:20]
        ],
    }


def _short(found: chronic.Summary) -> Mapping[str, Any]:
    return {
        "quantity": found.quantity,
        "context": found.context,
        "count": found.count,
        "days": found.days,
        "mean": round(found.mean, 1),
        "least": found.least,
        "most": found.most,
        "within": round(found.within, 2) if found.within is not None else None,
        "change": round(found.change, 1) if found.change is not None else None,
    }


@dataclass(frozen=True)
class Letter:
    """A handover in clear, after a recorded look."""

    row: Handover
    document: Mapping[str, Any]
    answer: str


@transaction.atomic
def look(actor: Actor, handover_id: int) -> Letter:
    """A letter in clear; the look is recorded with its reason."""
    row = selectors.handover(actor, handover_id)
    record(actor, act("homecare.handover.look", row, row.plan.patient, _("Handover to a doctor")))
    return shown(row)


def shown(row: Handover) -> Letter:
    """As `look`, for callers that recorded the look, or show it to the person."""
    person = row.plan.patient.person_id
    key = subjects.known_keys([person]).get(person)
    kept = Handover.objects.filter(pk=row.pk).values_list("document", "answer").get()
    document = (opened(key, kept[0], person, LETTER) if key else None) or {}
    return Letter(row, document, (opened(key, kept[1], person, ANSWER) if key else None) or "")


def _locked(actor: Actor, handover_id: int, version: int | None, *states: str) -> Handover:
    seen = selectors.handover(actor, handover_id)
    Handover.objects.select_for_update().get(pk=seen.pk)
    seen.refresh_from_db(fields=["state", "version", "doctor", "accepted_at", "ended_at"])
    if version is not None and seen.version != version:
        raise Conflict(_("Somebody dealt with this letter meanwhile. Look at it again."), version=seen.version)
    if seen.state not in states:
        raise Conflict(_("This cannot be done to a letter that is “%(state)s”.") % {"state": seen.get_state_display()})
    return seen


def _doctor(actor: Actor, row: Handover) -> Practitioner | None:
    found = selectors.practising(actor, row.plan.patient, doctor=True)
    if found is None and not actor.is_system:
        raise Conflict(_("Only a doctor of the patient's institution with a valid licence may do this."))
    if found is not None and row.to_id is not None and row.to_id != found.pk:
        raise Conflict(_("This letter is for another doctor."))
    return found


@transaction.atomic
def accept(actor: Actor, handover_id: int, version: int | None = None) -> Handover:
    """A doctor takes the patient over; the second one of two is told who was first."""
    row = _locked(actor, handover_id, version, State.SENT)
    row.doctor, row.state, row.accepted_at = _doctor(actor, row), State.ACCEPTED, timezone.now()
    row.version += 1
    row.save(update_fields=["doctor", "state", "accepted_at", "version"])
    record(actor, act("homecare.handover.accept", row, row.plan.patient))
    return row


@transaction.atomic
def answer(actor: Actor, handover_id: int, text: str, version: int | None = None, *, refuse: bool = False) -> Handover:
    """A doctor answers: what is to be done now; or sends it back with the reason. The sender is told."""
    allowed = (State.SENT, State.ACCEPTED) if refuse else (State.ACCEPTED,)
    row = _locked(actor, handover_id, version, *allowed)
    doctor = _doctor(actor, row)
    if row.doctor_id is not None and doctor is not None and row.doctor_id != doctor.pk:
        raise Conflict(_("%(who)s took this patient over.") % {"who": row.doctor.person.name if row.doctor else "–"})
    if not text.strip():
        raise Invalid.one("answer", _("Say what is to be done; they can read it."))
    row.doctor = doctor or row.doctor
    row.state = State.REFUSED if refuse else State.ANSWERED
    row.answer = sealed(row.plan.patient.person_id, text.strip()[:2000], ANSWER)
    row.ended_at, row.version = timezone.now(), row.version + 1
    row.save(update_fields=["doctor", "state", "answer", "ended_at", "version"])
    action = "homecare.handover.refuse" if refuse else "homecare.handover.answer"
    record(actor, act(action, row, row.plan.patient))
    _tell(row, "chronic.answered", [row.sender])
    return row


@transaction.atomic
def withdraw(actor: Actor, handover_id: int, version: int | None = None) -> Handover:
    """The institution's staff take a letter back before a doctor accepted it."""
    require_anywhere(actor, selectors.WRITE)
    row = _locked(actor, handover_id, version, State.SENT)
    writer(actor, row.plan.patient)
    row.state, row.ended_at, row.version = State.WITHDRAWN, timezone.now(), row.version + 1
    row.save(update_fields=["state", "ended_at", "version"])
    record(actor, act("homecare.handover.withdraw", row, row.plan.patient))
    return row


def waiting(actor: Actor) -> int:
    """How many letters wait for the actor as a doctor."""
    if not actor.may_anywhere(selectors.DOCTOR) or actor == SYSTEM:
        return 0
    return selectors.handovers(actor).filter(state__in=Handover.OPEN).count()
