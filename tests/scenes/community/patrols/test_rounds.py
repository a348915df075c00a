from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.cases.models import Case
from shoufu.scenes.community.patrols import selectors, services
from shoufu.scenes.community.patrols.models import CheckPoint, Round, Route, Shift

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def night(world: Any) -> Route:
    """Chen sets a night route of three points in Songshan, due now."""
    now = timezone.now().astimezone(ZONE)
    draft = services.RouteDraft(world.songshan.pk, "夜巡", [f"{now:%H:%M}"], ["南门", "车库", "东门"])
    route = services.save_route(world.act(world.chen), draft)
    Round.objects.create(route=route, due_at=now)
    return route


def codes(route: Route) -> list[str]:
    return list(CheckPoint.objects.filter(route=route).order_by("position").values_list("code", flat=True))


def test_a_guard_walks_a_round_by_scanning_its_points(world: Any, night: Route) -> None:
    alice = world.act(world.alice)
    for code in codes(night):
        services.scan(alice, code)
    found = Round.objects.get()
    assert (found.state, found.walker, found.passings.count()) == (Round.State.DONE, world.alice, 3)
    assert AuditEntry.objects.filter(action="patrols.scan").count() == 3


def test_the_same_point_twice_counts_once_and_disorder_is_noted(world: Any, night: Route) -> None:
    alice, (first, second, _) = world.act(world.alice), codes(night)
    services.scan(alice, second)
    services.scan(alice, second, "灯坏了")
    services.scan(alice, first)
    passed = {p.point.name: (p.in_order, p.note) for p in Round.objects.get().passings.all()}
    assert passed == {"车库": (False, "灯坏了"), "南门": (True, "")}


def test_a_neighbour_cannot_use_the_code(world: Any, night: Route) -> None:
    with pytest.raises(NotFound):
        services.scan(world.act(world.bob), codes(night)[0])
    assert not selectors.rounds(world.act(world.bob)).exists()


def test_a_replaced_code_counts_no_more(world: Any, night: Route) -> None:
    old = codes(night)[0]
    services.replace_code(world.act(world.chen), CheckPoint.objects.get(code=old).pk)
    with pytest.raises(NotFound):
        services.scan(world.act(world.alice), old)


def test_a_round_that_nobody_begins_becomes_a_case(world: Any, night: Route) -> None:
    assert services.close_overdue(timezone.now() + timedelta(minutes=31)) == 1
    assert Round.objects.get().state == Round.State.MISSED
    assert Case.objects.get().kind == "patrol.missed"
    assert services.close_overdue(timezone.now() + timedelta(minutes=32)) == 0


def test_ending_early_needs_a_reason(world: Any, night: Route) -> None:
    alice = world.act(world.alice)
    found = services.begin(alice, Round.objects.get().pk)
    with pytest.raises(Invalid):
        services.finish(alice, found.pk, " ")
    services.finish(alice, found.pk, "突发事件")
    assert Case.objects.get().kind == "patrol.incomplete"


def test_a_scan_outside_the_time_counts_for_nothing(world: Any, night: Route) -> None:
    Round.objects.update(due_at=timezone.now() - timedelta(hours=3))
    with pytest.raises(Conflict):
        services.scan(world.act(world.alice), codes(night)[0])


def test_rounds_are_planned_by_the_clock_on_the_wall(world: Any) -> None:
    route = Route(place=world.songshan, name="夜巡", times=["22:00", "01:00"])
    noon = datetime(2026, 11, 24, 12, 0, tzinfo=ZONE)
    assert [at.strftime("%d %H:%M") for at in services.due_times(route, noon, noon + timedelta(hours=14))] == [
        "24 22:00",
        "25 01:00",
    ]


def test_planning_again_makes_nothing_twice(world: Any, night: Route) -> None:
    services.plan(timezone.now())
    assert services.plan(timezone.now()) == 0


def test_a_point_keeps_its_code_when_the_route_changes(world: Any, night: Route) -> None:
    before = {point.name: point.code for point in night.points.all()}
    draft = services.RouteDraft(world.songshan.pk, "夜巡", ["23:00"], ["东门", "配电间", "南门"])
    services.save_route(world.act(world.chen), draft, night.pk)
    after = {point.name: point.code for point in night.points.all()}
    assert after["东门"] == before["东门"] and "车库" not in after and after["配电间"] not in before.values()


def test_a_wrong_route_names_every_field(world: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        services.save_route(world.act(world.chen), services.RouteDraft(world.changjiang.pk, "", ["25:00"], []))
    assert {error.field for error in refusal.value.errors} == {"name", "times", "points", "place"}


def test_a_note_is_read_by_who_comes_next(world: Any) -> None:
    chen, alice = world.act(world.chen), world.act(world.alice)
    services.begin_shift(chen, world.songshan.pk)
    services.end_shift(chen, "东门锁坏了")
    assert [row.note for row in selectors.notes_to_read(alice, world.songshan)] == ["东门锁坏了"]
    services.begin_shift(alice, world.songshan.pk)
    assert Shift.objects.get(user=world.chen).read_by == world.alice
    with pytest.raises(Conflict):
        services.begin_shift(alice, world.songshan.pk)


def test_the_report_counts_the_shift_and_prints(world: Any, night: Route, settings: Any) -> None:
    from shoufu.scenes.community.patrols.documents import report_pdf

    services.close_overdue(timezone.now() + timedelta(minutes=31))
    since = timezone.now() - timedelta(hours=1)
    found = selectors.report(world.act(world.chen), world.songshan, since, since + timedelta(hours=12))
    assert (found.cases, found.still_open, found.walked, len(found.rounds)) == (1, 1, 0, 1)
    assert report_pdf(found, english=False).startswith(b"%PDF")
    neighbour = selectors.report(world.act(world.bob), world.songshan, since, since + timedelta(hours=12))
    assert (neighbour.cases, neighbour.rounds) == (0, [])
