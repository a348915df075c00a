from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.base.lists import Bulk, Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.devices import selectors as devices
from shoufu.kernel.devices.models import Device
from shoufu.kernel.parties import selectors as parties
from shoufu.kernel.places import selectors as places
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.vehicles import selectors, services, words
from shoufu.scenes.community.vehicles.models import Lane, ListEntry, Parking, Passage, Stay
from shoufu.scenes.community.vehicles.services import EntryDraft, LaneDraft, ParkingDraft

RECENT = 12


@needs("vehicles.view")
def gate(request: PageRequest) -> HttpResponse:
    """The guard's desk at the gate: who waits, and who has just passed. Looks anew every two seconds."""
    waiting = list(selectors.waiting(request.actor, request.scope.path)[:10])
    recent = selectors.passages(request.actor).filter(place__path__startswith=request.scope.path)
    context = {
        "tab": "gate",
        "waiting": [(row, words.reason(row.reason)) for row in waiting],
        "recent": [(row, words.reason(row.reason)) for row in recent.exclude(state=Passage.State.WAITING)[:RECENT]],
        "occupancy": selectors.occupancy(request.actor, request.scope.path),
        "may_decide": request.actor.may_anywhere("vehicles.guard"),
        "lanes": selectors.lanes(request.actor).filter(place__path__startswith=request.scope.path).exists(),
        "may_manage": request.actor.may_anywhere("vehicles.manage"),
    }
    return render(request, "community/vehicles/gate.html", context)


@require_POST
@needs("vehicles.guard")
def decide(request: PageRequest, passage_id: int) -> HttpResponseBase:
    """The guard's word: this is the plate it is like, let it in for a reason, or not."""
    said = request.POST.get("answer", "")
    try:
        services.answer(
            request.actor,
            passage_id,
            let_in=said in ("same", "let_in"),
            like=said == "same",
            reason=request.POST.get("reason", ""),
        )
    except Invalid as refusal:
        messages.error(request, " ".join(str(error.message) for error in refusal.errors))
    except Conflict as refusal:
        messages.error(request, str(refusal.detail))
    return redirect("community:vehicles:gate")


def _passages_page() -> ListPage:
    return ListPage(
        title=_("Passages"),
        name="passages",
        row="community/vehicles/passage_row.html",
        template="community/vehicles/list.html",
        default_sort="-at",
        empty=_("Passages appear here when a camera reads plates at a lane."),
        columns=(
            Column("at", _("When"), "began_at", lambda p: p.began_at),
            Column("plate", _("Plate"), "plate", lambda p: p.plate),
            Column("like", _("Like"), "", lambda p: p.like),
            Column("direction", _("Direction"), "direction", lambda p: p.direction),
            Column("klass", _("Who it is"), "klass", lambda p: p.get_klass_display()),
            Column("state", _("What happened"), "state", lambda p: p.get_state_display()),
            Column("reason", _("Why"), "", lambda p: words.reason(p.reason)),
            Column("by", _("Decided by"), "", lambda p: p.decided_by),
        ),
        filters=(
            Filter("plate", _("Plate"), lambda rows, value: rows.filter(plate__icontains=value.upper())),
            Filter("klass", _("Who it is"), lambda rows, value: rows.filter(klass=value), Passage.Class.choices),
            Filter("state", _("What happened"), lambda rows, value: rows.filter(state=value), Passage.State.choices),
        ),
    )


@needs("vehicles.view")
def passages(request: PageRequest) -> HttpResponseBase:
    """Passages of the scope, newest first."""
    rows = selectors.passages(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, _passages_page(), rows, tab="passages")


@needs("vehicles.view")
def passage(request: PageRequest, passage_id: int) -> HttpResponse:
    """One passage with its picture and raw readings."""
    row = selectors.passage(request.actor, passage_id)
    reads = [(datetime.fromtimestamp(one["t"], timezone.get_current_timezone()), one) for one in row.reads]
    context = {"passage": row, "reason": words.reason(row.reason), "reads": reads}
    return render(request, "community/vehicles/passage.html", context)


def _lists_page() -> ListPage:
    return ListPage(
        title=_("Lists"),
        name="lists",
        row="community/vehicles/entry_row.html",
        template="community/vehicles/list.html",
        default_sort="until",
        empty=_(
            "Plates that are always let in, expected or watched for appear here, with why, by whom and until when."
        ),
        columns=(
            Column("plate", _("Plate"), "plate", lambda e: e.plate),
            Column("list", _("List"), "list", lambda e: e.get_list_display()),
            Column("purpose", _("What for"), "", lambda e: e.purpose),
            Column("place", _("Where"), "place__path", lambda e: e.place.label),
            Column("author", _("By"), "author", lambda e: e.author),
            Column("until", _("Until"), "until", lambda e: e.until),
            Column("used", _("Used"), "used", lambda e: f"{e.used}/{e.passes or '∞'}"),
        ),
        filters=(
            Filter("list", _("List"), lambda rows, value: rows.filter(list=value), ListEntry.List.choices),
            Filter("plate", _("Plate"), lambda rows, value: rows.filter(plate__icontains=value.upper())),
        ),
        bulk=(Bulk(_("Take off the list"), reverse("community:vehicles:revoke"), "trash", _("Why")),),
    )


@needs("vehicles.view")
def lists(request: PageRequest) -> HttpResponseBase:
    """White, visitor, watch and emergency lists of the scope."""
    rows = selectors.entries(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, _lists_page(), rows, tab="lists", add=request.actor.may_anywhere("vehicles.guard"))


def _compounds(request: PageRequest, permission: str) -> list[Place]:
    rows = places.visible(request.actor).filter(kind=Place.Kind.COMPOUND, path__startswith=request.scope.path)
    return [place for place in rows.order_by("path") if request.actor.may(permission, place.path)]


@needs("vehicles.guard")
def entry(request: PageRequest) -> HttpResponseBase:
    """Put a plate on a list."""
    form = FormState(values=request.POST.dict() if request.method == "POST" else {"list": "visitor"})
    compounds = _compounds(request, "vehicles.guard")
    if request.method == "POST":
        try:
            services.add_entry(request.actor, _draft(form.values))
            return redirect("community:vehicles:lists")
        except Invalid as refusal:
            form.errors = {error.field: str(error.message) for error in refusal.errors}
    manages = request.actor.may_anywhere("vehicles.manage")
    kinds = [(code, word) for code, word in ListEntry.List.choices if manages or code == ListEntry.List.VISITOR]
    context = {"form": form, "compounds": compounds, "kinds": kinds}
    return render(request, "community/vehicles/entry.html", context, status=422 if form.errors else 200)


def _draft(values: dict[str, Any]) -> EntryDraft:
    try:
        day = parse_date(values.get("until", ""))
    except ValueError:
        day = None
    if day is None:
        raise Invalid.one("until", _("Choose the last day."))
    if not values.get("place", "").isdigit():
        raise Invalid.one("place", _("Choose a compound."))
    until = timezone.make_aware(datetime.combine(day + timedelta(days=1), time(0)))
    passes = values.get("passes", "")
    if passes and not passes.isdigit():
        raise Invalid.one("passes", _("Between 1 and 1000 passages."))
    return EntryDraft(
        values.get("plate", ""),
        int(values["place"]),
        values.get("list", ""),
        values.get("purpose", ""),
        until,
        passes=int(passes) if passes else None,
    )


@require_POST
@needs("vehicles.guard")
def revoke(request: PageRequest) -> HttpResponseBase:
    """Take the picked plates off their lists."""
    ids = [int(one) for one in request.POST.getlist("ids") if one.isdigit()]
    try:
        services.revoke_entries(request.actor, ids, request.POST.get("reason", ""))
    except Invalid as refusal:
        messages.error(request, " ".join(str(error.message) for error in refusal.errors))
    return redirect("community:vehicles:lists")


def _registered_page() -> ListPage:
    return ListPage(
        title=_("Registered vehicles"),
        name="vehicles",
        row="community/vehicles/vehicle_row.html",
        template="community/vehicles/list.html",
        default_sort="plate",
        empty=_("Registered vehicles appear here."),
        columns=(
            Column("plate", _("Plate"), "plate", lambda v: v.plate),
            Column(
                "household", _("Household"), "household__number", lambda v: v.household.number if v.household else ""
            ),
            Column("place", _("Where"), "place__path", lambda v: v.place.label),
            Column("since", _("Since"), "since", lambda v: v.since),
            Column("until", _("Until"), "until", lambda v: v.until),
        ),
        filters=(Filter("plate", _("Plate"), lambda rows, value: rows.filter(plate__icontains=value.upper())),),
    )


@needs("vehicles.view")
def registered(request: PageRequest) -> HttpResponseBase:
    """Registered vehicles of the scope."""
    rows = parties.vehicles(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(
        request, _registered_page(), rows.select_related("household__place__parent", "place"), tab="registered"
    )


@needs("vehicles.view")
def vehicle(request: PageRequest, vehicle_id: int) -> HttpResponse:
    """One registered vehicle: whose it is, whether it is inside, when it passed."""
    row = selectors.vehicle(request.actor, vehicle_id)
    context = {
        "vehicle": row,
        "inside": Stay.objects.filter(plate=row.plate, place=row.place_id, until__isnull=True).first(),
        "passages": selectors.passages(request.actor).filter(plate=row.plate)[:30],
    }
    return render(request, "community/vehicles/vehicle.html", context)


@needs("vehicles.view")
def parking(request: PageRequest) -> HttpResponse:
    """How full each parking is, over the last day, and which guests are inside."""
    now = timezone.now()
    found = selectors.occupancy(request.actor, request.scope.path)
    guests = selectors.stays(request.actor).filter(guest=True, place__path__startswith=request.scope.path)[:100]
    context = {
        "tab": "parking",
        "parkings": [(item, _chart(item, selectors.curve(item.parking, now))) for item in found],
        "guests": guests,
        "may_correct": request.actor.may_anywhere("vehicles.guard"),
        "may_manage": request.actor.may_anywhere("vehicles.manage"),
        "without": [
            place
            for place in _compounds(request, "vehicles.manage")
            if place.pk not in {item.parking.place_id for item in found}
        ],
    }
    return render(request, "community/vehicles/parking.html", context)


def _chart(item: selectors.Occupancy, curve: list[tuple[datetime, int]]) -> list[dict[str, Any]]:
    """Bars of an SVG, 24 hours from left to right; height as a share of the capacity (or of the fullest hour)."""
    most = max(1, item.parking.capacity, *(count for _at, count in curve))
    return [
        {"x": n * 20, "height": round(count / most * 100, 1), "top": round(100 - count / most * 100, 1), "n": count}
        | {"hour": timezone.localtime(at).strftime("%H:%M")}
        for n, (at, count) in enumerate(curve)
    ]


@require_POST
@needs("vehicles.guard")
def correct(request: PageRequest, parking_id: int) -> HttpResponseBase:
    """A guard has counted the cars."""
    try:
        count = request.POST.get("inside", "")
        if not count.isdigit():
            raise Invalid.one("inside", _("Between 0 and 100,000 cars."))
        services.correct_count(request.actor, parking_id, int(count), request.POST.get("reason", ""))
    except Invalid as refusal:
        messages.error(request, " ".join(str(error.message) for error in refusal.errors))
    return redirect("community:vehicles:parking")


LANE_NUMBERS = {"clear_seconds": 20, "wait_seconds": 120}


@needs("vehicles.manage")
def lanes(request: PageRequest) -> HttpResponseBase:
    """The lanes of the scope, and a form that sets one up or changes the one of a camera."""
    form = FormState(values=request.POST.dict() if request.method == "POST" else {**LANE_NUMBERS, "free_exit": "on"})
    if request.method == "POST":
        try:
            services.set_lane(request.actor, _lane(request, form.values))
            return redirect("community:vehicles:lanes")
        except Invalid as refusal:
            form.errors = {error.field: str(error.message) for error in refusal.errors}
    found = devices.visible(request.actor).filter(place__path__startswith=request.scope.path)
    context = {
        "tab": "lanes",
        "lanes": selectors.lanes(request.actor).filter(place__path__startswith=request.scope.path),
        "cameras": found.filter(kind=Device.Kind.CAMERA),
        "barriers": found.filter(kind=Device.Kind.BARRIER),
        "directions": Lane.Direction.choices,
        "form": form,
    }
    return render(request, "community/vehicles/lanes.html", context, status=422 if form.errors else 200)


def _lane(request: PageRequest, values: dict[str, Any]) -> LaneDraft:
    numbers = {name: str(values.get(name, "")).strip() for name in LANE_NUMBERS}
    wrong = next((name for name, text in numbers.items() if not text.isdigit()), "")
    if wrong:
        raise Invalid.one(wrong, _("Write a whole number."))
    if not str(values.get("camera", "")).isdigit():
        raise Invalid.one("camera", _("Choose a device of this kind that is in service."))
    camera = devices.get(request.actor, int(values["camera"]))
    barrier = str(values.get("barrier", ""))
    return LaneDraft(
        camera.place_id,
        camera.pk,
        values.get("name", ""),
        int(barrier) if barrier.isdigit() else None,
        values.get("direction", "both"),
        clear_seconds=int(numbers["clear_seconds"]),
        wait_seconds=int(numbers["wait_seconds"]),
        free_exit=bool(values.get("free_exit")),
    )


@needs("vehicles.manage")
def parking_rules(request: PageRequest, place_id: int) -> HttpResponseBase:
    """Spaces, visitors' hours, second cars and prices of a compound."""
    place = places.get(request.actor, place_id)
    row = Parking.objects.filter(place=place).first()
    form = FormState(values=request.POST.dict() if request.method == "POST" else _values(row))
    if request.method == "POST":
        try:
            services.set_parking(request.actor, _parking(place.pk, form.values))
            return redirect("community:vehicles:parking")
        except Invalid as refusal:
            form.errors = {error.field: str(error.message) for error in refusal.errors}
    context = {"place": place, "form": form, "choices": Parking.SecondCar.choices}
    return render(request, "community/vehicles/parking_rules.html", context, status=422 if form.errors else 200)


PRICES = ("free_minutes", "per_hour", "day_cap")
NUMBERS = ("capacity", "visitor_hours", "spaces_per_household")


def _values(row: Parking | None) -> dict[str, Any]:
    if row is None:
        return {"capacity": "", "visitor_hours": 4, "spaces_per_household": 1, "free_minutes": 30, "per_hour": 200}
    return {name: getattr(row, name) for name in (*NUMBERS, "second_car")} | dict(row.tariff)


def _parking(place: int, values: dict[str, Any]) -> ParkingDraft:
    numbers = {name: str(values.get(name, "")).strip() for name in (*NUMBERS, *PRICES)}
    wrong = [name for name, text in numbers.items() if text and not text.isdigit()]
    wrong += [name for name in NUMBERS if not numbers[name]]
    if wrong:
        raise Invalid.one(wrong[0], _("Write a whole number."))
    tariff = {name: int(numbers[name]) for name in PRICES if numbers[name]}
    capacity, hours, spaces = (int(numbers[name]) for name in NUMBERS)
    return ParkingDraft(place, capacity, hours, spaces, values.get("second_car", "allow"), tariff)
