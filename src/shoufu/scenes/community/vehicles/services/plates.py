"""Plates as credentials of barrier controllers, so that a barrier opens for its residents without the network."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from shoufu.engines.plates.match import normalised
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.doors import services as doors
from shoufu.kernel.doors.models import AccessLevel, AccessPoint, Credential, Technology
from shoufu.kernel.doors.services.credentials import CredentialDraft
from shoufu.kernel.doors.services.levels import DoorDraft, LevelDraft
from shoufu.kernel.parties.models import Vehicle
from shoufu.kernel.parties.selectors import current
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.vehicles.models import Lane, ListEntry

HOLDER = "vehicles"
AHEAD = timedelta(hours=1)


@transaction.atomic
def sync_plates(actor: Actor) -> int:
    """Bring the plates that barrier controllers hold in line with the register and the lists; how many changed.

    Concerns compounds with a lane whose barrier is an access point of a controller with a plate reader. Watched plates
    are never given to a controller.
    """
    barriers = Lane.objects.filter(barrier__isnull=False).values_list("compound_id", "barrier_id").distinct()
    changed = 0
    for compound in Place.objects.filter(pk__in={pk for pk, _barrier in barriers}):
        controllers = [barrier for pk, barrier in barriers if pk == compound.pk]
        points = AccessPoint.objects.filter(controller_id__in=controllers, retired_at__isnull=True)
        wanted = [point for point in points if point.readers.filter(technology=Technology.PLATE).exists()]
        if wanted:
            changed += _sync(actor, compound, wanted)
    return changed


def _sync(actor: Actor, compound: Place, points: list[AccessPoint]) -> int:
    level = _level(actor, compound, points)
    plates = _plates(compound)
    rows = Credential.objects.filter(
        place=compound, technology=Technology.PLATE, holder=HOLDER, state=Credential.State.ACTIVE
    )
    held = {row.label: row for row in rows}
    gone = [row.pk for label, row in held.items() if label not in plates]
    if gone:
        doors.revoke(actor, gone, "the plate has left the register or its list")
    fresh = [plate for plate in plates if plate not in held]
    drafts = [
        CredentialDraft(compound.pk, Technology.PLATE, plate, holder=HOLDER, label=plate, levels=(level.pk,))
        for plate in sorted(fresh)
    ]
    doors.issue_many(actor, drafts)
    return len(gone) + len(fresh)


def _plates(compound: Place) -> set[str]:
    now = timezone.now()
    registered = Vehicle.objects.filter(current(), place__path__startswith=compound.path).values_list(
        "plate", flat=True
    )
    listed = ListEntry.objects.filter(
        place=compound, revoked_at__isnull=True, since__lte=now + AHEAD, until__gt=now
    ).exclude(list__in=[ListEntry.List.WATCH, ListEntry.List.VISITOR])
    watched = ListEntry.objects.filter(
        list=ListEntry.List.WATCH, place=compound, revoked_at__isnull=True, until__gt=now
    ).values_list("plate", flat=True)
    found = {normalised(plate) for plate in (*registered, *listed.values_list("plate", flat=True))}
    return found - {normalised(plate) for plate in watched}


def _level(actor: Actor, compound: Place, points: list[AccessPoint]) -> AccessLevel:
    code = f"vehicles-{compound.pk}"
    there = AccessLevel.objects.filter(code=code).first()
    if there is not None:
        return there
    draft = LevelDraft(code, "车辆道闸", compound.pk, [DoorDraft(point.pk) for point in points], "Barriers")
    return doors.create_levels(actor, [draft])[0]
