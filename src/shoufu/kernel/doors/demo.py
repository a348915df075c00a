import json
import random
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.devices.demo import path as device_secrets
from shoufu.kernel.devices.models import Device
from shoufu.kernel.doors import keys, services
from shoufu.kernel.doors.models import AccessPoint
from shoufu.kernel.doors.services import (
    AssignmentDraft,
    CredentialDraft,
    DoorDraft,
    LevelDraft,
    PassDraft,
    PointDraft,
    ReaderDraft,
    ScheduleDraft,
)
from shoufu.kernel.parties.models import Person, Residency
from shoufu.kernel.places.demo import SONGSHAN
from shoufu.kernel.places.models import Place

SEED = 20261124
DOOR = (ReaderDraft("card"), ReaderDraft("pin"), ReaderDraft("qr"))
GATE = (*DOOR, ReaderDraft("card", "out"))
LANE = (ReaderDraft("plate"), ReaderDraft("plate", "out"))
INTERCOM = ("单元门口对讲，座机拨房号", "南门岗亭 24 小时有人")
EAST = 8
"""Who passes by the east gate: of twelve people this one (runtime/demo/holding.py spreads the others)."""
STAFF = ("staff-manager", "staff-guard", "staff-guard-2")


@transaction.atomic
def load(actor: Actor) -> None:
    """Make the detailed compound's access points, levels, credentials and passes; a second call changes nothing."""
    if AccessPoint.objects.exists():
        return
    points = services.create_points(actor, list(_points()))
    compound = Place.objects.get(code=SONGSHAN)
    stays = Residency.objects.filter(household__place__path__startswith=compound.path, until__isnull=True)
    rows = list(stays.select_related("household__place").order_by("pk"))
    services.admit(actor, [(row.person_id, row.household.place) for row in rows])
    _staff(actor, compound, points)
    dice = random.Random(SEED)
    _cards(actor, compound, [row.person_id for row in rows], dice)
    _passes(actor, rows)


def _points() -> Iterable[PointDraft]:
    kinds = (Device.Kind.DOOR_CONTROLLER, Device.Kind.BARRIER)
    devices = Device.objects.filter(kind__in=kinds, place__path__contains="/").select_related("place").order_by("pk")
    for device in devices.filter(code__contains=SONGSHAN):
        barrier, gate = device.kind == Device.Kind.BARRIER, device.place.kind == Place.Kind.GATE
        yield PointDraft(
            code=f"ap-{device.code}",
            name=device.name.replace("门禁", "门") if not gate or barrier else device.name.replace("门禁", "人行门"),
            name_en=device.name_en,
            place=device.place_id,
            kind="barrier" if barrier else "gate" if gate else "unit_door",
            controller=device.pk,
            readers=LANE if barrier else GATE if gate else DOOR,
            area_in="compound" if gate and not barrier else "",
            passback="soft" if gate and not barrier else "off",
            intercom=INTERCOM[gate],
        )


def _staff(actor: Actor, compound: Place, points: list[AccessPoint]) -> None:
    """Who works there opens every door; the cleaners' level shows a schedule."""
    spans = [
        {"days": ["mon", "tue", "wed", "thu", "fri", "sat"], "from": "06:30", "to": "18:30"},
        {"days": ["sun", "holiday"], "from": "08:00", "to": "12:00"},
    ]
    (hours,) = services.create_schedules(
        actor, [ScheduleDraft("cleaning-hours", "保洁时间", compound.pk, spans, "Cleaning hours")]
    )
    every = [DoorDraft(point.pk) for point in points if point.kind != "barrier"]
    timed = [DoorDraft(door.point, hours.pk) for door in every]
    staff, _cleaners = services.create_levels(
        actor,
        [
            LevelDraft("songshan-staff", "物业值班", compound.pk, every, "Property staff"),
            LevelDraft("songshan-cleaning", "保洁", compound.pk, timed, "Cleaning"),
        ],
    )
    people = list(Person.objects.filter(code__in=STAFF).order_by("code"))
    services.assign(actor, [AssignmentDraft(staff.pk, person=person.pk) for person in people])
    drafts = [
        CredentialDraft(compound.pk, "secure_card", f"5A{n:06X}", person.pk, label="工作卡", lease_days=7)
        for n, person in enumerate(people, start=1)
    ]
    emergency = CredentialDraft(
        compound.pk, "secure_card", "5AFFFFFF", holder="消防应急钥匙", levels=(staff.pk,), lease_days=0, emergency=True
    )
    services.issue_many(actor, [*drafts, emergency])


def _cards(actor: Actor, compound: Place, people: list[int], dice: random.Random) -> None:
    """A card a resident, some of them of the old kind that can be copied; a few are lost."""
    drafts = [
        CredentialDraft(
            compound.pk,
            "card" if dice.random() < 0.4 else "secure_card",
            f"{dice.getrandbits(32):08X}",
            person,
            extended=dice.random() < 0.08,
        )
        for person in people
    ]
    issued = services.issue_many(actor, drafts)
    lost = range(7, len(issued), 160)
    services.lose(actor, [issued[n].credential.pk for n in lost], "居民挂失")
    kept = [(person, one.value) for n, (person, one) in enumerate(zip(people, issued, strict=True)) if n not in lost]
    _entrance([int(value, 16) for person, value in kept if person % 12 == EAST])


def _entrance(cards: list[int]) -> None:
    """Leave for the program that simulates the east gate's readers: whom to trust, and the cards to hold to them."""
    path = device_secrets().with_name("entrance.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"server_key": keys.public_key().hex(), "cards": cards}), encoding="utf-8")


def _passes(actor: Actor, rows: list[Residency]) -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    home = rows[0]
    visitor = PassDraft(
        home.household.place_id, "李先生", now, now + timedelta(hours=6), host=home.person_id, maximum=2
    )
    nurse = PassDraft(
        home.household.place_id,
        "上门护士",
        now,
        now + timedelta(days=90),
        purpose="care",
        host=home.person_id,
        windows=[{"days": ["tue", "fri"], "from": "09:00", "to": "11:30"}],
    )
    for draft in (visitor, nurse):
        services.issue_pass(actor, draft)
