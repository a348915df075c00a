from datetime import timedelta

from django.utils import timezone

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.devices.models import Device
from shoufu.kernel.places.demo import SONGSHAN
from shoufu.scenes.community.vehicles import services
from shoufu.scenes.community.vehicles.models import Lane, ListEntry
from shoufu.scenes.community.vehicles.services import EntryDraft, LaneDraft, ParkingDraft

ENTRIES = (
    ("辽A0X120", "emergency", "120 急救车", 365),
    ("辽AF66A8", "white", "物业工程车", 180),
    ("辽A7B9K2", "watch", "多次撞坏道闸后离开", 30),
)
SPACES = 120


def load(actor: Actor) -> None:
    """A lane at the south gate, the compound's parking and a few listed plates; a second call changes nothing."""
    if Lane.objects.exists():
        return
    camera = Device.objects.select_related("place").get(code="cam-songshan-gate-south")
    barrier = Device.objects.get(code=f"barrier-{SONGSHAN}-south")
    draft = LaneDraft(camera.place_id, camera.pk, "南门车道", barrier.pk, "both", "South Gate lane")
    compound = services.set_lane(actor, draft).compound
    tariff = {"free_minutes": 30, "per_hour": 200, "day_cap": 2000}
    services.set_parking(actor, ParkingDraft(compound.pk, SPACES, second_car="guest", tariff=tariff))
    known = set(ListEntry.objects.values_list("plate", flat=True))
    for plate, kind, purpose, days in ENTRIES:
        if plate not in known:
            until = timezone.now() + timedelta(days=days)
            services.add_entry(actor, EntryDraft(plate, compound.pk, kind, purpose, until))
