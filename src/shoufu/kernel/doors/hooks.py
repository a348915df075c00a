"""What doors do when a person leaves (see `kernel.base.hooks`)."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.hooks import Ending, Receipt
from shoufu.kernel.doors import models
from shoufu.kernel.doors.services.people import admit, end_rights, restore_rights
from shoufu.kernel.parties.models import Household, Person
from shoufu.kernel.places.models import Place

EVERYTHING = ("died", "erased", "left")


def end_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """Cards, phones, faces and levels end at this moment; one line a door controller that must forget them.

    Who leaves one household loses what its compound gave, but for what another household of theirs gives.
    """
    person = Person.objects.select_related("place").get(pk=ending.person)
    homes = Household.objects.select_related("place").in_bulk({*ending.remaining, ending.household or 0})
    left = homes.get(ending.household or 0)
    everything = left is None or ending.cause in EVERYTHING
    path = "/" if everything or left is None else _compound(left.place)
    keep = [] if everything else [homes[pk].place.path for pk in ending.remaining if pk in homes]
    found = end_rights(actor, person, ending.reason, path, keep, erase=ending.cause == "erased")
    yield from lines(found)


def _compound(place: Place) -> str:
    around = Place.objects.filter(path__in=_around(place.path), kind=Place.Kind.COMPOUND)
    return around.values_list("path", flat=True).first() or place.path


def _around(path: str) -> list[str]:
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[:end]) + "/" for end in range(1, len(parts) + 1)]


def lines(found: list[models.Receipt]) -> Iterator[Receipt]:
    """Receipts of controllers as lines of a departure: one a controller."""
    by_controller: dict[int, list[models.Receipt]] = {}
    for row in found:
        by_controller.setdefault(row.controller_id, []).append(row)
    controllers = models.Controller.objects.select_related("device__place").in_bulk(by_controller)
    for pk, rows in by_controller.items():
        device = controllers[pk].device
        done = all(row.done_at is not None for row in rows)
        note = "" if done else _("waits until the door has heard of it")
        yield Receipt(_("Rights at %(door)s") % {"door": device.name}, done, len(rows), device.place_id, note)


def restore_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """Credentials open again; the levels of the household come back with the stay."""
    count = restore_rights(actor, ending.person, ending.reason)
    home = Household.objects.select_related("place").filter(pk=ending.household or 0).first()
    if home is not None:
        admit(actor, [(ending.person, home.place)])
    if count:
        yield Receipt(_("Credentials open doors again"), count=count)
