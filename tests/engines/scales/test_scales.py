import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoufu.engines.scales import BadScale, Scale, WrongAnswer, checked, load, score

FOLDER = Path(__file__).parents[3] / "src/shoufu/scenes/homecare/assessment/instruments"
SCALES = {path.stem: load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
SUMS = [name for name, scale in SCALES.items() if scale.bands]


def extreme(scale: Scale, most: bool) -> dict[str, int]:
    return {item.code: (max if most else min)(item.points) for item in scale.items}


@pytest.mark.parametrize(("name", "least", "most"), [("barthel-1", 0, 100), ("braden-1", 6, 23), ("morse-1", 0, 125)])
def test_sums_span_what_the_literature_says(name: str, least: int, most: int) -> None:
    scale = SCALES[name]
    assert (score(scale, extreme(scale, False)).total, score(scale, extreme(scale, True)).total) == (least, most)


def reached(scale: Scale) -> dict[int, dict[str, int]]:
    """One set of answers for every sum that the scale can have."""
    sums: dict[int, dict[str, int]] = {0: {}}
    for item in scale.items:
        sums = {so_far + p: given | {item.code: p} for so_far, given in sums.items() for p in item.points}
    return sums


@pytest.mark.parametrize(
    ("name", "total", "band"),
    [
        ("barthel-1", 40, "severe"), ("barthel-1", 45, "moderate"), ("barthel-1", 60, "moderate"),
        ("barthel-1", 65, "mild"), ("barthel-1", 95, "mild"), ("barthel-1", 100, "independent"),
        ("braden-1", 9, "very_high"), ("braden-1", 10, "high"), ("braden-1", 12, "high"),
        ("braden-1", 13, "moderate"), ("braden-1", 14, "moderate"), ("braden-1", 15, "mild"),
        ("braden-1", 18, "mild"), ("braden-1", 19, "none"),
        ("morse-1", 0, "low"), ("morse-1", 25, "moderate"), ("morse-1", 40, "moderate"), ("morse-1", 45, "high"),
    ],
)  # fmt: skip
def test_bands_begin_where_they_should(name: str, total: int, band: str) -> None:
    scale = SCALES[name]
    answers = reached(scale)[total]
    found = score(scale, answers)
    assert (found.total, found.band and found.band.code) == (total, band)


@pytest.mark.parametrize("name", SUMS)
@given(data=st.data())
def test_any_whole_answers_have_a_band_and_any_partial_ones_none(name: str, data: st.DataObject) -> None:
    scale = SCALES[name]
    answers = {item.code: data.draw(st.sampled_from(sorted(item.points))) for item in scale.items}
    whole = score(scale, answers)
    assert whole.complete and whole.band is not None and whole.total == sum(answers.values())
    left_out = data.draw(st.sampled_from(sorted(answers)))
    partial = score(scale, {code: points for code, points in answers.items() if code != left_out})
    assert (partial.missing, partial.band) == ((left_out,), None)


def test_wrong_answers_are_named() -> None:
    with pytest.raises(WrongAnswer, match="nothing"):
        checked(SCALES["morse-1"], {"nothing": 0})
    with pytest.raises(WrongAnswer, match="gait: use one of 0, 10, 20"):
        checked(SCALES["morse-1"], {"gait": 15})
    with pytest.raises(WrongAnswer):
        checked(SCALES["morse-1"], {"gait": False})


def constitution(**often: int) -> dict[str, int]:
    scale = SCALES["constitution-1"]
    return {item.code: often.get(item.code, 5 if item.code in ("energy", "adapts") else 1) for item in scale.items}


def test_the_constitution_scale_has_the_standards_shape() -> None:
    scale = SCALES["constitution-1"]
    assert [len(group.items) for group in scale.groups] == [8, 8, 7, 8, 8, 7, 7, 7, 7]
    assert len(scale.asked("female")) == len(scale.asked("male")) == 60
    assert "damp_groin" not in {item.code for item in scale.asked("female")}


def judged(answers: dict[str, int]) -> dict[str, str]:
    found = score(SCALES["constitution-1"], answers, "female").constitution
    assert found is not None
    return {one.group.code: one.says for one in found.findings if one.says != "no"}


def test_balanced_needs_the_others_low() -> None:
    assert judged(constitution()) == {"balanced": "yes"}
    # 4 of 7 items at 3: (15 − 7) ÷ 28 = 28.6; with one more at 4 it is 32.1, with 3 more 42.9.
    yin = {"hot_palms": 3, "hot_face": 3, "dry_skin": 3, "red_lips": 3}
    assert judged(constitution(**yin)) == {"balanced": "yes"}
    assert judged(constitution(**yin, flushed=3)) == {"balanced": "mostly", "yin": "tendency"}
    assert judged(constitution(**yin, flushed=3, dry_eyes=4)) == {"yin": "yes"}


def test_shared_items_count_against_balance() -> None:
    tired = constitution(tired=5, voice=5, forgetful=5, low=5, energy=1)
    assert "balanced" not in judged(tired)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"items": []}, "no items"),
        ({"bands": []}, "bands or groups"),
        ({"name": None, "items": [{"code": "a"}]}, "missing"),
        ({"bands": [{"lowest": 5, "code": "x", "text": "x", "text_en": "x"}]}, "least sum"),
    ],
)
def test_a_document_that_is_no_scale_is_refused(change: dict[str, object], why: str) -> None:
    document = json.loads((FOLDER / "morse-1.json").read_text("utf-8")) | change
    with pytest.raises(BadScale, match=why):
        load(json.dumps(document))
    with pytest.raises(BadScale, match="not JSON"):
        load("{")
