"""Exact sums over all CTC paths that spell a plate of a given form.

For every form the forward–backward algorithm runs over states (position, character) and (blank after position),
all readings and forms at once. It gives how likely the form is, and for each position the probability of each
character. Because positions are fixed by the form, answers from several crops and several networks can be combined
position by position, though their frames do not line up (Graves et al. 2006 for the recursion).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .grammar import ALPHABET, DIGITS, INDEX, LETTERS, MARKS, PROVINCES, Form

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]
TINY = np.float32(1e-37)

IDLE = 0.995
NOTABLE = 1e-3
KEPT_OF_A_KIND = 8


@dataclass(frozen=True, slots=True)
class FormFit:
    """How one form fits the frames of one reading.

    `likelihood`: natural logarithm of the sum over all paths; `places`: positions × alphabet, each row sums to 1.
    """

    form: Form
    likelihood: float
    places: Doubles


def fit_forms(readings: Sequence[Doubles], forms: Sequence[Form]) -> list[list[FormFit]]:
    """Fits every form to every reading; the result is indexed [reading][form].

    A reading: time × (1 + alphabet) probabilities, column 0 the CTC blank. Their lengths in time may differ.
    """
    if not forms or not readings:
        return [[] for _ in readings]
    frames = _stack_readings([_without_idle(reading) for reading in readings])
    used = _worth_keeping(frames, np.any([form.mask.any(axis=0) for form in forms], axis=0))
    masks = _stack_masks(forms)[:, :, used]
    blanks, emissions = frames[:, :, 0], frames[:, :, 1 + used]
    lengths = np.array([form.length for form in forms])
    likelihoods, places = _forward_backward(blanks, emissions, masks, lengths)
    return [
        [
            FormFit(form, float(likelihoods[r, f]), _spread(places[r, f, : form.length], used, form))
            for f, form in enumerate(forms)
        ]
        for r in range(len(readings))
    ]


def _stack_masks(forms: Sequence[Form]) -> Singles:
    longest = max(form.length for form in forms)
    masks = np.zeros((len(forms), longest, len(ALPHABET)), dtype=np.float32)
    for index, form in enumerate(forms):
        masks[index, : form.length] = form.mask
    return masks


def _without_idle(reading: Doubles) -> Doubles:
    """The reading without repeats of frames that are surely blank: one says as much as many."""
    idle = reading[:, 0] > IDLE
    repeated = np.zeros(len(idle), dtype=np.bool_)
    repeated[1:] = idle[1:] & idle[:-1]
    return reading[~repeated]


def _worth_keeping(frames: Singles, allowed: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Characters with any notable probability, and the best few of each kind so that no position is left empty."""
    strength = frames[:, :, 1:].max(axis=(0, 1))
    kept = strength > NOTABLE
    for kind in (PROVINCES, LETTERS, DIGITS, MARKS + "O"):
        members = np.array([INDEX[character] for character in kind])
        kept[members[np.argsort(-strength[members])[:KEPT_OF_A_KIND]]] = True
    needed = np.array([INDEX[character] for character in MARKS + "O"])
    kept[needed] = True
    return np.flatnonzero(kept & allowed)


def _stack_readings(readings: Sequence[Doubles]) -> Singles:
    """Readings of one length: certain blanks are added at the end, which change no sum over paths."""
    steps = max(reading.shape[0] for reading in readings)
    frames = np.zeros((len(readings), steps, 1 + len(ALPHABET)), dtype=np.float32)
    frames[:, :, 0] = 1.0
    for index, reading in enumerate(readings):
        frames[index, : reading.shape[0]] = reading
    return frames


def _forward_backward(
    blanks: Singles, emissions: Singles, masks: Singles, lengths: NDArray[np.int_]
) -> tuple[Doubles, Singles]:
    """Logarithmic likelihoods (reading × form) and unnormalised posteriors (reading × form × position × character)."""
    readings, steps, letters = emissions.shape
    forms, longest, _ = masks.shape
    shape = (readings, forms, longest, letters)
    entered, characters = _empty(steps, *shape), _empty(steps, *shape)
    gaps = _empty(steps, readings, forms, longest + 1)
    logs = np.zeros((readings, forms))
    now, gap = _zeros(*shape), _zeros(readings, forms, longest + 1)
    gap[:, :, 0] = 1.0
    for step in range(steps):
        emission = emissions[:, step, None, None, :] * masks
        left = now.sum(axis=3)
        source = np.repeat(gap[..., :-1, None], letters, axis=3)
        source[:, :, 1:] += left[:, :, :-1, None] - now[:, :, :-1]
        arrived = np.maximum(source, 0.0, out=source)
        arrived *= emission
        gap[..., 1:] += left
        gap *= blanks[:, step, None, None]
        now *= emission
        now += arrived
        scale = np.maximum(now.sum(axis=(2, 3)) + gap.sum(axis=2), TINY)
        now /= scale[..., None, None]
        gap /= scale[..., None]
        np.divide(arrived, scale[..., None, None], out=entered[step])
        characters[step], gaps[step] = now, gap
        logs += np.log(scale)
    every = np.arange(forms)
    last = now[:, every, lengths - 1].sum(axis=2) + gap[:, every, lengths]
    return logs + np.log(np.maximum(last, TINY)), _backward(
        blanks, emissions, masks, lengths, entered, characters, gaps
    )


def _backward(
    blanks: Singles,
    emissions: Singles,
    masks: Singles,
    lengths: NDArray[np.int_],
    entered: Singles,
    characters: Singles,
    gaps: Singles,
) -> Singles:
    steps, readings, forms, longest, letters = entered.shape
    every = np.arange(forms)
    after = _zeros(readings, forms, longest, letters)
    gap_after = _zeros(readings, forms, longest + 1)
    after[:, every, lengths - 1] = 1.0
    gap_after[:, every, lengths] = 1.0
    places = _zeros(readings, forms, longest, letters)
    for step in range(steps - 1, -1, -1):
        through = np.einsum("rfpc,rfpc->rf", characters[step], after)
        through += np.einsum("rfp,rfp->rf", gaps[step], gap_after)
        places += entered[step] * after / np.maximum(through, TINY)[..., None, None]
        weighted = emissions[:, step, None, None, :] * masks * after
        total = weighted.sum(axis=3)
        gap_after *= blanks[:, step, None, None]
        # Staying on the character (weighted), a blank next (gap_after), or another character next.
        after = weighted + gap_after[..., 1:, None]
        after[:, :, :-1] += np.maximum(total[:, :, 1:, None] - weighted[:, :, 1:], 0.0)
        gap_after[..., :-1] += total
        scale = np.maximum(np.maximum(after.max(axis=(2, 3)), gap_after.max(axis=2)), TINY)
        after /= scale[..., None, None]
        gap_after /= scale[..., None]
    return places


def _zeros(*shape: int) -> Singles:
    return np.zeros(shape, dtype=np.float32)


def _empty(*shape: int) -> Singles:
    return np.empty(shape, dtype=np.float32)


def _spread(places: Singles, used: NDArray[np.intp], form: Form) -> Doubles:
    even = form.mask / form.mask.sum(axis=1, keepdims=True)
    full = 1e-12 * even
    full[:, used] += places
    normal: Doubles = full / full.sum(axis=1, keepdims=True)
    return normal
