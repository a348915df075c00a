from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base.errors import Conflict, Invalid, Problem
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases.models import Case
from shoufu.kernel.devices.models import Device
from shoufu.kernel.evidence import keys, selectors, services
from shoufu.kernel.evidence.models import Export


def _state(rows: QuerySet[Export], value: str) -> QuerySet[Export]:
    return rows.filter(state=value)


def _text(rows: QuerySet[Export], value: str) -> QuerySet[Export]:
    return rows.filter(number__icontains=value) | rows.filter(recipient__icontains=value)


def list_page() -> ListPage:
    """The list of exports, in the reader's language."""
    return ListPage(
        title=_("Evidence handed over"),
        name="exports",
        row="evidence/row.html",
        default_sort="-asked",
        empty=_("Bundles that were made of cases appear here. Open a case and choose “Export evidence”."),
        columns=(
            Column("number", _("Export"), "number", lambda e: e.number),
            Column("case", _("Case"), csv=lambda e: e.case.number),
            Column("recipient", _("Recipient"), "recipient", lambda e: e.recipient),
            Column("asked", _("Asked"), "asked_at", lambda e: timezone.localtime(e.asked_at).isoformat()),
            Column("state", _("State"), "state", lambda e: e.get_state_display()),
            Column("expires", _("Deleted on"), "expires_at", lambda e: timezone.localtime(e.expires_at).isoformat()),
            Column("downloads", _("Downloads"), "downloads", lambda e: e.downloads),
        ),
        filters=(
            Filter("state", _("State"), _state, Export.State.choices),
            Filter("text", _("Number or recipient"), _text),
        ),
    )


@needs("evidence.export")
def listing(request: PageRequest) -> HttpResponseBase:
    """Exports of the scope."""
    rows = selectors.visible(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, list_page(), rows)


def _uuids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError as error:
        raise Invalid.one("media", _("Choose pictures and clips of this case.")) from error


def _moment(request: PageRequest, name: str, zone: str) -> datetime | None:
    """A local time as forms send it; Invalid for what is none."""
    text = request.POST.get(name, "").strip()
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise Invalid.one(name, _("Write a time like 2026-11-24 09:30."))
    return found if timezone.is_aware(found) else found.replace(tzinfo=ZoneInfo(zone))


def _draft(request: PageRequest, case: Case) -> services.ExportDraft:
    given, zone = request.POST, case.place.time_zone
    return services.ExportDraft(
        case_id=case.pk,
        recipient=given.get("recipient", ""),
        reason=given.get("reason", ""),
        sharp=given.get("sharp", Export.Sharp.NOBODY),
        sharp_reason=given.get("sharp_reason", ""),
        media=_uuids(given.getlist("media")),
        cameras=[int(text) for text in given.getlist("cameras") if text.isdigit()],
        since=_moment(request, "since", zone),
        until=_moment(request, "until", zone),
        passphrase=given.get("passphrase", ""),
        recipient_key=given.get("recipient_key", "").strip(),
        days=int(given["days"]) if given.get("days", "").isdigit() else 0,
    )


@needs("evidence.export")
def new(request: PageRequest, case_id: int) -> HttpResponseBase:
    """Ask for a bundle of a case: who gets it, why, what of it, faces, seal, how long."""
    case = cases.get(request.actor, case_id)
    form, status = FormState(values={"days": services.DAYS, "sharp": "nobody"}), 200
    if request.method == "POST":
        form.values = request.POST.dict() | {"cameras": request.POST.getlist("cameras"), "passphrase": ""}
        try:
            made = services.request_export(request.actor, _draft(request, case))
        except Invalid as refusal:
            form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
        else:
            return redirect("evidence:detail", made.pk)
    compound = cases.compound_path(case.place)
    cameras = limit(
        Device.objects.filter(kind=Device.Kind.CAMERA, retired_at__isnull=True), request.actor, "media.view"
    )
    context = {
        "case": case,
        "form": form,
        "media": [item for item in case.evidence.all() if item.media_id],
        "cameras": cameras.filter(place__path__startswith=compound),
        "sharps": Export.Sharp.choices,
        "unblurred": request.actor.may(selectors.UNBLURRED, case.place.path),
    }
    return render(request, "evidence/new.html", context, status=status)


def _context(request: PageRequest, export: Export, form: FormState | None = None) -> dict[str, Any]:
    fingerprint = keys.own_fingerprint()
    return {
        "export": export,
        "custody": selectors.custody(request.actor, export),
        "fingerprint": " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4)),
        "ready": export.state == Export.State.DONE and export.expires_at > timezone.now(),
        "making": export.state in (Export.State.QUEUED, Export.State.RUNNING),
        "form": form or FormState(),
    }


@needs("evidence.export")
def detail(request: PageRequest, export_id: int) -> HttpResponseBase:
    """One export: how far it is, who had it, the way to the file."""
    export = selectors.get(request.actor, export_id)
    services.record_look(request.actor, export)
    return render(request, "evidence/detail.html", _context(request, export))


@require_safe
@needs("evidence.export")
def progress(request: PageRequest, export_id: int) -> HttpResponseBase:
    """How far the bundle is, for htmx; reloads the page when it is made."""
    export = selectors.get(request.actor, export_id)
    response = render(request, "evidence/progress.html", {"export": export})
    if export.state not in (Export.State.QUEUED, Export.State.RUNNING):
        response["HX-Refresh"] = "true"
    return response


@require_POST
@needs("evidence.export")
def download(request: PageRequest, export_id: int) -> HttpResponseBase:
    """The bundle; each download is counted and noted."""
    export, path = services.download(request.actor, export_id)
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="application/zip")


@require_POST
@needs("evidence.export")
def delete(request: PageRequest, export_id: int) -> HttpResponseBase:
    """Delete a bundle before its time."""
    try:
        services.remove(request.actor, export_id, request.POST.get("reason", ""))
    except Invalid as refusal:
        form = FormState(request.POST.dict(), {error.field: str(error.message) for error in refusal.errors})
        export = selectors.get(request.actor, export_id)
        return render(request, "evidence/detail.html", _context(request, export, form), status=422)
    return redirect("evidence:detail", export_id)


@require_POST
@needs("evidence.hold")
def hold(request: PageRequest, case_id: int) -> HttpResponseBase:
    """Place or lift the legal hold on a case."""
    reason = request.POST.get("reason", "")
    try:
        if "lift" in request.POST:
            services.lift_hold(request.actor, case_id, reason)
        else:
            services.place_hold(request.actor, case_id, reason, _day(request))
    except (Invalid, Conflict) as refusal:
        messages.error(request, _said(refusal))
    else:
        messages.success(request, _("Saved."))
    return redirect("cases:detail", case_id)


def _said(refusal: Problem) -> str:
    return "; ".join(str(error.message) for error in refusal.errors) or str(refusal.detail)


def _day(request: PageRequest) -> date:
    try:
        found = parse_date(request.POST.get("review_at", ""))
    except ValueError:
        found = None
    if found is None:
        raise Invalid.one("review_at", _("Not a day. Write it like 2026-11-23."))
    return found
