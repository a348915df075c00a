"""Recordings made for tests: segments of a moving box, written by the recorder's own writer."""

from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np

from shoufu.engines.video import EncodedSegment
from shoufu.kernel.media import recordings, store
from shoufu.kernel.media.recordings import Recorded

RATE = 10


def frame(number: int) -> av.VideoFrame:
    pixels = np.full((96, 160, 3), 60, np.uint8)
    pixels[20:60, (3 * number) % 120 : (3 * number) % 120 + 30] = (220, 40, 40)
    return av.VideoFrame.from_ndarray(pixels, "rgb24")


def segment(code: str, start: datetime, seconds: float = 2, **more) -> Recorded:
    """A segment on the disk, as the recorder tells of it."""
    key = recordings.key_of(code, start)
    path = store.path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = EncodedSegment(path, (160, 96), RATE, start.timestamp())
    for number in range(round(seconds * RATE)):
        written.write(frame(number), start.timestamp() + number / RATE)
    chunk = written.close(start.timestamp() + seconds)
    until = datetime.fromtimestamp(chunk.end, UTC)
    return Recorded(code, start, until, key, chunk.size, chunk.sha256, chunk.keyed, chunk.group, **more)


def decoded(path: Path) -> list[float]:
    """Times of the pictures of a file, in seconds."""
    with av.open(str(path)) as container:
        return [float(picture.time or 0) for picture in container.decode(video=0)]
