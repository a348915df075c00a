"""Pictures that people send, read safely and made anew: only the pixels go on, nothing that a camera wrote."""

import io
import struct
import warnings
from dataclasses import dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from shoufu.kernel.base.errors import Invalid

FORMATS = ("JPEG", "PNG", "WEBP")
MOVING = ("PNG", "WEBP")
"""Formats that can be animations. A JPEG of several pictures (MPO) is a photo: phones keep a preview beside it."""
MIB = 1 << 20
BROKEN = (OSError, ValueError, SyntaxError, TypeError, LookupError, EOFError, struct.error, OverflowError)
"""What Pillow raises on files that are cut short or made up."""


@dataclass(frozen=True)
class Limits:
    """What is taken: at most so many bytes and pixels, and at least so many pixels a side; `still`: no animation."""

    most_bytes: int
    most_pixels: int
    least_side: int = 1
    still: bool = False


def upright(content: bytes, field: str, limits: Limits) -> Image.Image:
    """A JPEG, PNG or WebP as RGB pixels the right way up (EXIF orientation), on white where it was transparent.

    Raises Invalid for `field` with what is wrong and what to do. Nothing is decoded before its size was looked at.
    """
    check_size(len(content), field, limits)
    with warnings.catch_warnings():
        # Pillow warns from 89 megapixels on and refuses from 179; ours is the limit that counts, and is below both.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = _opened(content, field, limits)
    _check(image, field, limits)
    try:
        # In place: of a picture with many pixels every copy counts.
        ImageOps.exif_transpose(image, in_place=True)
        return _flat(image)
    except BROKEN as error:
        raise Invalid.one(field, _("This picture is broken or cut short; send it again.")) from error


def check_size(size: int, field: str, limits: Limits) -> None:
    """Refuse a file that is empty or too large, before it is read."""
    if size == 0:
        raise Invalid.one(field, _("The file is empty."))
    if size > limits.most_bytes:
        said = _("A picture may have at most %(most)s MB; this one has %(size)s. Make it smaller and send it again.")
        raise Invalid.one(field, said % {"most": limits.most_bytes // MIB, "size": round(size / MIB, 1)})


def _opened(content: bytes, field: str, limits: Limits) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(field, limits) from error
    except UnidentifiedImageError as error:
        said = _("This is no picture that can be read; send a JPEG, PNG or WebP.")
        raise Invalid.one(field, said) from error
    except BROKEN as error:
        raise Invalid.one(field, _("This picture is broken or cut short; send it again.")) from error


def _too_many_pixels(field: str, limits: Limits) -> Invalid:
    said = _("This picture is too large; send one of at most %(most)s megapixels.")
    return Invalid.one(field, said % {"most": limits.most_pixels // 1_000_000})


def _check(image: Image.Image, field: str, limits: Limits) -> None:
    if image.width * image.height > limits.most_pixels:
        raise _too_many_pixels(field, limits)
    if min(image.size) < limits.least_side:
        said = _("At least %(least)s×%(least)s pixels; this one has %(width)s×%(height)s. Send a larger one.")
        words = {"least": limits.least_side, "width": image.width, "height": image.height}
        raise Invalid.one(field, said % words)
    if limits.still and image.format in MOVING and getattr(image, "is_animated", False):
        raise Invalid.one(field, _("This picture moves; send a still one."))


def _flat(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    flat = Image.new("RGB", clear.size, "white")
    flat.paste(clear, mask=clear.getchannel("A"))
    return flat


def plain_jpeg(image: Image.Image, quality: int = 85) -> bytes:
    """Its pixels alone as a JPEG: no EXIF (place, phone, time), no comment, no profile."""
    plain = Image.new("RGB", image.size)
    plain.paste(image)
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()
