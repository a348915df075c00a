import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases import services as desk
from shoufu.kernel.cases.models import Case
from shoufu.kernel.notices.models import Notice
from shoufu.scenes.homecare.encounters import selectors, services
from shoufu.scenes.homecare.encounters.models import Overdue, Rules, Sos
from shoufu.scenes.homecare.encounters.services import watching
from shoufu.scenes.homecare.visits.models import Stop, Visit

pytestmark = pytest.mark.django_db


def position(**changes: Any) -> services.Position:
    return services.Position(
        **{"longitude": 123.42, "latitude": 41.84, "accuracy": 9.0, "at": timezone.now()} | changes
    )


def operator(care: Any) -> Any:
    user = User.objects.create(username="desk", display_name="Desk")
    since = timezone.now() - timedelta(days=1)
    RoleAssignment.objects.create(user=user, role="operator", place=care.world.songshan, since=since)
    return actor_for_user(user)


def test_a_call_for_help_is_one_critical_case_at_the_home(visiting: Any) -> None:
    care, visit = visiting.care, visiting.visit
    song, press = care.act("song"), services.Press(uuid4(), timezone.now(), visit.pk, position())
    row = services.call(song, press)
    assert services.call(song, press) == row
    case = Case.objects.get()
    assert (case.severity, case.kind, case.place, case.role) == ("critical", "homecare.sos", visit.place, "guard")
    assert "宋晓燕" in case.title and "9 单元" in case.title and "欧阳梅" not in case.title
    said = " ".join(event.text for event in case.events.all())
    assert visit.number in said and "41.84000, 123.42000" in said and "欧阳梅" not in said
    told = set(Notice.objects.filter(case=case).values_list("user__username", flat=True))
    assert {"alice", "gao"} <= told
    assert cases.queue(actor_for_user(care.world.alice), cases.CaseFilter())[0].pk == case.pk
    again = services.call(song, services.Press(uuid4(), timezone.now(), None, position(longitude=123.43)))
    assert again.case == case and Case.objects.count() == 1 and Sos.objects.count() == 2
    services.moved(song, row.pk, position(latitude=41.85, at=timezone.now() + timedelta(seconds=5)))
    services.moved(song, row.pk, position(latitude=41.99, at=timezone.now() - timedelta(hours=1)))
    row.refresh_from_db()
    assert row.latitude == 41.85
    assert [one.pk for one in selectors.alarms(care.act("gao"))] == [again.pk, row.pk]
    assert not selectors.alarms(care.act("other")).exists()
    with pytest.raises(NotFound):
        services.of_sos(care.act("other"), row.pk)
    for nobody in ("mei", "gao"):
        with pytest.raises(Forbidden):
            services.call(care.act(nobody), services.Press(uuid4(), timezone.now()))
    with pytest.raises(Invalid):
        services.call(song, services.Press(uuid4(), timezone.now(), None, position(latitude=95.0)))
    services.answer(care.act("gao"), services.of_sos(care.act("gao"), row.pk), "已通电话，警察在路上")
    services.answer(care.act("gao"), services.of_sos(care.act("gao"), row.pk), "已安全离开", done=True)
    assert Case.objects.get().state == "resolved"


def test_who_has_no_visit_is_looked_for_where_their_institution_is(visiting: Any) -> None:
    care = visiting.care
    visiting.visit.stops.all().delete()
    row = services.call(care.act("song"), services.Press(uuid4(), timezone.now(), None, position()))
    assert row.visit is None and row.place == care.office.place and row.case is not None
    assert row.case.severity == "critical" and "宋晓燕" in row.case.title


@pytest.mark.django_db(transaction=True)
def test_one_press_that_is_sent_again_before_its_answer_comes_is_one_case(visiting: Any) -> None:
    """A phone without an answer tries every second: several requests of one press are under way at once."""
    song, press = visiting.care.act("song"), services.Press(uuid4(), timezone.now(), visiting.visit.pk, position())
    found: list[int] = []

    def sent() -> None:
        found.append(services.call(song, press).case_id)
        connection.close()

    threads = [threading.Thread(target=sent) for _n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 4 and len(set(found)) == 1
    assert Case.objects.count() == 1 and Sos.objects.count() == 1


def test_nobody_answers_and_the_next_role_is_told(visiting: Any) -> None:
    services.call(visiting.care.act("song"), services.Press(uuid4(), timezone.now(), visiting.visit.pk))
    (case,) = desk.escalate_overdue(timezone.now() + timedelta(minutes=2))
    assert case.role == "operator"
    assert "位置未知" in case.events.filter(kind="note").get().text


def test_a_missed_check_out_is_raised_once_and_ends_when_it_comes(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    now = timezone.now()
    assert services.watch(now) == 0
    phone.send(phone.line(visit, "check_in"))
    assert services.watch(now + timedelta(minutes=74)) == 0
    assert services.watch(now + timedelta(minutes=80)) == 1
    assert services.watch(now + timedelta(minutes=81)) == 0
    row = Overdue.objects.select_related("case").get()
    assert row.what == "out" and row.case is not None
    assert (row.case.kind, row.case.severity, row.case.role) == ("homecare.overdue", "high", "care_coordinator")
    assert "宋晓燕未签退" in row.case.title and "打电话" in row.case.events.get(kind="raised").text
    # A guard must not learn from it that a home gets care; operators and coordinators see it.
    assert not cases.queue(actor_for_user(care.world.alice), cases.CaseFilter())
    assert cases.queue(operator(care), cases.CaseFilter())[0].pk == row.case.pk
    assert [one.pk for one in selectors.overdue(care.act("gao"))] == [row.pk]
    assert not selectors.overdue(care.act("other")).exists()
    services.answer(care.act("gao"), services.of_overdue(care.act("gao"), row.pk), "电话打通，还在换药")
    phone.send(phone.line(visit, "check_out"))
    row.refresh_from_db()
    case = Case.objects.get()
    assert row.ended_at is not None and case.state == "resolved" and "签退已收到" in case.outcome


def test_one_who_is_late_and_cannot_be_raised_keeps_no_other_waiting(
    visiting: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = visiting.visit, visiting.another()
    Visit.objects.filter(pk=good.pk).update(starts_at=bad.starts_at, latest_at=bad.latest_at)
    Stop.objects.filter(visit=good).update(span=bad.stops.get().span, live=True, practitioner=visiting.colleague())
    step = watching._raise

    def broken(late: Any, now: Any) -> int:
        if late.visit == bad:
            raise RuntimeError("kaputt")
        return step(late, now)

    then = bad.latest_at + timedelta(minutes=31)
    with monkeypatch.context() as patch:
        patch.setattr(watching, "_raise", broken)
        assert services.watch(then) == 1
    assert Overdue.objects.get().visit == good
    assert [one.levelname for one in caplog.records if "raising who is late" in one.message] == ["ERROR"]
    assert services.watch(then) == 1 and Overdue.objects.count() == 2


def test_who_never_came_is_raised_after_the_institutions_own_grace(visiting: Any) -> None:
    care, visit = visiting.care, visiting.visit
    services.set_rules(care.act("gao"), care.office.pk, services.RulesDraft(100, 10, "138 0013 8000", True))
    assert Rules.objects.get().alarm_number == "13800138000"
    assert services.watch(visit.latest_at + timedelta(minutes=9)) == 0
    assert services.watch(visit.latest_at + timedelta(minutes=11)) == 1
    assert Overdue.objects.get().what == "in"
    visiting.phone.send(visiting.phone.line(visit, "missed", {"cause": "nobody_home", "note": "敲门无人"}))
    assert Case.objects.get().state == "resolved"
    visit.refresh_from_db()
    assert (visit.state, visit.end_cause) == ("missed", "nobody_home")
    with pytest.raises(Forbidden):
        services.set_rules(care.act("song"), care.office.pk, services.RulesDraft(100, 10))
    with pytest.raises(Invalid) as refused:
        services.set_rules(care.act("gao"), care.office.pk, services.RulesDraft(1, 1, "abc"))
    assert [one.field for one in refused.value.errors] == ["radius", "grace", "alarm_number"]


def test_a_way_is_kept_only_where_the_institution_wants_it(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    point = [timezone.now().timestamp() * 1000, 123.42, 41.84, 10]
    (refused,) = phone.send(phone.line(visit, "trail", {"points": [point]}))
    assert refused.result == "refused"
    services.set_rules(care.act("gao"), care.office.pk, services.RulesDraft(200, 30, "", True))
    (kept,) = phone.send(phone.line(visit, "trail", {"points": [point]}))
    assert kept.result == "applied"
    encounter = selectors.encounters(care.act("gao")).get()
    with pytest.raises(Invalid):
        services.way(care.act("gao"), encounter.pk, "")
    assert services.way(care.act("gao"), encounter.pk, "投诉核实").points[0][1:] == (123.42, 41.84, 10)
