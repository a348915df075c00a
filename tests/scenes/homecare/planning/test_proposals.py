from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.notices.models import Notice
from shoufu.scenes.homecare.planning import days, services
from shoufu.scenes.homecare.planning.models import DayPlan, PlanEvent, Proposal
from shoufu.scenes.homecare.planning.services import Wish, watching
from shoufu.scenes.homecare.register.models import Institution
from shoufu.scenes.homecare.visits.models import Stop, Visit

pytestmark = pytest.mark.django_db


def _full_day(board: Any) -> list[Visit]:
    """Six people, 30 visits: five rounds of six, 75 minutes apart."""
    board.grow(4, 26)
    rows = [board.visit(n, 9 + (n // 6 * 75) // 60, (n // 6 * 75) % 60, window=45) for n in range(30)]
    proposal = services.plan_day(board.act(), board.care.office.pk, board.day, 0.5)
    assert proposal.state == "ready" and proposal.shown["after"]["open"] == 0
    services.take(board.act(), proposal.pk)
    return rows


def _moved(before: dict[int, tuple[Any, Any]]) -> int:
    """How many visits have another person, or begin more than a quarter of an hour off."""
    after = _who()
    return sum(
        pk not in after or after[pk][0] != who or abs(after[pk][1] - start) > timedelta(minutes=15)
        for pk, (who, start) in before.items()
    )


def _who() -> dict[int, tuple[Any, Any]]:
    return {stop.visit_id: (stop.practitioner_id, stop.span.lower) for stop in Stop.objects.filter(task=0)}


def test_a_day_is_planned_anew_and_keeps_what_a_coordinator_chose(board: Any) -> None:
    first, second = board.visit(0, 9), board.visit(1, 10)
    bai, office = board.nurses["bai"], board.care.office.pk
    services.assign(board.act(), first.pk, Wish([bai.pk], board.at(9, 25)))
    proposal = services.plan_day(board.act(), office, board.day, 0.3)
    assert proposal.shown["before"]["open"] == 1 and proposal.shown["after"]["open"] == 0
    assert not second.stops.exists()
    services.take(board.act(), proposal.pk)
    assert second.stops.exists() and first.stops.get().span.lower == board.at(9, 25)
    assert PlanEvent.objects.filter(kind="anew").exists()
    with pytest.raises(Conflict):
        services.take(board.act(), proposal.pk)


def test_a_proposal_is_not_taken_when_somebody_changed_the_plan_meanwhile(board: Any) -> None:
    visit, office = board.visit(0, 9), board.care.office.pk
    proposal = services.plan_day(board.act(), office, board.day, 0.2)
    services.assign(board.second_coordinator(), visit.pk, Wish([board.nurses["song"].pk]))
    with pytest.raises(Conflict) as refusal:
        services.take(board.act(), proposal.pk)
    assert "何组长" in refusal.value.detail
    services.drop(board.act(), proposal.pk)
    assert Proposal.objects.get().state == "dropped" and DayPlan.objects.get().number == 1


def test_what_takes_longer_is_a_job_that_shows_how_far_it_is(board: Any) -> None:
    board.visit(0, 9)
    proposal = services.plan_day(board.act(), board.care.office.pk, board.day, 1.5)
    assert proposal.state == "running"
    services.compute(proposal.pk)
    proposal.refresh_from_db()
    assert (proposal.state, proposal.progress) == ("ready", 100)
    for wrong in (0, -1, 1000):
        with pytest.raises(Invalid):
            services.plan_day(board.act(), board.care.office.pk, board.day, wrong)


def test_a_nurse_ninety_minutes_late_moves_few(board: Any, clock: Callable[[Any], None]) -> None:
    _full_day(board)
    before = _who()
    clock(board.at(8, 30))
    nurse = max(board.nurses.values(), key=lambda row: sum(who == row.pk for who, _at in before.values()))
    proposal = services.nurse_late(board.act(), nurse.pk, board.at(10, 30))
    assert proposal.state == "ready" and proposal.shown["after"]["open"] == 0
    assert len(proposal.shown["moved"]) <= 10
    assert _who() == before
    services.take(board.act(), proposal.pk)
    assert _moved(before) <= 10
    starts = [at for who, at in _who().values() if who == nurse.pk]
    assert all(at >= board.at(10, 30) for at in starts)


def test_the_visits_of_who_is_ill_go_to_others_and_what_cannot_be_done_is_named(board: Any) -> None:
    """At nine one of two patients waits; at four only one of two can be visited before the shift ends."""
    rows = [board.sent(board.visit(n, hour), name, hour) for n, (name, hour) in enumerate(
        (("bai", 9), ("song", 9), ("bai", 16), ("song", 16))
    )]  # fmt: skip
    third = board.sent(board.visit(0, 13), "bai", 13)
    Notice.objects.all().delete()
    proposal = services.nurse_ill(board.act(), board.nurses["bai"].pk, board.day)
    (left,) = proposal.shown["open"]
    assert left["visit"] in (rows[2].pk, rows[3].pk) and left["codes"]
    assert proposal.shown["after"]["late"] == 1
    services.take(board.act(), proposal.pk)
    assert third.stops.get().practitioner == board.nurses["song"]
    assert [row.stops.count() for row in rows[:2]] == [1, 1]
    assert sum(row.stops.count() for row in rows[2:]) == 1
    assert Notice.objects.filter(template="care.person", user__username="mei").exists()
    day = days.load(board.care.office, board.day)
    assert [one.id for one in day.problem.caregivers] == [str(board.nurses["song"].pk)]
    with pytest.raises(Conflict):
        services.undo(board.act(), board.care.office.pk, board.day, DayPlan.objects.get().number)


def test_who_falls_ill_on_the_way_leaves_what_has_begun(board: Any, clock: Callable[[Any], None]) -> None:
    first = board.sent(board.visit(0, 9), "bai", 9)
    second = board.sent(board.visit(1, 10, 30), "bai", 10, 30)
    Visit.objects.filter(pk=first.pk).update(state="underway", began_at=board.at(9))
    clock(board.at(9, 20))
    proposal = services.nurse_ill(board.act(), board.nurses["bai"].pk, board.day)
    services.take(board.act(), proposal.pk)
    assert first.stops.get().practitioner == board.nurses["bai"]
    assert second.stops.get().practitioner == board.nurses["song"]


def test_a_cancelled_visit_makes_room_for_one_that_was_open(board: Any) -> None:
    rows = [board.sent(board.visit(n, 9), name, 9) for n, name in enumerate(("song", "bai"))]
    waits = board.visit(2, 9)
    Visit.objects.filter(pk=rows[0].pk).update(state="cancelled")
    Stop.objects.filter(visit=rows[0]).update(live=False)
    services.take(board.act(), services.visit_cancelled(board.act(), rows[0].pk).pk)
    assert waits.stops.get().practitioner == board.nurses["song"]
    assert rows[1].stops.get().practitioner == board.nurses["bai"]


def test_a_visit_that_did_not_begin_is_told_once_to_its_own_coordinator(
    board: Any, clock: Callable[[Any], None]
) -> None:
    late = board.sent(board.visit(0, 9), "song", 9)
    after = board.sent(board.visit(1, 10, window=15), "song", 10)
    Notice.objects.all().delete()
    clock(board.at(8, 50))
    assert services.watch(board.at(8, 50)) == 0
    clock(board.at(9, 40))
    assert services.watch(board.at(9, 40)) == 2
    services.watch(board.at(9, 41))
    told = Notice.objects.filter(template="care.risk")
    assert {one.user.username for one in told} == {"gao"} and told.count() == 2
    assert any("宋晓燕" in one.body and "09:30" in one.body for one in told)
    Visit.objects.filter(pk=late.pk).update(state="underway", began_at=board.at(9, 40))
    clock(board.at(9, 45))
    assert services.watch(board.at(9, 45)) == 1
    answer = services.check(board.act(), after.pk, Wish([board.nurses["bai"].pk], board.at(10)))
    assert answer.fit is not None and answer.fit.late == 0


def test_one_institution_that_cannot_be_watched_keeps_no_other_waiting(
    board: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = board.visit(0, 9), board.visit(1, 10)
    bad, good = Institution.objects.order_by("pk")
    Visit.objects.filter(pk=first.pk).update(institution=bad)
    Visit.objects.filter(pk=second.pk).update(institution=good)
    asked: list[int] = []

    def broken(office: Institution, now: Any) -> int:
        asked.append(office.pk)
        if len(asked) == 1:
            raise RuntimeError("kaputt")
        return 1

    monkeypatch.setattr(watching, "_watched", broken)
    assert services.watch(board.at(9, 40)) == 1
    assert [one.levelname for one in caplog.records if f"institution {bad.pk} failed" in one.message] == ["ERROR"]
    assert services.watch(board.at(9, 41)) == 2 and asked == [bad.pk, good.pk] * 2


def test_nothing_is_planned_into_the_past(board: Any, clock: Callable[[Any], None]) -> None:
    visit = board.visit(0, 9, window=120)
    clock(board.at(10, 20))
    services.insert_request(board.act(), visit.pk)
    assert visit.stops.get().span.lower > board.at(10, 20)
    with pytest.raises(Conflict):
        services.assign(board.act(), visit.pk, Wish([board.nurses["bai"].pk], board.at(9, 30)))
    with pytest.raises(Invalid):
        services.nurse_late(board.act(), board.nurses["bai"].pk, board.at(9))
    with pytest.raises(Invalid):
        services.nurse_ill(board.act(), board.nurses["bai"].pk, board.day - timedelta(days=1))
