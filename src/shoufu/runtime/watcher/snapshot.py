"""Pictures that go with observations."""

from __future__ import annotations

from uuid import UUID

import cv2
import numpy as np

from shoufu.kernel.base.ids import uuid7

from .costs import Costs
from .sink import Sink
from .video import Picture

_WIDEST = 1280
_QUALITY = 85


class Snapshots:
    """Snapshots of one camera; several observations of one picture share one."""

    def __init__(self, code: str, sink: Sink, costs: Costs) -> None:
        self._code = code
        self._sink = sink
        self._costs = costs
        self._last: tuple[float, UUID] | None = None

    def of(self, picture: Picture) -> str:
        """Send the picture to the sink; the id that names it."""
        if self._last is not None and self._last[0] == picture.time:
            return str(self._last[1])
        with self._costs.measure("snapshot"):
            jpeg = encode(picture)
        media = uuid7()
        self._last = (picture.time, media)
        self._sink.store_snapshot(self._code, media, jpeg, picture.time)
        return str(media)


def encode(picture: Picture) -> bytes:
    """JPEG of the picture, at most 1,280 pixels wide."""
    frame = picture.frame
    scale = min(1.0, _WIDEST / frame.width)
    size = round(frame.width * scale), round(frame.height * scale)
    pixels = np.asarray(frame.reformat(*size, "bgr24", interpolation="BILINEAR").to_ndarray(), np.uint8)
    done, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError(f"a picture of {size[0]} x {size[1]} cannot be made a JPEG")
    return jpeg.tobytes()
