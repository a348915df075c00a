from django.db.models import Count, Q
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.parties import selectors, services
from shoufu.kernel.parties.models import Person, Residency
from shoufu.kernel.parties.services.departures import LEAVING


def people_page() -> ListPage:
    return ListPage(
        title=_("People"),
        name="people",
        row="parties/row.html",
        template="parties/list.html",
        empty=_("Residents and staff appear here when their property office registers them."),
        columns=(
            Column("name", _("Full name"), "name", lambda p: p.name),
            Column("place", _("Where"), "place__path", lambda p: p.place.label),
            Column("code", _("Code"), "code", lambda p: p.code),
        ),
        filters=(Filter("name", _("Full name"), lambda rows, value: rows.filter(name__icontains=value)),),
    )


def vehicles_page() -> ListPage:
    return ListPage(
        title=_("Vehicles"),
        name="vehicles",
        row="parties/vehicle_row.html",
        template="parties/list.html",
        empty=_("Registered vehicles appear here."),
        columns=(
            Column("plate", _("Plate"), "plate", lambda v: v.plate),
            Column("colour", _("Colour"), "colour", lambda v: v.colour),
            Column("place", _("Where"), "place__path", lambda v: v.place.label),
            Column("household", _("Household"), "", lambda v: v.household.number if v.household else ""),
            Column("since", _("Since"), "since", lambda v: v.since),
        ),
        filters=(Filter("plate", _("Plate"), lambda rows, value: rows.filter(plate__icontains=value)),),
    )


@needs("parties.view")
def people(request: PageRequest) -> HttpResponseBase:
    """People of the scope by name; phone and identity number only by a recorded look."""
    rows = selectors.people(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, people_page(), rows, tab="people")


@needs("parties.view")
def vehicles(request: PageRequest) -> HttpResponseBase:
    """Registered vehicles of the scope."""
    rows = selectors.vehicles(request.actor).filter(place__path__startswith=request.scope.path)
    return answer(request, vehicles_page(), rows, tab="vehicles")


def households_page() -> ListPage:
    return ListPage(
        title=_("Households"),
        name="households",
        row="parties/household_row.html",
        template="parties/list.html",
        default_sort="place",
        empty=_("Households appear here when they are registered or imported."),
        columns=(
            Column("place", _("Where"), "place__path,number", lambda h: h.place.label),
            Column("number", _("Door number"), "number", lambda h: h.number),
            Column("people", _("People"), "people", lambda h: h.people, css="num"),
            Column("tenants", _("Tenants"), "tenants", lambda h: h.tenants, css="num"),
            Column("cars", _("Cars"), "cars", lambda h: h.cars, css="num"),
        ),
        filters=(Filter("number", _("Door number"), lambda rows, value: rows.filter(number__startswith=value)),),
    )


@needs("parties.view")
def households(request: PageRequest) -> HttpResponseBase:
    """Households of the scope by building and unit, with how many live there."""
    rows = selectors.households(request.actor).filter(place__path__startswith=request.scope.path)
    now = Q(residencies__ended_at__isnull=True, residencies__isnull=False)
    counted = rows.select_related("place__parent").annotate(
        people=Count("residencies", filter=now, distinct=True),
        tenants=Count("residencies", filter=now & Q(residencies__kind=Residency.Kind.TENANT), distinct=True),
        cars=Count("vehicles", filter=selectors.current("vehicles__") & Q(vehicles__isnull=False), distinct=True),
    )
    return answer(request, households_page(), counted, tab="households")


@needs("parties.view")
def household(request: PageRequest, household_id: int) -> HttpResponse:
    """One household: who lives there and who did, and its cars."""
    found = selectors.household(request.actor, household_id)
    context = {
        "household": found,
        "stays": selectors.stays(request.actor).filter(household=found)[:100],
        "vehicles": selectors.vehicles(request.actor, left=True).filter(household=found),
        "may_manage": request.actor.may("parties.manage", found.place.path),
    }
    return render(request, "parties/household.html", context)


@needs("parties.manage")
def leave(request: PageRequest, residency_id: int) -> HttpResponseBase:
    """Moving out or separating: one act that ends every right that the household gave, with its receipt."""
    stay = selectors.stays(request.actor).filter(pk=residency_id).first()
    if stay is None:
        raise NotFound(_("There is no residency %(id)s that you may see.") % {"id": residency_id})
    form = FormState(values=request.POST.dict())
    if request.method == "POST":
        wanted = services.Leaving(residency_id, form.values.get("cause", ""), form.values.get("reason", ""))
        try:
            return redirect("parties:departure", services.leave(request.actor, wanted).pk)
        except Invalid as refusal:
            form.errors = {error.field: str(error.message) for error in refusal.errors}
    causes = [(cause.value, cause.label) for cause in LEAVING]
    context = {"stay": stay, "causes": causes, "form": form}
    return render(request, "parties/leave.html", context, status=422 if form.errors else 200)


@needs("parties.manage")
def died(request: PageRequest, person_id: int) -> HttpResponseBase:
    """A death: everything ends in one act, with one receipt."""
    found = selectors.get(request.actor, person_id)
    form = FormState(values=request.POST.dict())
    if request.method == "POST":
        try:
            on = parse_date(form.values.get("on", "")) if form.values.get("on") else None
        except ValueError:
            on = None
        try:
            if on is None:
                raise Invalid.one("on", _("Choose the day."))
            done = services.died(request.actor, found.pk, on, form.values.get("reason", ""))
            return redirect("parties:departure", done.pk)
        except Invalid as refusal:
            form.errors = {error.field: str(error.message) for error in refusal.errors}
    return render(request, "parties/died.html", {"person": found, "form": form}, status=422 if form.errors else 200)


@needs("parties.view")
def departure(request: PageRequest, departure_id: int) -> HttpResponse:
    """The receipt of a person's leaving, line by line; for printing too."""
    found = selectors.departure(request.actor, departure_id)
    return render(request, "parties/departure.html", {"departure": found})


@needs("parties.view")
def person(request: PageRequest, person_id: int) -> HttpResponse:
    """One person; with a reason (POST) also phone and identity number, which leaves a trace that they can read."""
    found: Person = selectors.get(request.actor, person_id)
    form, personal, status = FormState(values=request.POST.dict()), None, 200
    if request.method == "POST":
        try:
            personal = selectors.look(request.actor, person_id, request.POST.get("reason", ""))
        except Invalid as refusal:
            form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
    homes = selectors.residents(request.actor).filter(person=found)
    return render(
        request,
        "parties/person.html",
        {
            "person": found,
            "personal": personal,
            "form": form,
            "homes": homes,
            "departures": selectors.departures(request.actor, found.pk)[:20],
            "may_manage": request.actor.may("parties.manage", found.place.path),
            "consents": selectors.consents(request.actor, found.pk),
        },
        status=status,
    )
