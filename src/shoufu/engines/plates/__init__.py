"""Chinese number plates: found in photos, flattened, read and matched against a register.

`PlateReader(PlateDetector(model), [Recogniser(model, size), …]).read(decode(data))` gives the plates of a picture;
`PlateIndex(registered).match(text)` says which registered plate a text means.
"""

from typing import TYPE_CHECKING

from shoufu.engines.later import later

from .grammar import FORMS, Colour, Form, form_of
from .match import Match, MatchClass, PlateIndex

if TYPE_CHECKING:
    from .detect import PlateDetector, Region
    from .picture import PictureError, decode
    from .reader import Plate, PlateReader
    from .recognise import Recogniser

__all__ = [
    "FORMS",
    "Colour",
    "Form",
    "Match",
    "MatchClass",
    "PictureError",
    "Plate",
    "PlateDetector",
    "PlateIndex",
    "PlateReader",
    "Recogniser",
    "Region",
    "decode",
    "form_of",
]

__getattr__ = later(
    __name__,
    {
        "detect": ("PlateDetector", "Region"),
        "picture": ("PictureError", "decode"),
        "reader": ("Plate", "PlateReader"),
        "recognise": ("Recogniser",),
    },
)
