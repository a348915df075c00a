from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs, tried
from shoufu.scenes.homecare.fhir import kinds, selectors, services, sources
from shoufu.scenes.homecare.fhir.http.answers import base_of
from shoufu.scenes.homecare.fhir.models import BulkExport

NEWEST = 8


@needs(selectors.READ)
def home(request: PageRequest) -> HttpResponse:
    """For who connects a program: the address, what is served, exports, and what was refused lately."""
    return _home(request, FormState(), 200)


def _home(request: PageRequest, form: FormState, status: int) -> HttpResponse:
    own = {one.type for one in sources.own()}
    exports = list(selectors.exports(request.actor)[:NEWEST])
    running = any(one.state in (BulkExport.State.QUEUED, BulkExport.State.RUNNING) for one in exports)
    context = {
        "base": base_of(request),
        "kinds": [(kind, kind in own, len(kinds.searches(kind))) for kind in kinds.TYPES],
        "exports": exports,
        "running": running,
        "refusals": list(selectors.refusals(request.actor)[:NEWEST]),
        "may_export": request.actor.may_anywhere(selectors.EXPORT),
        "mine": request.actor.user_id,
        "levels": BulkExport.Level.choices,
        "form": form,
    }
    return render(request, "homecare/fhir/home.html", context, status=status)


@require_POST
@needs(selectors.EXPORT)
def begin(request: PageRequest) -> HttpResponse:
    """Ask for an export, with the reason."""
    form = FormState(values=request.POST.dict())
    level = request.POST.get("level", "")
    draft = services.ExportDraft(
        level=level if level in BulkExport.Level.values else BulkExport.Level.PATIENT,
        reason=request.POST.get("reason", ""),
        types=[kind for kind in request.POST.getlist("types") if kind],
        request=request.build_absolute_uri(request.path),
    )
    made, status = tried(form, lambda: services.ask_export(request.actor, draft))
    if made is None:
        form.errors = {name.removeprefix("_"): text for name, text in form.errors.items()}
        return _home(request, form, status)
    messages.success(request, _("The export was begun."))
    return redirect("homecare:fhir:home")


@require_POST
@needs(selectors.EXPORT)
def cancel(request: PageRequest, bulk_id: UUID) -> HttpResponse:
    """Stop an export and delete its files."""
    services.cancel_export(request.actor, bulk_id)
    messages.success(request, _("The export was cancelled."))
    return redirect("homecare:fhir:home")


@needs(selectors.EXPORT)
def download(request: PageRequest, bulk_id: UUID, kind: str) -> HttpResponseBase:
    """One file of an export."""
    path = services.fetch_file(request.actor, bulk_id, kind)
    return FileResponse(path.open("rb"), content_type="application/fhir+ndjson", filename=path.name, as_attachment=True)


@needs(selectors.READ)
def refusals(request: PageRequest) -> HttpResponseBase:
    """Everything refused in the last thirty days."""
    page = ListPage(
        title=_("Refused requests"),
        name="fhir-refusals",
        row="homecare/fhir/refusal_row.html",
        template="homecare/fhir/refusals.html",
        default_sort="-at",
        empty=_(
            "Requests of programs that were refused appear here for thirty days, with the elements that were wrong."
        ),
        columns=(
            Column("at", _("When"), "at", lambda r: r.at),
            Column("who", _("Account"), "user__display_name", lambda r: r.user.display_name if r.user else ""),
            Column("method", _("Method and type"), "method", lambda r: f"{r.method} {r.type}"),
            Column("status", _("HTTP status"), "status", lambda r: r.status),
            Column("issues", _("Wrong elements"), csv=lambda r: "; ".join(one["expression"] for one in r.issues)),
        ),
        filters=(
            Filter(
                "type",
                _("Resource type"),
                lambda rows, value: rows.filter(type=value),
                [(one, one) for one in kinds.TYPES],
            ),
            Filter("status", _("HTTP status"), _by_status),
        ),
    )
    return answer(request, page, selectors.refusals(request.actor))


def _by_status(rows: Any, value: str) -> Any:
    return rows.filter(status=int(value)) if value.isascii() and value.isdigit() and len(value) < 4 else rows.none()
