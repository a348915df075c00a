from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.base.hooks import Ending, restore_person
from shoufu.kernel.parties import services
from shoufu.kernel.parties.models import Person
from shoufu.kernel.parties.services import HouseholdDraft, PersonDraft, ResidencyDraft
from shoufu.kernel.parties.services.departures import Leaving, died, leave

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_keys(settings: Any, tmp_path: Path) -> None:
    settings.KEYS_ROOT = tmp_path


@pytest.fixture
def mei(world: Any) -> Person:
    return services.create_person(world.act(world.chen), PersonDraft("李梅", world.songshan.pk))


@pytest.fixture
def account(world: Any, stage: Any, mei: Person) -> User:
    """Mei lives in Songshan with an account of a resident, and guards the neighbouring compound."""
    user = stage._user("Mei", "resident", world.songshan)
    user.person = mei
    user.save(update_fields=["person"])
    RoleAssignment.objects.create(user=user, role="guard", place=world.changjiang, since=timezone.now())
    return user


def roles(user: User) -> list[str]:
    rows = RoleAssignment.objects.filter(user=user)
    return sorted(row.role for row in rows if row.until is None or row.until > timezone.now() + timedelta(seconds=1))


def stays(world: Any, mei: Person, *numbers: str) -> list[int]:
    chen = world.act(world.chen)
    homes = services.create_households(chen, [HouseholdDraft(world.door.pk, number) for number in numbers])
    rows = services.move_in(chen, [ResidencyDraft(mei.pk, home.pk) for home in homes])
    return [row.pk for row in rows]


def test_who_moves_out_is_a_resident_no_longer_but_keeps_their_work(world: Any, mei: Person, account: User) -> None:
    (stay,) = stays(world, mei, "301")
    epoch = account.session_epoch
    departure = leave(world.act(world.chen), Leaving(stay))
    account.refresh_from_db()
    assert roles(account) == ["guard"] and account.is_active and account.session_epoch == epoch + 1
    assert any("居民" in line["what"] or "Resident" in line["what"] for line in departure.lines)


def test_who_goes_on_living_there_stays_a_resident(world: Any, mei: Person, account: User) -> None:
    first, _ = stays(world, mei, "301", "302")
    leave(world.act(world.chen), Leaving(first))
    assert roles(account) == ["guard", "resident"]


def test_death_closes_the_account(world: Any, mei: Person, account: User) -> None:
    died(world.act(world.chen), mei.pk, date(2026, 1, 1))
    account.refresh_from_db()
    assert roles(account) == [] and not account.is_active


def test_an_ending_by_mistake_gives_the_roles_back(world: Any, mei: Person, account: User) -> None:
    (stay,) = stays(world, mei, "301")
    departure = leave(world.act(world.chen), Leaving(stay))
    restore_person(world.act(world.chen), Ending(mei.pk, departure.at, departure.cause))
    assert roles(account) == ["guard", "resident"]
