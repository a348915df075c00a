from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.lists import Column, Filter, ListPage, answer
from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.kernel.places import selectors
from shoufu.kernel.places.models import Place


def list_page() -> ListPage:
    return ListPage(
        title=_("Places"),
        name="places",
        row="places/row.html",
        default_sort="name",
        empty=_("Places appear here when a district is loaded: shoufu demo load, or the API."),
        columns=(
            Column("name", _("Place"), "path", lambda p: p.name),
            Column("kind", _("Kind"), "kind", lambda p: p.get_kind_display()),
            Column("code", _("Code"), "code", lambda p: p.code),
            Column("position", _("Position"), "", lambda p: f"{p.longitude},{p.latitude}" if p.longitude else ""),
        ),
        filters=(
            Filter("kind", _("Kind"), lambda rows, value: rows.filter(kind=value), Place.Kind.choices),
            Filter(
                "text",
                _("Name or code"),
                lambda rows, value: rows.filter(name__icontains=value) | rows.filter(code__icontains=value),
            ),
        ),
    )


@needs("places.view")
def listing(request: PageRequest) -> HttpResponse:
    """Places of the scope, in tree order."""
    return answer(request, list_page(), selectors.subtree(request.actor, request.scope.place).defer("geometry"))  # type: ignore[return-value]


@needs("places.view")
def detail(request: PageRequest, place_id: int) -> HttpResponse:
    """One place: what lies in it, what happens at it."""
    from shoufu.kernel.cases import selectors as cases
    from shoufu.kernel.devices import selectors as devices
    from shoufu.kernel.parties import selectors as parties

    place = selectors.get(request.actor, place_id)
    now = timezone.now()
    actor = request.actor
    return render(
        request,
        "places/detail.html",
        {
            "place": place,
            "trail": selectors.ancestors(actor, place),
            "children": selectors.subtree(actor, place).filter(parent=place).order_by("sort", "name")[:200],
            "devices": devices.visible(actor).filter(place__path__startswith=place.path)[:30],
            "health": devices.health(actor, place.path) if actor.may_anywhere("devices.view") else None,
            "cases": cases.listing(actor, cases.CaseFilter(place=place.path, since=now - timedelta(days=30)))[:10],
            "households": parties.households(actor).filter(place__path__startswith=place.path).count(),
            "residents": parties.residents(actor, place.path).count(),
            "vehicles": parties.vehicles(actor).filter(place__path__startswith=place.path).count(),
        },
    )
