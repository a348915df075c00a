"""What the register itself ends when a person leaves (see `kernel.base.hooks`)."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.hooks import Ending, Receipt
from shoufu.kernel.parties.models import Residency, Vehicle
from shoufu.kernel.parties.selectors import today


def end_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """The cars of a household that nobody lives in any longer leave the register."""
    left = [ending.household] if ending.household else _emptied(ending.person)
    lived_in = set(
        Residency.objects.filter(household__in=left, ended_at__isnull=True).values_list("household_id", flat=True)
    )
    empty = [home for home in left if home not in lived_in]
    if empty:
        yield from _remove_vehicles(actor, empty, ending.reason)


def _emptied(person: int) -> list[int]:
    return list(Residency.objects.filter(person_id=person).values_list("household_id", flat=True).distinct())


def _remove_vehicles(actor: Actor, homes: list[int], reason: str) -> Iterator[Receipt]:
    day = today()
    rows = Vehicle.objects.select_for_update().filter(household__in=homes)
    cars = [car for car in rows.order_by("pk") if car.until is None or car.until > day]
    acts = [Act("parties.remove_vehicle", car, place=car.place_id, reason=reason) for car in cars]
    record_many(actor, acts)
    for car in cars:
        if car.since >= day:
            car.delete()
        else:
            car.until = day
            car.save(update_fields=["until"])
        yield Receipt(_("Car %(plate)s") % {"plate": car.plate}, place=car.place_id)
