"""What becomes of home care when a person's rights end (see `kernel.base.hooks`)."""

from collections.abc import Iterator

from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import lent
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.base.hooks import Ending, Receipt
from shoufu.kernel.booking.services import retire_resource
from shoufu.kernel.parties.models import Household
from shoufu.scenes.homecare.assessment.services import cancel_open
from shoufu.scenes.homecare.careplans.services import plans
from shoufu.scenes.homecare.register import services
from shoufu.scenes.homecare.register.models import Patient, Practitioner
from shoufu.scenes.homecare.register.services import portraits


def end_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """A patient who died or left has no open assessment and no care any more; who gave care is sent nowhere.

    Who moves to another home that the institution serves goes on there.
    """
    rows = Patient.objects.select_for_update(of=("self",)).select_related("institution__place", "place")
    for row in rows.filter(person=ending.person, ended_at__isnull=True):
        if ending.household is not None and row.household_id != ending.household:
            continue
        if _moved(row, ending):
            continue
        cancel_open(actor, [row], ending.reason)
        services.close(actor, row, ending.cause[:12], ending.reason)
        yield Receipt(_("Home care"), place=row.place_id)
    if ending.household is None:
        yield from _no_longer_sent(actor, ending)


def _moved(row: Patient, ending: Ending) -> bool:
    homes = Household.objects.filter(pk__in=ending.remaining, place__path__startswith=row.institution.place.path)
    home = homes.select_related("place").order_by("pk").first()
    if home is None:
        return False
    row.household, row.place = home, home.place
    row.save(update_fields=["household", "place"])
    return True


def _no_longer_sent(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    rows = Practitioner.objects.select_for_update(of=("self",)).select_related("institution__place")
    for row in rows.filter(person=ending.person, left_at__isnull=True):
        row.left_at = timezone.now()
        row.save(update_fields=["left_at"])
        row.patients.clear()
        portraits.clear([row.pk])
        act = Act(
            "homecare.practitioner.left",
            row,
            row.institution.place_id,
            reason=ending.reason,
            subject=row.person_id,
        )
        record(actor, act)
        yield Receipt(_("Home visits"), done=_retired(actor, row), place=row.institution.place_id)


def _retired(actor: Actor, row: Practitioner) -> bool:
    """Whether nobody can book their time any more; False while bookings of it are still to be moved."""
    if row.resource_id is None:
        return True
    try:
        retire_resource(lent(actor, row.institution.place.path, "booking.manage", "booking.view"), row.resource_id)
    except Conflict:
        return False
    return True


def restore_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """A death or leaving that was noted by mistake: the care goes on; what was open must be opened anew."""
    rows = Patient.objects.select_for_update(of=("self",)).filter(
        person=ending.person, end_cause=ending.cause[:12], ended_at__gte=ending.at
    )
    for row in rows:
        running = Patient.objects.filter(person=row.person_id, institution=row.institution_id, ended_at__isnull=True)
        if running.exists():
            continue
        row.ended_at, row.end_cause = None, ""
        row.save(update_fields=["ended_at", "end_cause"])
        record(actor, Act("homecare.patient.restore", row, row.place_id, subject=row.person_id))
        plans.restore(actor, row, ending.cause, ending.at)
        yield Receipt(_("Home care"), place=row.place_id)
