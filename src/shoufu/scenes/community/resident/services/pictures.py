import io
import warnings

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from shoufu.kernel.base.errors import Invalid

MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 60_000_000
SIDE = 1600


def cleaned(content: bytes) -> bytes:
    """A resident's picture as a plain JPEG of at most 1600 pixels a side: nothing of its EXIF (place, phone, time)
    is kept, since only the pixels are written anew. Invalid names what is wrong with it."""
    if len(content) > MOST_BYTES:
        raise Invalid.one("pictures", _("A picture may have at most 12 MB."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP"))
            if image.width * image.height > MOST_PIXELS:
                raise Invalid.one("pictures", _("This picture is too large; send one of at most 60 megapixels."))
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Invalid.one("pictures", _("This is no picture that can be read; send a JPEG, PNG or WebP.")) from None
    upright.thumbnail((SIDE, SIDE))
    plain = Image.new("RGB", upright.size)
    plain.paste(upright)
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=85)
    return out.getvalue()
