import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from shoufu.engines import cap
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.cases import services as cases
from shoufu.kernel.cases.models import Case, CaseEvent
from shoufu.kernel.notices.models import Notice
from shoufu.kernel.referrals import delivery, selectors, services
from shoufu.kernel.referrals.messages import contact_of
from shoufu.kernel.referrals.models import Destination, Message, Referral
from shoufu.kernel.referrals.services.policies import PolicyDraft
from shoufu.kernel.referrals.services.sending import Draft


def sent(world: Any, case: Case, destination: Destination, **more: Any) -> Referral:
    return services.refer(world.act(world.alice), Draft(case.pk, destination.pk, "需要民警到场", **more))


def test_the_guard_refers_the_officer_takes_it_and_the_outcome_ends_the_case(world, case, console):
    referral = sent(world, case, console)
    assert referral.number == f"R-{case.number[2:]}-1"
    dan = world.act(world.dan)
    assert [one.pk for one in selectors.inbox(dan)] == [referral.pk]
    assert Notice.objects.filter(user=world.dan, template="referral.alert").count() == 1
    services.receive(dan, referral.pk, referral.version, reference="110-8876")
    services.accept(dan, referral.pk, text="派松山所两人")
    ended = services.end(dan, referral.pk, outcome="handled", text="已劝离，无人受伤")
    case.refresh_from_db()
    assert (ended.state, ended.their_reference) == ("ended", "110-8876")
    assert (case.state, case.outcome) == ("resolved", "已劝离，无人受伤")
    lines = CaseEvent.objects.filter(case=case, kind="referral").order_by("id")
    assert [line.data["step"] for line in lines] == ["sent", "received", "accepted", "ended"]
    assert Notice.objects.filter(user=world.chen, template="referral.ended").exists()
    assert AuditEntry.objects.filter(action="referrals.ended", actor_id=str(world.dan.pk)).exists()


def test_officers_see_what_was_sent_to_their_organisation_and_nothing_else(world, stage, case, console):
    dan = world.act(world.dan)
    assert not dan.may_anywhere("cases.view")
    with pytest.raises(NotFound):
        selectors.received(dan, 1)
    referral = sent(world, case, console)
    other = services.create_destination(
        SYSTEM,
        services.DestinationDraft(
            "other", _organisation(world).pk, world.district.pk, "救援队", "console", "仅限救援队"
        ),
    ).row
    foreign = sent(world, case, other)
    assert [one.pk for one in selectors.inbox(dan)] == [referral.pk]
    with pytest.raises(NotFound):
        services.accept(dan, foreign.pk)
    with pytest.raises(Forbidden):
        selectors.inbox(world.act(world.alice))
    with pytest.raises(NotFound):
        selectors.get(world.act(world.bob), referral.pk)


def _organisation(world: Any) -> Any:
    from shoufu.kernel.parties.models import Organisation

    return Organisation.objects.create(code="rescue", kind="community", name="救援队", place=world.district)


def test_a_case_is_with_a_receiver_once_and_a_reason_is_needed(world, case, console):
    with pytest.raises(Invalid, match="reason"):
        services.refer(world.act(world.alice), Draft(case.pk, console.pk, " "))
    first = sent(world, case, console)
    with pytest.raises(Conflict):
        sent(world, case, console)
    services.refuse(world.act(world.dan), first.pk, text="不属于本辖区")
    assert sent(world, case, console).number.endswith("-2")
    with pytest.raises(NotFound):
        services.refer(world.act(world.bob), Draft(case.pk, console.pk, "x"))


def test_of_two_officers_the_second_is_told(world, case, console):
    referral = sent(world, case, console)
    services.accept(world.act(world.dan), referral.pk, referral.version)
    with pytest.raises(Conflict, match="Dan"):
        services.refuse(world.act(world.dan), referral.pk, referral.version, text="x")


def test_a_webhook_gets_signed_cap_with_place_contact_and_restriction(world, case, hook, centre):
    sent(world, case, hook.row)
    assert delivery.deliver_due() == 1
    assert delivery.deliver_due() == 0
    (identifier, alert) = centre.got[0]
    assert (alert.identifier, alert.status, alert.type) == (identifier, cap.Status.ACTUAL, cap.MessageType.ALERT)
    assert alert.restriction and not cap.faults(alert)
    chinese = alert.infos[0]
    assert (chinese.language, chinese.severity, chinese.contact) == (
        "zh-CN", cap.Severity.EXTREME, "松山小区值班室 024-8600",
    )  # fmt: skip
    assert chinese.areas[0].description == "皇姑区 松山小区 5 号楼 2 单元门"
    assert alert.sent.utcoffset() == timedelta(hours=8)
    assert Message.objects.get().state == "acknowledged"
    assert Referral.objects.get().delivered_at is not None


def test_json_says_the_same_to_those_who_want_it(world, case, hook, centre):
    Destination.objects.update(body="json")
    sent(world, case, Destination.objects.get())
    delivery.deliver_due()
    body = centre.got[0][1]
    assert body["type"] == "referral.alert"
    assert body["data"]["incidents"] == [case.number]


def test_updates_refer_to_what_they_update_and_never_overtake_it(world, case, hook, centre):
    centre.status = 503
    sent(world, case, hook.row)
    assert delivery.deliver_due() == 0
    cases.acknowledge(world.act(world.alice), case.pk)
    assert services.tell_changes() == 1
    assert services.tell_changes() == 0
    later = timezone.now() + timedelta(minutes=10)
    assert Message.objects.filter(state="queued").count() == 2
    centre.status = 200
    assert delivery.deliver_due(later) == 1
    assert delivery.deliver_due(later) == 1
    (_, alert), (_, update) = centre.got
    assert update.type is cap.MessageType.UPDATE
    assert [one.identifier for one in update.references] == [alert.identifier]
    assert dict(update.infos[0].parameters)["shoufu:state"] == "acknowledged"


def test_a_false_alarm_here_cancels_there(world, case, hook, centre):
    sent(world, case, hook.row)
    delivery.deliver_due()
    cases.false_alarm(world.act(world.alice), case.pk, reason="住户忘带钥匙")
    services.tell_changes()
    delivery.deliver_due()
    assert centre.got[1][1].type is cap.MessageType.CANCEL
    assert Referral.objects.get().state == "withdrawn"


def test_nothing_is_lost_or_doubled_when_the_line_fails(world, case, hook, centre):
    sent(world, case, hook.row)
    moment = timezone.now()
    for status in (500, 401, 500):
        centre.status = status
        assert delivery.deliver_due(moment) == 0
        moment += timedelta(minutes=10)
    centre.status = 200
    assert delivery.deliver_due(moment) == 1
    message = Message.objects.get()
    assert (message.attempts, message.state) == (4, "acknowledged")
    # As after a crash between the receiver's answer and our noting it.
    Message.objects.update(state="sending", next_at=moment)
    assert delivery.deliver_due(moment) == 1
    assert (len(centre.got), centre.repeated) == (1, 1)


def test_the_second_path_is_taken_where_the_first_does_not_answer(world, case, hook, centre, spare):
    spare.secret, centre.status = centre.secret, 503
    Destination.objects.update(second_url=spare.url)
    sent(world, case, Destination.objects.get())
    assert delivery.deliver_due() == 1
    assert (len(centre.got), len(spare.got)) == (0, 1)
    assert Message.objects.get().path == 2


def test_the_daily_test_is_marked_and_sent_once_a_day(world, hook, centre):
    Destination.objects.update(policy={"test_at": "09:00", "heartbeat_minutes": 0})
    morning = datetime(2026, 11, 24, 0, 59, tzinfo=UTC)
    assert delivery.beat(morning) == 0
    assert delivery.beat(morning + timedelta(minutes=2)) == 1
    delivery.deliver_due(timezone.now() + timedelta(seconds=1))
    assert centre.got[0][1].status is cap.Status.TEST
    Destination.objects.update(tested_at=morning + timedelta(minutes=2))
    assert delivery.beat(morning + timedelta(hours=3)) == 0
    assert delivery.beat(morning + timedelta(days=1, minutes=2)) == 1


def test_a_line_that_is_down_becomes_a_case_and_is_noted_when_it_answers(world, hook, centre):
    Destination.objects.update(policy={"test_at": "", "heartbeat_minutes": 5, "outage_minutes": 5})
    centre.status = 503
    assert delivery.beat() == 1
    assert delivery.beat() == 0
    delivery.deliver_due()
    later = timezone.now() + timedelta(minutes=6)
    delivery.beat(later)
    outage = Case.objects.get(kind="referral.unreachable")
    delivery.beat(later + timedelta(minutes=1))
    assert Case.objects.count() == 1
    centre.status = 200
    delivery.deliver_due(later + timedelta(minutes=2))
    assert CaseEvent.objects.filter(case=outage, kind="note").exists()
    assert Destination.objects.get().failing_since is None


def test_what_nobody_receives_in_time_is_told_to_the_senders_once(world, case, console):
    referral = sent(world, case, console)
    assert services.chase_unreceived(timezone.now()) == 0
    assert services.chase_unreceived(referral.sent_at + timedelta(minutes=4)) == 1
    assert services.chase_unreceived(referral.sent_at + timedelta(minutes=9)) == 0
    assert Notice.objects.filter(user=world.chen, template="referral.late").count() == 1


def called(hook: Any, body: bytes, *, secret: str = "", identifier: str = "their-1", kind: str = "application/json"):
    now = timezone.now()
    signature = Webhook(secret or hook.callback).sign(identifier, now.astimezone(UTC), body.decode())
    return Client().post(
        f"/referrals/callback/{hook.row.code}",
        body,
        content_type=kind,
        headers={
            "webhook-id": identifier,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        },
    )


def said(step: str, referral: Referral, **more: str) -> bytes:
    return json.dumps({"type": f"referral.{step}", "data": {"number": referral.number, **more}}).encode()


def test_a_callback_brings_the_outcome_in(world, case, hook):
    referral = sent(world, case, hook.row)
    answer = called(hook, said("accepted", referral, reference="X-1", by="李警官"))
    assert (answer.status_code, answer.json()) == (200, {"number": referral.number, "state": "accepted"})
    body = said("ended", referral, outcome="false_alarm", text="住户搬家")
    assert called(hook, body, identifier="their-2").status_code == 200
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("false_alarm", "住户搬家")
    assert Referral.objects.get().handled_by == hook.row.name


def test_the_same_callback_again_is_answered_and_not_done_again(world, case, hook):
    referral = sent(world, case, hook.row)
    body = said("received", referral)
    assert [called(hook, body).status_code for _ in range(3)] == [200, 200, 200]
    assert CaseEvent.objects.filter(case=case, data__step="received").count() == 1


def test_a_forged_old_or_broken_callback_changes_nothing(world, case, hook):
    referral = sent(world, case, hook.row)
    body = said("received", referral)
    assert called(hook, body, secret=hook.secret).status_code == 401
    assert Client().post(f"/referrals/callback/{hook.row.code}", body, "application/json").status_code == 401
    assert called(hook, b"{}").status_code == 422
    assert called(hook, b"[").status_code == 422
    assert called(hook, said("exploded", referral)).status_code == 422
    assert called(hook, said("refused", referral)).status_code == 422
    assert (
        called(hook, json.dumps({"type": "referral.received", "data": {"number": "R-1"}}).encode()).status_code == 404
    )
    assert Client().post("/referrals/callback/nobody", body, "application/json").status_code == 404
    assert Referral.objects.get().state == "sent"


def test_a_cap_acknowledgement_is_understood(world, case, hook, centre):
    sent(world, case, hook.row)
    delivery.deliver_due()
    alert = centre.got[0][1]
    ack = cap.Alert(
        identifier="ack-1",
        sender="centre@example.org",
        sent=timezone.now(),
        status=cap.Status.ACTUAL,
        type=cap.MessageType.ACK,
        scope=cap.Scope.RESTRICTED,
        restriction="x",
        references=(cap.Reference(alert.sender, alert.identifier, alert.sent),),
    )
    assert called(hook, cap.to_xml(ack), kind="application/cap+xml").status_code == 200
    assert Referral.objects.get().state == "received"


def policy(world: Any, destination: Destination, **changes: Any) -> Any:
    values = {"name": "紧急事件自动转报", "severities": ["critical"], "active": True} | changes
    return services.create_policy(world.act(world.chen), PolicyDraft(destination.pk, world.songshan.pk, **values))


def raise_one(stage: Any, world: Any, **more: Any) -> Case:
    found = {"kind": "door.forced", "severity": "critical", "notify": ()} | more
    return cases.raise_cases(SYSTEM, [cases.RaisedCase(stage.firing(world), **found)])[0]


def test_a_policy_sends_what_comes_after_it_was_switched_on(stage, world, case, console):
    policy(world, console)
    assert services.refer_due() == 0
    fresh = Case.objects.create(
        number="C-20261124-9001", kind="door.forced", title="x", severity="critical", severity_rank=0,
        place=world.door, opened_at=timezone.now(), known_at=timezone.now(), last_at=timezone.now(),
    )  # fmt: skip
    assert services.refer_due() == 1
    assert services.refer_due() == 0
    assert Referral.objects.get().case == fresh
    assert Referral.objects.get().sent_by == "system"


def test_a_policy_may_wait_for_time_and_escalation(world, console):
    policy(world, console, escalation=1, after_minutes=10)
    now = timezone.now()
    made = Case.objects.create(
        number="C-20261124-9002", kind="door.forced", title="x", severity="critical", severity_rank=0,
        place=world.door, opened_at=now, known_at=now, last_at=now,
    )  # fmt: skip
    assert services.refer_due(now + timedelta(minutes=11)) == 0
    Case.objects.filter(pk=made.pk).update(escalation=1)
    assert services.refer_due(now + timedelta(minutes=9)) == 0
    assert services.refer_due(now + timedelta(minutes=11)) == 1


def test_duress_is_marked_and_a_drill_is_an_exercise(world, hook, centre):
    now = timezone.now()
    made = Case.objects.create(
        number="C-20261124-9003", kind="door.duress", title="x", severity="critical", severity_rank=0,
        place=world.door, opened_at=now, known_at=now, last_at=now,
    )  # fmt: skip
    sent(world, made, hook.row, exercise=True)
    delivery.deliver_due()
    alert = centre.got[0][1]
    assert (alert.status, bool(alert.note)) == (cap.Status.EXERCISE, True)
    assert dict(alert.infos[0].parameters)["shoufu:duress"] == "true"


def test_old_referrals_lose_their_names_and_messages(world, case, hook, centre):
    referral = sent(world, case, hook.row)
    delivery.deliver_due()
    services.withdraw(world.act(world.alice), referral.pk, "误报")
    assert services.expire(timezone.now() + timedelta(days=800)) > 0
    referral.refresh_from_db()
    assert contact_of(referral) == ""
    assert not Message.objects.filter(kind="alert").exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channel": "pigeon"}, "channel"),
        ({"channel": "webhook", "url": "ftp://x"}, "url"),
        ({"restriction": ""}, "restriction"),
        ({"policy": {"receive_minutes": 0}}, "policy.receive_minutes"),
        ({"policy": {"test_at": "late"}}, "policy.test_at"),
        ({"policy": {"nonsense": 1}}, "policy.nonsense"),
    ],
)
def test_a_destination_that_cannot_be_is_refused_by_field(world, alarm, draft, change, field):
    with pytest.raises(Invalid) as refusal:
        services.create_destination(SYSTEM, draft(**change))
    assert refusal.value.errors[0].field == field
