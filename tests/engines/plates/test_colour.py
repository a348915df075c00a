import cv2
import numpy as np
import pytest

from shoufu.engines.plates import Colour
from shoufu.engines.plates.colour import ground_colour

GROUNDS = {
    Colour.BLUE: (160, 60, 20),
    Colour.GREEN: (110, 190, 90),
    Colour.YELLOW: (20, 170, 220),
    Colour.WHITE: (225, 225, 225),
    Colour.BLACK: (25, 25, 25),
}
INK = {Colour.YELLOW: 20, Colour.WHITE: 20, Colour.GREEN: 20}


def plate(colour: Colour) -> np.ndarray:
    image = np.full((48, 150, 3), GROUNDS[colour], dtype=np.uint8)
    ink = INK.get(colour, 235)
    cv2.putText(image, "A12345", (8, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (ink, ink, ink), 3)
    return image


@pytest.mark.parametrize("colour", list(GROUNDS))
@pytest.mark.parametrize("light", [1.0, 0.45])
def test_grounds_by_day_and_dusk(colour: Colour, light: float) -> None:
    image = np.clip(plate(colour).astype(np.float32) * light + 4, 0, 255).astype(np.uint8)
    assert ground_colour(image).colour is colour


def test_noise_changes_nothing() -> None:
    noise = np.random.default_rng(0).normal(0, 12, (48, 150, 3))
    image = np.clip(plate(Colour.BLUE) + noise, 0, 255).astype(np.uint8)
    guess = ground_colour(image)
    assert guess.colour is Colour.BLUE
    assert guess.sure > 0.5
