from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.cases.models import Case
from shoufu.kernel.devices.models import Command, Device
from shoufu.kernel.observations.wire import BatchRow
from shoufu.kernel.parties.models import Household, Vehicle
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.passages import vehicle_passages
from shoufu.scenes.community.vehicles import selectors, services
from shoufu.scenes.community.vehicles.models import ListEntry, Parking, Passage, Stay
from shoufu.scenes.community.vehicles.services import EntryDraft, LaneDraft, ParkingDraft

HOUR = timedelta(hours=1)


def _place(kind: str, code: str, path: str, parent: Place | None = None) -> Place:
    place = Place.objects.create(kind=kind, code=code, name=code, path="?" + code, depth=0, parent=parent)
    place.path = f"{parent.path if parent else '/'}{place.pk}/"
    place.depth = parent.depth + 1 if parent else 0
    place.save()
    return place


def _user(name: str, role: str, place: Place) -> User:
    user = User.objects.create(username=name, display_name=name)
    RoleAssignment.objects.create(user=user, role=role, place=place, since=timezone.now() - HOUR)
    return user


@pytest.fixture
def gate(db: None) -> SimpleNamespace:
    """A compound with a gate: a camera, a barrier, a guard and a manager; one household with a registered car."""
    compound = _place("compound", "songshan", "")
    other = _place("compound", "changjiang", "")
    south = _place("gate", "south", "", compound)
    camera = Device.objects.create(code="cam", kind="camera", name="南门", place=south)
    barrier = Device.objects.create(code="bar", kind="barrier", name="道闸", place=south)
    home = Household.objects.create(code="h", place=compound, number="301")
    Vehicle.objects.create(plate="辽A12345", place=compound, household=home, since=date(2024, 1, 1))
    guard, manager = _user("guard", "guard", compound), _user("manager", "property_manager", compound)
    stranger = _user("stranger", "guard", other)
    acts = {name: actor_for_user(user) for name, user in (("guard", guard), ("manager", manager), ("other", stranger))}
    services.set_lane(acts["manager"], LaneDraft(south.pk, camera.pk, "入口", barrier.pk, "both"))
    return SimpleNamespace(compound=compound, south=south, camera=camera, barrier=barrier, home=home, **acts)


def see(
    gate: SimpleNamespace, plate: str, *, direction: str = "in", score: float = 0.97, ago: float = 0
) -> Passage | None:
    row = BatchRow(
        id=uuid4(),
        t=(datetime.now(UTC) - timedelta(seconds=ago)).timestamp(),
        kind="plate.read",
        device="cam",
        device_id=gate.camera.pk,
        place_id=gate.south.pk,
        shard=0,
        foi=None,
        result={"plate": plate, "score": score, "direction": direction},
    )
    list(vehicle_passages([row]))
    return Passage.objects.order_by("-pk").first()


def opened() -> int:
    return Command.objects.filter(name="open").count()


def test_a_registered_car_is_let_in_by_itself_once_until_the_lane_clears(gate: SimpleNamespace) -> None:
    for _frame in range(3):
        passage = see(gate, "辽A12345")
    assert passage is not None and (passage.state, passage.klass, len(passage.reads)) == ("opened", "registered", 3)
    assert Passage.objects.count() == 1 and opened() == 1
    assert Stay.objects.get().household == gate.home


def test_a_misread_plate_waits_until_a_further_frame_is_sure(gate: SimpleNamespace) -> None:
    first = see(gate, "辽A1234S")
    assert first is not None and (first.state, first.like) == ("waiting", "辽A12345") and opened() == 0
    second = see(gate, "辽A12345")
    assert second is not None and second.pk == first.pk and second.state == "opened" and opened() == 1


def test_the_guard_confirms_what_a_plate_is_like(gate: SimpleNamespace) -> None:
    passage = see(gate, "辽A1234S")
    assert passage is not None
    done = services.answer(gate.guard, passage.pk, let_in=True, like=True)
    assert (done.state, done.plate, done.klass, done.decided_by) == ("let_in", "辽A12345", "registered", "guard")
    assert opened() == 1
    with pytest.raises(Conflict):
        services.answer(gate.guard, passage.pk, let_in=False)


def test_letting_a_stranger_in_needs_a_reason_and_a_right(gate: SimpleNamespace) -> None:
    passage = see(gate, "吉B99999")
    assert passage is not None and passage.state == "waiting"
    with pytest.raises(Invalid):
        services.answer(gate.guard, passage.pk, let_in=True)
    with pytest.raises(NotFound):
        services.answer(gate.other, passage.pk, let_in=True, reason="x")
    assert services.answer(gate.guard, passage.pk, let_in=True, reason="送货").state == "let_in"
    assert Stay.objects.get().guest


def test_nobody_answers(gate: SimpleNamespace) -> None:
    see(gate, "吉B99999")
    assert services.expire_waiting(SYSTEM, timezone.now() + timedelta(minutes=3)) == 1
    assert Passage.objects.get().state == "expired" and opened() == 0


@pytest.mark.parametrize("plate", ["辽A1234警", "WJ辽12345", "辽X1234应急"])
def test_police_and_fire_pass_by_the_form_of_their_plate(gate: SimpleNamespace, plate: str) -> None:
    passage = see(gate, plate)
    assert passage is not None and (passage.state, passage.klass) == ("opened", "emergency")


def test_a_plate_read_badly_or_late_opens_nothing(gate: SimpleNamespace) -> None:
    weak = see(gate, "辽A12345", score=0.5)
    assert weak is not None and weak.state == "waiting"
    late = see(gate, "辽A12345", ago=600)
    assert late is not None and late.state == "late" and opened() == 0


def test_a_watched_plate_raises_a_case_and_opens_nothing(gate: SimpleNamespace) -> None:
    draft = EntryDraft("辽B88888", gate.compound.pk, "watch", "多次撞坏道闸", timezone.now() + HOUR)
    with pytest.raises(Forbidden):
        services.add_entry(gate.guard, draft)
    services.add_entry(gate.manager, draft)
    near = see(gate, "辽B8888B")
    assert near is not None and (near.klass, near.state) == ("similar", "waiting")
    assert not Case.objects.exists()
    services.answer(gate.guard, near.pk, let_in=False, like=True)
    assert Case.objects.get().kind == "vehicle.watched" and opened() == 0


def test_an_invited_car_passes_as_often_as_invited(gate: SimpleNamespace) -> None:
    now = timezone.now()
    services.invite_vehicle(gate.guard, "沪AF71017", gate.compound.pk, now, now + HOUR, "看望父母", passes=1)
    assert see(gate, "沪A·F71017").klass == "visitor"  # type: ignore[union-attr]
    Passage.objects.update(last_at=now - HOUR)
    again = see(gate, "沪AF71017")
    assert again is not None and (again.klass, again.state) == ("unknown", "waiting")


def test_an_ended_entry_no_longer_counts(gate: SimpleNamespace) -> None:
    entry = services.add_entry(
        gate.manager, EntryDraft("辽B88888", gate.compound.pk, "white", "班车", timezone.now() + HOUR)
    )
    services.revoke_entries(gate.manager, [entry.pk], "合同到期")
    assert see(gate, "辽B88888").state == "waiting"  # type: ignore[union-attr]
    assert ListEntry.objects.get().revoked_at is not None


@pytest.mark.parametrize(
    ("rule", "state", "guest"),
    [("allow", "opened", False), ("guest", "opened", True), ("ask", "waiting", None), ("refuse", "refused", None)],
)
def test_the_second_car_of_a_household(gate: SimpleNamespace, rule: str, state: str, guest: bool | None) -> None:
    services.set_parking(gate.manager, ParkingDraft(gate.compound.pk, 10, second_car=rule))
    Vehicle.objects.create(plate="辽A77777", place=gate.compound, household=gate.home, since=date(2024, 1, 1))
    see(gate, "辽A12345")
    passage = see(gate, "辽A77777")
    assert passage is not None and passage.state == state
    assert [stay.guest for stay in Stay.objects.filter(plate="辽A77777")] == ([] if guest is None else [guest])


def test_occupancy_follows_passages_and_the_guards_count(gate: SimpleNamespace) -> None:
    parking = services.set_parking(gate.manager, ParkingDraft(gate.compound.pk, 10))
    see(gate, "辽A12345")
    assert selectors.inside(parking) == 1
    services.correct_count(gate.guard, parking.pk, 4, "早班清点")
    parking.refresh_from_db()
    assert selectors.inside(parking) == 4
    Passage.objects.update(last_at=timezone.now() - HOUR)
    see(gate, "辽A12345", direction="out")
    assert selectors.inside(parking) == 3
    assert not Stay.objects.filter(until__isnull=True).exists()


def test_all_parkings_are_counted_in_one_query(gate: SimpleNamespace, django_assert_num_queries: Any) -> None:
    parking = services.set_parking(gate.manager, ParkingDraft(gate.compound.pk, 10))
    services.correct_count(gate.guard, parking.pk, 4, "早班清点")
    see(gate, "辽A12345")
    other = Place.objects.get(code="changjiang")
    Parking.objects.create(place=other, capacity=5, counted=2, counted_at=timezone.now())
    Stay.objects.create(place=other, plate="辽B00001", guest=True, since=timezone.now())
    with django_assert_num_queries(1):
        found = {one.parking.place_id: (one.inside, one.guests) for one in selectors.occupancy(SYSTEM)}
    assert found == {gate.compound.pk: (5, 0), other.pk: (2, 1)}


def test_a_guest_who_stays_too_long_is_a_case_once(gate: SimpleNamespace) -> None:
    services.set_parking(gate.manager, ParkingDraft(gate.compound.pk, 10, visitor_hours=2))
    passage = see(gate, "吉B99999")
    assert passage is not None
    services.answer(gate.guard, passage.pk, let_in=True, reason="送货")
    later = timezone.now() + 3 * HOUR
    assert services.report_overstays(SYSTEM, later) == 1
    assert services.report_overstays(SYSTEM, later) == 0
    assert Case.objects.get().kind == "vehicle.overstay"
    assert selectors.price(gate.guard, Stay.objects.get().pk, later).amount == 600


def test_what_is_past_its_purpose_goes(gate: SimpleNamespace) -> None:
    parking = services.set_parking(gate.manager, ParkingDraft(gate.compound.pk, 10))
    see(gate, "辽A12345")
    assert services.forget(SYSTEM, timezone.now() + timedelta(days=31)) >= 1
    parking.refresh_from_db()
    assert not Passage.objects.exists() and parking.counted == 1


@pytest.fixture
def browser(gate: SimpleNamespace) -> Callable[[str], Client]:
    def signed_in(name: str) -> Client:
        client = Client()
        client.force_login(User.objects.get(username=name))
        return client

    return signed_in


def test_the_guard_lets_a_vehicle_through_at_the_desk(gate: SimpleNamespace, browser: Callable[[str], Client]) -> None:
    services.set_parking(gate.manager, ParkingDraft(gate.compound.pk, 10))
    passage = see(gate, "辽A1234S")
    assert passage is not None
    guard = browser("guard")
    page = guard.get("/community/vehicles/").content.decode()
    assert "辽A12345" in page and "辽A1234S" in page
    guard.post(f"/community/vehicles/passages/{passage.pk}/answer", {"answer": "same"})
    passage.refresh_from_db()
    assert passage.state == "let_in"


@pytest.mark.parametrize(
    "address", ["", "passages/", "lists/", "lists/new/", "registered/", "parking/", "lanes/", "passages/?format=csv"]
)
def test_every_page_opens(gate: SimpleNamespace, browser: Callable[[str], Client], address: str) -> None:
    services.set_parking(gate.manager, ParkingDraft(gate.compound.pk, 10))
    see(gate, "辽A12345")
    answer = browser("manager").get(f"/community/vehicles/{address}")
    assert answer.status_code == 200


def test_a_passage_of_another_compound_is_not_found(gate: SimpleNamespace, browser: Callable[[str], Client]) -> None:
    passage = see(gate, "辽A12345")
    assert passage is not None
    assert browser("stranger").get(f"/community/vehicles/passages/{passage.pk}/").status_code == 404
    assert browser("manager").get(f"/community/vehicles/passages/{passage.pk}/").status_code == 200


def test_a_plate_is_put_on_a_list(gate: SimpleNamespace, browser: Callable[[str], Client]) -> None:
    guard = browser("guard")
    wrong = guard.post("/community/vehicles/lists/new/", {"plate": "xx", "place": gate.compound.pk, "list": "visitor"})
    assert wrong.status_code == 422
    fine = {
        "plate": "沪AF71017",
        "place": gate.compound.pk,
        "list": "visitor",
        "purpose": "访友",
        "until": "2099-01-01",
    }
    assert guard.post("/community/vehicles/lists/new/", fine).status_code == 302
