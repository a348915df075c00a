"""Votes over made-up frames: certain for each character, blanks between."""

import numpy as np
import pytest

from shoufu.engines.plates import Colour
from shoufu.engines.plates.colour import ColourGuess
from shoufu.engines.plates.grammar import ALPHABET, INDEX
from shoufu.engines.plates.vote import Ballot, View

BLUE = ColourGuess(Colour.BLUE, 1.0)
WHITE = ColourGuess(Colour.WHITE, 1.0)


def view(text: str, sure: float = 0.95, *, known: str = ALPHABET, open_: bool = True) -> View:
    frames = np.full((2 * len(text) + 1, len(ALPHABET) + 1), (1 - sure) / len(ALPHABET))
    frames[::2, 0] = sure
    for position, character in enumerate(text):
        frames[2 * position + 1, INDEX[character] + 1] = sure
    mask = np.array([character in known for character in ALPHABET])
    return View(frames, frames.max(axis=1), mask, open_)


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("辽A12345", Colour.BLUE),
        ("辽A11111", Colour.YELLOW),
        ("苏ED51712", Colour.GREEN),
        ("粤B12345D", Colour.GREEN),
        ("鄂F8888警", Colour.WHITE),
        ("沪A1639领", Colour.BLACK),
        ("民航B0150", Colour.GREEN),
    ],
)
def test_plain_texts_are_read(text: str, colour: Colour) -> None:
    reading = Ballot(ColourGuess(colour, 1.0)).add([view(text)])
    assert reading.text == text
    assert reading.score > 0.6


def test_a_lost_province_is_brought_back_by_another_view() -> None:
    reading = Ballot(BLUE).add([view("A12345"), view("辽A12345"), view("辽A12345", 0.8)])
    assert reading.text == "辽A12345"


def test_two_beat_one() -> None:
    assert Ballot(BLUE).add([view("辽A12345"), view("辽A12845"), view("辽A12845")]).text == "辽A12845"


def test_disagreement_lowers_the_score() -> None:
    agreed = Ballot(BLUE).add([view("辽A12345"), view("辽A12345")])
    split = Ballot(BLUE).add([view("辽A12345"), view("辽A12845")])
    assert split.score < agreed.score


def test_views_may_come_one_after_the_other() -> None:
    views = [view("辽A12345", 0.6), view("辽A12345", 0.9), view("鄂F8888警")]
    at_once = Ballot(WHITE).add(views)
    ballot = Ballot(WHITE)
    for each in views:
        reading = ballot.add([each])
    assert reading.text == at_once.text
    assert reading.score == pytest.approx(at_once.score, abs=0.05)


def test_a_network_without_the_mark_cannot_vote_it_down() -> None:
    plain = "".join(character for character in ALPHABET if character not in "民航")
    views = [view("民航B0150"), view("皖AB0150", known=plain, open_=False)]
    assert Ballot(ColourGuess(Colour.GREEN, 1.0)).add(views).text == "民航B0150"
