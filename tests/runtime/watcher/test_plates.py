from dataclasses import dataclass

import av
import numpy as np

from shoufu.engines.tracking import State, Track
from shoufu.engines.tracking.kalman import BoxFilter
from shoufu.engines.vision import Label
from shoufu.runtime.watcher.costs import Costs
from shoufu.runtime.watcher.pipeline import Sight
from shoufu.runtime.watcher.plates import PlateWatch
from shoufu.runtime.watcher.video import Picture


@dataclass
class Text:
    text: str
    score: float
    colour: str = "blue"


class Script:
    """Reads what it is told to read, one entry a call."""

    def __init__(self, *readings: list[Text]) -> None:
        self.readings = list(readings)
        self.sizes: list[tuple[int, ...]] = []

    def read(self, image: np.ndarray) -> list[Text]:
        self.sizes.append(image.shape)
        return self.readings.pop(0) if self.readings else []


def drive(watch: PlateWatch, seconds: float, label: Label = Label.CAR, travelled: float = 3.0):
    track = Track(1, BoxFilter(np.array([100.0, 50, 300, 150])), 0.0, 0.0, State.ACTIVE, confirmed=True, hits=20)
    track.best, track.support, track.travelled = 0.8, 15.0, travelled
    track.votes[label] = 14.0
    frame = av.VideoFrame.from_ndarray(np.zeros((576, 1024, 3), np.uint8), "rgb24")
    told = []
    for number in range(int(seconds * 10)):
        sight = Sight(number / 10, (512, 288), None, [track], None, None)  # type: ignore[arg-type]
        told += watch.update(sight, Picture(number, number / 10, frame))
    return told


def test_two_good_readings_are_told_once_from_the_full_resolution():
    script = Script([Text("京A12345", 0.9)], [], [Text("京A12345", 0.95)], [Text("京A12345", 0.99)])
    (plate,) = drive(PlateWatch(script, Costs()), 10)
    assert (plate.text, plate.score) == ("京A12345", 0.95)
    assert script.sizes[0] == (240, 440, 3)


def test_the_reading_with_the_most_votes_wins():
    script = Script([Text("京A12346", 0.8)], [Text("京A12345", 0.78)], [Text("京A12345", 0.78)])
    assert [plate.text for plate in drive(PlateWatch(script, Costs()), 5)] == ["京A12345"]


def test_people_are_not_read():
    script = Script([Text("京A12345", 0.9)])
    assert drive(PlateWatch(script, Costs()), 5, Label.PERSON) == []
    assert script.sizes == []


def test_a_vehicle_without_a_plate_is_not_tried_for_ever():
    script = Script()
    assert drive(PlateWatch(script, Costs()), 60) == []
    assert len(script.sizes) == 12
