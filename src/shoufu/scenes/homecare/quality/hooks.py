"""What becomes of quality when a person's rights end (see `kernel.base.hooks`)."""

from collections.abc import Iterator

from django.db.models import Q
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.hooks import Ending, Receipt
from shoufu.kernel.parties.models import Household
from shoufu.scenes.homecare.quality.models import Bar, Sanction
from shoufu.scenes.homecare.quality.services import bars
from shoufu.scenes.homecare.quality.services.retention import end_refusals
from shoufu.scenes.homecare.register.models import Patient


def end_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """Who is cared for no longer is on no list and refuses nobody; who gives care no longer is under no sanction.

    Complaints stay with the institution until it answers. Whoever moves to another home that the institution serves
    goes on there, with what was decided.
    """
    ended = Q(patient__in=[row.pk for row in _patients(ending)])
    left = Q(practitioner__person=ending.person) if ending.household is None else Q(pk__in=[])
    if count := end_refusals(ending.at, ended | left):
        yield Receipt(_("Refusals in home care"), count=count)
    rows = Bar.objects.select_for_update(of=("self",)).select_related(
        "patient__person", "patient__place", "patient__institution__organisation", "place"
    )
    for row in rows.filter(ended, state__in=Bar.OPEN):
        if row.state == Bar.State.PROPOSED:
            row.state, row.ended_at = Bar.State.REJECTED, ending.at
            row.save(update_fields=["state", "ended_at"])
        else:
            bars.end(actor, row, Bar.State.LIFTED, ending.reason)
        yield Receipt(_("Entry about home visits"), place=row.place_id)
    held = Sanction.objects.filter(left, state=Sanction.State.IN_FORCE)
    if count := held.update(state=Sanction.State.EXPIRED, ended_at=ending.at):
        yield Receipt(_("Sanctions in home care"), count=count)


def _patients(ending: Ending) -> list[Patient]:
    """The patients whose care ends, by the rule of the register's own hook, which may run before or after this one."""
    rows = Patient.objects.filter(person=ending.person).select_related("institution__place").defer("access", "health")
    if ending.household is None:
        return list(rows)
    homes = Household.objects.filter(pk__in=ending.remaining)
    paths = list(homes.values_list("place__path", flat=True))
    return [
        row
        for row in rows.filter(household=ending.household)
        if not any(path.startswith(row.institution.place.path) for path in paths)
    ]
