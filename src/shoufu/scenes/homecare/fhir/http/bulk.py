"""Bulk export: begin, ask how far it is, fetch the files, cancel (https://hl7.org/fhir/uv/bulkdata/export.html)."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.utils.http import http_date
from django.utils.translation import gettext as _

from shoufu.engines.fhir.rest import values
from shoufu.scenes.homecare.fhir import selectors, services
from shoufu.scenes.homecare.fhir.faults import refused
from shoufu.scenes.homecare.fhir.http import answers
from shoufu.scenes.homecare.fhir.kept import instant
from shoufu.scenes.homecare.fhir.models import BulkExport

NDJSON = "application/fhir+ndjson"
OUTPUTS = frozenset({NDJSON, "application/ndjson", "ndjson"})
KNOWN = frozenset({"_type", "_since", "_outputFormat", "_reason", "_format"})


@answers.served("GET")
def everything(request: Any) -> HttpResponse:
    """Begin an export of all that the caller may read."""
    return _begin(request, BulkExport.Level.SYSTEM)


@answers.served("GET")
def patients(request: Any) -> HttpResponse:
    """Begin an export of all that is about patients."""
    return _begin(request, BulkExport.Level.PATIENT)


def _begin(request: Any, level: str) -> HttpResponse:
    caller = answers.caller(request)
    asked = answers.pairs(request)
    if "respond-async" not in answers.prefers(request):
        raise refused(
            400, _("An export is made in the background: send “Prefer: respond-async”."), "Prefer", "required"
        )
    for name, text in asked:
        if name == "_outputFormat" and text.replace(" ", "+") not in OUTPUTS:
            raise refused(
                400, _("_outputFormat: only %(kind)s is made here.") % {"kind": NDJSON}, name, "not-supported"
            )
        if name not in KNOWN and caller.strict:
            raise refused(400, _("%(name)s is not answered here.") % {"name": name[:64]}, name[:64], "not-supported")
    draft = services.ExportDraft(
        level=level,
        reason=answers.given_reason(request),
        types=[kind for name, text in asked if name == "_type" for kind in text.split(",") if kind],
        since=_since(next((text for name, text in asked if name == "_since"), "")),
        request=request.build_absolute_uri(),
    )
    row = services.ask_export(caller.actor, draft)
    headers = {"Content-Location": f"{caller.base}/$export-status/{row.pk}"}
    return answers.outcome(202, [answers.note(_("The export was begun."))], headers)


def _since(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = values.span(text.removeprefix("ge"))
    except values.ValueFault as fault:
        raise refused(400, f"_since {fault}", "_since", "value") from fault
    return found.start


@answers.served("GET", "DELETE", formats=False)
def status(request: Any, bulk_id: UUID) -> HttpResponse:
    """How far an export is (202), what it made (200), or cancel it."""
    caller = answers.caller(request)
    if request.method == "DELETE":
        services.cancel_export(caller.actor, bulk_id)
        return answers.outcome(202, [answers.note(_("The export was cancelled."))])
    row = selectors.export(caller.actor, bulk_id)
    match row.state:
        case BulkExport.State.QUEUED | BulkExport.State.RUNNING:
            headers = {"X-Progress": f"{row.state} {row.progress:.0%}", "Retry-After": "2"}
            return HttpResponse(status=202, headers=headers)
        case BulkExport.State.READY:
            return _manifest(caller.base, row)
        case BulkExport.State.FAILED:
            raise refused(
                500, _("The export failed (%(what)s); begin it anew.") % {"what": row.problem}, "", "exception"
            )
    raise refused(404, _("There is no such export, or it was deleted."))


def _manifest(base: str, row: BulkExport) -> HttpResponse:
    output = [
        {"type": one["type"], "url": f"{base}/$export-files/{row.pk}/{one['type']}", "count": one["count"]}
        for one in row.files
    ]
    body = {
        "transactionTime": instant(row.asked_at),
        "request": row.request,
        "requiresAccessToken": True,
        "output": output,
        "error": [],
    }
    headers = {"Expires": http_date(row.expires_at.timestamp())}
    return HttpResponse(json.dumps(body), content_type="application/json", headers=headers)


@answers.served("GET", formats=False)
def file(request: Any, bulk_id: UUID, kind: str) -> HttpResponseBase:
    """The resources of one type, a line each."""
    caller = answers.caller(request)
    path = services.fetch_file(caller.actor, bulk_id, kind)
    return FileResponse(path.open("rb"), content_type=NDJSON, filename=f"{kind}.ndjson", as_attachment=True)
