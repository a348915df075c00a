"""What the phone should have asked for is asked by the server too: kept, in conflict, and not done before somebody
looked."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from shoufu.kernel.base.errors import Forbidden
from shoufu.scenes.homecare.encounters import selectors, services
from shoufu.scenes.homecare.encounters.models import Encounter, Entry, Operation, Photo
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.visits.models import Visit

pytestmark = pytest.mark.django_db
CONFLICTS = "/homecare/encounters/conflicts/"
FAR = {"longitude": 123.44, "latitude": 41.84, "accuracy": 10.0}
"""About 1.7 km from the home."""


def codes(answer: Any) -> list[str]:
    return [one["code"] for one in answer.problem.get("doubts", ())]


def results(answers: Any) -> list[str]:
    return [one.result for one in answers]


def state(visit: Visit) -> str:
    return str(Visit.objects.values_list("state", flat=True).get(pk=visit.pk))


def spoken(visiting: Any, language: str) -> str:
    """What the coordinator reads about the newest line in conflict."""
    user = visiting.care.users["gao"]
    user.language = language
    user.save()
    row = Operation.objects.filter(result="conflict").latest("known_at")
    return str(visiting.care.client("gao").get(f"{CONFLICTS}{row.pk}/").content.decode())


def test_a_check_in_far_away_without_a_reason_counts_when_somebody_said_so(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    lines = phone.whole(visit)
    lines[1] = replace(lines[1], content=FAR)
    answers = phone.send(*lines)
    assert results(answers) == ["applied", "conflict", *["applied"] * 7] and codes(answers[1]) == ["far"]
    row = Encounter.objects.get()
    assert (row.state, row.contested) == ("finished", True) and row.in_distance > 1500
    assert Entry.objects.filter(kind="record").exists() and state(visit) == "underway"
    for language, words in (("zh-hans", ("没有说明原因", "200 米", "认可")), ("en", ("no reason is given", "200 m"))):
        shown = spoken(visiting, language)
        assert all(one in shown for one in words), language
    (line,) = selectors.conflicts(care.act("gao"))
    with pytest.raises(Forbidden):
        services.settle(care.act("song"), line.pk, "我在")
    services.settle(care.act("gao"), line.pk, "已电话核实，人在家", take=True)
    assert state(visit) == "done" and not Encounter.objects.get().contested


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (FAR | {"reason": "在医院门口接患者"}, []),
        ({"reason": "地下室没有信号"}, []),
        ({}, ["no_position"]),
        # A fix that is good for a whole city says nothing of being near.
        (FAR | {"accuracy": 90_000.0}, ["far"]),
        (FAR | {"reason": "  "}, ["far"]),
    ],
)
def test_what_the_door_asks(visiting: Any, content: Any, expected: list[str]) -> None:
    phone, visit = visiting.phone, visiting.visit
    (answer,) = phone.send(phone.line(visit, "check_in", content))
    assert codes(answer) == expected and answer.result == ("conflict" if expected else "applied")
    assert Encounter.objects.get().in_at is not None


def test_a_check_in_hours_before_the_promise_waits_for_a_look(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    promised = timezone.now() + timedelta(hours=2, minutes=21)
    Visit.objects.filter(pk=visit.pk).update(starts_at=promised, latest_at=promised + timedelta(minutes=30))
    lines = phone.whole(visit)
    answers = phone.send(*lines)
    assert results(answers) == ["applied", "conflict", *["applied"] * 7] and codes(answers[1]) == ["before_promise"]
    assert Encounter.objects.get().in_at is not None and state(visit) == "underway"
    (said,) = answers[1].problem["doubts"]
    assert said["promised"] == f"{timezone.localtime(promised):%m-%d %H:%M}"
    for language, words in (("zh-hans", "约定的上门时间是"), ("en", "the visit is promised for")):
        assert f"{words} {said['promised']}" in spoken(visiting, language)
    services.settle(care.act("gao"), answers[1].id, "患者请她早来", take=True)
    assert state(visit) == "done" and not Encounter.objects.get().contested


@pytest.mark.parametrize(("minutes", "expected"), [(59, []), (62, ["before_promise"])])
def test_up_to_an_hour_early_is_not_asked_about(visiting: Any, minutes: int, expected: list[str]) -> None:
    phone, visit = visiting.phone, visiting.visit
    promised = timezone.now() + timedelta(minutes=minutes)
    Visit.objects.filter(pk=visit.pk).update(starts_at=promised, latest_at=promised + timedelta(minutes=30))
    assert codes(phone.send(phone.line(visit, "check_in"))[0]) == expected
    content = phone.fetch().content
    assert (content["early_minutes"], "promised_at" in content["visits"][0]) == (60, True)


def test_a_check_out_without_what_has_to_be_there(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    (came, left) = phone.send(phone.line(visit, "check_in"), phone.line(visit, "check_out"))
    assert came.result == "applied" and left.result == "conflict"
    assert codes(left) == ["unidentified", "no_consent", "unticked", "no_record", "unsigned"]
    assert state(visit) == "underway" and Encounter.objects.get().state == "finished"
    assert "接触患者前做了手卫生" in spoken(visiting, "zh-hans")
    assert "Hands cleaned before touching the patient" in spoken(visiting, "en")
    # Settled in words only, it does not count; the coordinator can still end the visit.
    services.settle(care.act("gao"), left.id, "没有做完")
    assert state(visit) == "underway" and Encounter.objects.get().contested

    other = visiting.another()
    lines = phone.whole(other)
    lines[0] = replace(lines[0], content={"method": "document", "result": "mismatch"})
    lines[2] = replace(lines[2], content={"service": False, "photos": False})
    lines[3] = replace(lines[3], content={"checklist": "home-visit-1", "answers": {"hands-before": "yes"}})
    with override("zh-hans"):
        answers = phone.send(*lines)
    assert codes(answers[-1]) == ["mismatch", "no_consent", "unticked"] and state(other) == "underway"
    said = answers[-1].problem["detail"]
    assert "接触患者前做了手卫生" not in said and "离开前做了手卫生" in said and "清点了针数" not in said
    services.settle(care.act("gao"), answers[-1].id, "当面核实", take=True)
    assert state(other) == "done"


def test_a_line_of_a_time_that_cannot_be(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    phone.fetch()
    now = timezone.now()
    early = phone.line(visit, "check_in", at=now - timedelta(hours=3))
    vitals = phone.line(visit, "vitals", {"values": {"pulse": 70}}, at=now + timedelta(days=2))
    slack = phone.line(visit, "record", {"findings": "好"}, 0, at=now + timedelta(minutes=3))
    answers = phone.send(early, vitals, slack)
    assert results(answers) == ["conflict", "conflict", "applied"]
    assert [codes(one) for one in answers] == [["early", "before_promise"], ["future"], []]
    kept = Operation.objects.get(pk=vitals.id)
    assert abs(kept.at - now) < timedelta(minutes=1) and Entry.objects.filter(kind="vitals").exists()
    shown = spoken(visiting, "en")
    assert "had not come yet" in shown
    # One decision for all that is in doubt about this record.
    services.settle(care.act("gao"), early.id, "手机时间不准", take=True, also=True)
    assert not Operation.objects.filter(result="conflict", settled_at__isnull=True).exists()
    assert not Encounter.objects.get().contested and state(visit) == "underway"


def test_who_was_suspended_cannot_write_of_before_without_a_look(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    phone.fetch()
    lines = phone.whole(visit)
    assert phone.send(lines[0])[0].result == "applied"
    picture = phone.photo(visit, b"x" * 90, sequence=10)
    register.suspend(care.act("gao"), care.song.pk, "投诉调查")
    answers = phone.send(*lines[1:], picture)
    assert set(results(answers[1:-2])) == {"conflict"}
    # What it says is kept all the same, and the next lines are written upon it.
    assert codes(answers[4]) == ["suspended"] and answers[4].number == 1
    assert Encounter.objects.get().state == "finished" and state(visit) == "booked"
    assert "停用" in spoken(visiting, "zh-hans")
    services.settle(care.act("gao"), answers[0].id, "停用前已完成，核实", take=True, also=True)
    assert state(visit) == "done" and Photo.objects.count() in (0, 1)


def test_a_licence_that_ended_is_seen_in_whatever_is_said_of_before(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    Visit.objects.filter(pk=visit.pk).update(requested_at=timezone.now() - timedelta(days=3))
    ended = timezone.localdate() - timedelta(days=1)
    type(care.song).objects.filter(pk=care.song.pk).update(licence_last_day=ended)
    before = phone.line(visit, "vitals", {"values": {"pulse": 70}}, at=timezone.now() - timedelta(days=1, hours=1))
    (answer,) = phone.send(before)
    assert codes(answer) == ["licence"] and ended.isoformat() in answer.problem["detail"]
    (answer,) = phone.send(phone.line(visit, "vitals", {"values": {"pulse": 71}}))
    assert codes(answer) == ["unlicensed"]
    # The visit itself says it already; it is not said twice.
    (answer,) = phone.send(phone.line(visit, "check_in"))
    assert answer.problem["reason"] == "blocked" and codes(answer) == []
