from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.devices.models import Device
from shoufu.kernel.places.services import PlaceDraft, create_many
from shoufu.scenes.community.vehicles import services
from shoufu.scenes.community.vehicles.models import ListEntry, Passage, Stay
from shoufu.scenes.community.vehicles.services import LaneDraft, ParkingDraft

PATH = "/api/community/vehicles"


@pytest.fixture
def gate(db: None) -> SimpleNamespace:
    places = create_many(SYSTEM, [PlaceDraft("compound", "a", "甲"), PlaceDraft("compound", "b", "乙")])
    camera = Device.objects.create(code="cam", kind="camera", name="南门", place=places[0])
    lane = services.set_lane(SYSTEM, LaneDraft(places[0].pk, camera.pk, "入口"))
    return SimpleNamespace(
        place=places[0],
        lane=lane,
        guard=_client("guard", "guard", places[0]),
        manager=_client("manager", "property_manager", places[0]),
        other=_client("other", "guard", places[1]),
    )


def _client(name: str, role: str, place: Any) -> Client:
    user = User.objects.create(username=name, display_name=name)
    RoleAssignment.objects.create(user=user, role=role, place=place, since=timezone.now())
    client = Client()
    client.force_login(user)
    return client


def _entry(gate: SimpleNamespace, kind: str) -> dict[str, Any]:
    until = (timezone.now() + timedelta(days=1)).isoformat()
    return {"plate": "辽a·12345", "place": gate.place.pk, "list": kind, "purpose": "送货", "until": until}


def test_a_guard_lists_visitors_only_and_takes_them_off(gate: SimpleNamespace) -> None:
    made = gate.guard.post(f"{PATH}/lists", _entry(gate, "visitor"), content_type="application/json")
    assert (made.status_code, made.json()["plate"]) == (201, "辽A12345")
    refused = gate.guard.post(f"{PATH}/lists", _entry(gate, "watch"), content_type="application/json")
    assert refused.status_code == 403
    assert gate.other.get(f"{PATH}/lists").json()["items"] == []
    wanted = {"ids": [made.json()["id"]], "reason": "走了"}
    assert gate.other.post(f"{PATH}/lists/revoke", wanted, content_type="application/json").status_code in (403, 404)
    done = gate.guard.post(f"{PATH}/lists/revoke", wanted, content_type="application/json")
    assert (done.json(), ListEntry.objects.get().revoked_at is None) == ({"revoked": 1}, False)
    assert gate.guard.get(f"{PATH}/lists").json()["count"] == 0
    assert gate.guard.get(f"{PATH}/lists?ended=true").json()["count"] == 1


def test_an_entry_with_a_wrong_plate_says_which_field(gate: SimpleNamespace) -> None:
    body = _entry(gate, "white") | {"plate": "XYZ"}
    answer = gate.manager.post(f"{PATH}/lists", body, content_type="application/json")
    assert answer.status_code == 422
    assert "plate" in answer.content.decode()


def test_a_waiting_passage_is_seen_and_decided(gate: SimpleNamespace) -> None:
    now = timezone.now()
    row = Passage.objects.create(
        lane=gate.lane, place=gate.place, direction="in", plate="辽B54321", klass="unknown", state="waiting",
        reason="unknown", began_at=now, last_at=now,
    )  # fmt: skip
    found = gate.guard.get(f"{PATH}/passages?state=waiting&plate=b543&place={gate.place.pk}").json()["items"]
    assert [item["id"] for item in found] == [row.pk]
    answer = {"let_in": True, "reason": "搬家"}
    path = f"{PATH}/passages/{row.pk}"
    assert gate.other.get(path).status_code == 404
    assert gate.other.post(f"{path}/answer", answer, content_type="application/json").status_code == 404
    done = gate.guard.post(f"{path}/answer", answer, content_type="application/json").json()
    assert (done["state"], done["note"]) == ("let_in", "搬家")
    assert gate.guard.post(f"{path}/answer", answer, content_type="application/json").status_code == 409


def test_who_is_inside_and_how_full_it_is(gate: SimpleNamespace) -> None:
    services.set_parking(SYSTEM, ParkingDraft(gate.place.pk, 9))
    Stay.objects.create(place=gate.place, plate="辽B54321", guest=True, since=timezone.now())
    assert gate.guard.get(f"{PATH}/stays").json()["items"][0]["guest"] is True
    parking = gate.guard.get(f"{PATH}/parking").json()[0]
    assert (parking["capacity"], parking["guests"]) == (9, 1)
    assert gate.other.get(f"{PATH}/parking").json() == []
