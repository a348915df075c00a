"""The pages of patients and of who may act for them: today's tasks, entering a reading, the trend."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.lists import csv_response
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.scenes.homecare.careplans import selectors, words
from shoufu.scenes.homecare.careplans.models import Finding, Handover
from shoufu.scenes.homecare.careplans.pages.common import (
    csv_rows,
    days_of,
    draft_of,
    form_context,
    kind_of,
    kinds_of,
    trends,
)
from shoufu.scenes.homecare.careplans.services import handovers, looks, readings
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Patient

QUICK = ("blood_pressure", "glucose", "weight")


@needs(register.OWN)
def mine(request: PageRequest) -> HttpResponse:
    """One's own plans, and those of people for whom one may act: what is to be done, how it goes."""
    people = [_person(request, one) for one in register.own(request.actor)]
    return render(request, "homecare/careplans/mine.html", {"people": people})


def _person(request: PageRequest, patient: Patient) -> dict[str, Any]:
    rows = selectors.plans(request.actor, mine=True, ended=False).filter(patient=patient)
    shown = [looks.look(request.actor, row.pk, mine=True) for row in rows]
    targets = [one for plan in shown for one in selectors.targets(goal.goal for goal in plan.goals)]
    clear = shown[0].readings if shown else looks.readings(request.actor, patient.pk, mine=True)
    last: dict[str, selectors.Clear] = {}
    for one in clear:
        last.setdefault(one.row.kind, one)
    every = [one for plan in shown for one in plan.tasks if one.task.performer == "patient"]
    # A reading does a task of two plans at once: it is shown once.
    tasks = list({(one.task.code, one.task.kind, one.task.text): one for one in every}.values())
    found = {one.row.pk: one for plan in shown for one in plan.findings}.values()
    letters = selectors.handovers(request.actor, mine=True).filter(plan__in=[one.plan.pk for one in shown])[:3]
    kinds = kinds_of([one.plan for one in shown], targets, clear)
    return {
        "patient": patient,
        "plans": shown,
        "todo": [one for one in tasks if one.open],
        "finished": [one for one in tasks if one.standing is not None and not one.open],
        "enter": [(code, words.kind(code), last.get(code)) for code in (kinds or QUICK)],
        "trends": trends(clear, targets, patient, days_of(request), kinds[:2]),
        "days": days_of(request),
        "open": sorted(
            (one for one in found if one.row.state in Finding.RUNNING), key=lambda one: one.row.severity_rank
        ),
        "answered": [one for one in found if one.answer][:3],
        "letters": [handovers.shown(one) for one in letters if one.state != Handover.State.WITHDRAWN],
        "ids": {one.task.pk: uuid4() for one in tasks},
    }


@needs(register.OWN)
def enter(request: PageRequest, patient_id: int, kind: str) -> HttpResponse:
    """Enter a reading: few large fields; what is wrong stands beside its field, and nothing typed is lost."""
    patient, found = selectors.patient(request.actor, patient_id, mine=True), kind_of(kind)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        added, status = tried(
            form,
            lambda: readings.add(request.actor, patient.pk, draft_of(request, found, patient), mine=True),
        )
        if added is not None:
            tell(request, added)
            return redirect("homecare:careplans:mine")
    context = form_context(found, patient) | {"form": form, "mine": True}
    return render(request, "homecare/careplans/enter.html", context, status=status)


def tell(request: PageRequest, added: readings.Added) -> None:
    """Say that it is kept; where it is dangerous, what to do now."""
    messages.success(request, _("Saved.") if added.fresh else _("This reading was saved before."))
    for severity, what, advice in readings.advice(added.findings):
        level = messages.error if severity in ("critical", "high") else messages.warning
        level(request, _("%(what)s. %(advice)s Your nurse was told.") % {"what": what, "advice": advice})


@needs(register.OWN)
def trend(request: PageRequest, patient_id: int, kind: str) -> HttpResponseBase:
    """The readings of one sort: chart, table, CSV."""
    patient, found = selectors.patient(request.actor, patient_id, mine=True), kind_of(kind)
    clear = looks.readings(request.actor, patient.pk, mine=True, kind=kind, days=days_of(request))
    if request.GET.get("format") == "csv":
        return csv_response(csv_rows(clear, patient), f"{kind}")
    rows = selectors.plans(request.actor, mine=True, ended=False).filter(patient=patient)
    targets = [one for row in rows for one in selectors.targets(selectors.goals(row))]
    context = {
        "patient": patient,
        "kind": found,
        "trends": trends(clear, targets, patient, days_of(request), [kind]),
        "readings": clear,
        "days": days_of(request),
        "mine": True,
    }
    return render(request, "homecare/careplans/trend.html", context)


@require_POST
@needs(register.OWN)
def done(request: PageRequest, task_id: int) -> HttpResponse:
    """Say that a task is done today."""
    form = FormState()
    kept, _status = tried(form, lambda: readings.done(request.actor, task_id, _id(request), mine=True))
    if kept is None:
        messages.error(request, form.problem or _("The input has errors."))
    else:
        messages.success(request, _("Noted. Well done."))
    return redirect("homecare:careplans:mine")


@require_POST
@needs(register.OWN)
def wrong(request: PageRequest, reading_id: UUID) -> HttpResponse:
    """Mark a reading that one entered oneself as wrong."""
    form = FormState()
    reason = request.POST.get("reason", "").strip() or _("Entered wrongly")
    kept, _status = tried(form, lambda: readings.void(request.actor, reading_id, reason, mine=True))
    if kept is None:
        messages.error(request, form.problem or _("The input has errors."))
        return redirect("homecare:careplans:mine")
    messages.success(request, _("This reading counts no more."))
    return redirect("homecare:careplans:my-trend", kept.patient_id, kept.kind)


def _id(request: PageRequest) -> UUID:
    try:
        return UUID(request.POST.get("id", ""))
    except ValueError:
        return uuid4()
