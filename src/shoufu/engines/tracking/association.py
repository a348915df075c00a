"""Which measurement belongs to which track."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Boxes = npt.NDArray[np.float32]


def match(scores: Scores, least: float) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Pair rows with columns, best score first, each used once and no pair below `least`.

    Greedy: with overlaps as scores it differs from the optimal assignment only where both are guesses.
    Returns (pairs, unmatched rows, unmatched columns).
    """
    pairs: list[tuple[int, int]] = []
    rows, columns = set(range(scores.shape[0])), set(range(scores.shape[1]))
    for flat in np.argsort(-scores, axis=None, kind="stable").tolist():
        row, column = divmod(flat, scores.shape[1])
        if scores[row, column] < least:
            break
        if row in rows and column in columns:
            pairs.append((row, column))
            rows.discard(row)
            columns.discard(column)
    return pairs, sorted(rows), sorted(columns)


def widened(boxes: Boxes, share: float) -> Boxes:
    """Boxes grown on every side by `share` of their size, so that fast or small objects still overlap."""
    margin = (boxes[:, 2:] - boxes[:, :2]) * share
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1).astype(np.float32)
