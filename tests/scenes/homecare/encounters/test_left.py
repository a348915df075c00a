"""The phone of somebody whose account was closed: it hears so, and hands in what was not sent."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment
from shoufu.kernel.base.errors import Conflict, Forbidden
from shoufu.scenes.homecare.encounters import selectors, services
from shoufu.scenes.homecare.encounters.models import Encounter, Operation, Phone, Photo, Sos
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.visits.models import Visit

pytestmark = pytest.mark.django_db
API = "/api/homecare/encounters/"


def by_phone(visiting: Any, method: str, path: str, token: str, body: Any = None) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    proof = f"Phone {visiting.phone.device}.{token}"
    return Client().generic(method, f"{API}phone/{path}", raw, "application/json", headers={"Authorization": proof})


def sent(visiting: Any, *lines: Any) -> dict[str, Any]:
    return {
        "device": str(visiting.phone.device), "sent_at": timezone.now().isoformat(),
        "lines": [
            {"id": str(one.id), "visit": one.visit, "sequence": one.sequence, "kind": one.kind,
             "at": one.at.isoformat(), "content": one.content, "base": one.base}
            for one in lines
        ],
    }  # fmt: skip


def close(visiting: Any) -> None:
    user = visiting.care.users["song"]
    user.is_active = False
    user.save()


def test_what_was_not_sent_when_the_account_was_closed_comes_in_as_in_conflict(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    token = services.enrol(care.act("song"), phone.device)
    assert token.encode() not in bytes(Phone.objects.get().token)
    phone.fetch()
    standing = by_phone(visiting, "GET", "standing", token)
    assert standing.json() == {"standing": "open"}
    lines = phone.whole(visit)
    assert by_phone(visiting, "POST", "sync", token, sent(visiting, *lines)).status_code == 401
    assert by_phone(visiting, "GET", "standing", "x" * 43).status_code == 401
    assert Client().get(f"{API}phone/standing").status_code == 401

    close(visiting)
    assert by_phone(visiting, "GET", "standing", token).json() == {"standing": "revoked"}
    answers = by_phone(visiting, "POST", "sync", token, sent(visiting, *lines)).json()["answers"]
    assert {one["result"] for one in answers} == {"conflict"}
    assert {one["code"] for one in answers[5]["problem"]["doubts"]} == {"no_right"}
    row = Encounter.objects.get()
    assert row.contested and services.shown(row).last["record"]["findings"] == "创面红润"
    assert Visit.objects.get(pk=visit.pk).state == "booked"
    # A picture too, in pieces as ever.
    import sys

    content = sys.modules["care_phone"].jpeg()
    other = visiting.another()
    agreed = phone.line(other, "consent", {"service": True, "photos": True})
    picture = phone.photo(other, content)
    media = UUID(picture.content["media"])
    by_phone(visiting, "POST", "sync", token, sent(visiting, agreed, picture))
    assert by_phone(visiting, "GET", f"media/{media}", token).json()["received"] == 0
    assert by_phone(visiting, "PUT", f"media/{media}/0", token, content).json()["kept"] is True
    assert Photo.objects.get(pk=media).key is not None
    # Nothing is read with it: not the day, not what was written.
    proof = {"Authorization": f"Phone {phone.device}.{token}"}
    for path in (f"bundle?device={phone.device}", f"encounters/{row.pk}?reason=x", "operations"):
        assert Client().get(API + path, headers=proof).status_code == 401
    # The coordinator takes it as done, with one decision.
    first = selectors.conflicts(care.act("gao")).filter(visit=visit, kind="check_in").get()
    services.settle(care.act("gao"), first.pk, "离职前已完成", take=True, also=True)
    assert Visit.objects.get(pk=visit.pk).state == "done"


def test_a_phone_is_its_owners_and_rights_that_are_gone_empty_it(visiting: Any) -> None:
    care, phone = visiting.care, visiting.phone
    first = services.enrol(care.act("song"), phone.device)
    second = services.enrol(care.act("song"), phone.device)
    assert services.proved(f"{phone.device}.{first}") is None and services.proved("x.y") is None
    found = services.proved(f"{phone.device}.{second}")
    assert found is not None and services.standing(found) == "open"
    visiting.colleague()
    with pytest.raises(Conflict):
        services.enrol(care.act("lan"), phone.device)
    with pytest.raises(Forbidden):
        services.enrol(care.act("gao"), uuid4())
    role = RoleAssignment.objects.filter(user=care.users["song"], role="nurse")
    role.update(until=timezone.now())
    assert services.standing(found) == "revoked"
    with pytest.raises(Forbidden) as refused:
        phone.fetch()
    assert refused.value.extra["reason"] == "revoked"
    role.update(until=None)
    register.suspend(care.act("gao"), care.song.pk, "投诉调查")
    assert services.standing(found) == "revoked"
    assert services.forget(timezone.now() + timezone.timedelta(days=89)) == 0
    assert services.forget(timezone.now() + timezone.timedelta(days=91)) == 1


def test_help_is_called_when_nobody_is_signed_in_any_more(visiting: Any) -> None:
    phone = visiting.phone
    token = services.enrol(visiting.care.act("song"), phone.device)
    press = {"id": str(uuid4()), "pressed_at": timezone.now().isoformat(), "visit": visiting.visit.pk}
    first = by_phone(visiting, "POST", "sos", token, press).json()
    assert by_phone(visiting, "POST", "sos", token, press).json()["case"] == first["case"]
    close(visiting)
    where = {"longitude": 123.4, "latitude": 41.8, "at": timezone.now().isoformat()}
    assert by_phone(visiting, "POST", f"sos/{press['id']}/position", token, where).status_code == 200
    row = Sos.objects.get()
    assert row.visit == visiting.visit and row.latitude == 41.8


def test_the_phone_hears_what_became_of_its_lines(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    address = f"{API}sync/open?device={phone.device}"
    early, first = phone.line(visit, "vitals", {"values": {"pulse": 900}}, sequence=2), phone.line(visit, "identity")
    first = first.__class__(**vars(first) | {"sequence": 1, "content": {"method": "known"}})
    phone.send(early)
    song = care.client("song")
    assert [one["result"] for one in song.get(address).json()] == ["held"]
    phone.send(first)
    (row,) = song.get(address).json()
    assert row["result"] == "refused" and "250" in row["problem"]["errors"][0]["message"]
    services.settle(care.act("gao"), Operation.objects.get(pk=early.id).pk, "输错了")
    # Also who is suspended by now reads what was decided.
    register.suspend(care.act("gao"), care.song.pk, "投诉调查")
    assert song.get(address).json()[0]["settled_note"] == "输错了"
    assert care.client("gao").get(address).json() == []
