import pytest

from shoufu.engines.plates.listed import READ_NAMES, listed
from shoufu.engines.plates.match import MatchClass, PlateIndex


@pytest.mark.parametrize(
    "lines",
    [
        ["辽A12345", "", "沪AF71017"],
        ["\ufeff车牌号,颜色", "辽A12345,蓝", "沪AF71017,绿"],
        ["颜色\t号牌", "蓝\t辽A12345", "绿\t沪AF71017"],
        ['{"id": 1, "plate": "辽A12345"}', '{"id": 2, "plate": "沪AF71017"}'],
        ['["辽A12345",', ' {"车牌": "沪AF71017"}]'],
        ['"辽A12345"', '"沪AF71017"'],
        ["1,辽A12345,蓝", "2,沪AF71017,绿"],
        ["序号,登记的车,颜色", "1,辽A12345,蓝", "2,沪AF71017,绿"],
        ["登记的车", "辽A12345", "沪AF71017"],
        ['"辽A12345","a, b"', '"沪AF71017",c'],
        ["辽A12345，蓝", "沪AF71017，绿"],
    ],
)
def test_plates_are_found_in_the_forms_people_have(lines: list[str]) -> None:
    assert list(listed(lines)) == ["辽A12345", "沪AF71017"]


def test_an_empty_cell_is_a_reading_of_nothing() -> None:
    assert list(listed(["id,read", "1,", "2,辽A12345"], READ_NAMES)) == ["", "辽A12345"]


def test_a_first_reading_without_a_digit_is_no_heading() -> None:
    assert list(listed(["辽ABCDEF", "辽A12345"])) == ["辽ABCDEF", "辽A12345"]
    assert list(listed(["?", "辽A12345"])) == ["?", "辽A12345"]


def test_json_without_a_plate_names_the_entry() -> None:
    with pytest.raises(ValueError, match="entry 2 has no plate"):
        list(listed(['{"plate": "辽A12345"}', '{"colour": "blue"}']))


@pytest.mark.parametrize("read", ["辽Aß345", "辽Aß3456", "辽A①2345", "辽A12³45", "辽AI2345", "辽A12345?"])
def test_no_other_text_becomes_exactly_the_plate(read: str) -> None:
    index = PlateIndex(["辽A12345", "辽ASS345", "辽ASS3456"])
    assert index.match(read).kind is not MatchClass.EXACT
