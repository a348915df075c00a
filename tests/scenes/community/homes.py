from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.devices import services as devices
from shoufu.kernel.doors import services as doors
from shoufu.kernel.parties import services as parties
from shoufu.kernel.places import services as places
from shoufu.kernel.places.models import Place
from shoufu.kernel.places.services import PlaceDraft


@dataclass
class Homes:
    """Songshan 1-1-101 is Mei's, who is 80; her daughter Lan and the neighbour Li live in 1-2-101. Alice guards."""

    world: Any
    gate: Any
    unit_door: Any
    mei: Any
    lan: Any
    li: Any
    mei_home: Any
    lan_home: Any
    users: dict[str, User]

    def act(self, name: str) -> Actor:
        return actor_for_user(self.users[name])


def _account(name: str, person: Any, place: Any) -> User:
    user = User.objects.create(username=name, display_name=person.name, person=person)
    RoleAssignment.objects.create(user=user, role="resident", place=place, since=timezone.now() - timedelta(days=1))
    return user


def build(world: Any) -> Homes:
    compound = world.songshan
    places.create_many(
        SYSTEM,
        [
            PlaceDraft("building", "s-b1", "1 号楼", "songshan"),
            *(PlaceDraft("unit", f"s-b1-u{n}", f"{n} 单元", "s-b1") for n in (1, 2)),
            *(PlaceDraft("door", f"s-b1-u{n}-door", "单元门", f"s-b1-u{n}") for n in (1, 2)),
            PlaceDraft("gate", "s-gate", "南门", "songshan"),
        ],
    )
    at = {place.code: place for place in Place.objects.all()}
    spots = ("s-gate", "s-b1-u1-door", "s-b1-u2-door")
    made = devices.register_many(
        SYSTEM,
        [devices.DeviceDraft(f"dc-{code}", "door_controller", code, at[code].pk, protocol="http") for code in spots],
    )
    readers = (doors.ReaderDraft("card"), doors.ReaderDraft("qr"), doors.ReaderDraft("pin"))
    points = doors.create_points(
        SYSTEM,
        [
            doors.PointDraft(f"ap-{code}", code, at[code].pk, kind, one.device.pk, readers=readers)
            for code, kind, one in zip(spots, ("gate", "unit_door", "unit_door"), made, strict=True)
        ],
    )
    drafts = [
        parties.PersonDraft("欧阳梅香", compound.pk, "13811112222", born=date(1946, 3, 21)),
        parties.PersonDraft("上官兰馨", compound.pk, "13933334444", born=date(1972, 5, 2)),
        parties.PersonDraft("李强", compound.pk),
    ]
    mei, lan, li = parties.create_people(SYSTEM, drafts)
    homes = parties.create_households(SYSTEM, [parties.HouseholdDraft(at[f"s-b1-u{n}"].pk, "101") for n in (1, 2)])
    stays = ((mei, homes[0]), (lan, homes[1]), (li, homes[1]))
    parties.move_in(SYSTEM, [parties.ResidencyDraft(p.pk, h.pk, since=date(2020, 1, 1)) for p, h in stays])
    doors.admit(SYSTEM, [(person.pk, home.place) for person, home in stays])
    users = {
        "mei": _account("mei", mei, compound),
        "lan": _account("lan", lan, compound),
        "li": _account("li", li, compound),
        "guard": world.alice,
        "other_guard": world.bob,
        "manager": world.chen,
    }
    return Homes(world, points[0], points[1], mei, lan, li, homes[0], homes[1], users)
