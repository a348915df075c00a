"""A district with two compounds next to each other, filled alike, and people of every role in each."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.observations import services as observations
from shoufu.kernel.parties.models import Person
from shoufu.kernel.places import services as places
from shoufu.kernel.places.services import PlaceDraft
from shoufu.runtime.drill.neighbours.rows import Estate, start_ids

OWN_IDS, THEIR_IDS, LATER_IDS = 1_700_000_000, 1_731_000_000, 2_000_000_000


@dataclass(frozen=True)
class District:
    """`own` is where the people of the drill belong, `theirs` the neighbour; users by role."""

    own: Estate
    theirs: Estate
    people: dict[str, User]
    neighbours: dict[str, User]


def build() -> District:
    """Make it in an empty database."""
    observations.sync_kinds(SYSTEM)
    root = places.create(SYSTEM, PlaceDraft("district", "drill", "演练区"))
    own = _estate("own", OWN_IDS, "qjw", "qjwvkx", root.code)
    theirs = _estate("theirs", THEIR_IDS, "zhb", "zhbxgq", root.code)
    start_ids(LATER_IDS)
    return District(own, theirs, _people(own), _people(theirs))


def _estate(name: str, first_id: int, bait: str, secret: str, parent: str) -> Estate:
    start_ids(first_id)
    drafts = [
        PlaceDraft("compound", f"{secret}-c", f"{secret}小区", parent, secret, longitude=123.4, latitude=41.8),
        PlaceDraft("building", f"{secret}-b", f"{secret}楼", f"{secret}-c", secret),
        PlaceDraft("unit", f"{secret}-u", f"{secret}单元", f"{secret}-b", secret),
        PlaceDraft("door", f"{secret}-d", f"{secret}门", f"{secret}-u", secret),
    ]
    made = places.create_many(SYSTEM, drafts)
    estate = Estate(name, first_id, bait, secret, made[0])
    estate.fill()
    # An account without any role is nobody's; those of an estate have one there.
    for user in User.objects.filter(pk__gte=first_id, assignments__isnull=True):
        RoleAssignment.objects.create(user=user, role="resident", place=estate.place, since=timezone.now())
    return estate


def _people(estate: Estate) -> dict[str, User]:
    """One user a role, each a person of the compound."""
    users = {}
    for code in sorted(registry.roles()):
        name = f"{estate.bait}-{code}"
        person = Person.objects.create(code=name, name=name, place=estate.place)
        user = User.objects.create(username=name, display_name=name, password="!", person=person)
        RoleAssignment.objects.create(user=user, role=code, place=estate.place, since=timezone.now())
        users[code] = user
    return users
