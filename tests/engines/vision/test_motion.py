import numpy as np
import pytest

from shoufu.engines.vision import MotionGate, small_size

SIZE = (640, 360)


def ground(seed: int = 1) -> np.ndarray:
    width, height = small_size(*SIZE)
    return np.random.default_rng(seed).integers(90, 130, (height, width)).astype(np.uint8)


def settled() -> tuple[MotionGate, np.ndarray, float]:
    gate, still = MotionGate(), ground()
    for step in range(30):
        gate.update(still, step / 10, SIZE)
    return gate, still, 3.0


def test_a_still_picture_does_not_move_even_when_it_is_noisy():
    gate, still, time = settled()
    noisy = np.clip(still + np.random.default_rng(2).normal(0, 2, still.shape), 0, 255).astype(np.uint8)
    assert not gate.update(noisy, time, SIZE).active


def test_what_comes_in_is_one_blob_in_pixels_of_the_full_picture():
    gate, still, time = settled()
    entered = still.copy()
    entered[30:60, 50:80] = 230
    seen = gate.update(entered, time, SIZE)
    assert seen.active
    assert len(seen.blobs) == 1
    scale = SIZE[0] / still.shape[1]
    assert seen.blobs[0] == pytest.approx(np.array([50, 30, 80, 60]) * scale, abs=3 * scale)
    assert seen.cover(seen.blobs)[0] > 0.8
    assert seen.cover(np.array([[0, 0, 20, 20]], np.float32))[0] == 0


def test_the_camera_opening_its_iris_is_no_motion():
    gate, still, time = settled()
    brighter = np.clip(still * 1.3, 0, 255).astype(np.uint8)
    assert gate.update(brighter, time, SIZE).share < 0.01


def test_a_shadow_is_no_object_but_for_its_rim():
    gate, still, time = settled()
    shaded = still.copy()
    shaded[20:70, 40:100] = (shaded[20:70, 40:100] * 0.75).astype(np.uint8)
    scale = SIZE[0] / still.shape[1]
    middle = np.array([[46, 26, 94, 64]], np.float32) * scale
    assert gate.update(shaded, time, SIZE).cover(middle)[0] < 0.02


def test_another_shot_is_a_cut_and_the_background_begins_anew():
    gate, still, time = settled()
    other = np.where(np.indices(still.shape).sum(0) % 16 < 8, 20, 240).astype(np.uint8)
    seen = gate.update(other, time, SIZE)
    assert seen.cut
    assert not gate.update(other, time + 0.1, SIZE).active


def test_what_stays_long_enough_becomes_background():
    gate, still, time = settled()
    parked = still.copy()
    parked[30:60, 50:80] = 200
    for step in range(1, 120):
        gate.update(parked, time + step, SIZE)
    assert not gate.update(parked, time + 121, SIZE).active


def test_what_is_as_bright_as_the_ground_is_seen_by_its_colour():
    gate, still = MotionGate(), ground()
    grey = np.dstack([still, np.full_like(still, 128), np.full_like(still, 128)])
    for step in range(30):
        gate.update(grey, step / 10, SIZE)
    entered = grey.copy()
    entered[30:60, 50:80, 2] = 190
    seen = gate.update(entered, 3.0, SIZE)
    assert len(seen.blobs) == 1
    warmer = grey.copy()
    warmer[..., 2] = 150
    assert gate.update(warmer, 3.1, SIZE).share < 0.01
