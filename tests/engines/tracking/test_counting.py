import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoufu.engines.tracking import Direction, Line, Point, Visit, crossings, inside, visits

SQUARE = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]


def path(*places: tuple[float, float]) -> list[Point]:
    return [Point(float(number), x, y) for number, (x, y) in enumerate(places)]


def test_a_line_is_crossed_towards_its_right_going_down_the_picture():
    line = Line((10, 5), (0, 5))
    (crossing,) = crossings(path((5, 0), (5, 4), (5, 8)), line)
    assert crossing.direction is Direction.LEFT
    assert crossing.time == pytest.approx(1.25)
    assert crossings(path((5, 0), (5, 8)), Line((0, 5), (10, 5)))[0].direction is Direction.RIGHT


def test_passing_beside_the_ends_of_a_line_is_no_crossing():
    assert crossings(path((15, 0), (15, 10)), Line((0, 5), (10, 5))) == []


def test_touching_a_line_and_going_back_is_no_crossing_but_stopping_on_it_and_going_on_is():
    line = Line((0, 5), (10, 5))
    assert crossings(path((5, 0), (5, 5), (5, 0)), line) == []
    assert len(crossings(path((5, 0), (5, 5), (5, 9)), line)) == 1


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), min_size=2, max_size=30))
def test_crossings_of_a_closed_line_alternate(places):
    line = Line((-1, 5), (11, 5))
    directions = [crossing.direction for crossing in crossings(path(*places), line)]
    assert all(first is not second for first, second in zip(directions, directions[1:], strict=False))


def test_leaving_a_zone_for_a_moment_is_no_leaving():
    walk = [Point(t, x, 5) for t, x in [(0, -5), (1, 5), (2, 5), (2.5, 15), (3, 5), (6, 5), (7, 15), (9, 15)]]
    assert visits(walk, SQUARE, grace=1.0) == [Visit(1, 6)]


def test_who_is_still_there_has_not_left():
    (visit,) = visits(path((5, 5), (5, 6), (5, 7)), SQUARE)
    assert visit.left is None
    assert visit.seconds(10) == 10


@given(st.floats(0.01, 9.99), st.floats(0.01, 9.99))
def test_inside_is_inside(x, y):
    assert inside(SQUARE, x, y)
    assert not inside(SQUARE, x + 10, y)
    assert not inside(SQUARE, x, y - 10)
