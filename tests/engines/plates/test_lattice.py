"""The lattice against a plain enumeration of every path."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from shoufu.engines.plates.grammar import ALPHABET, INDEX, Form
from shoufu.engines.plates.lattice import fit_forms

THREE = Form("three", ("皖京", "AB", "AB"), frozenset())
TWO = Form("two", ("皖京", "AB"), frozenset())
COLUMNS = [0, *(INDEX[c] + 1 for c in "皖京AB")]


def frames(steps: int, seed: int) -> NDArray[np.float64]:
    out = np.zeros((steps, len(ALPHABET) + 1))
    out[:, COLUMNS] = np.random.default_rng(seed).dirichlet(np.ones(len(COLUMNS)), steps)
    return out


def spelled(path: tuple[int, ...]) -> str:
    text, last = "", 0
    for column in path:
        if column not in (last, 0):
            text += ALPHABET[column - 1]
        last = column
    return text


def enumerated(reading: NDArray[np.float64], form: Form) -> tuple[float, NDArray[np.float64]]:
    total, places = 0.0, np.zeros((form.length, len(ALPHABET)))
    for path in product(COLUMNS, repeat=len(reading)):
        text = spelled(path)
        if not form.accepts(text):
            continue
        weight = float(np.prod([reading[step, column] for step, column in enumerate(path)]))
        total += weight
        for position, character in enumerate(text):
            places[position, INDEX[character]] += weight
    return float(np.log(total)), places / total


@pytest.mark.parametrize("seed", range(3))
def test_sums_over_all_paths_are_exact(seed: int) -> None:
    readings = [frames(5, seed), frames(4, seed + 10)]
    fitted = fit_forms(readings, [THREE, TWO])
    for reading, row in zip(readings, fitted, strict=True):
        for form, fit in zip((THREE, TWO), row, strict=True):
            likelihood, places = enumerated(reading, form)
            assert fit.likelihood == pytest.approx(likelihood, abs=1e-4)
            np.testing.assert_allclose(fit.places, places, atol=1e-5)


def test_frames_that_are_surely_blank_change_nothing() -> None:
    reading = frames(5, 1)
    idle = np.zeros((4, len(ALPHABET) + 1))
    idle[:, 0] = 1.0
    plain = fit_forms([reading], [THREE])[0][0]
    padded = fit_forms([np.vstack([idle, reading, idle])], [THREE])[0][0]
    assert padded.likelihood == pytest.approx(plain.likelihood, abs=1e-4)
    np.testing.assert_allclose(padded.places, plain.places, atol=1e-5)


def test_nothing_to_fit() -> None:
    assert fit_forms([], [THREE]) == []
    assert fit_forms([frames(3, 0)], []) == [[]]
