from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.parties import services as parties
from shoufu.kernel.parties.models import Person
from shoufu.kernel.parties.services import PersonDraft


@dataclass
class Story:
    """Mei, who is 80, and her daughter Lan live in Songshan; Chen manages it, Alice guards it."""

    world: Any
    mei: Person
    lan: Person
    mei_user: User
    lan_user: User

    def act(self, user: User) -> Actor:
        return actor_for_user(user)

    @property
    def as_mei(self) -> Actor:
        return self.act(self.mei_user)

    @property
    def as_lan(self) -> Actor:
        return self.act(self.lan_user)

    @property
    def as_chen(self) -> Actor:
        return self.act(self.world.chen)


def account(person: Person, username: str, place: Any, role: str = "resident") -> User:
    user = User.objects.create(username=username, display_name=person.name, person=person)
    RoleAssignment.objects.create(user=user, role=role, place=place, since=timezone.now() - timedelta(days=1))
    return user


def tell(world: Any) -> Story:
    """Mei and Lan with accounts, in the small district of the stories."""
    place = world.songshan
    mei, lan = parties.create_people(
        SYSTEM,
        [
            PersonDraft("欧阳梅香", place.pk, phone="13811112222", identity="210105194603210029", code="songshan-mei"),
            PersonDraft("上官兰馨", place.pk, phone="13933334444", code="songshan-lan"),
        ],
    )
    return Story(world, mei, lan, account(mei, "ouyang.mei", place), account(lan, "shangguan.lan", place))
