from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid
from shoufu.kernel.cases.models import Case
from shoufu.kernel.devices.models import Command
from shoufu.kernel.doors import following, selectors, services
from shoufu.kernel.doors.models import Controller, DoorState, FireRelease, Passage
from shoufu.kernel.doors.services import PointChange
from shoufu.kernel.observations.wire import BatchRow

pytestmark = pytest.mark.django_db


def row(point: Any, kind: str, t: float, **result: Any) -> tuple[BatchRow, datetime]:
    told = BatchRow(uuid4(), t, kind, "x", point.controller_id, point.place_id, 0, None, {"door": 0, **result}, 0)
    return told, datetime.fromtimestamp(t + 1, UTC)


def test_the_four_facts_are_kept_apart_and_late_words_change_nothing(songshan: Any) -> None:
    gate = songshan.gate
    following.keep([row(gate, "door.state", 100, state="open", bolt="locked", command="locked", mode="Locked")])
    following.keep([row(gate, "door.state", 90, state="closed", bolt="unlocked")])
    state = DoorState.objects.get(point=gate)
    assert (state.command, state.bolt, state.contact, state.mode) == ("locked", "locked", "open", "Locked")
    following.keep([row(gate, "door.alarm", 101, alarm="forced"), row(gate, "door.alarm", 99, alarm="tamper")])
    assert DoorState.objects.get(point=gate).alarm == "forced"
    following.keep([row(gate, "door.alarm", 120, alarm="closed_again")])
    assert DoorState.objects.get(point=gate).alarm == ""
    following.keep([row(gate, "door.alarm", 130, alarm="duress")])  # not for whoever looks over the shoulder
    assert DoorState.objects.get(point=gate).alarm == ""


def test_decisions_are_kept_once_and_a_spent_pass_is_withdrawn(songshan: Any, shown: Any) -> None:
    from datetime import timedelta

    now = timezone.now()
    issued = services.issue_pass(
        SYSTEM,
        services.PassDraft(songshan.units[0].pk, "张三", now, now + timedelta(hours=1), maximum=2),
    )
    key = bytes(issued.visit.credential.key).hex()
    told = [
        row(point, "door.access", 100 + n, granted=True, credential="visitor", reason="granted", key=key, rules=1)
        for n, point in enumerate((songshan.gate, songshan.doors[0]))
    ]
    following.keep(told[:1])
    following.keep(told)
    assert Passage.objects.count() == 2
    issued.visit.refresh_from_db()
    issued.visit.credential.refresh_from_db()
    assert (issued.visit.uses, issued.visit.credential.state) == (2, "revoked")
    assert shown(songshan.gate, "VISITOR", issued.payload).reason == "revoked"
    assert selectors.pass_uses(SYSTEM, issued.visit.pk).count() == 2


def test_a_fire_release_holds_until_a_person_resets_it(songshan: Any) -> None:
    gate, alice = songshan.gate, songshan.world.act(songshan.world.alice)
    for t in (100, 105):
        following.keep([row(gate, "door.alarm", t, alarm="fire")])
    assert FireRelease.objects.filter(point=gate, reset_at__isnull=True).count() == 1
    assert selectors.figures(alice).fire == 1
    with pytest.raises(Invalid):
        services.reset_fire(alice, gate.pk, " ")
    services.reset_fire(alice, gate.pk, "已查看，误报")
    assert Command.objects.get(device=gate.controller_id).name == "reset-fire"
    with pytest.raises(Conflict):
        services.reset_fire(alice, gate.pk, "再来")


def test_opening_from_afar_asks_why_and_a_dwelling_asks_for_two(songshan: Any, stage: Any) -> None:
    world = songshan.world
    alice, chen = world.act(world.alice), world.act(world.chen)
    with pytest.raises(Invalid):
        services.ask_open(alice, songshan.gate.pk, "")
    asked = services.ask_open(alice, songshan.gate.pk, "送货")
    assert asked.state == "sent" and asked.command is not None
    assert asked.command.asked_by == alice.label and asked.command.parameters["door"] == 0
    door = services.change_point(chen, songshan.doors[0].pk, PointChange(dwelling=True))
    with pytest.raises(Invalid) as refused:
        services.ask_open(alice, door.pk, "老人无应答")
    assert refused.value.errors[0].field == "case"
    now = timezone.now()
    case = Case.objects.create(
        number="C-1", kind="manual", title="老人无应答", severity="high", severity_rank=1, place=songshan.units[0],
        opened_at=now, known_at=now, last_at=now,
    )  # fmt: skip
    waiting = services.ask_open(alice, door.pk, "老人无应答", case.pk)
    assert waiting.state == "waiting" and waiting.command is None
    with pytest.raises(Forbidden):
        services.confirm_open(alice, waiting.pk)
    assert list(selectors.waiting_requests(chen)) == [waiting]
    done = services.confirm_open(chen, waiting.pk)
    assert done.state == "sent" and done.command is not None
    with pytest.raises(Conflict):
        services.confirm_open(chen, waiting.pk)


def test_a_lock_down_reaches_every_door_below_and_comes_again_until_it_is_taken(songshan: Any) -> None:
    alice = songshan.world.act(songshan.world.alice)
    down = services.lock_down(alice, songshan.compound.pk, "有人持刀")
    sent = Command.objects.filter(name="mode")
    assert {one.device_id for one in sent} == set(songshan.controllers)
    assert {one.parameters["mode"] for one in sent} == {"LockedDown"}
    with pytest.raises(Conflict):
        services.lock_down(alice, songshan.compound.pk, "again")
    assert selectors.figures(alice).locked_down == 3
    sent.update(state="expired")
    for point, mode in zip((songshan.gate, *songshan.doors), ("Locked", "LockedDown", "Locked"), strict=True):
        following.keep([row(point, "door.state", 200, state="closed", mode=mode)])
    assert services.keep_modes(SYSTEM) == 2
    Command.objects.update(state="done")
    with pytest.raises(Invalid):
        services.release_lock_down(alice, down.pk, "")
    services.release_lock_down(alice, down.pk, "解除")
    assert Command.objects.filter(name="release", state="queued").count() == 3


def test_what_a_controller_holds_is_told_by_its_own_word(songshan: Any) -> None:
    gate = songshan.gate
    needed = Controller.objects.get(pk=gate.controller_id).needed
    following.keep([row(gate, "door.controller", 100, rules=0, clock="lost", waiting=7)])
    state = Controller.objects.get(pk=gate.controller_id)
    assert (state.held, state.clock, state.waiting) == (0, "lost", 7) and state.needed == needed > 0
    assert gate.controller_id in {one.device_id for one in selectors.stale(SYSTEM)}


def test_moving_out_ends_everything_at_once_with_a_line_a_door(songshan: Any, shown: Any) -> None:
    from shoufu.kernel.parties import services as parties
    from shoufu.kernel.parties.models import Residency

    draft = services.CredentialDraft(songshan.compound.pk, "card", "04A1B2C3", songshan.wang.pk)
    services.issue(SYSTEM, draft)
    services.issue(SYSTEM, services.CredentialDraft(songshan.compound.pk, "card", "04FFFFFF", songshan.li.pk))
    stay = Residency.objects.get(person=songshan.wang)
    parties.move_out(SYSTEM, stay.pk, reason="搬家")
    assert not shown(songshan.gate, "CARD", "04A1B2C3").granted
    assert shown(songshan.gate, "CARD", "04FFFFFF").granted
    receipts = selectors.receipts_of(SYSTEM, songshan.wang.pk)
    assert {one.controller_id for one in receipts} == set(songshan.controllers[:2])
    assert all(one.done_at is None for one in receipts) and not selectors.doors_for(SYSTEM, songshan.wang.pk)


def test_without_the_consent_the_face_is_gone_from_every_door(songshan: Any, shown: Any) -> None:
    from shoufu.kernel.parties import services as parties

    place, person = songshan.compound.pk, songshan.wang.pk
    parties.give_consent(SYSTEM, person, "face", "form")
    services.issue_many(
        SYSTEM,
        [
            services.CredentialDraft(place, "card", "04AA", person),
            services.CredentialDraft(place, "face", "t-1", person),
        ],
    )
    assert shown(songshan.gate, "FACE", "t-1").granted
    parties.withdraw_consent(SYSTEM, person, "face")
    assert not shown(songshan.gate, "FACE", "t-1").granted and shown(songshan.gate, "CARD", "04AA").granted


def test_the_nightly_task_keeps_what_doors_hold(songshan: Any, rules: Any) -> None:
    from shoufu.kernel.doors.models import RuleSet
    from shoufu.kernel.doors.services.retention import purge

    draft = services.CredentialDraft(songshan.compound.pk, "card", "04A1B2C3", songshan.wang.pk)
    card = services.issue(SYSTEM, draft).credential
    for _n in range(3):
        services.lose(SYSTEM, [card.pk], "x")
        services.restore(SYSTEM, [card.pk], "x")
    before = rules(songshan.gate).version
    purge(SYSTEM)
    kept = RuleSet.objects.filter(controller=songshan.gate.controller_id)
    assert kept.count() == 3 and rules(songshan.gate).version == before


def test_one_card_at_two_doors_faster_than_one_can_run_is_told(songshan: Any) -> None:
    from shoufu.kernel.doors import derivations
    from shoufu.kernel.places.models import Place

    card = services.issue(
        SYSTEM, services.CredentialDraft(songshan.compound.pk, "card", "04A1B2C3", songshan.wang.pk)
    ).credential
    key = bytes(card.key or b"").hex()
    for point, latitude in ((songshan.gate, 41.8400), (songshan.doors[0], 41.8409)):  # 100 m apart
        Place.objects.filter(pk=point.place_id).update(longitude=123.42, latitude=latitude)
    granted = {"granted": True, "credential": "card", "reason": "granted", "key": key}
    first, soon, later = (
        row(point, "door.access", t, **granted)
        for point, t in ((songshan.gate, 1_000_000), (songshan.doors[0], 1_000_005), (songshan.gate, 1_000_100))
    )
    (told,) = derivations.impossible([soon[0], first[0], later[0]])
    assert (told.kind, told.result["second"], told.source) == ("door.impossible", songshan.doors[0].code, soon[0].id)
    following.keep([first])  # the first in an earlier batch
    assert len(list(derivations.impossible([soon[0]]))) == 1
    assert not list(derivations.impossible([later[0]]))


def test_a_controller_that_talks_but_does_not_take_its_rule_set_is_told(songshan: Any) -> None:
    from datetime import timedelta

    from shoufu.kernel.doors import derivations

    gate = songshan.gate
    Controller.objects.filter(pk=gate.controller_id).update(since=timezone.now() - timedelta(minutes=20))
    now = timezone.now().timestamp()
    (told,) = derivations.stale([row(gate, "door.controller", now, rules=0)[0]])
    assert told.result["held"] == 0 and told.result["seconds"] >= 1190


def test_duress_is_seen_by_the_alarm_role_only(songshan: Any) -> None:
    from shoufu.kernel.cases import selectors as cases

    now = timezone.now()
    Case.objects.create(
        number="C-9", kind="door.duress", title="胁迫", severity="critical", severity_rank=0, place=songshan.compound,
        opened_at=now, known_at=now, last_at=now,
    )  # fmt: skip
    world = songshan.world
    assert not cases.visible(world.act(world.alice)).exists()
    # The right to see cases alone does not show it, nor does the right to see duress alone.
    assert not cases.visible(world.act(world.dan)).exists()
    RoleAssignment.objects.create(user=world.dan, role="operator", place=world.district, since=now - timedelta(days=1))
    assert cases.visible(world.act(world.dan)).count() == 1
