import pytest

from shoufu.engines.plates import FORMS, form_of
from shoufu.engines.plates.grammar import ALPHABET, ISSUED, LETTERS, PROVINCES


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("辽A12345", "standard"),
        ("苏ED51712", "energy-small"),
        ("粤B12345D", "energy-large"),
        ("鄂F8888警", "police"),
        ("琼A6716学", "learner"),
        ("冀B1234挂", "trailer"),
        ("粤ZR066港", "border"),
        ("沪A1639领", "consulate"),
        ("224578使", "embassy"),
        ("晋S0001应急", "emergency"),
        ("民航B0150", "aviation"),
        ("WJ京01234", "armed-police"),
    ],
)
def test_forms_on_the_road(text: str, form: str) -> None:
    found = form_of(text)
    assert found is not None
    assert found.name == form


@pytest.mark.parametrize("text", ["", "A12345", "辽A1234", "辽AI2345", "辽1A2345", "苏EX51712", "辽A123456"])
def test_texts_that_are_no_plates(text: str) -> None:
    assert form_of(text) is None


def test_alphabet_has_each_character_once_and_no_i() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert "I" not in ALPHABET
    assert set("".join(place for form in FORMS for place in form.places)) <= set(ALPHABET)


def test_every_province_has_its_offices() -> None:
    assert set(ISSUED) == set(PROVINCES)
    assert all(set(letters) <= {*LETTERS, "O"} for letters in ISSUED.values())
