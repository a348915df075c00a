"""The pages of staff: plans with what is due, one plan, its editor, findings, follow-up, home devices."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer, csv_response
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.scenes.homecare.careplans import selectors
from shoufu.scenes.homecare.careplans.models import CarePlan, Finding, FollowUp
from shoufu.scenes.homecare.careplans.pages.common import (
    csv_rows,
    days_of,
    draft_of,
    form_context,
    kind_of,
    kinds_of,
    trends,
)
from shoufu.scenes.homecare.careplans.pages.mine import tell
from shoufu.scenes.homecare.careplans.services import devices, findings, follow_ups, looks, plans, readings, reminding
from shoufu.scenes.homecare.register.pages.fields import Reader


def _due(rows: QuerySet[CarePlan], value: str) -> QuerySet[CarePlan]:
    active = rows.filter(state=CarePlan.State.ACTIVE)
    if value == "due":
        return active.filter(next_day__lte=timezone.localdate())
    if value == "found":
        return active.filter(pk__in=Finding.objects.filter(state__in=Finding.RUNNING).values("plan"))
    if value == "missed":
        return active.filter(missed__gte=3)
    return rows


@needs(selectors.VIEW)
def plan_list(request: PageRequest) -> HttpResponseBase:
    """Plans of the patients whom one cares for; no values here."""
    page = ListPage(
        title=_("Care plans"),
        name="careplans",
        row="homecare/careplans/row.html",
        template="homecare/careplans/list.html",
        default_sort="next",
        empty=_("Make one on a patient's page."),
        columns=(
            Column("patient", _("Patient"), "patient__person__name", lambda r: r.patient.person.name),
            Column("condition", _("Disease"), "condition", lambda r: r.get_condition_display()),
            Column("control", _("Goals"), "control", lambda r: r.get_control_display()),
            Column("open", _("To deal with"), "open_findings", lambda r: r.open_findings),
            Column("last", _("Last reading"), "last_reading_at", lambda r: r.last_reading_at),
            Column("next", _("Next follow-up"), "next_day", lambda r: r.next_day),
            Column("missed", _("Missed in a row"), "missed", lambda r: r.missed),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
        ),
        filters=(
            Filter("patient", _("Patient"), lambda rows, value: rows.filter(patient__person__name__icontains=value)),
            Filter(
                "condition",
                _("Disease"),
                lambda rows, value: rows.filter(condition=value),
                CarePlan.Condition.choices,
            ),
            Filter(
                "what",
                _("What waits"),
                _due,
                (("due", _("Follow-up due")), ("found", _("Readings to deal with")), ("missed", _("Nothing measured"))),
            ),
            Filter("control", _("Goals"), lambda rows, value: rows.filter(control=value), CarePlan.Control.choices),
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), CarePlan.State.choices),
        ),
    )
    rows = selectors.listed(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(
        request, page, rows, tab="plans", figures=reminding.figures(request.actor), today=timezone.localdate()
    )


@needs(selectors.VIEW)
def detail(request: PageRequest, plan_id: int) -> HttpResponse:
    """A plan with goals, trends, tasks, findings, follow-ups and letters. Opening it is recorded."""
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _act(request, plan_id))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:careplans:plan", plan_id)
    shown = looks.look(request.actor, plan_id)
    plan, days = shown.plan, days_of(request)
    targets = selectors.targets(one.goal for one in shown.goals)
    kinds = kinds_of([plan], targets, shown.readings)
    context = {
        "shown": shown,
        "plan": plan,
        "form": form,
        "days": days,
        "trends": trends(shown.readings, targets, plan.patient, days, kinds),
        "kinds": kinds,
        "latest": shown.readings[:8],
        "running": sorted(
            (one for one in shown.findings if one.row.state in Finding.RUNNING), key=lambda one: one.row.severity_rank
        ),
        "past": [one for one in shown.findings if one.row.state not in Finding.RUNNING][:5],
        "letters": selectors.handovers(request.actor).filter(plan=plan)[:5],
        "revisions": selectors.revisions(plan)[:10],
        "bindings": selectors.bindings(request.actor, plan.patient_id),
        "writes": selectors.practising(request.actor, plan.patient) is not None,
        "today": timezone.localdate(),
        "tab": "plans",
    }
    return render(request, "homecare/careplans/plan.html", context, status=status)


def _act(request: PageRequest, plan_id: int) -> Any:
    sent, actor = request.POST, request.actor
    act = sent.get("act", "")
    number = int(sent["which"]) if sent.get("which", "").isdecimal() else 0
    if act == "take":
        return findings.take_up(actor, number)
    if act == "close":
        return findings.close(actor, number, sent.get("answer", ""))
    if act == "end":
        return plans.end(actor, plan_id, sent.get("reason", ""))
    if act == "bind":
        return devices.bind(actor, selectors.plan(actor, plan_id).patient_id, sent.get("device", ""))
    if act == "release":
        return devices.release(actor, number)
    raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": "take, close, end, bind, release"})


@needs(selectors.VIEW)
def follow_up(request: PageRequest, plan_id: int) -> HttpResponse:
    """Note a follow-up; the next day is worked out from the guideline."""
    plan = selectors.plan(request.actor, plan_id)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        done, status = tried(form, lambda: follow_ups.add(request.actor, plan_id, _follow_up(request)))
        if done is not None:
            messages.success(request, _("Follow-up noted."))
            if done.needs_doctor:
                messages.warning(
                    request,
                    _("Two follow-ups in a row found the goals missed: the guideline asks for a doctor. Hand over?"),
                )
                return redirect("homecare:careplans:handover-new", plan_id)
            return redirect("homecare:careplans:plan", plan_id)
    day, clause = follow_ups.next_day(plan)
    context = {
        "plan": plan,
        "form": form,
        "day": day,
        "clause": clause,
        "ways": FollowUp.Way.choices,
        "adherences": FollowUp.Adherence.choices,
        "tab": "plans",
    }
    return render(request, "homecare/careplans/follow_up.html", context, status=status)


def _follow_up(request: PageRequest) -> follow_ups.FollowUpDraft:
    reader = Reader(request.POST.dict())
    day = reader.day("next_day") if reader.text("next_day") else None
    reader.check()
    return follow_ups.FollowUpDraft(
        reader.text("way"), reader.text("adherence"), reader.text("found"), reader.text("measures"), day
    )


@needs(selectors.VIEW)
def enter(request: PageRequest, patient_id: int, kind: str) -> HttpResponse:
    """Enter a reading that one measured at a patient."""
    patient, found = selectors.patient(request.actor, patient_id), kind_of(kind)
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        added, status = tried(form, lambda: readings.add(request.actor, patient_id, draft_of(request, found, patient)))
        if added is not None:
            tell(request, added)
            plan = selectors.plans(request.actor, ended=False).filter(patient=patient_id).first()
            if plan is not None:
                return redirect("homecare:careplans:plan", plan.pk)
            return redirect("homecare:careplans:trend", patient_id, kind)
    context = form_context(found, patient) | {"form": form, "tab": "plans"}
    return render(request, "homecare/careplans/enter.html", context, status=status)


@needs(selectors.VIEW)
def trend(request: PageRequest, patient_id: int, kind: str) -> HttpResponseBase:
    """A patient's readings of one sort: chart, table, CSV. One recorded look."""
    patient, found = selectors.patient(request.actor, patient_id), kind_of(kind)
    form, status = FormState(), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _void(request))
        if done is not None:
            messages.success(request, _("This reading counts no more."))
            return redirect("homecare:careplans:trend", patient_id, kind)
    clear = looks.readings(request.actor, patient_id, kind=kind, days=days_of(request))
    if request.GET.get("format") == "csv":
        return csv_response(csv_rows(clear, patient), f"{kind}-{patient_id}")
    rows = selectors.plans(request.actor, ended=False).filter(patient=patient)
    targets = [one for row in rows for one in selectors.targets(selectors.goals(row))]
    context = {
        "patient": patient,
        "kind": found,
        "form": form,
        "trends": trends(clear, targets, patient, days_of(request), [kind]),
        "readings": clear,
        "days": days_of(request),
        "plan": rows.first(),
        "writes": selectors.practising(request.actor, patient) is not None,
        "tab": "plans",
    }
    return render(request, "homecare/careplans/trend.html", context, status=status)


def _void(request: PageRequest) -> Any:
    try:
        which = UUID(request.POST.get("which", ""))
    except ValueError as error:
        raise Invalid(FieldError("reason", _("Choose a reading."))) from error
    return readings.void(request.actor, which, request.POST.get("reason", ""))
