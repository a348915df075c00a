import threading
from typing import Any

import pytest
from django.db import connections

from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.places import demo, selectors, services
from shoufu.kernel.places.datum import wgs84_to_gcj02
from shoufu.kernel.places.models import Place
from shoufu.kernel.places.services import PlaceDraft

pytestmark = pytest.mark.django_db


def building(parent: str, number: int) -> list[PlaceDraft]:
    code = f"{parent}-n{number}"
    return [PlaceDraft("unit", f"{code}-u1", "1单元", code), PlaceDraft("building", code, f"新{number}号楼", parent)]


def entries(action: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action).order_by("id"))


def test_the_manager_adds_a_building_and_the_neighbour_does_not_see_it(world: Any) -> None:
    chen, bob = world.act(world.chen), world.act(world.bob)
    unit, house = services.create_many(chen, building("songshan", 1))
    assert unit.path == f"{world.songshan.path}{house.pk}/{unit.pk}/" and unit.depth == 3
    assert [entry.place for entry in entries("places.create")] == [house.pk, unit.pk]
    assert entries("places.create")[0].actor_label == "Chen"
    assert house in selectors.visible(chen) and house not in selectors.visible(bob)
    with pytest.raises(NotFound):
        selectors.get(bob, house.pk)


def test_many_places_cost_as_many_queries_as_one(world: Any, django_assert_max_num_queries: Any) -> None:
    drafts = [draft for number in range(2, 300) for draft in building("songshan", number)]
    with django_assert_max_num_queries(8):  # four statements and the savepoints around them
        services.create_many(SYSTEM, drafts)
    assert Place.objects.filter(path__startswith=world.songshan.path).count() >= 596


def test_reading_the_tree_is_one_query(world: Any, django_assert_num_queries: Any) -> None:
    services.create_many(SYSTEM, building("songshan", 1))
    chen = world.act(world.chen)
    with django_assert_num_queries(1):
        (top,) = selectors.tree(chen)
    assert top.place == world.songshan
    assert {node.place.name for node in top.walk()} >= {"新1号楼", "1单元", "2 单元门"}


def test_the_guard_may_not_and_nothing_is_half_written(world: Any) -> None:
    with pytest.raises(Forbidden):
        services.create_many(world.act(world.alice), building("songshan", 1))
    with pytest.raises(Invalid) as refused:
        services.create_many(SYSTEM, [*building("songshan", 1), PlaceDraft("unit", "", "x", "nowhere")])
    assert {error.field for error in refused.value.errors} == {"/2/code", "/2/parent"}
    with pytest.raises(Conflict):
        services.create_many(SYSTEM, [*building("songshan", 1), PlaceDraft("building", "songshan-5", "x", "songshan")])
    assert not Place.objects.filter(code="songshan-n1").exists() and not entries("places.create")


def test_a_foreign_parent_looks_missing_and_a_wrong_kind_is_named(world: Any) -> None:
    with pytest.raises(Invalid, match="/1/parent"):  # as if it were not there
        services.create_many(world.act(world.chen), building("changjiang", 1))
    with pytest.raises(Invalid, match="parent"):
        services.create(SYSTEM, PlaceDraft("unit", "u", "一单元", "songshan"))
    with pytest.raises(Forbidden):
        services.create(world.act(world.chen), PlaceDraft("district", "d", "新区"))


def test_places_that_contain_one_another_are_refused(world: Any) -> None:
    circle = [PlaceDraft("area", "a", "甲", "b"), PlaceDraft("area", "b", "乙", "a")]
    with pytest.raises(Invalid, match="/0/parent"):
        services.create_many(SYSTEM, circle)


def test_rename_keeps_before_and_after(world: Any) -> None:
    services.rename(world.act(world.chen), world.songshan.pk, "松山花园", "Songshan Garden")
    assert entries("places.rename")[0].data["before"]["name"] == "松山小区"
    with pytest.raises(Conflict):
        services.rename(SYSTEM, world.songshan.pk, "长江小区")
    with pytest.raises(NotFound):
        services.rename(world.act(world.bob), world.songshan.pk, "我的")


def test_a_subtree_moves_whole_with_one_update(world: Any, django_assert_max_num_queries: Any) -> None:
    services.create_many(
        SYSTEM,
        [draft for number in range(50) for draft in building("songshan-x", number)]
        + [PlaceDraft("compound", "songshan-x", "松山二期", "huanggu")],
    )
    block = services.create(SYSTEM, PlaceDraft("block", "centre", "中部", "huanggu"))
    moved = Place.objects.get(code="songshan-x")
    with django_assert_max_num_queries(12):
        services.move(SYSTEM, moved.pk, block.pk)
    below = Place.objects.filter(path__startswith=f"{block.path}{moved.pk}/")
    assert below.count() == 101 and {place.depth for place in below} == {2, 3, 4}
    with pytest.raises(Invalid, match="parent"):
        services.move(SYSTEM, block.pk, moved.pk)


def test_a_right_moves_with_the_place(world: Any) -> None:
    block = services.create(SYSTEM, PlaceDraft("block", "centre", "中部", "huanggu"))
    services.move(SYSTEM, world.songshan.pk, block.pk)
    assert selectors.roots(actor_for_user(world.chen))[0].pk == world.songshan.pk
    assert world.door.pk in {place.pk for place in selectors.visible(actor_for_user(world.alice))}


def test_a_closed_compound_disappears_until_reopened(world: Any) -> None:
    chen = world.act(world.chen)
    with pytest.raises(Conflict):
        services.close(chen, world.songshan.pk, "拆除")  # a controller still works there
    world.controller.retired_at = "2026-01-01T00:00:00Z"
    world.controller.save()
    with pytest.raises(Invalid):
        services.close(chen, world.songshan.pk, " ")
    assert services.close(chen, world.songshan.pk, "拆除") == 3
    assert selectors.tree(chen) == [] and selectors.get(chen, world.door.pk).closed_at
    services.reopen(chen, world.songshan.pk)
    assert selectors.visible(chen).count() == 3


def test_gcj02_is_converted_when_declared_and_refused_when_not(world: Any) -> None:
    compound = demo.COMPOUNDS[0]
    outline = compound.box(-80, -80, 80, 80)
    services.set_shape(SYSTEM, world.songshan.pk, outline)
    at = compound.at(10, 10)
    shifted = wgs84_to_gcj02(*at)
    draft = PlaceDraft("gate", "g", "西门", "songshan", longitude=shifted[0], latitude=shifted[1])
    with pytest.raises(Invalid, match="GCJ-02"):
        services.create(SYSTEM, draft)
    gate = services.create(SYSTEM, PlaceDraft(**{**vars(draft), "datum": "GCJ-02"}))
    assert gate.longitude == pytest.approx(at[0], abs=1e-7) and gate.datum == "GCJ-02"


def test_geojson_and_search_stay_inside_ones_places(world: Any) -> None:
    services.set_shape(SYSTEM, world.songshan.pk, demo.COMPOUNDS[0].box(-80, -80, 80, 80))
    services.set_shape(SYSTEM, world.changjiang.pk, demo.COMPOUNDS[1].box(-80, -80, 80, 80))
    chen = world.act(world.chen)
    features = selectors.geojson(chen)["features"]
    assert [feature["id"] for feature in features] == [world.songshan.pk]
    assert selectors.search(chen, "小区") == [world.songshan] and selectors.search(chen, "  ") == []
    assert [place.name for place in selectors.ancestors(chen, world.door)] == ["皇姑区", "松山小区", "5 号楼"]


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_never_make_a_circle(world: Any) -> None:
    """Two administrators hang each of two areas into the other at the same moment."""
    one = services.create(SYSTEM, PlaceDraft("area", "one", "一区", "songshan"))
    two = services.create(SYSTEM, PlaceDraft("area", "two", "二区", "songshan"))
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def move(what: Place, where: Place) -> None:
        start.wait(10)
        try:
            services.move(SYSTEM, what.pk, where.pk)
            outcomes.append("moved")
        except Invalid:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=move, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["moved", "refused"]
    for place in Place.objects.exclude(parent=None).select_related("parent"):
        assert place.parent is not None and place.path == f"{place.parent.path}{place.pk}/"


def test_the_model_district_loads_once(world: Any) -> None:
    for place in Place.objects.filter(code__in=["songshan", "huanggu"]):
        place.code = f"old-{place.code}"
        place.save()
    demo.load(SYSTEM)
    count = Place.objects.count()
    demo.load(SYSTEM)
    assert Place.objects.count() == count
    doors = Place.objects.filter(kind="door", code__startswith="songshan-b")
    assert doors.count() == 32 and Place.objects.filter(kind="block").count() == 3
    for place in Place.objects.filter(code__startswith="songshan-").exclude(longitude=None):
        assert 123.41 < place.longitude < 123.43 and 41.83 < place.latitude < 41.85
