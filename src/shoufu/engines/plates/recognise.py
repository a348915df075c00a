"""From pictures of one plate to probabilities per frame, over the characters a plate may carry."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .grammar import ALPHABET
from .lattice import Doubles
from .sessions import Model, open_session

Image = NDArray[np.uint8]

LOOKALIKES = {
    "0": "Oo〇",
    "O": "o0〇",
    "1": "Il|i",
    "苏": "蘇",
    "云": "雲",
    "赣": "贛",
    "鲁": "魯",
    "闽": "閩",
    "陕": "陝",
    "贵": "貴",
    "粤": "粵",
    "晋": "晉",
    "宁": "寧",
    "琼": "瓊",
    "学": "學",
    "辽": "遼",
    "沪": "滬",
    "黑": "黒",
    "应": "應",
}
"""Other signs of a general recogniser that on a plate can only be this character."""

SEPARATORS = "·•.-— 。、・∙⋅"
FLOOR = 1e-7
OPEN_VOCABULARY = 1000


class Recogniser:
    """A CTC text recogniser (PaddleOCR layout) narrowed to the characters of plates.

    `model`: ONNX file or bytes, input N×3×H×W (BGR scaled to -1…1), output N×time×classes probabilities.
    `characters`: the classes after the blank, in order; None reads them from the model's metadata (`character`).
    `size`: height and width in pixels that crops are scaled to; None takes the model's own fixed input.
    """

    def __init__(
        self,
        model: Model,
        size: tuple[int, int] | None = None,
        *,
        characters: Sequence[str] | None = None,
        threads: int = 1,
    ) -> None:
        self._session = open_session(model, threads)
        self._input = self._session.get_inputs()[0].name
        self.size = size or self._size_of_model()
        signs = list(characters) if characters is not None else self._characters_of_model()
        self.open = len(signs) > OPEN_VOCABULARY
        self._columns, self._targets = _class_map(signs)
        self.known = np.isin(np.arange(len(ALPHABET)), np.array(self._targets) - 1)

    def _size_of_model(self) -> tuple[int, int]:
        height, width = self._session.get_inputs()[0].shape[2:]
        if not isinstance(height, int) or not isinstance(width, int):
            raise ValueError("The recogniser takes input of any size; pass the `size` to scale crops to.")
        return height, width

    def _characters_of_model(self) -> list[str]:
        text = self._session.get_modelmeta().custom_metadata_map.get("character")
        if not text:
            raise ValueError("The recogniser carries no character list; pass its dictionary as `characters`.")
        return str(text).split("\n")

    def frames(self, crops: Sequence[Image]) -> tuple[Doubles, Doubles]:
        """Probabilities, crops × time × (1 + alphabet), column 0 blank (rows need not sum to 1), and, crops × time,
        the largest probability of any class, also of signs that no plate carries."""
        height, width = self.size
        batch = np.stack([_prepare(crop, height, width) for crop in crops])
        raw = self._session.run(None, {self._input: batch})[0]
        out = np.full((*raw.shape[:2], 1 + len(ALPHABET)), FLOOR)
        picked = raw[:, :, self._columns].astype(np.float64)
        for column, target in enumerate(self._targets):
            out[:, :, target] += picked[:, :, column]
        return out, raw.max(axis=2).astype(np.float64)


def _prepare(crop: Image, height: int, width: int) -> NDArray[np.float32]:
    shrinks = crop.shape[0] > height
    scaled = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return (scaled.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)


def _class_map(characters: Sequence[str]) -> tuple[NDArray[np.intp], list[int]]:
    """Which network classes count for which column of the frames (one class may count for two)."""
    position = {character: index + 1 for index, character in reversed(list(enumerate(characters)))}
    pairs = [(0, 0)]
    pairs += [(position[sign], 0) for sign in SEPARATORS if sign in position]
    for target, character in enumerate(ALPHABET, start=1):
        signs = {character, character.lower(), *LOOKALIKES.get(character, "")}
        pairs += [(position[sign], target) for sign in sorted(signs) if sign in position]
    columns = np.array([source for source, _ in pairs], dtype=np.intp)
    return columns, [target for _, target in pairs]
