"""Footage made here: a bright box that walks over textured ground, encoded by FFmpeg."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 10


def picture(number: int, width: int, height: int) -> np.ndarray:
    """The box is 30 x 60 and moves 6 pixels a frame to the right."""
    ground = np.random.default_rng(3).integers(90, 110, (height, width, 3)).astype(np.uint8)
    left = 6 * number
    ground[height // 2 - 30 : height // 2 + 30, left : left + 30] = (240, 60, 40)
    return ground


def write(path: Path, frames: int = 60, codec: str = "libx264", width: int = 320, height: int = 192) -> Path:
    """A video of `frames` pictures at ten a second, a key frame every second."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = RATE
        stream.codec_context.time_base = Fraction(1, RATE)
        for number in range(frames):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number, width, height), "rgb24")))
        output.mux(stream.encode(None))
    return path
