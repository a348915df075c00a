from shoufu.kernel.media import pictures

LIMITS = pictures.Limits(most_bytes=12 * pictures.MIB, most_pixels=60_000_000)
SIDE = 1600


def cleaned(content: bytes) -> bytes:
    """A resident's picture as a plain JPEG of at most 1600 pixels a side. Invalid names what is wrong with it."""
    image = pictures.upright(content, "pictures", LIMITS)
    image.thumbnail((SIDE, SIDE))
    return pictures.plain_jpeg(image)
