import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoufu.engines.plates import MatchClass, PlateIndex
from shoufu.engines.plates.grammar import ALNUM, LETTERS, PROVINCES
from shoufu.engines.plates.match import FUZZY_LIMIT, distance, normalised
from shoufu.engines.plates.mistakes import likelihood

PLATES = st.builds(
    lambda province, letter, tail: province + letter + tail,
    st.sampled_from(PROVINCES),
    st.sampled_from(LETTERS),
    st.text(st.sampled_from(ALNUM), min_size=5, max_size=6),
)
REGISTERED = ["辽A12345", "辽A8B866", "沪AF71017", "鄂F8888警"]


@pytest.mark.parametrize(
    ("read", "plate", "cost"),
    [
        ("辽A12346", "辽A12345", 1.0),
        ("辽A88866", "辽A8B866", 0.35),
        ("京A12345", "辽A12345", 0.5),
        ("A12345", "辽A12345", 0.5),
        ("沪AF7101", "沪AF71017", 1.0),
        ("1辽A12345", "辽A12345", 1.0),
        ("辽A8886G", "辽A8B866", 1.2),
    ],
)
def test_one_error_finds_the_plate(read: str, plate: str, cost: float) -> None:
    match = PlateIndex(REGISTERED).match(read)
    assert (match.kind, match.plate, match.cost, match.rivals) == (MatchClass.FUZZY, plate, cost, 0)


@pytest.mark.parametrize("read", ["", "苏B99999", "辽A54321", "？"])
def test_strangers_match_nothing(read: str) -> None:
    match = PlateIndex(REGISTERED).match(read)
    assert (match.kind, match.plate, match.cost) == (MatchClass.NONE, None, None)


def test_separators_case_and_width_are_no_difference() -> None:
    index = PlateIndex(["辽A·8B866"])
    for read in ("辽a8b866", "辽A 8B866", "辽Ａ８Ｂ８６６", "辽A-8B866"):
        match = index.match(read)
        assert (match.kind, match.plate) == (MatchClass.EXACT, "辽A·8B866")


def test_equally_near_plates_are_rivals() -> None:
    match = PlateIndex(["辽A12345", "辽A12346"]).match("辽A12349")
    assert match.kind is MatchClass.FUZZY
    assert match.rivals == 1


@pytest.mark.parametrize(
    ("read", "likelier", "other"),
    [
        ("辽A1234B", "辽A12348", "辽A1234C"),  # alike
        ("辽A88231", "辽A8823B1", "辽A98231"),  # one lost is usual, one taken for just this other one seldom
        ("辽A12344", "辽A123444", "辽A123144"),  # any of three equal ones can have been lost
        ("京A12345", "辽A12345", "京A12346"),
    ],
)
def test_the_plate_that_likelier_gives_the_reading_is_best(read: str, likelier: str, other: str) -> None:
    assert likelihood(read, likelier) > likelihood(read, other)
    assert PlateIndex([other, likelier]).match(read).plate == likelier


def test_two_likely_mistakes_are_found_two_others_not() -> None:
    index = PlateIndex(["辽A8B866D"])
    assert index.match("辽A88866O").plate == "辽A8B866D"
    assert index.match("辽A8X8Y6D").plate is None


def test_plates_come_and_go() -> None:
    index = PlateIndex()
    index.add("辽A12345")
    index.add("辽A 12345")
    assert len(index) == 1
    index.discard("辽A12345")
    index.discard("辽A12345")
    assert len(index) == 0
    assert index.match("辽A12345").kind is MatchClass.NONE
    with pytest.raises(ValueError, match="no characters"):
        index.add(" · ")


@given(st.lists(PLATES, min_size=1, max_size=30), PLATES)
def test_exact_means_the_same_plate(plates: list[str], read: str) -> None:
    match = PlateIndex(plates).match(read)
    assert (match.kind is MatchClass.EXACT) == (read in plates)
    if match.plate is not None and match.cost is not None:
        assert match.cost <= FUZZY_LIMIT
        assert (match.cost == 0) == (normalised(match.plate) == read)


@given(PLATES, st.integers(0, 6), st.sampled_from(ALNUM))
def test_any_single_wrong_character_is_found(plate: str, position: int, wrong: str) -> None:
    read = plate[:position] + wrong + plate[position + 1 :]
    match = PlateIndex([plate]).match(read)
    assert match.plate == plate


@given(PLATES, PLATES)
def test_distance_is_zero_only_for_the_same(one: str, other: str) -> None:
    assert (distance(one, other) == 0) == (one == other)
