"""A yard in texture and noise, to which things are done."""

import cv2
import numpy as np
import pytest

from shoufu.engines.vision.tamper import SIZE, Tamper, TamperWatch

NOISE = np.random.default_rng(7)


def yard() -> np.ndarray:
    rough = np.random.default_rng(3).integers(0, 255, (18, 32)).astype(np.uint8)
    ground = cv2.resize(rough, SIZE, interpolation=cv2.INTER_NEAREST)
    slope = np.linspace(0, 150, SIZE[0])[None, :]
    return (cv2.GaussianBlur(ground, (0, 0), 0.8) * 0.4 + slope).astype(np.uint8)


def noisy(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture + NOISE.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


def covered(picture: np.ndarray) -> np.ndarray:
    return noisy(np.full_like(picture, 30))


def blurred(picture: np.ndarray) -> np.ndarray:
    return noisy(cv2.GaussianBlur(picture, (0, 0), 4))


def turned(picture: np.ndarray) -> np.ndarray:
    return noisy(np.roll(picture, 37, axis=1))


def still(picture: np.ndarray) -> np.ndarray:
    return picture


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        (covered, Tamper.COVERED),
        (blurred, Tamper.DEFOCUSED),
        (turned, Tamper.MOVED),
        (still, Tamper.FROZEN),
    ],
)
def test_what_is_done_to_a_camera_is_told_once_and_its_end_too(deed, told):
    watch, changes = TamperWatch(), []
    for second in range(300):
        picture = deed(yard()) if 60 <= second < 130 else noisy(yard())
        change = watch.update(picture, float(second))
        if change:
            changes.append((change.state, second))
    assert [state for state, _ in changes] == [told, Tamper.CLEAR]
    assert 60 < changes[0][1] <= 100
    # Where a camera was turned, the new picture becomes the usual one.
    assert told is Tamper.MOVED or 130 <= changes[1][1] <= 145


def test_light_and_people_are_no_tampering():
    watch = TamperWatch()
    for second in range(400):
        light = 0.6 + 0.4 * np.cos(second / 40)
        picture = (yard() * light).astype(np.uint8)
        left = (second * 7) % 160
        picture[40:80, left : left + 14] = 200
        assert watch.update(noisy(picture), float(second)) is None


def test_a_camera_turned_for_good_is_learned_anew():
    watch, changes = TamperWatch(), []
    for second in range(500):
        change = watch.update(turned(yard()) if second >= 60 else noisy(yard()), float(second))
        if change:
            changes.append(change.state)
    assert changes == [Tamper.MOVED, Tamper.CLEAR]
