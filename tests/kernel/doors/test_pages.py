from typing import Any

import pytest
from django.test import Client

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.doors import services
from shoufu.kernel.doors.models import AccessLevel, AccessPoint, Credential, LockDown, Pass, Schedule, SpecialDay

pytestmark = pytest.mark.django_db


@pytest.fixture
def chen(songshan: Any) -> Client:
    client = Client()
    client.force_login(songshan.world.chen)
    return client


@pytest.fixture
def card(songshan: Any) -> Credential:
    draft = services.CredentialDraft(songshan.compound.pk, "card", "04A1B2C3", songshan.wang.pk)
    return services.issue(SYSTEM, draft).credential


def test_every_page_of_doors_answers(songshan: Any, chen: Client, card: Credential) -> None:
    level = AccessLevel.objects.first()
    assert level is not None
    for path in (
        "", "new", f"{songshan.gate.pk}", f"{songshan.gate.pk}/edit", "rule-sets/", "credentials/", "credentials/new",
        "credentials/new?who=王", f"credentials/{card.pk}", "credentials/?card=04A1B2C3", "levels/", "levels/new",
        f"levels/{level.pk}", "schedules/new", "days/", "lock-down/", "lock-down/?step=confirm", "passes/",
        "passes/new", "?format=csv",
    ):  # fmt: skip
        answer = chen.get(f"/doors/{path}")
        assert answer.status_code == 200, path


def test_the_manager_sets_a_compound_up_from_the_desk(songshan: Any, chen: Client, shown: Any) -> None:
    point = songshan.doors[0]
    made = chen.post(
        "/doors/schedules/new",
        {
            "name": "白天", "code": "day", "place": songshan.compound.pk, "days_0": ["mon", "holiday"],
            "from_0": "08:00", "to_0": "18:00",
        },
    )  # fmt: skip
    assert made.status_code == 302
    schedule = Schedule.objects.get(code="day")
    made = chen.post(
        "/doors/levels/new",
        {
            "name": "保洁",
            "code": "clean",
            "place": songshan.compound.pk,
            "doors": [point.pk],
            f"schedule_{point.pk}": schedule.pk,
        },
    )
    level = AccessLevel.objects.get(code="clean")
    assert made.status_code == 302 and level.doors.get().schedule == schedule
    wrong = chen.post("/doors/schedules/new", {"name": "x", "code": "x", "place": songshan.compound.pk})
    assert wrong.status_code == 422
    made = chen.post(
        "/doors/credentials/new",
        {
            "technology": "card",
            "value": "04A1B2C3",
            "person": songshan.wang.pk,
            "place": songshan.compound.pk,
            "lease_days": "7",
        },
    )
    row = Credential.objects.get()
    assert made.status_code == 302 and row.lease_days == 7 and shown(songshan.gate, "CARD", "04A1B2C3").granted
    wrong = chen.post("/doors/credentials/new", {"technology": "card", "value": "zz", "place": songshan.compound.pk})
    assert wrong.status_code == 422 and "zz" in wrong.content.decode()
    chen.post("/doors/credentials/state/revoke", {"ids": [row.pk], "reason": "退卡"})
    assert not shown(songshan.gate, "CARD", "04A1B2C3").granted
    changed = chen.post(
        f"/doors/{point.pk}/edit",
        {
            "name": "一单元门", "version": point.version, "readers_in": ["card"], "release_seconds": "7",
            "extended_seconds": "20", "held_seconds": "90", "warn_seconds": "15", "passback": "off",
        },
    )  # fmt: skip
    point.refresh_from_db()
    assert changed.status_code == 302 and (point.name, point.release_seconds) == ("一单元门", 7)
    day = {"day": "2026-12-31", "kind": "holiday", "name": "除夕", "place": songshan.compound.pk}
    assert (
        chen.post("/doors/days/", day).status_code == 302
        and SpecialDay.objects.filter(place=songshan.compound).count() == 1
    )


def test_a_guard_opens_lets_in_and_locks_down_in_two_steps(songshan: Any) -> None:
    guard = Client()
    guard.force_login(songshan.world.alice)
    gate: AccessPoint = songshan.gate
    assert guard.post(f"/doors/{gate.pk}/open", {"reason": ""}).status_code == 422
    assert guard.post(f"/doors/{gate.pk}/open", {"reason": "送水"}).status_code == 302
    made = guard.post(
        "/doors/passes/new",
        {
            "holder": "张三", "purpose": "visitor", "place": songshan.units[0].pk, "since": "2026-11-24T08:00",
            "until": "2036-11-24T08:00", "maximum": "2",
        },
    )  # fmt: skip
    assert made.status_code == 422
    made = guard.post(
        "/doors/passes/new", {"holder": "张三", "purpose": "visitor", "place": songshan.units[0].pk, "maximum": "2"}
    )
    visit = Pass.objects.get()
    page = guard.get(f"/doors/passes/{visit.pk}").content.decode()
    assert made.status_code == 302 and "<svg" in page and "张三" in page
    guard.post(f"/doors/passes/{visit.pk}/revoke", {"reason": "走了"})
    assert "<svg xmlns" not in guard.get(f"/doors/passes/{visit.pk}").content.decode()
    assert guard.get("/doors/lock-down/?step=confirm").status_code == 200 and not LockDown.objects.exists()
    assert guard.post(f"/doors/lock-down/?place={songshan.compound.pk}&step=confirm", {"reason": ""}).status_code == 422
    guard.post(f"/doors/lock-down/?place={songshan.compound.pk}&step=confirm", {"reason": "演练"})
    down = LockDown.objects.get()
    guard.post(f"/doors/lock-down/{down.pk}/release", {"reason": "结束"})
    down.refresh_from_db()
    assert down.released_at is not None
    assert guard.get("/doors/new").status_code == 403


def test_the_neighbour_finds_nothing(songshan: Any, card: Credential) -> None:
    bob = Client()
    bob.force_login(songshan.world.bob)
    assert "ap-s-gate" not in bob.get("/doors/").content.decode()
    for path in (f"{songshan.gate.pk}", f"credentials/{card.pk}"):
        assert bob.get(f"/doors/{path}").status_code == 404
    assert bob.post(f"/doors/{songshan.gate.pk}/open", {"reason": "x"}).status_code == 404
