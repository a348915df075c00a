"""Figures, rules and the institution's own page."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from shoufu.kernel.base.lists import csv_response
from shoufu.kernel.base.pages import PageRequest, needs, tried
from shoufu.scenes.homecare.quality import compliance, counting, institution, reports, selectors, services, summaries
from shoufu.scenes.homecare.quality import words as said
from shoufu.scenes.homecare.quality.figures import told
from shoufu.scenes.homecare.quality.reports import COLUMNS
from shoufu.scenes.homecare.quality.services import PolicyDraft
from shoufu.scenes.homecare.register.pages.fields import Field, Reader, state
from shoufu.scenes.homecare.visits.models import Visit

FIGURES = selectors.FIGURES
TILES = ("punctuality", "rating", "infections", "answer")


def _asked(request: PageRequest) -> counting.Asked:
    get = request.GET
    return reports.chosen(
        request.actor, get.get("since", ""), get.get("last", ""), get.get("institution", ""), get.get("service", "")
    )


@needs(FIGURES)
def home(request: PageRequest) -> HttpResponseBase:
    """Figures by month, service, institution and practitioner; CSV and JSON with `?format=`, for publication with
    `?published=yes`."""
    actor, public = request.actor, request.GET.get("published") == "yes"
    people = actor.may_anywhere(selectors.QUALITY)
    asked = _asked(request)
    found = reports.report(actor, asked, public=public, people=people)
    if request.GET.get("format") == "csv":
        return csv_response(reports.lines(found), "quality")
    if request.GET.get("format") == "json":
        return JsonResponse(
            {"published": public, "lines": list(reports.lines(found))}, json_dumps_params={"ensure_ascii": False}
        )
    months = found.tables["month"]
    several = asked.institution is not None or len(found.span.offices) > 1
    names = {name: label for name, label, _unit in COLUMNS}
    units = {name: unit for name, _label, unit in COLUMNS}
    context = {
        "found": found,
        "public": public,
        "tiles": [(names[name], found.ratio(name), units[name]) for name in TILES],
        "columns": COLUMNS,
        "tables": [(label, found.tables[name]) for name, label in _headings() if found.tables.get(name)],
        "causes": [(Visit.State(state).label, said.end_word(cause), count) for state, cause, count in found.causes],
        "charts": [
            (_("Visits"), [(row.label[2:], _done(row)) for row in months], None),
            (_("Punctual, %"), _points(months, "punctuality", 100), 100.0),
            (_("Rating"), _points(months, "rating", 1), 5.0),
            (_("Adverse events per 1,000"), _points(months, "incidents", 1), None),
        ],
        "asked": asked,
        "offices": counting.offices(actor, selectors.QUALITY, selectors.REGULATE) if several else (),
        "averages": selectors.own_average(actor) if found.span.practitioners is not None else (),
        "sanctions": selectors.own_sanctions(actor)[:5],
        "made": summaries.last_made(found.span),
        "tab": "figures",
    }  # fmt: skip
    return render(request, "homecare/quality/figures.html", context)


def _done(row: Any) -> float | None:
    return None if row.cell.hidden else float(row.cell.counts.done)


def _headings() -> tuple[tuple[str, str], ...]:
    return (
        ("service", _("By service")),
        ("institution", _("By institution")),
        ("practitioner", _("By practitioner")),
        ("month", _("By month")),
    )


def _points(rows: Any, name: str, factor: float) -> list[tuple[str, float | None]]:
    found = [(row.label[2:], told(row.cell, name, public=row.public).value) for row in rows]
    return [(label, None if value is None else value * factor) for label, value in found]


@needs(FIGURES)
def rules(request: PageRequest) -> HttpResponseBase:
    """Whether every visit kept the rules; names those that did not. This month and the last one where none is said."""
    get = request.GET
    last = get.get("last", "")
    asked = reports.chosen(request.actor, get.get("since", "") or reports.month_before(request.actor, last), last)
    span = counting.span(request.actor, asked)
    checks = compliance.checks(span)
    if get.get("format") == "csv":
        lines = [
            {"rule": one.code, "visit": row.number, "day": row.day, "service": row.version.name,
             "institution": row.institution.label,
             "practitioners": ", ".join(stop.practitioner.person.name for stop in row.stops.all())}
            for one in checks for row in one.visits
        ]  # fmt: skip
        return csv_response(lines, "rules")
    context = {
        "checks": checks,
        "whole": compliance.whole(checks),
        "asked": asked,
        "inside": request.actor.may_anywhere(selectors.QUALITY) or span.practitioners is not None,
        "traces": request.actor.may_anywhere(selectors.QUALITY) or request.actor.may_anywhere(selectors.REGULATE),
        "tab": "rules",
    }
    return render(request, "homecare/quality/rules.html", context)


@needs(selectors.MONEY)
def office(request: PageRequest) -> HttpResponseBase:
    """Money, time and settings of one's institution; CSV with `?format=money` and `?format=time`."""
    actor = request.actor
    asked = _asked(request)
    row = institution.office(actor, asked.institution, selectors.MONEY)
    until = summaries.after(asked.last.replace(day=1))
    fields = _settings()
    limits = selectors.policy(row)
    form, status = state(request, fields, **{one.name: getattr(limits, one.name, "") for one in fields}), 200
    if request.method == "POST":
        done, status = tried(form, lambda: _set(request, row.pk, form.values))
        if done is not None:
            messages.success(request, _("Saved."))
            return redirect("homecare:quality:office")
    found = institution.money(actor, row, asked.since, until)
    month = max(asked.since, until.replace(day=1) if until.day != 1 else _previous(until))
    used = institution.use(row, month, until)
    if request.GET.get("format") == "money":
        return csv_response((vars(one) for one in found.months), "money")
    if request.GET.get("format") == "time":
        return csv_response((_time_line(one) for one in used), "time")
    absent, all_visits = institution.no_shows(row, month, until)
    context = {
        "row": row,
        "found": found,
        "used": used,
        "month": month,
        "absent": absent,
        "all_visits": all_visits,
        "form": form,
        "fields": fields,
        "decides": actor.may(selectors.DECIDE, row.place.path),
        "asked": asked,
        "charts": [
            (_("Paid, in yuan"), [(one.month.strftime("%y-%m"), one.paid / 100) for one in found.months]),
            (_("Orders"), [(one.month.strftime("%y-%m"), float(one.orders)) for one in found.months]),
        ],
        "tab": "office",
    }
    return render(request, "homecare/quality/office.html", context, status=status)


def _previous(first: Any) -> Any:
    return reports.back(first, 1)


def _time_line(one: institution.Use) -> dict[str, Any]:
    return {
        "practitioner": one.practitioner.person.name,
        "shift_minutes": round(one.shift),
        "planned_minutes": round(one.planned),
        "visited_minutes": round(one.visited),
        "travel_minutes": round(one.travel),
        "visits": one.visits,
        "nobody_home": one.nobody_home,
        "utilisation": "" if one.share is None else round(one.share, 4),
    }


def _settings() -> tuple[Field, ...]:
    return (
        Field("acknowledge_hours", _("Hours to take up a complaint"), "number", maximum=2),
        Field("answer_days", _("Days to answer a complaint"), "number", maximum=2),
        Field("appeal_days", _("Days to answer an appeal"), "number", maximum=2),
        Field("least_ratings", _("Ratings from which a nurse sees an average"), "number", maximum=2),
    )


def _set(request: PageRequest, office_id: int, values: dict[str, Any]) -> Any:
    sent = Reader(values)
    if sent.text("act") == "share":
        percent, since = sent.number("percent"), sent.day("since")
        sent.check()
        row = institution.office(request.actor, office_id, selectors.MONEY)
        return institution.set_share(request.actor, row, since, percent)
    numbers = [sent.number(one.name) for one in _settings()]
    sent.check()
    return services.set_policy(request.actor, office_id, PolicyDraft(*numbers))
