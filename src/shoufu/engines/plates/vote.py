"""Voting: one text out of several looks at the same plate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .colour import ColourGuess
from .grammar import ALPHABET, FORMS, INDEX, ISSUED, LETTERS, PROVINCES, Form
from .lattice import Doubles, FormFit, fit_forms

DOUBT = 1e-3
"""Part of every vote that is spread evenly, so that one confident mistake cannot silence the others."""

OTHER_COLOUR = -4.0
NOT_ISSUED = -2.5
POLICE_O = -4.0
LEAST_MARK = 0.02
WORST_OPEN = -25.0
WORST_CLOSED = -4.0
"""A network that knows only plates finds some plate in everything: it cannot rule a form out."""

UNKNOWN_MARK = -1.0
LEAST_WEIGHT = 0.05
LEAST_OPEN_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class View:
    """One network's look at one crop.

    `frames`: time × (1 + alphabet) probabilities; `peaks`: time, the largest probability of all its classes.
    `known`: alphabet, the characters that the network can say at all.
    `open`: whether it knows many more characters than plates have, so that other text looks unlike a plate to it.
    """

    frames: Doubles
    peaks: Doubles
    known: NDArray[np.bool_]
    open: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """A text and how sure it is.

    `score`: 0–1 for the whole text; `certainty`: the same per character; `presence`: 0–1, how plainly a network
    that knows other text too sees such a text here.
    """

    text: str
    form: Form
    score: float
    certainty: tuple[float, ...]
    presence: float


class Ballot:
    """Gathers views of one plate and counts their votes."""

    def __init__(self, colour: ColourGuess) -> None:
        self._colour = colour
        self._views: list[View] = []
        self._fits: dict[str, list[FormFit]] = {}

    def add(self, views: Sequence[View]) -> Reading:
        """Takes further views and gives the likeliest text over all of them and all forms; `views` not empty."""
        old, self._views = self._views, [*self._views, *views]
        forms = _possible_forms(self._views, self._colour)
        known = [form for form in forms if form.name in self._fits]
        fresh = [form for form in forms if form.name not in self._fits]
        for form in fresh:
            self._fits[form.name] = []
        self._fit(old, fresh)
        self._fit(views, known + fresh)
        return self._count(forms)

    def _fit(self, views: Sequence[View], forms: Sequence[Form]) -> None:
        for row in fit_forms([view.frames for view in views], forms):
            for fit in row:
                self._fits[fit.form.name].append(fit)

    def _count(self, forms: Sequence[Form]) -> Reading:
        free = [float(np.log(np.maximum(view.peaks, 1e-12)).sum()) for view in self._views]
        table = [self._fits[form.name] for form in forms]
        grades = np.array([[_grade(fit, base) for fit, base in zip(row, free, strict=True)] for row in table])
        chosen = int(np.argmax(self._form_scores(forms, table, grades)))
        weights = np.maximum(grades[chosen], LEAST_WEIGHT)
        places = [fit.places for fit in table[chosen]]
        text, certainty = _spell(forms[chosen], places, weights)
        agreed = _agreement(text, places, weights)
        score = float(np.sqrt(np.prod(certainty) * np.prod(agreed)))
        open_grades = [grade for grade, view in zip(grades[chosen], self._views, strict=True) if view.open]
        return Reading(text, forms[chosen], score, certainty, float(max(open_grades, default=1.0)))

    def _form_scores(
        self, forms: Sequence[Form], table: Sequence[Sequence[FormFit]], grades: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        scores = np.array([_prior(form, self._colour) for form in forms])
        for column, view in enumerate(self._views):
            sayable = np.array([_can_say(view, form) for form in forms])
            likelihoods = np.array([row[column].likelihood for row in table])
            floor = WORST_OPEN if view.open else WORST_CLOSED
            relative = np.maximum(likelihoods - likelihoods[sayable].max(), floor)
            least = LEAST_OPEN_WEIGHT if view.open else LEAST_WEIGHT
            scores += np.where(sayable, relative, UNKNOWN_MARK) * max(least, grades[:, column].max())
        return scores


def _possible_forms(views: Sequence[View], colour: ColourGuess) -> list[Form]:
    """Ordinary forms, those whose marks at least one view has seen, and unmarked ones on their own colour only."""
    strongest = np.max([view.frames[:, 1:].max(axis=0) for view in views], axis=0)

    def seen(place: str) -> bool:
        return bool(max(strongest[INDEX[c]] for c in place) >= LEAST_MARK)

    def fits(form: Form) -> bool:
        if form.places[0] == PROVINCES or form.literals:
            return all(seen(place) for place in form.literals)
        return colour.colour in form.colours

    return [form for form in FORMS if fits(form)]


def _can_say(view: View, form: Form) -> bool:
    return all(any(view.known[INDEX[c]] for c in place) for place in form.literals)


def _grade(fit: FormFit, free: float) -> float:
    """Per character, how close the form comes to the best unrestricted text (geometric mean, 0–1)."""
    return float(np.exp(np.clip((fit.likelihood - free) / fit.form.length, -20.0, 0.0)))


def _prior(form: Form, colour: ColourGuess) -> float:
    return form.rarity + (0.0 if colour.colour in form.colours else OTHER_COLOUR * colour.sure)


def _spell(form: Form, places: Sequence[Doubles], weights: NDArray[np.float64]) -> tuple[str, tuple[float, ...]]:
    """The best text of a form, and the probability of each of its characters."""
    even = form.mask / form.mask.sum(axis=1, keepdims=True)
    votes = np.zeros(even.shape)
    for place, weight in zip(places, weights, strict=True):
        votes += weight * np.log((1 - DOUBT) * place + DOUBT * even + 1e-15)
    votes[~form.mask] = -np.inf
    _add_office(form, votes)
    chances = np.exp(votes - votes.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    chosen = chances.argmax(axis=1)
    text = "".join(ALPHABET[i] for i in chosen)
    return text, tuple(float(chances[position, i]) for position, i in enumerate(chosen))


def _agreement(text: str, places: Sequence[Doubles], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per character, the part of the views that see it: views err together, so their product alone is too sure."""
    columns = [INDEX[character] for character in text]
    rows = np.arange(len(columns))
    shares: NDArray[np.float64] = np.average([place[rows, columns] for place in places], axis=0, weights=weights)
    return shares


def _add_office(form: Form, votes: Doubles) -> None:
    """Lets province and letter speak together: most pairs of them were never issued."""
    if form.places[0] != PROVINCES or not set(form.places[1]) >= set(LETTERS):
        return
    provinces = [INDEX[c] for c in PROVINCES]
    letters = [INDEX[c] for c in LETTERS]
    joint = votes[0, provinces][:, None] + votes[1, letters][None, :] + np.where(_ISSUED, 0.0, NOT_ISSUED)
    votes[1, INDEX["O"]] += POLICE_O + np.logaddexp.reduce(votes[0, provinces])
    votes[0, provinces] = np.logaddexp.reduce(joint, axis=1)
    votes[1, letters] = np.logaddexp.reduce(joint, axis=0)


_ISSUED = np.array([[letter in ISSUED[province] for letter in LETTERS] for province in PROVINCES])
