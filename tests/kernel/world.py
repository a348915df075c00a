from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.devices.models import Device
from shoufu.kernel.places.models import Place
from shoufu.kernel.rules.models import Firing, Rule, RuleVersion


@dataclass
class World:
    """A small district: Alice guards Songshan, Bob Changjiang; Chen manages Songshan, Dan the alarm centre."""

    district: Place
    songshan: Place
    changjiang: Place
    door: Place
    controller: Device
    alice: User
    bob: User
    chen: User
    dan: User

    def act(self, user: User) -> Actor:
        return actor_for_user(user)


def _place(kind: str, name: str, code: str, parent: Place | None = None) -> Place:
    place = Place(kind=kind, code=code, name=name, name_en=code.title(), parent=parent, depth=0)
    place.path = code
    place.save()
    place.path = f"{parent.path if parent else '/'}{place.pk}/"
    place.depth = parent.depth + 1 if parent else 0
    place.save()
    return place


def _user(name: str, role: str, place: Place) -> User:
    user = User.objects.create(username=name.lower(), display_name=name)
    RoleAssignment.objects.create(user=user, role=role, place=place, since=timezone.now() - timedelta(days=1))
    return user


def build() -> World:
    district = _place("district", "皇姑区", "huanggu")
    songshan = _place("compound", "松山小区", "songshan", district)
    changjiang = _place("compound", "长江小区", "changjiang", district)
    building = _place("building", "5 号楼", "songshan-5", songshan)
    door = _place("door", "2 单元门", "songshan-5-2", building)
    controller = Device.objects.create(code="dc-songshan-5-2", kind="door_controller", name="2 单元门禁", place=door)
    return World(
        district=district,
        songshan=songshan,
        changjiang=changjiang,
        door=door,
        controller=controller,
        alice=_user("Alice", "guard", songshan),
        bob=_user("Bob", "guard", changjiang),
        chen=_user("Chen", "property_manager", songshan),
        dan=_user("Dan", "alarm_officer", district),
    )


def firing(world: World, *, key: str = "dc-songshan-5-2", seconds_ago: float = 1, suppressed: bool = False) -> Firing:
    """A firing of the rule "door held open" at the door of building 5."""
    rule, _ = Rule.objects.get_or_create(code="held", defaults={"name": "门长时间未关", "place": world.songshan})
    version, _ = RuleVersion.objects.get_or_create(
        rule=rule, number=1, defaults={"spec": {}, "state": "live", "author": "test"}
    )
    return Firing.objects.create(
        version=version,
        key=key,
        t=timezone.now() - timedelta(seconds=seconds_ago),
        place=world.door,
        device=world.controller,
        batch=1,
        suppressed=suppressed,
    )
