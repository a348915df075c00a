import cv2
import numpy as np
import pytest

from shoufu.engines.plates import PictureError, decode

PICTURE = np.random.default_rng(0).integers(0, 255, (120, 200, 3), dtype=np.uint8)


def encoded(kind: str) -> bytes:
    done, data = cv2.imencode(kind, PICTURE)
    assert done
    return bytes(data)


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp", ".bmp"])
def test_whole_pictures_are_decoded(kind: str) -> None:
    assert decode(encoded(kind)).shape == PICTURE.shape


@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.97])
def test_a_cut_off_picture_is_refused(kind: str, part: float) -> None:
    data = encoded(kind)
    with pytest.raises(PictureError, match="cut off"):
        decode(data[: int(len(data) * part)])


def test_bytes_after_the_end_of_a_jpeg_do_no_harm() -> None:
    assert decode(encoded(".jpg") + b"\xff\xda motion part").shape == PICTURE.shape


def test_a_thumbnail_does_not_hide_that_the_picture_is_cut_off() -> None:
    data, thumbnail = encoded(".jpg"), encoded(".jpg")[:3000] + b"\xff\xd9"
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    with pytest.raises(PictureError, match="cut off"):
        decode((data[:2] + segment + data[2:])[:-200])


@pytest.mark.parametrize(
    ("data", "text"), [(b"", "empty"), (b"no picture at all", "not a picture"), (b"\xff\xd8\xff", "cut")]
)
def test_what_is_no_picture_is_refused(data: bytes, text: str) -> None:
    with pytest.raises(PictureError, match=text):
        decode(data)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    data = bytearray(encoded(".png"))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(PictureError, match="60000×60000 pixels"):
        decode(bytes(data))


def test_a_tiny_picture_is_refused() -> None:
    _, data = cv2.imencode(".png", PICTURE[:4, :4])
    with pytest.raises(PictureError, match="only 4×4"):
        decode(bytes(data))
