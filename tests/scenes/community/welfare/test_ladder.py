from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.base.errors import Conflict, NotFound
from shoufu.kernel.cases import services as cases
from shoufu.kernel.cases.models import Case, CaseEvent
from shoufu.kernel.notices.models import Notice
from shoufu.kernel.observations.models import Consumer
from shoufu.kernel.parties.selectors import has_consent
from shoufu.kernel.privacy import services as privacy
from shoufu.kernel.privacy.models import Delegation
from shoufu.scenes.community.welfare import selectors, services
from shoufu.scenes.community.welfare.models import Check, Entry, Helper, Watch

Step, Outcome = Check.Step, Check.Outcome


def told(story: Any, name: str, template: str) -> bool:
    return Notice.objects.filter(user=story.homes.users[name], template=template).exists()


def test_a_quiet_normal_day_asks_nobody(story: Any) -> None:
    story.tick()
    story.learn(until=story.now - timedelta(minutes=90))
    for minutes in range(-90, 10, 30):
        at = story.now + timedelta(minutes=minutes)
        story.say(at)
        story.say(at + timedelta(minutes=1))
    for minutes in range(0, 60, 10):
        story.tick(minutes)
    assert not Check.objects.exists()
    assert story.watch.due_at is not None and story.watch.due_at > story.now


def test_a_collapse_climbs_the_ladder_step_by_step(story: Any) -> None:
    story.collapse()
    story.tick()
    assert story.check.step == Step.RESIDENT and told(story, "mei", "welfare.ask")
    assert not told(story, "lan", "welfare.contact")
    story.tick(14)
    assert story.check.step == Step.RESIDENT
    story.tick(16)
    assert story.check.step == Step.CONTACT and told(story, "lan", "welfare.contact")
    story.tick(37)
    assert story.check.step == Step.WORKER and told(story, "worker", "welfare.worker")
    assert not Case.objects.exists()
    story.tick(68)
    case = Case.objects.get()
    assert story.check.step == Step.DOOR and story.check.case == case
    assert (case.kind, case.severity, case.role) == ("welfare.check", "high", "guard")
    assert "两人" in case.title and "欧阳" not in case.title + case.title_en
    lines = list(case.events.filter(kind=CaseEvent.Kind.NOTE).values_list("text", flat=True))
    assert len(lines) == 6 and "社区工作者" in " ".join(lines)
    assert told(story, "guard", "case.raised")
    assert story.tick(100) == 0
    asked = Entry.objects.filter(what="asked", user__isnull=False).values_list("user__username", flat=True)
    assert list(asked) == ["mei", "lan", "wu"]


def test_one_key_of_hers_ends_it_and_makes_the_watch_more_patient(story: Any) -> None:
    story.collapse()
    story.tick()
    before = story.engine().habits.usual_silence(story.engine().state.last).limit
    services.fine(story.act("mei"), story.check.pk)
    assert story.check.outcome == Outcome.FINE and story.check.ended_at
    assert story.engine().habits.usual_silence(story.engine().state.last).limit > before
    due = story.watch.due_at
    assert due is not None and due > timezone.now() + timedelta(hours=1)
    assert story.tick(5) == 0
    with pytest.raises(Conflict):
        services.fine(story.act("mei"), story.check.pk)


def test_movement_at_home_ends_it_too(story: Any) -> None:
    story.collapse()
    story.tick()
    story.say(story.now + timedelta(minutes=3))
    story.say(story.now + timedelta(minutes=4))
    story.tick(5)
    assert story.check.outcome == Outcome.SIGN


def test_the_daughter_answers_and_whoever_was_asked_before_is_told(story: Any) -> None:
    story.collapse()
    story.tick()
    story.tick(16)
    story.tick(37)
    assert [one.pk for one in selectors.to_answer(story.act("lan"))] == [story.check.pk]
    services.answer(story.act("lan"), story.check.pk, "reached")
    assert story.check.outcome == Outcome.REACHED
    assert told(story, "worker", "welfare.ended") and not told(story, "lan", "welfare.ended")
    words = Notice.objects.get(user=story.homes.users["worker"], template="welfare.ended")
    assert "欧阳梅香" in words.subject


def test_who_goes_there_holds_the_next_step_and_their_steps_are_not_hers(story: Any) -> None:
    story.collapse()
    story.tick()
    story.tick(16)
    services.answer(story.act("lan"), story.check.pk, "going")
    story.tick(25)
    assert story.check.step == Step.CONTACT
    story.say(story.now + timedelta(minutes=26))
    story.say(story.now + timedelta(minutes=27))
    story.tick(28)
    assert story.check.ended_at is None
    assert story.check.entries.filter(what="sign").count() == 1
    services.answer(story.act("lan"), story.check.pk, "help")
    case = Case.objects.get()
    assert case.severity == "critical" and story.check.step == Step.DOOR


def test_the_worker_could_not_reach_her_and_the_guards_end_it_by_the_case(story: Any) -> None:
    story.collapse()
    for minutes in (0, 16, 37):
        story.tick(minutes)
    services.answer(story.act("worker"), story.check.pk, "cannot")
    assert story.check.step == Step.DOOR
    guard, case = story.act("guard"), Case.objects.get()
    cases.acknowledge(guard, case.pk)
    cases.resolve(guard, case.pk, outcome="两人上门，送医")
    story.tick(60)
    assert story.check.outcome == Outcome.HELPED
    assert told(story, "lan", "welfare.ended") and told(story, "worker", "welfare.ended")


def test_an_answer_at_the_door_closes_the_case(story: Any) -> None:
    story.collapse()
    for minutes in (0, 16, 37, 68):
        story.tick(minutes)
    services.answer(story.act("guard"), story.check.pk, "reached")
    assert Case.objects.get().state == Case.State.FALSE_ALARM


def test_a_gateway_outage_raises_none(story: Any) -> None:
    story.tick()
    story.learn(until=story.now - timedelta(minutes=20))
    story.beats(story.now - timedelta(minutes=20), story.now)
    for minutes in range(0, 360, 30):
        story.tick(minutes)
    assert not Check.objects.exists()
    assert told(story, "mei", "welfare.deaf") and told(story, "manager", "welfare.deaf")
    back = story.now + timedelta(hours=6)
    story.beats(back, back + timedelta(minutes=30))
    story.tick(390)
    assert not Check.objects.exists() and story.watch.deaf_since is None
    story.beats(back + timedelta(minutes=30), back + timedelta(hours=4))
    story.tick(360 + 240)
    assert story.check.step == Step.RESIDENT


def test_a_sensor_that_says_that_it_is_off_line_is_not_heard_at_once(story: Any) -> None:
    story.collapse()
    story.say(story.now + timedelta(hours=3), "device.status", {"state": "offline"})
    story.tick(181)
    assert not Check.objects.exists() and story.watch.deaf_since is not None


def test_withdrawing_in_the_middle_stops_and_forgets_at_once(story: Any) -> None:
    story.collapse()
    story.tick()
    story.tick(16)
    services.leave(story.act("mei"))
    assert not has_consent(story.homes.mei.pk, "welfare")
    assert not Watch.objects.exists() and not Helper.objects.exists()
    assert story.check.outcome == Outcome.WITHDRAWN and told(story, "lan", "welfare.ended")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select count(*) from obs o join observations_observationkind k on k.id = o.kind"
                       " where k.code = 'home.activity'")  # fmt: skip
        assert cursor.fetchone()[0] == 0
    story.say(story.now)
    assert story.tick(40) == 0


def test_moving_out_ends_the_watch(story: Any) -> None:
    from shoufu.kernel.parties import services as parties
    from shoufu.kernel.parties.models import Residency

    stay = Residency.objects.get(person=story.homes.mei)
    departure = parties.leave(story.act("manager"), parties.Leaving(stay.pk))
    assert not Watch.objects.exists()
    assert any("平安关怀" in str(line) or "Welfare" in str(line) for line in departure.lines)


def test_a_restart_in_the_middle_gives_the_same(story: Any, monkeypatch: Any) -> None:
    from shoufu.scenes.community.welfare.services import ticking

    story.collapse()
    before = Consumer.objects.get(name="welfare").last_batch
    kept = bytes(story.watch.kept)

    def killed(*_args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(ticking, "_end_by_signs", killed)
        with pytest.raises(KeyboardInterrupt):
            story.tick()
    assert Consumer.objects.get(name="welfare").last_batch == before and bytes(story.watch.kept) == kept
    with monkeypatch.context() as broken:
        broken.setattr(ticking.ladder, "_climb", killed)
        with pytest.raises(KeyboardInterrupt):
            story.tick()
    assert not Check.objects.exists() and not story.engine().state.told
    story.tick()
    story.tick()
    assert Check.objects.count() == 1


def test_reading_in_small_pieces_comes_to_the_same(story: Any, monkeypatch: Any) -> None:
    from shoufu.scenes.community.welfare.services import ticking

    story.collapse()
    number, kept = Consumer.objects.get(name="welfare").last_batch, bytes(story.watch.kept)
    story.tick()
    whole = (story.engine().state, story.check.due_at, story.check.known_seconds)
    Check.objects.all().delete()
    Consumer.objects.filter(name="welfare").update(last_batch=number)
    Watch.objects.update(kept=kept)
    story.sensor.refresh_from_db()
    type(story.sensor).objects.update(heard_at=None, lost_at=None)
    monkeypatch.setattr(ticking, "AT_ONCE", 1)
    story.tick()
    assert (story.engine().state, story.check.due_at, story.check.known_seconds) == whole


def test_the_daily_button(story: Any) -> None:
    services.set_mode(story.act("mei"), "button", "10:00")
    due = story.watch.due_at
    assert due is not None and due > timezone.now()
    services.press(story.act("mei"))
    assert story.watch.due_at >= due
    again = story.watch.due_at
    services.tick(again + timedelta(minutes=3))
    assert story.check.reason == "button" and story.watch.due_at == again + timedelta(days=1)


def test_on_holiday_nobody_is_asked_and_nothing_is_learned(story: Any) -> None:
    story.collapse()
    services.pause(story.act("mei"), timezone.now() + timedelta(days=7))
    story.tick(30)
    assert not Check.objects.exists() and story.watch.due_at is None
    services.tick(timezone.now() + timedelta(days=7, minutes=1))
    row = story.watch
    assert row.paused_until is None and row.due_at is not None
    assert story.engine().state.unheard == 1.0


def test_a_contact_without_the_scope_is_told_but_answers_nothing(story: Any) -> None:
    privacy.withdraw(story.act("mei"), Delegation.objects.get(person=story.homes.mei).pk)
    story.collapse()
    story.tick()
    story.tick(16)
    assert told(story, "lan", "welfare.contact")
    assert not selectors.to_answer(story.act("lan"))
    with pytest.raises(NotFound):
        services.answer(story.act("lan"), story.check.pk, "reached")


def test_neighbours_and_strangers_see_nothing(story: Any) -> None:
    story.collapse()
    story.tick()
    for name in ("li", "other_guard", "guard", "worker", "lan"):
        assert not selectors.desk(story.act(name)).exists()
    story.tick(16)
    for name in ("li", "other_guard", "guard", "worker"):
        with pytest.raises(NotFound):
            services.answer(story.act(name), story.check.pk, "reached")
        with pytest.raises(NotFound):
            services.look(story.act(name), story.check.pk)
    with pytest.raises(NotFound):
        services.fine(story.act("lan"), story.check.pk)
    story.tick(37)
    seen = selectors.desk(story.act("worker")).get()
    assert {"silent_since", "known_seconds", "reason", "due_at"} <= seen.get_deferred_fields()
    called = services.look(story.act("worker"), story.check.pk)
    assert called.helpers == [("女儿", "+8613933334444")] and called.phone == "+8613811112222"
    assert not selectors.desk(story.act("guard")).exists()
    assert not selectors.participants(story.act("worker")).exists()


def test_the_log_shows_the_signals_to_nobody(story: Any) -> None:
    from shoufu.kernel.observations import selectors as observations

    story.say(story.now)
    for name in ("guard", "manager", "worker"):
        rows = observations.feed(story.act(name), observations.FeedFilter(kind="home.activity"), timezone.now())
        assert rows == []
