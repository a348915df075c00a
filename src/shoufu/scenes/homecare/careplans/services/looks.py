"""Plans and readings in clear, each look of staff recorded; the person reads who looked and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import chronic
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import record, record_many
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.scenes.homecare.careplans import selectors
from shoufu.scenes.homecare.careplans.models import CarePlan, FollowUp, Goal, Reading
from shoufu.scenes.homecare.careplans.selectors import Clear, TaskShown
from shoufu.scenes.homecare.careplans.services.common import FOLLOW_UP, NOTE, REASON, act
from shoufu.scenes.homecare.careplans.services.findings import Told, told
from shoufu.scenes.homecare.register.models import Patient
from shoufu.scenes.homecare.register.services.common import opened

SPAN = timedelta(days=90)


@dataclass(frozen=True)
class GoalShown:
    """A goal, and how it is met."""

    goal: Goal
    control: chronic.Control


@dataclass(frozen=True)
class FollowUpShown:
    row: FollowUp
    found: str
    measures: str


@dataclass(frozen=True)
class Shown:
    """A plan in clear after a look: goals with how they are met, tasks, findings, readings of the span, follow-ups."""

    plan: CarePlan
    guideline: chronic.Guideline
    note: str
    end_reason: str
    goals: Sequence[GoalShown]
    tasks: Sequence[TaskShown]
    findings: Sequence[Told]
    readings: Sequence[Clear]
    follow_ups: Sequence[FollowUpShown]

    @property
    def patient(self) -> Patient:
        return self.plan.patient


@transaction.atomic
def look(actor: Actor, plan_id: int, *, mine: bool = False, span: timedelta = SPAN) -> Shown:
    """A plan with the readings of the last days in clear. One audit entry with subject for staff; none for the person
    and who may act for them."""
    row = selectors.plan(actor, plan_id, mine=mine)
    if not mine:
        record(actor, act("homecare.plan.look", row, row.patient, _("Care plan: goals, readings and follow-ups")))
    return shown(row, span)


def shown(row: CarePlan, span: timedelta = SPAN) -> Shown:
    """As `look`, for callers that recorded the look themselves."""
    patient, now = row.patient, timezone.now()
    person = patient.person_id
    key = subjects.known_keys([person]).get(person)
    kept = CarePlan.objects.filter(pk=row.pk).values_list("note", "end_reason").get()
    goals = selectors.goals(row)
    targets = selectors.targets(goals)
    reach = max(span, timedelta(days=210))
    rows = selectors.readings(SYSTEM, patient_id=patient.pk, since=now - reach)
    clear = selectors.cleared(rows)
    judged = chronic.controls(
        targets, [one.measured for one in clear], selectors.zone_of(patient), selectors.today_of(patient)
    )
    # Of all the patient's plans: who treats one disease must see what the other's rules found.
    rows_found = selectors.findings(SYSTEM, running=False).filter(patient=patient)
    findings = list(rows_found.order_by("-found_at")[:30])
    return Shown(
        row,
        selectors.guideline_of(row),
        (opened(key, kept[0], person, NOTE) if key else None) or "",
        (opened(key, kept[1], person, REASON) if key else None) or "",
        [GoalShown(goal, control) for goal, control in zip(goals, judged, strict=True)],
        selectors.standings(selectors.tasks(row), patient),
        told(findings),
        [one for one in clear if one.row.at >= now - span],
        follow_ups(row, key),
    )


def follow_ups(row: CarePlan, key: bytes | None) -> list[FollowUpShown]:
    """The last follow-ups of a plan in clear."""
    person = row.patient.person_id
    found = []
    rows = FollowUp.objects.filter(plan=row).select_related("practitioner__person")[:20]
    for one in rows:
        said = (opened(key, one.document, person, FOLLOW_UP) if key else None) or {}
        found.append(FollowUpShown(one, said.get("found", ""), said.get("measures", "")))
    return found


@transaction.atomic
def readings(
    actor: Actor, patient_id: int, *, mine: bool = False, kind: str = "", days: int = 90, reason: str = ""
) -> list[Clear]:
    """A patient's readings of the last days in clear, the newest first; one audit entry for staff, however many."""
    patient = selectors.patient(actor, patient_id, mine=mine)
    if not mine:
        record(actor, act("homecare.plan.look", patient, patient, reason or _("Readings and their trend")))
    since = timezone.now() - timedelta(days=days)
    return selectors.cleared(selectors.readings(actor, mine=mine, patient_id=patient_id, kind=kind, since=since))


@dataclass(frozen=True)
class Exported:
    """What an export gives: plans with their goals, and readings in clear."""

    plans: Sequence[CarePlan]
    readings: Sequence[Clear]


@transaction.atomic
def export(
    actor: Actor,
    reason: str,
    *,
    patients: Iterable[int] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Exported:
    """Plans and readings of many patients in clear, for a system that takes them over. One audit entry a patient and
    export (written in bulk), none a reading: each person can read that theirs went out, and why."""
    plans = selectors.plans(actor)
    rows = selectors.readings(actor, since=since, until=until)
    if patients is not None:
        wanted = list(patients)
        plans, rows = plans.filter(patient__in=wanted), rows.filter(patient__in=wanted)
    found_plans, found_rows = list(plans), list(rows)
    concerned = {one.patient_id: one.patient for one in found_rows}
    concerned |= {one.patient_id: one.patient for one in found_plans}
    record_many(
        actor,
        [act("homecare.plan.export", patient, patient, reason.strip()) for patient in concerned.values()],
    )
    return Exported(found_plans, selectors.cleared(found_rows))


def exported_plan(row: CarePlan) -> dict[str, Any]:
    """What a copy of one's data shows of a plan."""
    found = shown(row)
    return {
        "condition": row.get_condition_display(),
        "guideline": found.guideline.name,
        "since": row.since,
        "ended_at": row.ended_at,
        "note": found.note,
        "goals": [
            {
                "quantity": one.goal.quantity,
                "context": one.goal.context,
                "low": str(one.goal.low) if one.goal.low is not None else "",
                "high": str(one.goal.high) if one.goal.high is not None else "",
            }
            for one in found.goals
        ],
        "tasks": [one.task.text for one in found.tasks],
        "follow_ups": [
            {"at": one.row.at.isoformat(), "found": one.found, "measures": one.measures} for one in found.follow_ups
        ],
        "findings": [
            {"rule": one.row.rule, "at": one.row.found_at.isoformat(), "value": one.value, "answer": one.answer}
            for one in found.findings
            if one.row.plan_id == row.pk
        ],
    }


def exported_reading(row: Reading) -> dict[str, Any]:
    """What a copy of one's data shows of a reading."""
    clear = selectors.cleared([row])
    return {
        "kind": row.kind,
        "context": row.context,
        "at": row.at,
        "values": dict(clear[0].values) if clear else {},
        "source": row.source,
    }
