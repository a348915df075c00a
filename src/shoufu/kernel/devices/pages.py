import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.devices import commands, selectors, services
from shoufu.kernel.devices.models import Change, Device, Shadow
from shoufu.kernel.media import selectors as media
from shoufu.kernel.media.selectors import Recording
from shoufu.kernel.places.selectors import with_names

DAY = timedelta(days=1)
BEFORE, AFTER = 10.0, 20.0
# Cameras send a key picture every second or two; beyond this a clip's beginning is off by a good part of itself.
LONG_GROUP = 5.0
WRONG_CLOCK = 2.0
KNOWN_COMMANDS = {"door_controller": ("open", "lock", "unlock", "reboot"), "barrier": ("open", "close", "reboot")}


def command_words(name: str) -> str:
    """What a command is called in the reader's language."""
    words = {"open": _("Open"), "close": _("Shut"), "lock": _("Lock"), "unlock": _("Unlock"), "reboot": _("Restart")}
    return words.get(name, name)


def _text(rows: QuerySet[Device], value: str) -> QuerySet[Device]:
    return (
        rows.filter(code__icontains=value) | rows.filter(name__icontains=value) | rows.filter(name_en__icontains=value)
    )


def list_page() -> ListPage:
    return ListPage(
        title=_("Devices"),
        name="devices",
        row="devices/row.html",
        default_sort="place",
        template="devices/list.html",
        empty=_("Devices appear here once they are registered: shoufu devices register, or the API."),
        columns=(
            Column("name", _("Device"), "code", lambda d: d.name),
            Column("code", _("Code"), "code", lambda d: d.code, css="d-none"),
            Column("place", _("Where"), "place__path", lambda d: d.place.label),
            Column("kind", _("Kind"), "kind", lambda d: d.get_kind_display()),
            Column("status", _("Health"), "status", lambda d: d.get_status_display()),
            Column("since", _("Since"), "status_since", lambda d: d.status_since),
            Column("seen", _("Last heard"), "last_seen", lambda d: d.last_seen),
            Column("picture", _("Last picture")),
        ),
        filters=(
            Filter("kind", _("Kind"), lambda rows, value: rows.filter(kind=value), Device.Kind.choices),
            Filter("status", _("Health"), lambda rows, value: rows.filter(status=value), Device.Status.choices),
            Filter("text", _("Name or code"), _text),
        ),
    )


@needs("devices.view")
def listing(request: PageRequest) -> HttpResponseBase:
    """Devices of the scope with their health and last picture."""
    rows = selectors.visible(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(
        request,
        list_page(),
        with_names(rows),
        health=selectors.health(request.actor, request.scope.path),
        pictures=_Pictures(request),
    )


class _Pictures:
    """The newest pictures of the cameras on the page, read once and only when the template asks."""

    def __init__(self, request: PageRequest) -> None:
        self._request = request
        self._found: dict[int, Any] | None = None

    def get(self, device_id: int) -> Any:
        if self._found is None:
            cameras = selectors.visible(self._request.actor).filter(kind=Device.Kind.CAMERA)
            ids = list(
                cameras.filter(place__path__startswith=self._request.scope.path).values_list("pk", flat=True)[:500]
            )
            self._found = media.latest_by_device(self._request.actor, ids, self._request.moment.known)
        return self._found.get(device_id)


def _context(request: PageRequest, device: Device, form: FormState | None = None) -> dict[str, Any]:
    shadow = Shadow.objects.filter(device=device).first()
    now = timezone.now()
    may_see_media = request.actor.may("media.view", device.place.path)
    pictures = list(media.of_device(request.actor, device.pk, now - DAY, now)[:8]) if may_see_media else []
    return {
        "device": device,
        "shadow": shadow,
        "changes": Change.objects.filter(device=device).order_by("-valid")[:30],
        "commands": [(row, command_words(row.name)) for row in selectors.commands(request.actor, device.pk)[:10]],
        "pictures": pictures,
        "orders": [(name, command_words(name)) for name in KNOWN_COMMANDS.get(device.kind, ("reboot",))],
        "may_command": request.actor.may("devices.command", device.place.path),
        "may_manage": request.actor.may("devices.manage", device.place.path),
        "form": form or FormState(),
        "camera": _camera(request, device, form) if device.kind == Device.Kind.CAMERA else None,
        "zones": device.config.get("zones", []) if isinstance(device.config, dict) else [],
    }


@needs("devices.view")
def detail(request: PageRequest, device_id: int) -> HttpResponse:
    """One device: health, last pictures, shadow, changes, commands."""
    return render(request, "devices/detail.html", _context(request, selectors.get(request.actor, device_id)))


@dataclass(frozen=True)
class CameraPanel:
    """What the page of a camera says of its recording and lets one change."""

    recording: Recording | None
    values: Mapping[str, Any]
    before: float
    may_watch: bool

    @property
    def group_too_long(self) -> bool:
        """Clips begin at a key picture: with a long picture group they begin much earlier than asked."""
        return self.recording is not None and self.recording.group > min(self.before, LONG_GROUP)

    @property
    def clock_wrong(self) -> bool:
        offset = self.recording.clock_offset if self.recording else None
        return offset is not None and abs(offset) > WRONG_CLOCK


def _camera(request: PageRequest, device: Device, form: FormState | None) -> CameraPanel:
    config = device.config if isinstance(device.config, dict) else {}
    watch = config.get("watch", {})
    values = {
        "heading": device.heading,
        "view_degrees": config.get("view_degrees"),
        "view_metres": config.get("view_metres"),
        "before": watch.get("before", BEFORE),
        "after": watch.get("after", AFTER),
        "record": watch.get("record", True),
    }
    typed = form.values if form is not None and "view_degrees" in form.values else {}
    may_watch = request.actor.may("media.view", device.place.path)
    recording = media.recording(request.actor, device.pk) if may_watch else None
    return CameraPanel(recording, {**values, **typed}, float(values["before"]), may_watch)


def _number(form: FormState, name: str) -> float | None:
    text = str(form.values.get(name, "")).strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        form.errors[name] = _("Write a number.")
        return None


@require_POST
@needs("devices.manage")
def camera(request: PageRequest, device_id: int) -> HttpResponseBase:
    """Where a camera looks and what is kept of it: the angle that maps draw, and the lengths of its clips."""
    device = selectors.get(request.actor, device_id)
    form = FormState(values=request.POST.dict())
    names = ("heading", "view_degrees", "view_metres", "before", "after")
    heading, degrees, metres, before, after = (_number(form, name) for name in names)
    if heading is not None and not 0 <= heading <= 360:
        form.errors["heading"] = _("From 0 (north) to 360 degrees, clockwise.")
    watch = dict(device.config.get("watch", {}))
    watch |= {name: value for name, value in (("before", before), ("after", after)) if value is not None}
    watch["record"] = "record" in request.POST
    config = {**device.config, "view_degrees": degrees, "view_metres": metres, "watch": watch}
    if not form.errors:
        try:
            with transaction.atomic():
                saved = services.configure(request.actor, device.pk, device.version, config)
                if heading is not None and heading != device.heading:
                    services.change(request.actor, device.pk, saved.version, services.DeviceChange(heading=heading))
        except Invalid as refusal:
            form.errors = {error.field.rpartition("/")[2]: str(error.message) for error in refusal.errors}
    if form.errors:
        return render(request, "devices/detail.html", _context(request, device, form), status=422)
    messages.success(request, _("Saved; the watcher takes it up by itself."))
    return redirect("devices:detail", device.pk)


@require_POST
@needs("devices.command")
def command(request: PageRequest, device_id: int) -> HttpResponseBase:
    """Order the device; a reason is kept with the order."""
    device = selectors.get(request.actor, device_id)
    form = FormState(values=request.POST.dict())
    draft = commands.CommandDraft(device.pk, request.POST.get("name", ""), reason=request.POST.get("reason", ""))
    try:
        commands.queue(request.actor, draft)
    except Invalid as refusal:
        form.errors = {error.field.rpartition("/")[2]: str(error.message) for error in refusal.errors}
        return render(request, "devices/detail.html", _context(request, device, form), status=422)
    messages.success(request, _("Sent; the device's answer appears below."))
    return redirect("devices:detail", device.pk)


@needs("devices.manage")
def zones(request: PageRequest, device_id: int) -> HttpResponseBase:
    """Zones and lines drawn on the camera's picture; a POST takes the device's whole list as JSON."""
    device = selectors.get(request.actor, device_id)
    if request.method == "POST":
        return _save_zones(request, device)
    newest = media.latest_by_device(request.actor, [device.pk]).get(device.pk)
    start = {
        "zones": device.config.get("zones", []),
        "version": device.version,
        "picture": reverse("media:content", args=[newest.pk]) if newest else "",
        "save": reverse("devices:zones", args=[device.pk]),
    }
    return render(request, "devices/zones.html", {"device": device, "start": start})


def _save_zones(request: PageRequest, device: Device) -> JsonResponse:
    try:
        body = json.loads(request.body)
        wanted, version = body["zones"], int(body["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid.one("zones", _("Send JSON with “zones” and “version”.")) from error
    saved = services.configure(request.actor, device.pk, version, {**device.config, "zones": wanted})
    return JsonResponse({"version": saved.version, "zones": saved.config.get("zones", [])})
