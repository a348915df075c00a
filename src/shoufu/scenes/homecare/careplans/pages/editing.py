"""The editor of a plan: goals and tasks, begun from what the guideline names."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from shoufu.engines import chronic
from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.scenes.homecare.careplans import guidelines, selectors, words
from shoufu.scenes.homecare.careplans.models import CarePlan, Task
from shoufu.scenes.homecare.careplans.services import looks, plans
from shoufu.scenes.homecare.careplans.services.plans import GoalDraft, PlanDraft, TaskDraft
from shoufu.scenes.homecare.register.models import Patient
from shoufu.scenes.homecare.register.pages.fields import Reader

ROWS = (
    ("systolic", ""),
    ("diastolic", ""),
    ("glucose", "fasting"),
    ("glucose", "non_fasting"),
    ("hba1c", ""),
    ("weight", ""),
)
SPARE = 2


@dataclass(frozen=True)
class GoalRow:
    """One line of the editor: names of the two fields, and whether the upper bound itself is out."""

    quantity: str
    context: str
    label: str
    unit: str
    strict: bool

    @property
    def key(self) -> str:
        return f"{self.quantity}-{self.context}" if self.context else self.quantity


def _goal_rows(goals: list[GoalDraft]) -> list[GoalRow]:
    strict = {(one.quantity, one.context): one.strict for one in goals}
    keys = [*ROWS, *(key for key in strict if key not in ROWS)]
    return [
        GoalRow(
            quantity,
            context,
            words.goal_name(quantity, context),
            words.unit(quantity),
            strict.get((quantity, context), False),
        )
        for quantity, context in keys
    ]


def _initial(goals: list[GoalDraft], tasks: list[TaskDraft], note: str) -> dict[str, Any]:
    values: dict[str, Any] = {"note": note}
    for one in goals:
        key = f"{one.quantity}-{one.context}" if one.context else one.quantity
        values[f"low-{key}"] = f"{float(one.low):g}" if one.low is not None else ""
        values[f"high-{key}"] = f"{float(one.high):g}" if one.high is not None else ""
        values[f"strict-{key}"] = "1" if one.strict else ""
        values[f"clause-{key}"] = one.clause
    for n, task in enumerate(tasks):
        for name in ("code", "text", "text_en", "kind", "frequency", "period", "unit", "performer"):
            values[f"task-{n}-{name}"] = getattr(task, name)
    return values


@needs(selectors.VIEW)
def new(request: PageRequest, patient_id: int) -> HttpResponse:
    """A plan to be: first the guideline, then its goals and tasks to change."""
    patient = selectors.patient(request.actor, patient_id)
    wanted = request.POST.get("guideline") or request.GET.get("guideline", "")
    guideline = guidelines.newest().get(wanted)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        condition = guideline.condition if guideline is not None else ""
        made, status = tried(form, lambda: plans.make(request.actor, patient_id, _draft(request, condition)))
        if made is not None:
            messages.success(request, _("The care plan is in force."))
            return redirect("homecare:careplans:plan", made.pk)
    elif guideline is not None:
        form.values = _initial(*plans.suggested(guideline, patient), "")
    return _page(request, form, status, patient, guideline, None)


@needs(selectors.VIEW)
def edit(request: PageRequest, plan_id: int) -> HttpResponse:
    """Change a plan; who changed it meanwhile is told of, and nothing is overwritten."""
    plan = selectors.plan(request.actor, plan_id)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        version = request.POST.get("version", "")
        number = int(version) if version.isdecimal() else 0
        made, status = tried(
            form, lambda: plans.change(request.actor, plan_id, number, _draft(request, plan.condition))
        )
        if made is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:careplans:plan", plan_id)
    else:
        shown = looks.look(request.actor, plan_id)
        goals, tasks = plans.drafted([one.goal for one in shown.goals]), plans.task_drafts(selectors.tasks(plan))
        form.values = _initial(goals, tasks, shown.note)
    return _page(request, form, status, plan.patient, selectors.guideline_of(plan), plan)


def _page(
    request: PageRequest,
    form: FormState,
    status: int,
    patient: Patient,
    guideline: chronic.Guideline | None,
    plan: CarePlan | None,
) -> HttpResponse:
    suggested = plans.suggested(guideline, patient)[0] if guideline is not None else []
    count = sum(1 for name in form.values if name.startswith("task-") and name.endswith("-text"))
    context = {
        "form": form,
        "patient": patient,
        "plan": plan,
        "guideline": guideline,
        "guideline_name": guidelines.label(guideline) if guideline is not None else "",
        "guidelines": [
            (code, guidelines.label(one), one.condition)
            for code, one in guidelines.newest().items()
            if plan is None or one.condition == plan.condition
        ],
        "goals": _goal_rows(suggested),
        "tasks": list(range(count + (SPARE if request.method != "POST" else 0))),
        "kinds": [("", _("somebody says so")), *((code, words.kind(code)) for code in chronic.KINDS)],
        "units": Task.Unit.choices,
        "performers": Task.Performer.choices,
        "tab": "plans",
    }
    return render(request, "homecare/careplans/edit.html", context, status=status)


def _draft(request: PageRequest, condition: str) -> PlanDraft:
    """The plan that the form sent; Invalid names the fields as the form does."""
    sent = request.POST
    errors: list[FieldError] = []
    keys = [name.removeprefix("high-") for name in sent if name.startswith("high-")]
    goals = [one for key in keys if (one := _goal(sent, key, errors)) is not None]
    numbers = sorted({int(n) for name in sent if (n := _task_number(name)) is not None})
    tasks = [task for n in numbers if (task := _task(sent, n, errors)) is not None]
    days = None
    if sent.get("follow_up_days", "").strip():
        reader = Reader({"follow_up_days": sent["follow_up_days"]})
        days = reader.number("follow_up_days")
        errors += reader.errors
    if errors:
        raise Invalid(*errors)
    return PlanDraft(condition, sent.get("guideline", ""), goals, tasks, sent.get("note", ""), days)


def _task_number(name: str) -> str | None:
    parts = name.split("-")
    return parts[1] if len(parts) == 3 and parts[0] == "task" and parts[1].isdecimal() else None


def _goal(sent: Any, key: str, errors: list[FieldError]) -> GoalDraft | None:
    quantity, _dash, context = key.partition("-")
    bounds: dict[str, Decimal | None] = {}
    for side in ("low", "high"):
        text = sent.get(f"{side}-{key}", "").strip()
        try:
            bounds[side] = Decimal(text) if text else None
        except InvalidOperation:
            errors.append(FieldError(f"{side}-{key}", _("Write a number.")))
            bounds[side] = None
    if bounds["low"] is None and bounds["high"] is None:
        return None
    draft = GoalDraft(
        quantity, bounds["low"], bounds["high"], bool(sent.get(f"strict-{key}")), context, sent.get(f"clause-{key}", "")
    )
    errors += [FieldError(f"{one.field}-{key}", one.message) for one in plans.goal_errors(draft)]
    return draft


def _task(sent: Any, n: int, errors: list[FieldError]) -> TaskDraft | None:
    reader = Reader({name: sent.get(f"task-{n}-{name}", "") for name in
                     ("code", "text", "text_en", "kind", "frequency", "period", "unit", "performer")})  # fmt: skip
    text = reader.text("text").strip()
    if not text:
        return None
    draft = TaskDraft(
        reader.text("code") or f"own-{n}",
        text,
        reader.text("text_en"),
        reader.text("kind"),
        reader.number("frequency", 1),
        reader.number("period", 1),
        reader.text("unit") or "d",
        reader.text("performer") or "patient",
    )
    wrong = reader.errors or plans.task_errors(draft)
    errors += [FieldError(f"task-{n}-{one.field}", one.message) for one in wrong]
    return draft
