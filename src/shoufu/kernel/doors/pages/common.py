from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid
from shoufu.kernel.base.pages import FormState, PageRequest
from shoufu.kernel.places import selectors as places
from shoufu.kernel.places.models import Place


def attempt(request: PageRequest, act: Callable[[], Any], done: str) -> FormState | None:
    """Do what a form asks for; None and a message where it worked, else what was typed with what is wrong."""
    form = FormState(values=request.POST.dict())
    try:
        act()
    except Invalid as refusal:
        form.errors = {error.field.rpartition("/")[2]: str(error.message) for error in refusal.errors}
        form.problem = "; ".join(dict.fromkeys(str(error.message) for error in refusal.errors))
        return form
    except (Conflict, Forbidden) as refusal:
        form.problem = str(refusal.detail)
        return form
    messages.success(request, done)
    return None


def act_and_return(request: PageRequest, act: Callable[[], Any], done: str, where: str, *args: Any) -> HttpResponseBase:
    """For a button without fields of its own: do it and go back; what is wrong is said above the page."""
    form = attempt(request, act, done)
    if form is not None:
        messages.error(request, form.problem)
    return redirect(where, *args)


def moment(text: str, field: str, place: Place | None = None) -> datetime | None:
    """The moment of a date-time field, in the place's zone; None when empty."""
    if not text.strip():
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise Invalid.one(field, _("Write a day and time, such as 2026-12-01 08:00."))
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(place.time_zone if place else "Asia/Shanghai"))


def number(text: str, field: str) -> int | None:
    """The whole number of a field; None when empty."""
    if not text.strip():
        return None
    if not text.strip().isdigit():
        raise Invalid.one(field, _("Write a whole number."))
    return int(text)


def home(request: PageRequest, permission: str) -> Place:
    """The compound (or the place chosen above) that a new thing belongs to."""
    place = request.scope.place
    if place is not None and request.actor.may(permission, place.path):
        return place  # type: ignore[no-any-return]
    roots = places.roots(request.actor, permission=permission)
    if not roots:
        raise Forbidden(permission)
    return roots[0]


def compounds(request: PageRequest, permission: str) -> list[Place]:
    """Compounds in which the actor has the right, in the scope."""
    rows = places.visible(request.actor, permission=permission).filter(kind=Place.Kind.COMPOUND)
    return list(rows.filter(path__startswith=request.scope.path).order_by("path"))
