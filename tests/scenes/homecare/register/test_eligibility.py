from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoufu.scenes.homecare.register import national
from shoufu.scenes.homecare.register.eligibility import (
    Asked,
    Cared,
    Performer,
    Practice,
    eligible,
    full_years,
    metres,
    texts,
)
from shoufu.scenes.homecare.register.words import REASONS, sentence

DAY = date(2026, 11, 30)
ASKED = Asked(1, Performer(("nurse",), ("wound",), 2, 5), frozenset({"bleeding"}), date(2027, 1, 1), assessed="valid")
NURSE = Practice(1, "nurse", 3, date(2010, 7, 1), DAY, frozenset({"wound"}), base=(123.42, 41.84), radius=5000.0)
PATIENT = Cared(1, frozenset({"latex"}), (123.43, 41.84))
RULE = national.in_force("nurse", DAY)


def why(asked: Asked = ASKED, practice: Practice = NURSE, cared: Cared = PATIENT, day: date = DAY) -> list[str]:
    reasons = eligible(asked, practice, cared, day, RULE)
    assert all(sentence(reason) for reason in reasons)
    return texts(reasons)


def test_a_nurse_who_fits_may_come_up_to_the_last_day_of_the_licence() -> None:
    assert why() == []
    assert why(day=DAY + timedelta(days=1)) == ["licence_ended"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"verified": False}, "unverified"),
        ({"suspended": True}, "suspended"),
        ({"left": True}, "left"),
        ({"institution": 2}, "other_institution"),
        ({"profession": "therapist"}, "wrong_profession"),
        ({"skills": frozenset()}, "skills_missing"),
        ({"rank": 1}, "rank_too_low"),
        ({"clinical_since": DAY - timedelta(days=1500)}, "too_few_years"),
        ({"radius": 300.0}, "too_far"),
    ],
)
def test_each_lack_of_a_practitioner_is_named(change: dict[str, Any], code: str) -> None:
    assert why(practice=replace(NURSE, **change)) == [code]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ended": True}, "patient_ended"),
        ({"flags": None}, "flags_unknown"),
        ({"flags": frozenset({"bleeding"})}, "contraindicated"),
        ({"inside": False}, "outside_area"),
        ({"institution": 2}, "patient_elsewhere"),
    ],
)
def test_each_thing_about_a_patient_is_named(change: dict[str, Any], code: str) -> None:
    assert why(cared=replace(PATIENT, **change)) == [code]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"published": False}, "not_published"),
        ({"suspended": True}, "institution_suspended"),
        ({"licence_last_day": DAY - timedelta(days=1)}, "institution_licence_ended"),
        *(({"assessed": state}, f"assessment_{state}") for state in ("missing", "lapsed", "unfit", "needs_visit")),
    ],
)
def test_each_thing_about_a_service_is_named(change: dict[str, Any], code: str) -> None:
    assert why(asked=replace(ASKED, **change)) == [code]


def test_the_national_rule_counts_where_a_service_asks_less() -> None:
    lax = replace(ASKED, performer=Performer(("nurse",), (), 1, 0))
    young = replace(NURSE, clinical_since=DAY - timedelta(days=4 * 366), rank=1)
    assert why(lax, young) == ["rank_too_low", "too_few_years"]
    assert texts(eligible(lax, young, PATIENT, DAY, None)) == []


def test_the_national_rule_is_dated_and_cited() -> None:
    assert national.in_force("nurse", date(2019, 1, 21)) is None
    rule = national.in_force("nurse", date(2019, 1, 22))
    assert rule is not None and (rule.least_years, rule.least_rank) == (5, 2) and "80号" in rule.citation
    assert national.in_force("therapist", DAY) is None


def test_years_are_whole_ones() -> None:
    assert full_years(date(2020, 2, 29), date(2025, 2, 28)) == 4
    assert full_years(date(2020, 2, 29), date(2025, 3, 1)) == 5


@given(st.floats(-179, 179), st.floats(-89, 89))
def test_a_degree_of_latitude_is_111_km(longitude: float, latitude: float) -> None:
    assert metres((longitude, latitude), (longitude, latitude)) == 0
    assert metres((longitude, latitude), (longitude, latitude + 1)) == pytest.approx(111_195, rel=1e-3)


def test_every_code_has_words_in_both_languages() -> None:
    from django.utils import translation

    from shoufu.scenes.homecare.register.eligibility import Reason

    about = {
        "day": "2026-11-30", "flags": ["fever"], "professions": ["nurse"], "skills": ["wound"], "profession": "nurse",
        "rank": 2, "years": 3, "least": 5, "metres": 7200, "radius": 5000,
    }  # fmt: skip
    for code in REASONS:
        said = set()
        for language in ("zh-hans", "en"):
            with translation.override(language):
                said.add(sentence(Reason(code, about)))
        assert len(said) == 2, code
