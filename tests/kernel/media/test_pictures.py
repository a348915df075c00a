import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation
from PIL import Image

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.media import pictures

LIMITS = pictures.Limits(pictures.MIB, 4_000_000, least_side=100, still=True)


@pytest.fixture(autouse=True)
def _in_chinese() -> Iterator[None]:
    """A request of a test before may have left its own language."""
    with translation.override("zh-hans"):
        yield


def saved(image: Image.Image, form: str, **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


def plain(mode: str = "RGB", size: tuple[int, int] = (200, 120)) -> Image.Image:
    return Image.new(mode, size, 90 if mode in ("L", "P") else tuple([90] * len(Image.new(mode, (1, 1)).getbands())))


def bomb(side: int) -> bytes:
    """A PNG that is tiny and says that it is `side` × `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\x00" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def frames() -> list[Image.Image]:
    return [Image.new("RGB", (200, 200), colour) for colour in ("red", "blue")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "空"),
        (b"\xff\xd8\xff" + b"0" * pictures.MIB, "1 MB"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "JPEG、PNG 或 WebP"),
        (saved(plain(), "GIF"), "JPEG、PNG 或 WebP"),
        (saved(plain(), "JPEG", quality=95)[:-200], "损坏"),
        (saved(plain(), "PNG")[:60], "损坏"),
        (saved(plain(size=(200, 99)), "PNG"), "200×99"),
        (bomb(3000), "像素"),
        (bomb(12_000), "像素"),
        (bomb(60_000), "像素"),
        (saved(frames()[0], "WEBP", save_all=True, append_images=frames()[1:]), "动图"),
        (saved(frames()[0], "PNG", save_all=True, append_images=frames()[1:]), "动图"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        pictures.upright(content, "face", LIMITS)
    (error,) = refused.value.errors
    assert error.field == "face" and said in str(error.message)


@pytest.mark.parametrize(
    ("mode", "form"), [("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("P", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP")]
)
def test_pictures_of_every_kind_come_out_as_plain_pixels(mode: str, form: str) -> None:
    made = pictures.plain_jpeg(pictures.upright(saved(plain(mode), form), "face", LIMITS))
    assert Image.open(io.BytesIO(made)).size == (200, 120)


def test_a_turned_photo_stands_upright_and_loses_what_the_camera_wrote() -> None:
    photo = Image.new("RGB", (200, 120), "white")
    photo.paste("black", (0, 0, 20, 120))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "SecretPhone"
    content = saved(photo, "JPEG", exif=exif, comment="SecretNote", quality=95)
    assert b"SecretPhone" in content and b"SecretNote" in content
    upright = pictures.upright(content, "face", LIMITS)
    assert upright.size == (120, 200) and sum(upright.getpixel((60, 5))) < 60 < sum(upright.getpixel((60, 150)))
    made = pictures.plain_jpeg(upright)
    assert b"Secret" not in made and not Image.open(io.BytesIO(made)).getexif()


def test_a_photo_with_a_preview_beside_it_is_no_animation() -> None:
    """As many phones send it: a JPEG of several pictures (MPO)."""
    content = saved(frames()[0], "MPO", save_all=True, append_images=frames()[1:])
    assert pictures.upright(content, "face", LIMITS).size == (200, 200)


def test_what_was_transparent_is_white() -> None:
    clear = Image.new("RGBA", (200, 200), (255, 0, 0, 0))
    assert pictures.upright(saved(clear, "PNG"), "face", LIMITS).getpixel((9, 9)) == (255, 255, 255)
