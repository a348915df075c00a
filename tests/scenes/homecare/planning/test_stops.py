from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.access.models import User
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.notices.models import Notice
from shoufu.scenes.homecare.planning import days, selectors, services
from shoufu.scenes.homecare.planning.models import DayPlan, PlanEvent
from shoufu.scenes.homecare.planning.services import Wish, stops
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.visits.models import Visit, VisitEvent

pytestmark = pytest.mark.django_db


def test_a_visit_is_given_to_somebody_and_stays_with_them(board: Any) -> None:
    visit, bai = board.visit(0, 9), board.nurses["bai"]
    row = services.assign(board.act(), visit.pk, Wish([bai.pk], board.at(9, 15)), 0)
    stop = visit.stops.get()
    assert (stop.practitioner, stop.span.lower, stop.pinned) == (bai, board.at(9, 15), True)
    assert (row.number, row.starts) == (1, {str(visit.pk): 555.0})
    assert VisitEvent.objects.get(visit=visit).data["after"] == [bai.pk]
    assert AuditEntry.objects.filter(action="homecare.visit.replanned", subject=visit.patient.person_id).exists()
    services.plan_day(board.act(), board.care.office.pk, board.day, 0.2)
    assert visit.stops.get().span.lower == board.at(9, 15)
    services.pin(board.act(), visit.pk, pinned=False)
    services.pin(board.act(), visit.pk)
    assert visit.stops.get().span.lower == board.at(9) and DayPlan.objects.get().starts == {}


def test_of_two_coordinators_who_drag_one_visit_the_second_hears_who_was_first(board: Any) -> None:
    visit, song, bai = board.visit(0, 9), board.nurses["song"], board.nurses["bai"]
    services.assign(board.act(), visit.pk, Wish([song.pk]), 0)
    with pytest.raises(Conflict) as refusal:
        services.assign(board.second_coordinator(), visit.pk, Wish([bai.pk]), 0)
    assert "高雅琴" in refusal.value.detail and "欧阳梅" in refusal.value.detail
    assert visit.stops.get().practitioner == song and PlanEvent.objects.count() == 1
    other = board.visit(1, 9)
    services.assign(board.act("gao"), other.pk, Wish([bai.pk]), 0)


def test_why_not_is_said_in_words_with_what_comes_near(board: Any) -> None:
    board.sent(board.visit(0, 9), "song", 9)
    visit, song = board.visit(1, 9), board.nurses["song"]
    with pytest.raises(Conflict) as refusal:
        services.assign(board.act(), visit.pk, Wish([song.pk], board.at(9, 10)))
    assert "欧阳梅" in refusal.value.detail
    assert refusal.value.extra["near"][0]["names"] == ["白丽娟"]
    with pytest.raises(Conflict, match=r"09:00–09:30"):
        services.assign(board.act(), visit.pk, Wish([song.pk], board.at(11)))
    assert not visit.stops.exists()


def test_to_say_why_not_no_other_visits_of_the_day_are_read_whole(board: Any) -> None:
    board.sent(board.visit(0, 9), "song", 9)
    visit = board.visit(1, 9)
    day, answer = stops.answered(board.act(), visit.pk, Wish([board.nurses["song"].pk], board.at(9, 10)))
    assert answer.fit is None and "欧阳梅" in answer.text
    assert "visits" not in vars(day)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"licence_last_day": None}, "licence_ended", "到期"),
        ({"skills": []}, "skills_missing", "伤口"),
        ({"radius": 100}, "too_far", "公里"),
        ({"rank": 1}, "rank_too_low", "护师"),
        ({"verified_at": None, "verified_source": ""}, "unverified", "核验"),
    ],
)
def test_what_the_register_has_against_somebody_is_named(
    board: Any, change: dict[str, Any], code: str, said: str
) -> None:
    visit, bai = board.visit(0, 9), board.nurses["bai"]
    if "licence_last_day" in change:
        change = {"licence_last_day": board.day - timedelta(days=1)}
    Practitioner.objects.filter(pk=bai.pk).update(**change)
    answer = services.check(board.act(), visit.pk, Wish([bai.pk]))
    assert answer.fit is None and [one.code for one in answer.reasons] == [code]
    assert said in answer.text and "白丽娟" in answer.text


def test_a_licence_that_ends_at_midnight_leaves_the_visit_open(board: Any) -> None:
    visit = board.sent(board.visit(0, 9), "bai", 9)
    Practitioner.objects.filter(pk=board.nurses["bai"].pk).update(licence_last_day=board.day - timedelta(days=1))
    day = days.load(board.care.office, board.day)
    assert day.plan.unassigned == (str(visit.pk),)
    services.insert_request(board.act(), board.visit(1, 10).pk)
    assert not visit.stops.exists()
    services.insert_request(board.act(), visit.pk)
    assert visit.stops.get().practitioner == board.nurses["song"]


def test_the_cheapest_place_is_taken_and_can_be_undone(board: Any) -> None:
    first, second = board.visit(0, 9), board.visit(1, 9)
    services.insert_request(board.act(), first.pk)
    _day, fits = services.places(board.act(), second.pk)
    assert [fit.crew for fit in fits] == [(board.nurses["bai"].pk,)] or len(fits) == 1
    row = services.insert_request(board.act(), second.pk)
    assert not second.stops.get().pinned
    with pytest.raises(Conflict):
        services.insert_request(board.act(), second.pk)
    office = board.care.office.pk
    with pytest.raises(Conflict):
        services.undo(board.second_coordinator(), office, board.day, row.number)
    services.undo(board.act(), office, board.day, row.number)
    assert not second.stops.exists() and first.stops.exists()
    with pytest.raises(Conflict):
        services.undo(board.act(), office, board.day, row.number)


def test_a_pin_and_an_unassignment_are_undone_as_well(board: Any) -> None:
    visit, office = board.visit(0, 9), board.care.office.pk
    row = services.assign(board.act(), visit.pk, Wish([board.nurses["bai"].pk], board.at(9, 20)))
    row = services.pin(board.act(), visit.pk, pinned=False)
    assert visit.stops.get().span.lower != board.at(9) or not visit.stops.get().pinned
    row = services.undo(board.act(), office, board.day, row.number)
    assert visit.stops.get().pinned and visit.stops.get().span.lower == board.at(9, 20)
    row = services.unassign(board.act(), visit.pk, row.number)
    services.undo(board.act(), office, board.day, row.number)
    assert visit.stops.get().practitioner == board.nurses["bai"] and visit.stops.get().pinned


def test_the_patient_hears_of_another_person_and_nobody_of_a_shift_within_the_promise(board: Any) -> None:
    mei = User.objects.get(username="mei")
    visit = board.sent(board.visit(0, 9), "song", 9)
    Notice.objects.all().delete()
    services.assign(board.act(), visit.pk, Wish([board.nurses["song"].pk], board.at(9, 20)))
    assert not Notice.objects.exists()
    services.assign(board.act(), visit.pk, Wish([board.nurses["bai"].pk], board.at(9, 20)))
    told = Notice.objects.filter(template="care.person", user=mei)
    assert "白丽娟" in told.get().subject


def test_others_are_pushed_only_within_their_promise(board: Any) -> None:
    first = board.sent(board.visit(0, 10, window=20), "song", 10)
    second = board.visit(1, 9, 15, window=45)
    song = board.nurses["song"].pk
    answer = services.check(board.act(), second.pk, Wish([song], board.at(9, 15)))
    assert answer.fit is not None and answer.fit.pushed == (str(first.pk),)
    assert services.check(board.act(), second.pk, Wish([song], board.at(9, 45))).fit is None


def test_what_has_begun_or_ended_is_no_longer_moved(board: Any, clock: Callable[[Any], None]) -> None:
    visit, bai = board.sent(board.visit(0, 9), "song", 9), board.nurses["bai"].pk
    Visit.objects.filter(pk=visit.pk).update(state="underway", began_at=board.at(9))
    clock(board.at(9, 5))
    for deed in (
        lambda: services.assign(board.act(), visit.pk, Wish([bai])),
        lambda: services.unassign(board.act(), visit.pk),
        lambda: services.pin(board.act(), visit.pk),
    ):
        with pytest.raises(Conflict, match="begun|开始"):
            deed()
    assert visit.stops.get().practitioner == board.nurses["song"]


def test_neither_nurses_nor_others_plan(board: Any) -> None:
    visit, wish = board.visit(0, 9), Wish([board.nurses["song"].pk])
    for stranger in ("other", "foreign", "mei"):
        with pytest.raises(NotFound):
            services.assign(board.act(stranger), visit.pk, wish)
    with pytest.raises((NotFound, Forbidden)):
        services.assign(board.act("song"), visit.pk, wish)
    for wrong in ([1, 2], [-1], [board.nurses["song"].pk, board.nurses["song"].pk]):
        with pytest.raises(Invalid):
            services.assign(board.act(), visit.pk, Wish(wrong))
    board.sent(visit, "song", 9)
    assert [stop.visit for stop in selectors.own_route(board.act("song"), board.day)] == [visit]
    assert selectors.own_route(board.act("mei"), board.day) == []


def test_a_visit_that_began_early_leaves_its_planned_time_to_others(
    board: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    song, first, second = board.nurses["song"], board.visit(0, 10), board.visit(1, 10)
    board.sent(first, "song", 10)
    monkeypatch.setattr(timezone, "now", lambda: board.at(9))
    Visit.objects.filter(pk=first.pk).update(state="done", began_at=board.at(8, 30), ended_at=board.at(8, 55))
    assert services.check(board.act(), second.pk, Wish([song.pk], board.at(10))).fit is not None
    services.assign(board.act(), second.pk, Wish([song.pk], board.at(10)))
    assert second.stops.get().span.lower == board.at(10)
    done = first.stops.get()
    assert (done.span.lower, done.span.upper, done.live) == (board.at(8, 30), board.at(8, 55), True)


def test_undoing_brings_back_nothing_of_a_visit_that_was_cancelled_meanwhile(
    board: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, other = board.visit(0, 9), board.visit(1, 11)
    board.sent(visit, "song", 9)
    board.sent(other, "song", 11)
    row = services.unassign(board.act(), visit.pk)
    real = services.stops.common.opened

    def cancelled_then(*args: Any, **more: Any) -> Any:
        found = real(*args, **more)
        assert found.day.visits
        Visit.objects.filter(pk=visit.pk).update(state="cancelled", ended_at=timezone.now())
        return found

    monkeypatch.setattr(services.stops.common, "opened", cancelled_then)
    with pytest.raises(Conflict):
        services.undo(board.act(), board.care.office.pk, board.day, row.number)
    assert not visit.stops.exists()
