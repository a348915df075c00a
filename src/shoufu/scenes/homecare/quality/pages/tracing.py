"""The trace of one visit: initials first, everything after a reason."""

import json
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.scenes.homecare.quality import names, selectors, trace
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits.models import Visit


@needs(selectors.FIGURES)
def visits(request: PageRequest) -> HttpResponseBase:
    """Visits to be traced, with initials only."""
    register.require_any(request.actor, selectors.REGULATE, selectors.QUALITY)
    page = ListPage(
        title=_("Trace a visit"),
        name="visits",
        row="homecare/quality/visit_row.html",
        template="homecare/quality/list.html",
        default_sort="-starts",
        wide=True,
        empty=_("Visits appear here once they were asked for."),
        columns=(
            Column("number", _("Number"), "pk", lambda r: r.number),
            Column("patient", _("Patient"), "", lambda r: names.initials(r.patient.person.name)),
            Column("service", _("Service"), "version__name", lambda r: r.version.label),
            Column("starts", _("When"), "starts_at", lambda r: r.starts_at),
            Column("state", _("State"), "state", lambda r: r.get_state_display()),
            Column("institution", _("Institution"), "institution__organisation__name", lambda r: r.institution.label),
        ),
        filters=(
            Filter("number", _("Number"), lambda rows, value: rows.filter(pk=_number(value))),
            Filter("day", _("Day, such as 2026-11-29"), lambda rows, value: rows.filter(day=_day(value))),
            Filter("state", _("State"), lambda rows, value: rows.filter(state=value), Visit.State.choices),
        ),
    )
    rows = trace.visible(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, page, rows, tab="trace")


def _number(text: str) -> int:
    digits = text.upper().removeprefix("V-")
    return int(digits) if digits.isdecimal() and len(digits) < 18 else 0


def _day(text: str) -> Any:
    from datetime import date

    from shoufu.kernel.base.errors import Invalid

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid.one("day", _("Choose a day.")) from error


@needs(selectors.FIGURES)
def visit(request: PageRequest, visit_id: int) -> HttpResponseBase:
    """One visit: a form for the reason, then everything. The look is recorded."""
    register.require_any(request.actor, selectors.REGULATE, selectors.QUALITY)
    row = trace.visible(request.actor).filter(pk=visit_id).first()
    if row is None:
        from shoufu.kernel.base.errors import NotFound

        raise NotFound(_("There is no home visit %(id)s that you may see.") % {"id": visit_id})
    form, status, found = FormState(values=request.POST.dict()), 200, None
    if request.method == "POST":
        found, status = tried(form, lambda: trace.look(request.actor, visit_id, request.POST.get("reason", "")))
    context = {"row": row, "found": found, "form": form, "tab": "trace"}
    return render(request, "homecare/quality/trace.html", context, status=status)


@require_POST
@needs(selectors.FIGURES)
def export(request: PageRequest, visit_id: int) -> HttpResponseBase:
    """The trace as PDF or JSON, with its hash; recorded with the reason."""
    found = trace.export(request.actor, visit_id, request.POST.get("reason", ""))
    name = found.visit.number
    if request.POST.get("as") == "json":
        text = json.dumps({"trace": found.document(), "sha256": found.digest}, ensure_ascii=False, indent=1)
        answered = HttpResponse(text, content_type="application/json; charset=utf-8")
        answered["Content-Disposition"] = f'attachment; filename="{name}.json"'
        return answered
    answered = HttpResponse(trace.pdf(found), content_type="application/pdf")
    answered["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return answered
