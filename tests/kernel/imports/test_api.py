from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.parties.models import Person
from shoufu.kernel.places.services import PlaceDraft, create_many

PEOPLE = "楼,单元,房号,姓名\n5号楼,1,301,王伟\n5号楼,1,302,李芳\n"


@pytest.fixture
def town(db: None) -> SimpleNamespace:
    drafts = [
        PlaceDraft("compound", "songshan", "松山小区"),
        PlaceDraft("compound", "changjiang", "长江小区"),
        PlaceDraft("building", "b5", "5号楼", parent="songshan"),
        PlaceDraft("unit", "u1", "1单元", parent="b5"),
    ]
    places = {place.code: place for place in create_many(SYSTEM, drafts)}
    return SimpleNamespace(
        songshan=places["songshan"].pk,
        manager=_client("manager", places["songshan"]),
        other=_client("other", places["changjiang"]),
    )


def _client(name: str, place: Any) -> Client:
    user = User.objects.create(username=name, display_name=name)
    RoleAssignment.objects.create(user=user, role="property_manager", place=place, since=timezone.now())
    client = Client()
    client.force_login(user)
    return client


def _send(client: Client, place: int, text: str) -> Any:
    file = SimpleUploadedFile("residents.csv", text.encode("gb18030"))
    return client.post("/api/imports", {"kind": "people", "place": place, "file": file})


def test_a_file_is_sent_read_applied_and_undone(town: SimpleNamespace) -> None:
    answer = _send(town.manager, town.songshan, PEOPLE)
    found = answer.json()
    assert (answer.status_code, found["rows"], found["created"], found["applicable"]) == (201, 2, 2, True)
    assert found["changes"][0]["label"].endswith("王伟")
    assert Person.objects.count() == 0
    done = town.manager.post(f"/api/imports/{found['id']}/apply").json()
    assert (done["state"], done["created"], Person.objects.count()) == ("applied", 2, 2)
    assert town.manager.get("/api/imports?state=applied").json()["items"][0]["file"] == "residents.csv"
    undone = town.manager.post(f"/api/imports/{done['id']}/undo", {"reason": "错发"}, content_type="application/json")
    assert (undone.json()["state"], Person.objects.count()) == ("undone", 0)


def test_errors_name_the_cell_and_nothing_is_written(town: SimpleNamespace) -> None:
    found = _send(town.manager, town.songshan, "楼,单元,房号,姓名\n5号楼,1,301,王伟\n9号楼,1,302,李芳\n").json()
    assert [(error["row"], error["cell"], error["field"]) for error in found["errors"]] == [(3, "A3", "building")]
    refused = town.manager.post(f"/api/imports/{found['id']}/apply")
    assert (refused.status_code, Person.objects.count()) == (422, 0)
    assert "A3" in refused.content.decode()


def test_columns_are_chosen_by_hand(town: SimpleNamespace) -> None:
    found = _send(town.manager, town.songshan, PEOPLE.replace("姓名", "谁")).json()
    assert not found["applicable"]
    mapping = found["mapping"] | {"name": 3}
    again = town.manager.put(
        f"/api/imports/{found['id']}/columns", {"mapping": mapping}, content_type="application/json"
    ).json()
    assert (again["applicable"], again["created"]) == (True, 2)


def test_another_compounds_manager_sees_and_does_nothing(town: SimpleNamespace) -> None:
    found = _send(town.manager, town.songshan, PEOPLE).json()
    assert _send(town.other, town.songshan, PEOPLE).status_code in (403, 404)
    assert town.other.get("/api/imports").json()["items"] == []
    for path in ("", "/preview"):
        assert town.other.get(f"/api/imports/{found['id']}{path}").status_code == 404
    assert town.other.post(f"/api/imports/{found['id']}/apply").status_code == 404
    assert Person.objects.count() == 0


def test_registers_and_their_columns_are_told(town: SimpleNamespace) -> None:
    kinds = {kind["code"]: kind for kind in town.manager.get("/api/imports/kinds").json()}
    assert {"people", "vehicles", "staff"} <= set(kinds)
    assert "name" in [field["code"] for field in kinds["people"]["fields"] if field["required"]]
