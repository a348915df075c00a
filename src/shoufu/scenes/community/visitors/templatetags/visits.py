from django import template

from shoufu.kernel.parties.models import Household
from shoufu.kernel.parties.selectors import home_label, unit_label
from shoufu.kernel.places.models import Place

register = template.Library()


@register.filter
def home(household: Household) -> str:
    """A home as people say it: "5 号楼 2 单元 301"."""
    return home_label(household)


@register.filter
def unit_of(place: Place) -> str:
    """The unit that a door stands in, with its building; the place itself for a gate."""
    inner = place.parent if place.kind == Place.Kind.DOOR and place.parent is not None else place
    return unit_label(inner)
