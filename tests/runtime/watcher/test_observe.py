import numpy as np
import pytest

from shoufu.engines.tracking import Point, State, Track
from shoufu.engines.tracking.kalman import BoxFilter
from shoufu.engines.vision import Label
from shoufu.runtime.watcher.config import ConfigError, camera_spec
from shoufu.runtime.watcher.observe import Counted, Crossed, Dwelt, Observer
from shoufu.runtime.watcher.pipeline import Sight

SIZE = (500, 300)
ZONE = {"name": "yard", "points": [[0.4, 0.0], [0.8, 0.0], [0.8, 1.0], [0.4, 1.0]]}
LINE = {"name": "gate", "kind": "line", "points": [[0.5, 0.0], [0.5, 1.0]]}


def walker(label: Label = Label.PERSON) -> Track:
    track = Track(1, BoxFilter(np.array([0.0, 100, 30, 160])), 0.0, 0.0, State.ACTIVE, confirmed=True, hits=20)
    track.best, track.support = 0.8, 15.0
    track.votes[label] = 14.0
    return track


def go(observer: Observer, track: Track, xs: list[float], start: float = 0.0, step: float = 0.5):
    """Walk the track's foot point along `xs` (fractions of the width); all events."""
    events = []
    for number, x in enumerate(xs):
        time = start + number * step
        centre = x * SIZE[0]
        track.filter.box = np.array([centre - 15, 100, centre + 15, 160.0])
        track.travelled = 3.0
        track.path.append(Point(time, centre, 160.0))
        events += observer.update(Sight(time, SIZE, None, [track], None, None))  # type: ignore[arg-type]
    return events


def observer(**watch: object) -> Observer:
    return Observer(camera_spec("cam", {"source": "a.mp4", "zones": [ZONE, LINE], "watch": {"dwell": [2, 4], **watch}}))


def test_crossing_is_told_once_with_its_side():
    (crossed,) = [one for one in go(observer(), walker(), [0.3, 0.4, 0.6, 0.7]) if isinstance(one, Crossed)]
    assert crossed.line == "gate"
    assert not crossed.inwards
    assert crossed.seen.label == "person"
    back = [one for one in go(observer(), walker(), [0.7, 0.6, 0.4]) if isinstance(one, Crossed)]
    assert [one.inwards for one in back] == [True]


def test_swaying_over_the_line_is_one_crossing():
    sway = [0.4] + [0.51, 0.49] * 3
    told = [one for one in go(observer(), walker(), sway, step=0.2) if isinstance(one, Crossed)]
    assert len(told) == 1


def test_a_stay_is_told_at_each_length_and_anew_after_leaving():
    watched, track = observer(), walker()
    told = [one for one in go(watched, track, [0.6] * 12) if isinstance(one, Dwelt)]
    assert [(one.seconds, one.first) for one in told] == [(2.0, True), (4.0, False)]
    go(watched, track, [0.1] * 6, start=6)
    again = [one for one in go(watched, track, [0.6] * 6, start=9) if isinstance(one, Dwelt)]
    assert [(one.seconds, one.first) for one in again] == [(2.0, True)]


def test_counts_are_told_when_they_settle_and_now_and_then():
    watched, track = observer(count_every=5), walker()
    told = [one for one in go(watched, track, [0.1] * 24) if isinstance(one, Counted)]
    assert [(one.time, one.persons) for one in told] == [(0.0, 1), (5.0, 1), (10.0, 1)]


def test_what_is_not_believed_is_not_told():
    track = walker()
    track.confirmed = False
    told = go(observer(), track, [0.3, 0.4, 0.6, 0.7] + [0.6] * 20)
    assert all(isinstance(one, Counted) and one.persons == 0 for one in told)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "source is empty"),
        ({"source": "a", "watch": {"rate": 0}}, r"watch\.rate is 0"),
        ({"source": "a", "watch": {"dwell": [True]}}, r"watch\.dwell is True"),
        ({"source": "a", "watch": {"before": "5"}}, r"watch\.before is '5'"),
    ],
)
def test_a_wrong_configuration_names_the_field(config, says):
    with pytest.raises(ConfigError, match=says):
        camera_spec("cam", config)
