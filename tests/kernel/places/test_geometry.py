import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.places import datum, geometry

HUANGGU = (123.42, 41.84)
china = st.tuples(st.floats(75, 134), st.floats(18, 53))


def square(longitude: float, latitude: float, half: float = 0.001) -> dict[str, object]:
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    return {"type": "Polygon", "coordinates": [[[longitude + x * half, latitude + y * half] for x, y in corners]]}


def test_gcj02_agrees_with_the_published_point() -> None:
    longitude, latitude = datum.wgs84_to_gcj02(116.404, 39.915)
    assert math.isclose(longitude, 116.41024449916938, abs_tol=1e-9)
    assert math.isclose(latitude, 39.91640428150164, abs_tol=1e-9)


def test_bd09_agrees_with_the_published_point() -> None:
    longitude, latitude = datum.gcj02_to_bd09(116.404, 39.915)
    assert math.isclose(longitude, 116.41036949371029, abs_tol=1e-9)
    assert math.isclose(latitude, 39.92133699351021, abs_tol=1e-9)


def test_at_huanggu_the_shift_is_578_metres() -> None:
    assert 570 < datum.distance(HUANGGU, datum.wgs84_to_gcj02(*HUANGGU)) < 585


@given(china)
def test_there_and_back_is_the_same_place(point: tuple[float, float]) -> None:
    assert datum.distance(point, datum.gcj02_to_wgs84(*datum.wgs84_to_gcj02(*point))) < 0.001
    gcj = datum.wgs84_to_gcj02(*point)
    assert datum.distance(point, datum.bd09_to_wgs84(*datum.gcj02_to_bd09(*gcj))) < 0.001


def test_outside_china_nothing_moves() -> None:
    assert datum.gcj02_to_wgs84(2.35, 48.85) == (2.35, 48.85)


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"type": "Circle"}, "geometry/type"),
        ({"type": "Polygon", "coordinates": 7}, "geometry/coordinates"),
        ({"type": "Point", "coordinates": [123.4]}, "geometry/coordinates"),
        ({"type": "Point", "coordinates": [True, 1]}, "geometry/coordinates"),
        ({"type": "Point", "coordinates": [float("nan"), 1]}, "geometry/coordinates"),
        ({"type": "Polygon", "coordinates": []}, "geometry/coordinates"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]}, "geometry/coordinates/0"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}, "geometry/coordinates/0"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}, "geometry/coordinates/0"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}, "geometry/coordinates/0"),
        ({"type": "LineString", "coordinates": [[0, 0]]}, "geometry"),
    ],
)
def test_a_broken_geometry_is_refused_by_name(broken: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        geometry.check(broken)
    assert refused.value.errors[0].field == field


def test_swapped_axes_are_noticed() -> None:
    with pytest.raises(Invalid, match="longitude comes first|经度"):
        geometry.check({"type": "Point", "coordinates": [41.84, 123.42]})


def test_rings_come_back_counter_clockwise_and_the_centre_is_inside() -> None:
    clockwise = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]]]}
    checked = geometry.check(clockwise)
    assert geometry.signed_area([tuple(p) for p in checked["coordinates"][0]]) > 0
    assert geometry.centre(checked) == (0.5, 0.5) and geometry.contains(checked, (0.5, 0.5))


@given(st.floats(123.39, 123.44), st.floats(41.82, 41.86))
def test_an_undeclared_gcj02_point_in_a_compound_is_noticed(longitude: float, latitude: float) -> None:
    compound = square(longitude, latitude)
    assert geometry.suspected_datum([datum.wgs84_to_gcj02(longitude, latitude)], compound) == "GCJ-02"
    bd09 = datum.gcj02_to_bd09(*datum.wgs84_to_gcj02(longitude, latitude))
    assert geometry.suspected_datum([bd09], compound) == "BD-09"
    assert geometry.suspected_datum([(longitude, latitude)], compound) is None


def test_without_an_outline_the_neighbours_tell() -> None:
    shifted = datum.wgs84_to_gcj02(*HUANGGU)
    assert geometry.suspected_datum([shifted], None, [HUANGGU]) == "GCJ-02"
    assert geometry.suspected_datum([HUANGGU], None, [HUANGGU]) is None
    assert geometry.suspected_datum([(123.5, 41.9)], None, [HUANGGU]) is None
