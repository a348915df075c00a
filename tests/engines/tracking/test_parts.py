import numpy as np
import pytest

from shoufu.engines.tracking.appearance import describe, likeness
from shoufu.engines.tracking.association import match
from shoufu.engines.tracking.kalman import BoxFilter


def test_a_box_that_moves_steadily_is_predicted_where_it_will_be():
    filter_ = BoxFilter(np.array([0.0, 0.0, 40.0, 80.0]))
    for step in range(1, 20):
        filter_.predict(0.1)
        filter_.correct(np.array([0.0, 0.0, 40.0, 80.0]) + step * np.array([10, 5, 10, 5]))
    filter_.predict(0.1)
    assert filter_.box == pytest.approx(np.array([0, 0, 40, 80]) + 20 * np.array([10, 5, 10, 5]), abs=3)
    assert filter_.drift == pytest.approx([100, 50], abs=10)


def test_a_car_leaving_over_the_edge_keeps_its_edge_there():
    filter_ = BoxFilter(np.array([100.0, 0.0, 200.0, 200.0]))
    for step in range(1, 10):
        filter_.predict(0.1)
        filter_.correct(np.array([100.0, 0.0, 200.0, 200.0 - 15 * step]))
    filter_.predict(0.1)
    assert filter_.box[1] == pytest.approx(0, abs=6)
    assert filter_.box[3] == pytest.approx(50, abs=12)


def test_a_hidden_object_is_not_sent_across_the_picture():
    filter_ = BoxFilter(np.array([0.0, 0.0, 40.0, 80.0]))
    for step in range(1, 10):
        filter_.predict(0.1)
        filter_.correct(np.array([0.0, 0.0, 40.0, 80.0]) + step * np.array([20, 0, 20, 0]))
    before = filter_.box[0]
    for _ in range(100):
        filter_.predict(0.1, blind=True)
    assert filter_.box[0] - before < 2 * 200 / 0.8


def test_the_best_pairs_go_first_and_nobody_is_paired_twice():
    scores = np.array([[0.9, 0.8], [0.85, 0.2]], np.float32)
    assert match(scores, 0.3) == ([(0, 0)], [1], [1])
    assert match(scores, 0.1) == ([(0, 0), (1, 1)], [], [])
    assert match(np.zeros((0, 3), np.float32), 0.1) == ([], [], [0, 1, 2])


def test_clothes_are_recognised_and_other_clothes_are_not():
    picture = np.full((200, 200, 3), 128, np.uint8)
    picture[20:60, 20:50], picture[60:100, 20:50] = (200, 30, 30), (20, 20, 90)
    picture[20:60, 120:150], picture[60:100, 120:150] = (30, 160, 40), (220, 220, 220)
    first = describe(picture, np.array([20, 20, 50, 100], np.float32))
    again = describe(np.roll(picture, 5, 1), np.array([25, 20, 55, 100], np.float32))
    other = describe(picture, np.array([120, 20, 150, 100], np.float32))
    assert first.sum() == pytest.approx(1, abs=1e-5)
    assert likeness(first, again) > 0.9
    assert likeness(first, other) < 0.3
    assert not describe(picture, np.array([0, 0, 5, 5], np.float32)).any()
