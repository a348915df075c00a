"""Pictures from bytes, refusing what is not whole: decoders fill the missing part with grey and say nothing."""

import re

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

LARGEST_PIXELS = 100_000_000
SMALLEST_SIDE = 12

_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_JPEG, _PNG, _RIFF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF"
_JPEG_END, _JPEG_SCAN = 0xD9, 0xDA
_SIZE_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class PictureError(ValueError):
    """The bytes are no whole picture; the text says what is wrong and what to do."""


def decode(data: bytes) -> Image:
    """A BGR uint8 picture (H×W×3) from the bytes of a JPEG, PNG, WebP, BMP or TIFF file, turned as its EXIF says.

    Raises `PictureError` for an empty, truncated, unreadable, tiny or excessively large picture.
    """
    if not data:
        raise PictureError("the file is empty: copy it again from its source")
    _check_whole(data)
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise PictureError("the picture cannot be decoded: save it again as JPEG or PNG") from error
    if image is None:
        raise PictureError("this is not a picture that can be read: give a JPEG, PNG, WebP, BMP or TIFF file")
    height, width = image.shape[:2]
    _check_size(width, height)
    if min(height, width) < SMALLEST_SIDE:
        raise PictureError(f"the picture is only {width}×{height} pixels: give a larger one")
    return np.asarray(image, dtype=np.uint8)


def _check_size(width: int, height: int) -> None:
    if width * height > LARGEST_PIXELS:
        raise PictureError(
            f"the picture has {width}×{height} pixels, more than {LARGEST_PIXELS // 1_000_000} million: scale it down"
        )


def _check_whole(data: bytes) -> None:
    if data.startswith(_JPEG):
        _check_jpeg(data)
    elif data.startswith(_PNG):
        if len(data) >= 24:
            _check_size(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
        if b"IEND" not in data[-4096:]:
            raise PictureError("the PNG file is cut off: copy it again from its source")
    elif data.startswith(_RIFF) and len(data) < 8 + int.from_bytes(data[4:8], "little"):
        raise PictureError("the WebP file is cut off: copy it again from its source")


def _check_jpeg(data: bytes) -> None:
    """Walks from marker to marker (ITU-T T.81, annex B) until the end of the image."""
    position = 2
    while found := _NEXT_MARKER.search(data, position):
        marker, start = data[found.start() + 1], found.end()
        if marker == _JPEG_END:
            return
        length = int.from_bytes(data[start : start + 2], "big")
        if marker in _SIZE_FRAMES and start + 7 <= len(data):
            height, width = (int.from_bytes(data[start + i : start + i + 2], "big") for i in (3, 5))
            _check_size(width, height)
        position = start + max(length, 2)
    raise PictureError("the JPEG file is cut off: copy it again from its source")
