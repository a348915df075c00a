import random
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, NotFound
from shoufu.scenes.homecare.encounters import selectors, services
from shoufu.scenes.homecare.encounters.models import Encounter, Entry, Handed, Operation
from shoufu.scenes.homecare.encounters.services import handlers, syncing
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.visits.models import Stop, Visit

pytestmark = pytest.mark.django_db


def results(answers: Any) -> list[str]:
    return [one.result for one in answers]


def kept(visiting: Any) -> tuple[int, int]:
    return Entry.objects.count(), Operation.objects.filter(result="applied").count()


def test_a_whole_visit_is_kept_and_the_visit_is_done(visiting: Any) -> None:
    phone, visit = visiting.phone, visiting.visit
    assert set(results(phone.send(*phone.whole(visit)))) == {"applied"}
    row = Encounter.objects.get()
    assert (row.state, row.practitioner, row.contested) == ("finished", visiting.care.song, False)
    assert row.in_distance is not None and row.in_distance < 30
    visit.refresh_from_db()
    assert (visit.state, visit.began_at, visit.ended_at) == ("done", row.in_at, row.out_at)
    shown = services.look(visiting.care.act("gao"), row.pk, "质控")
    assert shown.last["record"]["findings"] == "创面红润" and shown.last["identity"]["digits"] == "4021"
    assert "创面红润".encode() not in bytes(Entry.objects.get(kind="record").content)
    vitals = {one.code: (one.value, one.loinc) for one in selectors.observations(visiting.care.act("gao"))}
    assert vitals["systolic"] == (132, "8480-6")
    assert len(list(selectors.facts(visiting.care.act("gao")))) == Entry.objects.count() == 7
    assert list(selectors.observations(visiting.care.act("foreign"))) == []
    looked = AuditEntry.objects.filter(action="homecare.encounter.look").get()
    assert (looked.subject, looked.reason) == (visiting.care.people["mei"].pk, "质控")


def test_the_same_lines_again_and_in_any_order_are_kept_once(visiting: Any) -> None:
    phone, visit = visiting.phone, visiting.visit
    lines = phone.whole(visit)
    once = results(phone.send(*lines))
    again = phone.send(*lines)
    assert set(once) == {"applied"} and set(results(again)) == {"already"}
    assert again[5].number == 1
    before = kept(visiting)
    changed = replace(lines[4], content={"values": {"pulse": 71}})
    assert results(phone.send(changed)) == ["refused"]
    assert kept(visiting) == before

    other, lost = visiting.another(), visiting.another()
    mixed = phone.whole(other)
    shuffled = mixed[:]
    random.Random(7).shuffle(shuffled)
    for line in shuffled:
        phone.send(line)
    assert Visit.objects.get(pk=other.pk).state == "done"
    assert not Operation.objects.filter(result="held").exists()
    early = phone.whole(lost)
    assert set(results(phone.send(*early[1:]))) == {"held"} and not Encounter.objects.filter(visit=lost).exists()
    # The first line never comes: after a day the others are taken as they are.
    gao = visiting.care.act("gao")
    assert services.release(SYSTEM, timezone.now() + timedelta(hours=1)) == 8
    # That the patient's identity was checked went with it: somebody looks before the visit is done.
    (line,) = selectors.conflicts(gao)
    assert [one["code"] for one in line.problem["doubts"]] == ["unidentified"]
    services.settle(gao, line.pk, "护士电话确认", take=True)
    assert Visit.objects.get(pk=lost.pk).state == "done"


def test_one_phone_whose_lines_fail_keeps_no_other_phones_waiting(
    visiting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, bad, good = visiting.phone, visiting.another(), visiting.another()
    for visit in (bad, good):
        assert set(results(phone.send(*phone.whole(visit)[1:]))) == {"held"}
    step, failures = syncing._next, []

    def broken(actor: Any, device: Any, visit: int, **more: Any) -> Any:
        if visit == bad.pk:
            raise RuntimeError("kaputt")
        return step(actor, device, visit, **more)

    later = timezone.now() + timedelta(hours=1)
    with monkeypatch.context() as patch:
        patch.setattr(syncing, "_next", broken)
        patch.setattr(syncing.log, "exception", lambda said, **about: failures.append((said, about["visit"])))
        assert services.release(SYSTEM, later) == 8
    assert failures == [("not_released", bad.pk)] and Encounter.objects.get().visit == good
    assert services.release(SYSTEM, later) == 8 and Encounter.objects.filter(visit=bad).exists()


def test_a_visit_that_was_cancelled_meanwhile_is_kept_and_told(visiting: Any) -> None:
    phone, visit = visiting.phone, visiting.visit
    phone.fetch()
    Visit.objects.filter(pk=visit.pk).update(state="cancelled")
    visit.stops.update(live=False)
    answers = phone.send(*phone.whole(visit))
    assert results(answers) == ["applied", "conflict", *["applied"] * 7]
    assert "已取消" in answers[1].problem["detail"] or "Cancelled" in answers[1].problem["detail"]
    row = Encounter.objects.get()
    assert row.contested and row.state == "finished" and Visit.objects.get(pk=visit.pk).state == "cancelled"
    assert services.look(visiting.care.act("song"), row.pk, "补录").last["record"]["findings"] == "创面红润"
    (open_one,) = selectors.conflicts(visiting.care.act("gao"))
    assert open_one.kind == "check_in"
    with pytest.raises(NotFound):
        services.settle(visiting.care.act("other"), open_one.pk, "x")
    services.settle(visiting.care.act("gao"), open_one.pk, "已上门，按实际服务处理")
    (told,) = services.answers(visiting.care.act("song"), phone.device)
    assert told.settled_note == "已上门，按实际服务处理"
    assert results(phone.send(replace(phone.whole(visit)[0], sequence=2, id=answers[1].id))) == ["refused"]


def test_a_visit_that_is_another_nurses_by_now(visiting: Any) -> None:
    phone, visit, care = visiting.phone, visiting.visit, visiting.care
    lan = visiting.colleague()
    phone.fetch()
    visit.stops.update(practitioner=lan)
    answers = phone.send(*phone.whole(visit))
    assert results(answers)[1] == "conflict" and results(answers)[5] == "applied"
    visit.refresh_from_db()
    assert visit.state == "booked"
    theirs = type(phone)(care, "lan")
    assert set(results(theirs.send(*theirs.whole(visit)))) == {"applied"}
    assert Encounter.objects.filter(visit=visit, contested=False).get().practitioner == lan


def test_nobody_sends_lines_of_somebody_elses_visit(visiting: Any) -> None:
    care, visit = visiting.care, visiting.visit
    for user in ("gao", "mei", "other", "foreign"):
        stranger = type(visiting.phone)(care, user)
        answers = stranger.send(*stranger.whole(visit))
        assert set(results(answers)) == {"refused"} and answers[0].problem["status"] == 404
    assert not Operation.objects.exists()
    visiting.colleague()
    theirs = type(visiting.phone)(care, "lan")
    assert set(results(theirs.send(*theirs.whole(visit)))) == {"refused"}
    assert [one["id"] for one in visiting.phone.fetch().content["visits"]] == [visit.pk]
    assert theirs.fetch().content["visits"] == []
    with pytest.raises(Forbidden):
        services.bundle(care.act("gao"), uuid4())


def test_a_record_that_was_written_on_two_phones_is_kept_twice_and_settled(visiting: Any) -> None:
    phone, visit, care = visiting.phone, visiting.visit, visiting.care
    second = type(phone)(care)
    phone.send(phone.line(visit, "check_in"), phone.line(visit, "record", {"findings": "第一"}, 0))
    assert second.fetch().content["visits"][0]["encounter"]["entries"]["record"]["number"] == 1
    assert results(second.send(second.line(visit, "record", {"findings": "第二"}, 1))) == ["applied"]
    (refused,) = phone.send(phone.line(visit, "record", {"findings": "第三"}, 1))
    assert refused.result == "conflict" and refused.problem["number"] == 2
    row = Encounter.objects.get()
    assert services.shown(row).last["record"]["findings"] == "第二"
    assert services.shown(row).disputed[0].content["findings"] == "第三"
    services.settle(care.act("gao"), refused.id, "以护士后写的为准", take=True)
    found = services.shown(row)
    assert found.last["record"]["findings"] == "第三"
    assert [one.content["findings"] for one in found.all("record")] == ["第一", "第二", "第三"]
    after = phone.send(phone.line(visit, "check_out"), phone.line(visit, "record", {"findings": "晚了"}, 3))
    assert results(after) == ["conflict", "conflict"] and after[0].problem["reason"] == "doubt"
    assert results(phone.send(phone.line(visit, "addendum", {"text": "漏写：已换尿垫"}))) == ["applied"]
    services.add(care.act("song"), row.pk, "复核")
    assert len(services.shown(row).all("addendum")) == 2


def test_wrong_values_name_the_field_and_the_line_stays_readable(visiting: Any) -> None:
    phone, visit = visiting.phone, visiting.visit
    bad = [
        ("vitals", {"values": {"systolic": 1320, "diastolic": 78}}, "content.values.systolic"),
        ("vitals", {"values": {"systolic": 120}}, "content.values"),
        ("vitals", {"values": {"weight": 60}}, "content.values.weight"),
        ("identity", {"method": "vector"}, "content.method"),
        ("checklist", {"checklist": "home-visit-1", "answers": {"no": "yes"}}, "content.answers.no"),
        ("signature", {"by": "nobody"}, "content.reason"),
        ("signature", {"by": "family", "width": 9, "height": 9, "strokes": []}, "content.strokes"),
        ("record", {"findings": 5}, "content.findings"),
        ("nonsense", {}, "kind"),
        ("trail", {"points": [[1, 2, 3, 4]]}, "kind"),
        ("photo", {"media": "x"}, "content"),
    ]
    for kind, content, wrong in bad:
        (answer,) = phone.send(phone.line(visit, kind, content))
        assert answer.result == "refused", kind
        assert wrong in [one["field"] for one in answer.problem["errors"]], (kind, answer.problem)
    assert results(phone.send(phone.line(visit, "vitals", {"values": {"pulse": 70}}))) == ["applied"]
    assert selectors.conflicts(visiting.care.act("gao")).count() == len(bad)


def test_a_line_that_is_too_large_holds_nothing_up(visiting: Any) -> None:
    phone, visit = visiting.phone, visiting.visit
    lines = phone.whole(visit)
    huge = {"by": "patient", "width": 300, "height": 120, "strokes": [[[10.123456, 10.123456]] * 3000] * 30}
    lines[7] = replace(lines[7], content=huge)
    # It comes before what it follows: also then it is refused in its turn only.
    assert results(phone.send(lines[7])) == ["held"]
    answers = phone.send(*lines[:7], lines[8])
    assert results(answers) == [*["applied"] * 7, "conflict"]
    assert [one["code"] for one in answers[7].problem["doubts"]] == ["unsigned"]
    row = Operation.objects.get(pk=lines[7].id)
    assert row.result == "refused" and row.problem["errors"][0]["field"] == "content"
    assert row.content is not None and len(bytes(row.content)) < 1000
    told = services.answers(visiting.care.act("song"), phone.device)
    assert {one.pk for one in told} == {row.pk, answers[7].id}
    assert results(phone.send(lines[7])) == ["refused"]
    far = phone.line(visit, "addendum", {"text": "x"}, sequence=5000)
    assert results(phone.send(far)) == ["later"] and not Operation.objects.filter(pk=far.id).exists()


def test_one_nurses_missed_does_not_end_what_the_other_is_doing(visiting: Any) -> None:
    phone, visit, care = visiting.phone, visiting.visit, visiting.care
    lan = visiting.colleague()
    Stop.objects.create(visit=visit, task=1, practitioner=lan, span=visit.stops.get().span)
    second, lines = type(phone)(care, "lan"), phone.whole(visit)
    phone.send(*lines[:5])
    (missed,) = second.send(second.line(visit, "missed", {"cause": "other", "note": "电动车坏了"}))
    assert missed.result == "conflict" and missed.problem["reason"] == "colleague"
    assert Encounter.objects.get(practitioner=lan).state == "cancelled"
    assert set(results(phone.send(*lines[5:]))) == {"applied"}
    assert Visit.objects.get(pk=visit.pk).state == "underway"
    assert [one.kind for one in selectors.conflicts(care.act("gao"))] == ["missed"]
    services.finish_without(care.act("gao"), visit.pk, "一人完成")
    assert Visit.objects.get(pk=visit.pk).state == "done"


def test_a_visit_that_was_refused_at_the_door_but_given_is_taken_as_done(visiting: Any) -> None:
    phone, visit, care = visiting.phone, visiting.visit, visiting.care
    yesterday = timezone.localdate() - timedelta(days=1)
    type(care.office).objects.filter(pk=care.office.pk).update(licence_last_day=yesterday)
    assert results(phone.send(*phone.whole(visit))) == ["applied", "conflict", *["applied"] * 7]
    (line,) = selectors.conflicts(care.act("gao"))
    with pytest.raises(Forbidden):
        services.settle(care.act("song"), line.pk, "我做了", take=True)
    assert Visit.objects.get(pk=visit.pk).state == "booked"
    services.settle(care.act("gao"), line.pk, "证照已续，服务有效", take=True)
    row, done = Encounter.objects.get(), Visit.objects.get(pk=visit.pk)
    assert (done.state, done.began_at, done.ended_at) == ("done", row.in_at, row.out_at) and not row.contested

    taken = visiting.another()
    phone.send(*phone.whole(taken))
    Visit.objects.filter(pk=taken.pk).update(state="cancelled")
    (line,) = selectors.conflicts(care.act("gao")).filter(visit=taken)
    with pytest.raises(Conflict):
        services.settle(care.act("gao"), line.pk, "算数", take=True)
    assert selectors.conflicts(care.act("gao")).get(pk=line.pk).settled_at is None


def test_a_wrong_clock_loses_nothing(visiting: Any) -> None:
    phone, visit = visiting.phone, visiting.visit
    phone.ahead = timedelta(hours=3, days=400)
    assert set(results(phone.send(*phone.whole(visit)))) == {"applied"}
    row = Encounter.objects.get()
    assert row.in_at is not None and abs(timezone.now() - row.in_at) < timedelta(minutes=1)
    assert row.clock_error == pytest.approx(phone.ahead.total_seconds(), abs=2)


def test_who_is_suspended_gets_nothing_more_and_what_was_done_before_counts(visiting: Any) -> None:
    phone, visit, care = visiting.phone, visiting.visit, visiting.care
    bundle = phone.fetch()
    Handed.objects.update(first_at=timezone.now() - timedelta(hours=1))
    assert bundle.content["visits"][0]["patient"]["allergies"] == "青霉素"
    assert bundle.content["visits"][0]["patient"]["access"] == "门铃坏了"
    assert services.bundle(care.act("song"), phone.device, bundle.tag) is None
    look = AuditEntry.objects.filter(action="homecare.patient.look").get()
    assert look.subject == care.people["mei"].pk and look.reason == "上门服务"
    assert Handed.objects.get().device == phone.device
    before, after = phone.line(visit, "check_in"), phone.line(visit, "record", {"findings": "之后"}, 0)
    before = replace(before, at=before.at - timedelta(minutes=5))
    register.suspend(care.act("gao"), care.song.pk, "投诉调查")
    care.song.refresh_from_db()
    with pytest.raises(Forbidden) as refused:
        phone.fetch()
    assert refused.value.extra["reason"] == "revoked"
    answers = phone.send(before, replace(after, at=timezone.now() + timedelta(seconds=1)))
    # The check-in counts for the record, but the visit is not begun by who must not: a person looks at it.
    assert results(answers) == ["conflict", "conflict"] and Encounter.objects.get().in_at == before.at
    assert answers[0].problem["codes"] == ["suspended"] and answers[1].problem["reason"] == "revoked"
    assert Operation.objects.get(pk=after.id).content is not None


def test_what_breaks_in_the_middle_of_a_line_leaves_nothing_half_done(visiting: Any, monkeypatch: Any) -> None:
    phone, visit, other = visiting.phone, visiting.visit, visiting.another()
    lines, elsewhere = phone.whole(visit), phone.line(other, "check_in")
    real, broken = handlers.record, []

    def breaks(actor: Any, act: Any) -> Any:
        if act.data.get("kind") == "vitals" and not broken:
            broken.append(act)
            raise RuntimeError("killed here")
        return real(actor, act)

    monkeypatch.setattr(handlers, "record", breaks)
    found = results(phone.send(*lines, elsewhere))
    assert found == ["applied"] * 4 + ["later"] * 5 + ["applied"]
    assert not Entry.objects.filter(kind="vitals").exists() and Operation.objects.filter(visit=visit).count() == 4
    assert results(phone.send(*lines, elsewhere)) == ["already"] * 4 + ["applied"] * 5 + ["already"]
    assert Entry.objects.filter(encounter__visit=visit).count() == 7


@pytest.mark.django_db(transaction=True)
def test_two_requests_with_the_same_lines_at_once(visiting: Any) -> None:
    phone, visit = visiting.phone, visiting.visit
    lines = phone.whole(visit)
    found: list[list[str]] = []

    def sent() -> None:
        found.append(results(phone.send(*lines)))
        connection.close()

    threads = [threading.Thread(target=sent) for _n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 4 and all(set(one) <= {"applied", "already"} for one in found)
    assert sum(one.count("applied") for one in found) == len(lines)
    assert Entry.objects.count() == 7 and Operation.objects.count() == 9
