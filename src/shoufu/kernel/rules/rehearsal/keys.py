"""Keys of rows as dense numbers, the same number for the same key in every frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shoufu.kernel.rules.evaluation.rows import Key
from shoufu.kernel.rules.rehearsal.frames import Frame

Ints = NDArray[np.int64]
DIRECT = 4_000_000
"""Ids up to this are their own numbers' index; a table of them is small and needs no sorting."""


class KeyTable:
    """Gives each key its number when it is first seen."""

    def __init__(self, by: str) -> None:
        self.by = by
        self.keys: list[Key] = []
        self._numbers: dict[Key, int] = {}
        self._direct = np.full(0, -1, np.int64)
        self._features: dict[str, int] = {}

    @property
    def size(self) -> int:
        return len(self.keys)

    def of(self, frame: Frame, chosen: Ints) -> Ints:
        """The keys of these rows of the frame."""
        if self.by == "device":
            return self._of_ids(frame.device[chosen])
        if self.by == "place":
            return self._of_ids(frame.place[chosen])
        features, table = self._feature_numbers(frame, chosen)
        if self.by == "feature":
            return self._of_unique(features, lambda value: table[value])
        device = frame.device[chosen]
        combined = device * len(table) + features
        return self._of_unique(combined, lambda value: (value // len(table), table[value % len(table)]))

    def _feature_numbers(self, frame: Frame, chosen: Ints) -> tuple[Ints, list[str]]:
        column = frame.feature()
        table = [*column.values, ""]
        codes = column.codes[chosen].astype(np.int64)
        return np.where(codes < 0, len(table) - 1, codes), table

    def _of_ids(self, ids: Ints) -> Ints:
        if not len(ids):
            return ids
        top = int(ids.max())
        if top >= DIRECT or int(ids.min()) < 0:
            return self._of_unique(ids, lambda value: value)
        if top >= len(self._direct):
            self._direct = grown(self._direct, max(top + 1, 2 * len(self._direct)), -1)
        numbers = self._direct[ids]
        if (numbers < 0).any():
            for value in np.unique(ids[numbers < 0]).tolist():
                self._direct[value] = self._number(value)
            numbers = self._direct[ids]
        return numbers

    def _of_unique(self, values: Ints, key: Any) -> Ints:
        found, inverse = np.unique(values, return_inverse=True)
        numbers = np.array([self._number(key(value)) for value in found.tolist()], np.int64)
        return numbers[inverse] if len(numbers) else np.zeros(0, np.int64)

    def _number(self, key: Key) -> int:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.keys)
            self.keys.append(key)
        return number


def grown(array: NDArray[Any], size: int, value: int) -> NDArray[Any]:
    """The array with at least `size` entries, new ones filled with `value`; grows by half, so that it seldom copies."""
    if len(array) >= size:
        return array
    larger = np.full((max(size, len(array) * 3 // 2), *array.shape[1:]), value, array.dtype)
    larger[: len(array)] = array
    return larger
