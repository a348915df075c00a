"""Chinese number plates: found in photos, flattened, read and matched against a register.

    reader = PlateReader(PlateDetector("detector.onnx"), [Recogniser("reader.onnx", (48, 168))])
    for plate in reader.read(decode(Path("photo.jpg").read_bytes())):
        print(plate.text, plate.score)
"""

from .detect import PlateDetector, Region
from .grammar import FORMS, Colour, Form, form_of
from .match import Match, MatchClass, PlateIndex
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
