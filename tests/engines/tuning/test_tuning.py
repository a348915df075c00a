from hypothesis import given
from hypothesis import strategies as st

from shoufu.engines.tuning import (
    Event,
    Knob,
    Least,
    Outcome,
    Sample,
    Why,
    dropped,
    plain_value,
    propose,
    propose_pause,
    risk,
)

TRUE, FALSE, OPEN = Outcome.TRUE, Outcome.FALSE_ALARM, Outcome.OPEN
outcomes = st.sampled_from(list(Outcome))
samples = st.lists(
    st.tuples(outcomes, st.one_of(st.none(), st.floats(0, 5_000).map(lambda value: round(value, 1)))), max_size=40
).map(lambda rows: [Sample(number, outcome, reach) for number, (outcome, reach) in enumerate(rows)])


def made(*rows: tuple[Outcome, float | None]) -> list[Sample]:
    return [Sample(number, outcome, reach) for number, (outcome, reach) in enumerate(rows)]


def test_a_door_that_stands_open_for_parcels_gets_a_longer_time() -> None:
    parcels = [(FALSE, float(held)) for held in (62, 65, 70, 72, 74, 80, 84, 88)]
    found = propose(Knob(60.0), made(*parcels, (TRUE, 180.0), (TRUE, 400.0), (TRUE, float("inf"))))
    assert found.best is not None
    assert 88 < found.best.value < 180
    assert found.best.value == 100
    assert len(found.best.avoided) == 8
    assert not found.best.lost


def test_what_costs_a_true_case_is_shown_and_not_proposed() -> None:
    early = made(*[(FALSE, 70.0)] * 4, (TRUE, 80.0), *[(FALSE, 95.0)] * 4, (TRUE, 300.0), (TRUE, 400.0))
    found = propose(Knob(60.0), early)
    assert found.best is not None
    assert len(found.best.avoided) == 4
    assert [len(one.lost) for one in found.candidates] == [0, 1]
    assert [len(one.avoided) for one in found.candidates] == [4, 8]


def test_too_few_outcomes_are_said() -> None:
    assert propose(Knob(60.0), made((FALSE, 70.0))).why is Why.FEW_FALSE_ALARMS
    many = made(*[(FALSE, 70.0)] * 30)
    assert propose(Knob(60.0), many).why is Why.FEW_TRUE
    late = made(*[(FALSE, 500.0)] * 6, *[(TRUE, 70.0)] * 3)
    assert propose(Knob(60.0), late).why is Why.LITTLE


def test_cases_that_nobody_judged_count_as_neither() -> None:
    rows = made(*[(FALSE, 70.0)] * 6, *[(OPEN, 72.0)] * 5, *[(TRUE, 300.0)] * 3)
    found = propose(Knob(60.0), rows)
    assert found.counts.open == 5
    assert found.best is not None
    assert not found.best.open, "the value that drops none of them does as well"
    assert found.best.value < 72


def test_cases_of_another_value_do_not_count() -> None:
    found = propose(Knob(60.0), made(*[(FALSE, 30.0)] * 10, (FALSE, 70.0)))
    assert found.counts.false_alarms == 1


def test_a_smaller_window_drops_what_came_slowly() -> None:
    slow = made(*[(FALSE, 500.0)] * 6, *[(TRUE, 60.0)] * 3)
    found = propose(Knob(600.0, rising=False, bound=1.0), slow)
    assert found.best is not None
    assert 60 < found.best.value < 500


def test_whole_numbers_stay_whole() -> None:
    rows = made(*[(FALSE, 3.0)] * 6, *[(TRUE, 4.0)] * 3)
    found = propose(Knob(3.0, step=1.0), rows)
    assert found.best is not None
    assert found.best.value == 4


def test_a_longer_pause_swallows_chains_only_as_far_as_it_reaches() -> None:
    chain = [Event(number, FALSE if number % 3 else TRUE, "door", number * 400.0) for number in range(9)]
    found = propose_pause(Knob(300.0, bound=86_400, units=(60.0,)), chain, Least(5, 3, 3))
    assert found.best is not None
    assert 800 < found.best.value < 1200
    assert len(found.best.avoided) == 6
    assert not found.best.lost


def test_the_risk_of_few_true_cases_is_said() -> None:
    assert risk(0) == 1
    assert round(risk(3), 2) == 0.63
    assert round(risk(59), 3) == 0.05
    assert risk(20, 1) > risk(20)


@given(samples, st.booleans(), st.booleans(), st.floats(0, 1_000))
def test_a_proposal_never_loses_a_true_case(rows: list[Sample], rising: bool, inclusive: bool, current: float) -> None:
    knob = Knob(current, rising, inclusive, 1e6 if rising else -1e6)
    found = propose(knob, rows, Least(1, 0, 1, 0.0))
    for one in found.candidates:
        gone = dropped(knob, one.value, rows)
        kept = {row.id for row in rows} - gone
        assert set(one.avoided) | set(one.lost) | set(one.open) <= gone
        assert all(row.id in kept for row in rows if row.reach is None)
        assert (one.value > current) if rising else (one.value < current)
    if found.best is not None:
        gone = dropped(knob, found.best.value, rows)
        before = dropped(knob, current, rows)
        assert not [row for row in rows if row.outcome is TRUE and row.id in gone - before]
    avoided = [len(one.avoided) for one in found.candidates]
    assert avoided == sorted(set(avoided)), "each costs more and avoids more than the one before"


def test_spans_are_rounded_as_people_say_them() -> None:
    units = (86_400.0, 3_600.0, 900.0, 300.0, 60.0, 30.0, 10.0, 5.0, 1.0)
    assert plain_value(72.4, 160, 0, units) == 80
    assert plain_value(3_300, 90_000, 0, units) == 3_600
    assert plain_value(70, 71, 0, units) == 70.5


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e4))
def test_a_plain_value_lies_between(low: float, more: float) -> None:
    value = plain_value(low, low + more)
    assert value is not None
    assert low < value < low + more
