from pathlib import Path

import numpy as np
import pytest

from shoufu.engines.vision import Detections, Detector, DetectorError, Label
from shoufu.engines.vision.detector import decode, letterbox, suppress


def found(*items: tuple[tuple[float, float, float, float], float, Label]) -> Detections:
    return Detections(
        np.array([box for box, _, _ in items], np.float32),
        np.array([score for _, score, _ in items], np.float32),
        np.array([label for _, _, label in items], np.int64),
    )


@pytest.mark.parametrize(
    ("height", "width", "canvas"), [(432, 768, (288, 512)), (100, 100, (512, 512)), (2160, 8192, (160, 512))]
)
def test_a_picture_of_any_size_fits_the_network_without_being_stretched(height, width, canvas):
    boxed, scale = letterbox(np.zeros((height, width, 3), np.uint8), 512)
    assert boxed.shape == (*canvas, 3)
    assert scale == pytest.approx(512 / max(height, width))
    assert boxed.flags.c_contiguous


def test_a_peak_becomes_a_box_and_its_slope_does_not():
    heat = np.zeros((6, 32, 32), np.float32)
    heat[Label.CAR, 10, 20] = 0.8
    heat[Label.CAR, 10, 21] = 0.7
    extents = np.zeros((4, 32, 32), np.float32)
    extents[:, 10, 20] = (8, 4, 12, 16)
    boxes = list(decode(heat, extents, 0.3, 100))
    assert [(one.box, one.label) for one in boxes] == [((72, 36, 92, 56), Label.CAR)]
    assert boxes[0].score == pytest.approx(0.8)


def test_one_car_taken_for_a_truck_too_is_one_car():
    kept = suppress(found(((0, 0, 100, 60), 0.6, Label.CAR), ((2, 0, 103, 60), 0.5, Label.TRUCK)), 0.5)
    assert [one.label for one in kept] == [Label.CAR]


def test_a_rider_and_the_bicycle_below_both_stay():
    pair = found(((20, 0, 60, 100), 0.7, Label.PERSON), ((0, 50, 90, 120), 0.5, Label.BICYCLE))
    assert len(suppress(pair, 0.5)) == 2


def test_the_same_box_taken_for_a_person_and_a_car_is_the_surer_of_the_two():
    both = found(((0, 0, 90, 80), 0.11, Label.PERSON), ((0, 0, 90, 81), 0.3, Label.CAR))
    assert [one.label for one in suppress(both, 0.5)] == [Label.CAR]


def test_nothing_found_stays_nothing():
    assert len(suppress(Detections.empty(), 0.5)) == 0


def test_a_damaged_model_is_named(tmp_path: Path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    with pytest.raises(DetectorError, match=r"broken\.onnx"):
        Detector(broken)
