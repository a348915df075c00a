from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.devices.models import Device
from shoufu.kernel.devices.selectors import visible as devices
from shoufu.kernel.doors import selectors, services
from shoufu.kernel.doors.models import AccessPoint, Technology
from shoufu.kernel.doors.pages.common import attempt, number
from shoufu.kernel.doors.services import PointChange, PointDraft, ReaderDraft
from shoufu.kernel.doors.services.common import MANAGE
from shoufu.kernel.places import selectors as places


def _readers(request: PageRequest) -> tuple[ReaderDraft, ...]:
    sides = {"in": request.POST.getlist("readers_in"), "out": request.POST.getlist("readers_out")}
    return tuple(ReaderDraft(technology, side) for side, found in sides.items() for technology in found)


def _edit_context(request: PageRequest, form: FormState, point: AccessPoint | None = None) -> dict[str, Any]:
    kinds = [Device.Kind.DOOR_CONTROLLER, Device.Kind.BARRIER]
    readers = list(point.readers.all()) if point is not None else []
    given = {
        side: request.POST.getlist(f"readers_{side}")
        if request.method == "POST"
        else [reader.technology for reader in readers if reader.side == side]
        or (["card", "qr"] if side == "in" and point is None else [])
        for side in ("in", "out")
    }
    return {
        "form": form,
        "point": point,
        "places": places.subtree(request.actor, request.scope.place, kinds=("door", "gate", "unit", "building")),
        "controllers": devices(request.actor).filter(kind__in=kinds, place__path__startswith=request.scope.path),
        "kinds": AccessPoint.Kind.choices,
        "passbacks": AccessPoint.Passback.choices,
        "technologies": Technology.choices,
        "readers": given,
        "tab": "points",
    }


SECONDS = ("release_seconds", "extended_seconds", "held_seconds", "warn_seconds")


@needs(MANAGE)
def new(request: PageRequest) -> HttpResponseBase:
    """Set up an access point."""
    form = FormState(values={"release_seconds": 5, "extended_seconds": 15, "held_seconds": 60, "warn_seconds": 15})
    if request.method == "POST":
        given = request.POST

        def act() -> None:
            seconds: dict[str, Any] = {name: number(given.get(name, ""), name) or 0 for name in SECONDS}
            services.create_point(
                request.actor,
                PointDraft(
                    code=given.get("code", "").strip(),
                    name=given.get("name", ""),
                    name_en=given.get("name_en", ""),
                    place=number(given.get("place", ""), "place") or 0,
                    kind=given.get("kind", ""),
                    controller=number(given.get("controller", ""), "controller") or 0,
                    output=number(given.get("output", "1"), "output") or 0,
                    readers=_readers(request),
                    interlock=given.get("interlock", "").strip(),
                    area_in=given.get("area_in", "").strip(),
                    area_out=given.get("area_out", "").strip(),
                    passback=given.get("passback", "off"),
                    dwelling=given.get("dwelling") == "1",
                    intercom=given.get("intercom", "").strip(),
                    **seconds,
                ),
            )

        refused = attempt(request, act, _("The door is set up; its controller is told."))
        if refused is None:
            return redirect("doors:list")
        form = refused
    status = 422 if request.method == "POST" else 200
    return render(request, "doors/edit.html", _edit_context(request, form), status=status)


@needs(MANAGE)
def edit(request: PageRequest, point_id: int) -> HttpResponseBase:
    """Change an access point."""
    point = selectors.point(request.actor, point_id)
    form = FormState(values=vars(point))
    if request.method == "POST":
        given = request.POST

        def act() -> None:
            seconds: dict[str, Any] = {name: number(given.get(name, ""), name) or 0 for name in SECONDS}
            services.change_point(
                request.actor,
                point_id,
                PointChange(
                    name=given.get("name", ""),
                    name_en=given.get("name_en", ""),
                    readers=_readers(request),
                    interlock=given.get("interlock", "").strip(),
                    area_in=given.get("area_in", "").strip(),
                    area_out=given.get("area_out", "").strip(),
                    passback=given.get("passback", "off"),
                    dwelling=given.get("dwelling") == "1",
                    intercom=given.get("intercom", "").strip(),
                    **seconds,
                ),
                number(given.get("version", ""), "version"),
            )

        refused = attempt(request, act, _("Saved; the controller is told."))
        if refused is None:
            return redirect("doors:detail", point_id)
        form = refused
    status = 422 if request.method == "POST" else 200
    return render(request, "doors/edit.html", _edit_context(request, form, point), status=status)
