import itertools

from shoufu.engines.tracking import Tracker, count, counts
from shoufu.engines.vision import Label

from .world import at, show

PERSON, CAR, TRUCK = Label.PERSON, Label.CAR, Label.TRUCK


def steps(seconds: float, rate: float = 10.0):
    return (step / rate for step in range(round(seconds * rate)))


def test_a_person_who_walks_through_is_one_person():
    tracker = Tracker()
    for t in steps(8):
        show(tracker, t, (at(20 + 50 * t, 100), 0.7, PERSON))
    (track,) = tracker.finish()
    assert counts(track)
    assert track.label is PERSON
    assert len(track.path) == track.steps


def test_two_who_pass_each_other_stay_two():
    tracker = Tracker()
    for t in steps(8):
        show(tracker, t, (at(20 + 50 * t, 100), 0.7, PERSON), (at(440 - 50 * t, 112), 0.7, PERSON))
    assert count(tracker.finish()).persons == 2


def test_a_fast_car_that_is_recognised_only_now_and_then_is_one_car():
    tracker = Tracker()
    for number, t in enumerate(steps(2)):
        box = at(40, -60 + 200 * t, 110, 150)
        seen = [(box, 0.45 if number % 5 == 0 else 0.15, CAR)] if number % 3 == 0 else []
        show(tracker, t, *seen, moves=[box])
    assert count(tracker.finish()) == count(list(tracker.ended))
    assert count(tracker.ended).vehicles == 1
    assert count(tracker.ended).persons == 0


def test_a_rock_taken_for_a_person_in_every_picture_is_not_counted():
    tracker = Tracker()
    for t in steps(20):
        show(tracker, t, (at(200, 150), 0.42, PERSON), moves=[at(400, 20)])
    assert tracker.finish()
    assert count(tracker.ended).persons == 0


def test_a_person_who_comes_and_stands_is_counted():
    tracker = Tracker()
    for t in steps(20):
        x = min(200.0, 20 + 60 * t)
        moves = [at(x, 100)] if t < 4 or round(t * 10) % 7 == 0 else [at(400, 20, 20, 20)]
        show(tracker, t, (at(x, 100), 0.7, PERSON), moves=moves)
    assert count(tracker.finish()).persons == 1


def test_a_moving_blob_that_nobody_names_is_not_counted():
    tracker = Tracker()
    for t in steps(5):
        box = at(10 + 60 * t, 60, 90, 90)
        tracker_result = show(tracker, t, moves=[box])
        assert tracker_result == []
    assert tracker.finish() == []


def test_what_passes_behind_a_post_is_still_the_same():
    tracker = Tracker()
    for t in steps(8):
        seen = [] if 3.0 <= t < 3.8 else [(at(20 + 45 * t, 100), 0.7, PERSON)]
        show(tracker, t, *seen, moves=[at(400, 10, 30, 30)] if not seen else None)
    assert count(tracker.finish()).persons == 1


def test_a_person_who_left_and_another_who_comes_are_two():
    tracker = Tracker()
    for t in steps(4):
        show(tracker, t, (at(440 + 60 * t, 100), 0.7, PERSON))
    for t in steps(4):
        show(tracker, 12 + t, (at(-20 + 60 * t, 100), 0.7, PERSON))
    assert count(tracker.finish()).persons == 2


def test_car_and_truck_by_turns_are_one_vehicle():
    tracker = Tracker()
    for label, t in zip(itertools.cycle([CAR, CAR, TRUCK]), steps(4), strict=False):
        show(tracker, t, (at(20 + 80 * t, 100, 100, 60), 0.5, label))
    (track,) = [one for one in tracker.finish() if counts(one)]
    assert track.label is CAR


def test_another_shot_ends_every_track():
    from dataclasses import replace

    from .world import detections, moving

    tracker = Tracker()
    for t in steps(3):
        show(tracker, t, (at(20 + 60 * t, 100), 0.7, PERSON))
    cut = replace(moving(), cut=True, active=True)
    tracker.update(3.0, detections([(at(200, 100), 0.7, PERSON)]), cut)
    assert len(tracker.take_ended()) == 1
    assert tracker.take_ended() == []


def test_while_nothing_moves_and_nobody_looks_what_is_there_stays():
    tracker = Tracker()
    from .world import moving

    for t in steps(3):
        show(tracker, t, (at(20 + 60 * t, 100), 0.7, PERSON))
    still = moving()
    assert not still.active
    for t in steps(3):
        active = tracker.update(3.0 + t, None, still)
        assert len(active) == 1
