from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import chronic
from shoufu.kernel.access.policy import require_anywhere
from shoufu.kernel.audit.services import record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.scenes.homecare.careplans import guidelines, selectors
from shoufu.scenes.homecare.careplans.models import CarePlan, Goal, Handover, HomeDevice, Revision, Task
from shoufu.scenes.homecare.careplans.services import findings
from shoufu.scenes.homecare.careplans.services.common import NOTE, REASON, REVISION, act, locked, running, writer
from shoufu.scenes.homecare.register.models import Patient, Practitioner
from shoufu.scenes.homecare.register.services.common import sealed

FIRST_FOLLOW_UP = 14
CONTEXTS = ("", "non_fasting", *chronic.CONTEXTS)


@dataclass(frozen=True)
class GoalDraft:
    """A target in the quantity's unit; None is no bound. `strict`: below `high`, not at it."""

    quantity: str
    low: Decimal | None = None
    high: Decimal | None = None
    strict: bool = False
    context: str = ""
    clause: str = ""


@dataclass(frozen=True)
class TaskDraft:
    """A task: `frequency` times in every `period` of `unit` ("d", "wk", "mo"); `kind` of reading that does it."""

    code: str
    text: str
    text_en: str = ""
    kind: str = ""
    frequency: int = 1
    period: int = 1
    unit: str = "d"
    performer: str = "patient"


@dataclass(frozen=True)
class PlanDraft:
    """A care plan to be: the guideline by code (its newest version), goals and tasks; None takes the guideline's own
    for the patient's age."""

    condition: str
    guideline: str
    goals: Sequence[GoalDraft] | None = None
    tasks: Sequence[TaskDraft] | None = None
    note: str = ""
    follow_up_days: int | None = None


def suggested(guideline: chronic.Guideline, patient: Patient) -> tuple[list[GoalDraft], list[TaskDraft]]:
    """The goals and tasks that a guideline names for somebody of the patient's age."""
    born = patient.person.born
    today = selectors.today_of(patient)
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day)) if born else None
    goals = [
        GoalDraft(one.quantity, _decimal(one.low), _decimal(one.high), one.strict, one.context, one.clause)
        for one in guideline.targets_for(age)
    ]
    tasks = [
        TaskDraft(one.code, one.text, one.text_en, one.kind, one.frequency, one.period, one.unit, one.performer)
        for one in guideline.tasks
    ]
    return goals, tasks


def _decimal(value: float | None) -> Decimal | None:
    return Decimal(str(value)) if value is not None else None


@transaction.atomic
def make(actor: Actor, patient_id: int, draft: PlanDraft) -> CarePlan:
    """Make a patient's plan for a condition, as a verified practitioner of the institution. Conflict where one runs."""
    patient = selectors.patient(actor, patient_id)
    require_anywhere(actor, selectors.WRITE)
    running(patient)
    author = writer(actor, patient)
    guideline = _guideline(draft)
    goals, tasks = suggested(guideline, patient)
    goals = list(draft.goals) if draft.goals is not None else goals
    tasks = list(draft.tasks) if draft.tasks is not None else tasks
    _check(goals, tasks)
    days = FIRST_FOLLOW_UP if draft.follow_up_days is None else draft.follow_up_days
    if not 1 <= days <= 366:
        raise Invalid.one("follow_up_days", _("Must be a number from 1 to %(most)s.") % {"most": 366})
    now, today = timezone.now(), selectors.today_of(patient)
    row = CarePlan(
        patient=patient,
        place=patient.place,
        condition=draft.condition,
        guideline=guideline.code,
        guideline_version=guideline.version,
        author=author,
        since=today,
        made_at=now,
        changed_at=now,
        next_day=today + timedelta(days=days),
        note=sealed(patient.person_id, draft.note.strip()[:2000], NOTE),
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("A care plan for this condition is in force already; change it instead.")) from error
    _set_goals(row, goals, now)
    _set_tasks(row, tasks, now)
    _keep_revision(row, author, draft.note)
    findings.refresh(patient, now)
    record(actor, act("homecare.plan.make", row, patient))
    row.refresh_from_db(fields=["control", "last_reading_at", "missed"])
    return row


def _guideline(draft: PlanDraft) -> chronic.Guideline:
    if draft.condition not in CarePlan.Condition.values:
        said = _("Use one of: %(kinds)s.") % {"kinds": ", ".join(CarePlan.Condition.values)}
        raise Invalid.one("condition", said)
    fitting = {code: one for code, one in guidelines.newest().items() if one.condition == draft.condition}
    if draft.guideline not in fitting:
        raise Invalid.one("guideline", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(sorted(fitting))})
    return fitting[draft.guideline]


def _check(goals: Sequence[GoalDraft], tasks: Sequence[TaskDraft]) -> None:
    errors = [error for n, goal in enumerate(goals) for error in goal_errors(goal, f"/goals/{n}/")]
    errors += [error for n, task in enumerate(tasks) for error in task_errors(task, f"/tasks/{n}/")]
    if not goals:
        errors.append(FieldError("goals", _("Give one goal or more.")))
    if len({(one.quantity, one.context) for one in goals}) < len(goals):
        errors.append(FieldError("goals", _("A goal is there twice.")))
    if len({one.code for one in tasks}) < len(tasks):
        errors.append(FieldError("tasks", _("A task is there twice.")))
    if errors:
        raise Invalid(*errors)


def goal_errors(goal: GoalDraft, prefix: str = "") -> list[FieldError]:
    """What is wrong with a goal, field by field."""
    quantity = chronic.QUANTITIES.get(goal.quantity)
    if quantity is None:
        kinds = ", ".join(chronic.QUANTITIES)
        return [FieldError(f"{prefix}quantity", _("Use one of: %(kinds)s.") % {"kinds": kinds})]
    errors = []
    contexts = CONTEXTS if goal.quantity == "glucose" else ("",)
    if goal.context not in contexts:
        errors.append(FieldError(f"{prefix}context", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(contexts)}))
    for name, value in (("low", goal.low), ("high", goal.high)):
        if value is not None and not quantity.least <= value <= quantity.most:
            said = _("Must be from %(least)s to %(most)s %(unit)s.")
            words = {"least": f"{quantity.least:g}", "most": f"{quantity.most:g}", "unit": quantity.unit}
            errors.append(FieldError(prefix + name, said % words))
    if goal.low is None and goal.high is None:
        errors.append(FieldError(f"{prefix}high", _("Give the lowest or the highest value, or both.")))
    if goal.low is not None and goal.high is not None and goal.low >= goal.high:
        errors.append(FieldError(f"{prefix}high", _("Must be above the lowest value.")))
    return errors


def task_errors(task: TaskDraft, prefix: str = "") -> list[FieldError]:
    """What is wrong with a task, field by field."""
    errors = []
    for name, value in (("code", task.code), ("text", task.text)):
        if not value.strip():
            errors.append(FieldError(prefix + name, _("Must not be empty.")))
    choices = (
        ("kind", task.kind, ("", *chronic.KINDS)),
        ("unit", task.unit, tuple(Task.Unit.values)),
        ("performer", task.performer, tuple(Task.Performer.values)),
    )
    for name, given, allowed in choices:
        if given not in allowed:
            errors.append(FieldError(prefix + name, _("Use one of: %(kinds)s.") % {"kinds": ", ".join(allowed)}))
    for name, number in (("frequency", task.frequency), ("period", task.period)):
        if not 1 <= number <= 100:
            errors.append(FieldError(prefix + name, _("Must be a number from 1 to %(most)s.") % {"most": 100}))
    return errors


def _set_goals(row: CarePlan, goals: Sequence[GoalDraft], now: datetime) -> None:
    """End the goals that are changed or gone, and begin the new ones; what stays the same keeps its row."""
    kept = {(one.quantity, one.context): one for one in selectors.goals(row)}
    wanted = {(one.quantity, one.context): one for one in goals}
    same = {
        key
        for key, one in kept.items()
        if key in wanted and (one.low, one.high, one.strict) == (wanted[key].low, wanted[key].high, wanted[key].strict)
    }
    Goal.objects.filter(pk__in=[one.pk for key, one in kept.items() if key not in same]).update(ended_at=now)
    Goal.objects.bulk_create(
        Goal(
            plan=row,
            quantity=one.quantity,
            context=one.context,
            low=one.low,
            high=one.high,
            strict=one.strict,
            clause=one.clause[:300],
            since=now,
        )
        for key, one in wanted.items()
        if key not in same
    )


def _set_tasks(row: CarePlan, tasks: Sequence[TaskDraft], now: datetime) -> None:
    kept = {one.code: one for one in selectors.tasks(row)}
    wanted = {one.code: one for one in tasks}
    names = ("text", "text_en", "kind", "frequency", "period", "unit", "performer")
    same = {
        code
        for code, one in kept.items()
        if code in wanted and all(getattr(one, name) == getattr(wanted[code], name) for name in names)
    }
    Task.objects.filter(pk__in=[one.pk for code, one in kept.items() if code not in same]).update(ended_at=now)
    today = selectors.today_of(row.patient)
    Task.objects.bulk_create(
        Task(plan=row, code=code[:32], since=today, **{name: getattr(one, name) for name in names})
        for code, one in wanted.items()
        if code not in same
    )


def _keep_revision(row: CarePlan, author: Practitioner | None, note: str) -> None:
    document = {
        "guideline": row.guideline,
        "guideline_version": row.guideline_version,
        "note": note.strip()[:2000],
        "goals": [
            {
                "quantity": one.quantity,
                "context": one.context,
                "low": str(one.low) if one.low is not None else None,
                "high": str(one.high) if one.high is not None else None,
                "strict": one.strict,
            }
            for one in selectors.goals(row)
        ],
        "tasks": [
            {"code": one.code, "text": one.text, "frequency": one.frequency, "period": one.period, "unit": one.unit}
            for one in selectors.tasks(row)
        ],
    }
    Revision.objects.create(
        plan=row,
        number=row.version,
        at=timezone.now(),
        author=author,
        document=sealed(row.patient.person_id, document, REVISION),
    )


@transaction.atomic
def change(actor: Actor, plan_id: int, version: int, draft: PlanDraft) -> CarePlan:
    """Change a plan that was read as `version`; Conflict where somebody else changed it since. The condition stays."""
    seen = selectors.plan(actor, plan_id)
    require_anywhere(actor, selectors.WRITE)
    author = writer(actor, seen.patient)
    row = locked(seen.pk, version)
    if draft.condition != row.condition:
        raise Invalid.one("condition", _("A plan keeps its condition; end it and make another."))
    guideline = selectors.guideline_of(row) if draft.guideline == row.guideline else _guideline(draft)
    goals, tasks = suggested(guideline, row.patient)
    goals = list(draft.goals) if draft.goals is not None else goals
    tasks = list(draft.tasks) if draft.tasks is not None else tasks
    _check(goals, tasks)
    now = timezone.now()
    row.guideline, row.guideline_version = guideline.code, guideline.version
    row.note = sealed(row.patient.person_id, draft.note.strip()[:2000], NOTE)
    row.author, row.changed_at, row.version = author or row.author, now, row.version + 1
    row.save(update_fields=["guideline", "guideline_version", "note", "author", "changed_at", "version"])
    _set_goals(row, goals, now)
    _set_tasks(row, tasks, now)
    _keep_revision(row, author, draft.note)
    findings.refresh(row.patient, now)
    record(actor, act("homecare.plan.change", row, row.patient, version=row.version))
    row.refresh_from_db(fields=["control", "missed"])
    return row


@transaction.atomic
def end(actor: Actor, plan_id: int, reason: str) -> CarePlan:
    """End a plan with its reason; its open findings and handover end with it."""
    seen = selectors.plan(actor, plan_id)
    require_anywhere(actor, selectors.WRITE)
    writer(actor, seen.patient)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why; they can read it."))
    row = locked(seen.pk)
    _end(actor, row, "ended", reason.strip())
    return row


def _end(actor: Actor, row: CarePlan, cause: str, reason: str) -> None:
    now = timezone.now()
    row.state, row.ended_at, row.end_cause = CarePlan.State.ENDED, now, cause[:12]
    row.next_day, row.version = None, row.version + 1
    row.end_reason = sealed(row.patient.person_id, reason[:500], REASON) if cause != "erased" else None
    row.save(update_fields=["state", "ended_at", "end_cause", "end_reason", "next_day", "version"])
    findings.close_all(actor, row, reason)
    Handover.objects.filter(plan=row, state__in=Handover.OPEN).update(state=Handover.State.WITHDRAWN, ended_at=now)
    record(actor, act("homecare.plan.end", row, row.patient, reason, cause=cause))


def end_open(actor: Actor, patient: Patient, cause: str, reason: str) -> int:
    """A patient's care ends (ended, died, moved out, erased): their plans, findings, handovers, reminders and devices
    do; how many plans. In the caller's transaction, which checked."""
    rows = CarePlan.objects.select_for_update(of=("self",)).select_related("patient__place", "place")
    found = list(rows.filter(patient=patient, state=CarePlan.State.ACTIVE).order_by("pk"))
    for row in found:
        _end(actor, row, cause, reason)
    HomeDevice.objects.filter(patient=patient, until__isnull=True).update(until=timezone.now())
    return len(found)


def restore(actor: Actor, patient: Patient, cause: str, at: datetime) -> int:
    """The ending was noted by mistake: the plans that it ended go on; what was open must be opened anew."""
    rows = CarePlan.objects.select_for_update(of=("self",)).select_related("patient__place", "place")
    ended = rows.filter(patient=patient, state=CarePlan.State.ENDED, end_cause=cause[:12], ended_at__gte=at)
    count = 0
    for row in ended.order_by("-ended_at"):
        taken = CarePlan.objects.filter(patient=patient, condition=row.condition, state=CarePlan.State.ACTIVE)
        if taken.exists():
            continue
        row.state, row.ended_at, row.end_cause, row.end_reason = CarePlan.State.ACTIVE, None, "", None
        row.next_day, row.version = selectors.today_of(patient), row.version + 1
        row.save(update_fields=["state", "ended_at", "end_cause", "end_reason", "next_day", "version"])
        record(actor, act("homecare.plan.restore", row, patient))
        count += 1
    return count


def drafted(rows: Sequence[Goal]) -> list[GoalDraft]:
    """Goals as drafts, for an editor that changes only some of them."""
    return [GoalDraft(one.quantity, one.low, one.high, one.strict, one.context, one.clause) for one in rows]


def task_drafts(rows: Sequence[Task]) -> list[TaskDraft]:
    names: tuple[str, ...] = ("code", "text", "text_en", "kind", "frequency", "period", "unit", "performer")
    made: list[dict[str, Any]] = [{name: getattr(one, name) for name in names} for one in rows]
    return [TaskDraft(**one) for one in made]
