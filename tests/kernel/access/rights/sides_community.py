from datetime import timedelta
from typing import Any

from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.media.models import Segment
from shoufu.scenes.community.patrols import services as patrols
from shoufu.scenes.community.patrols.models import Round
from shoufu.scenes.community.resident.models import Contact
from shoufu.scenes.community.vehicles import services as vehicles
from shoufu.scenes.community.vehicles.models import Passage
from shoufu.scenes.community.vehicles.services import EntryDraft, LaneDraft, ParkingDraft
from shoufu.scenes.community.visitors.models import Invitation
from shoufu.scenes.community.welfare.models import Check, Sensor, Watch


def vehicles_of(tag: str, compound: Any, camera: int) -> dict[str, Any]:
    """A vehicle at a lane, the compound's parking, and an entry of its list."""
    now = timezone.now()
    lane = vehicles.set_lane(SYSTEM, LaneDraft(compound.pk, camera, f"{tag} lane"))
    passage = Passage.objects.create(
        lane=lane, place=compound, direction="in", plate=tag[:12], klass="unknown", state="waiting",
        reason="unknown", began_at=now, last_at=now,
    )  # fmt: skip
    parking = vehicles.set_parking(SYSTEM, ParkingDraft(compound.pk, 9))
    listed = vehicles.add_entry(
        SYSTEM, EntryDraft("辽C12345", compound.pk, "visitor", f"{tag} visit", timezone.now() + timedelta(1))
    )
    return {"passage_id": passage.pk, "parking_id": parking.pk, "list_entry_id": listed.pk}


def community(tag: str, compound: Any, person: int, home: int, camera: int) -> dict[str, Any]:
    """A hole in a recording, a patrol with a round, a visitor, and whom a resident wants called."""
    now = timezone.now()
    hole = Segment.objects.create(device_id=camera, place=compound, t=now, gap="camera", keep_until=now)
    route = patrols.save_route(SYSTEM, patrols.RouteDraft(compound.pk, f"{tag} route", ["22:00"], [f"{tag} spot"]))
    visit = Invitation.objects.create(
        household_id=home, place=compound, host_id=person, visitor=f"{tag} visitor", since=now, until=now + timedelta(1)
    )
    contact = Contact.objects.create(person_id=person, name=b"x", phone=b"x")
    watch = Watch.objects.create(person_id=person, household_id=home, place=compound, how=f"{tag} desk")
    sensor = Sensor.objects.create(household_id=home, device_id=camera)
    check = Check.objects.create(
        person_id=person, watch=watch, household_id=home, place=compound, reason="silent", due_at=now, asked_at=now,
        step="door",
    )  # fmt: skip
    return {
        "watch_id": watch.pk, "sensor_id": sensor.pk, "check_id": check.pk,
        "segment_id": hole.pk, "route_id": route.pk, "round_id": Round.objects.create(route=route, due_at=now).pk,
        "check_point_id": route.points.get().pk, "visit_id": visit.pk, "contact_id": contact.pk,
    }  # fmt: skip
