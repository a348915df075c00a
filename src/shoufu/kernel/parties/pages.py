from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.parties import selectors
from shoufu.kernel.parties.models import Person


def people_page() -> ListPage:
    return ListPage(
        title=_("People"),
        name="people",
        row="parties/row.html",
        template="parties/list.html",
        empty=_("Residents and staff appear here when their property office registers them."),
        columns=(
            Column("name", _("Name"), "name", lambda p: p.name),
            Column("place", _("Where"), "place__path", lambda p: p.place.label),
            Column("code", _("Code"), "code", lambda p: p.code),
        ),
        filters=(Filter("name", _("Name"), lambda rows, value: rows.filter(name__icontains=value)),),
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
            "consents": selectors.consents(request.actor, found.pk),
        },
        status=status,
    )
