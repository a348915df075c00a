"""Who finds no time is told the true reason, and what to do about it."""

from datetime import date
from typing import Any

import pytest
from django.utils import translation

from shoufu.kernel.base.actor import SYSTEM
from shoufu.scenes.homecare.assessment import services as assessment
from shoufu.scenes.homecare.assessment.models import Assessment
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.register.models import Practitioner, ServiceVersion
from shoufu.scenes.homecare.visits import services, words
from shoufu.scenes.homecare.visits.models import Prescription
from shoufu.scenes.homecare.visits.services.outlook import Paper

pytestmark = pytest.mark.django_db
NOBODY = "近两周没有人能上门"


def _seen(bookable: Any, prescription: int | None = None) -> services.Outlook:
    care, (since, until) = bookable.care, (bookable.at(0, ahead=0), bookable.at(0, ahead=30))
    return services.outlook(
        care.act("mei"), care.mei.pk, care.service.pk, since, until, prescription=prescription, mine=True
    )


def _page(bookable: Any, **asked: Any) -> str:
    care = bookable.care
    answer = care.client("mei").get(f"/homecare/visits/mine/book/{care.mei.pk}/{care.service.pk}/", asked)
    assert answer.status_code == 200
    return str(answer.content.decode())


def _valid_until(day: date) -> None:
    Assessment.objects.update(last_day=day)


def _nobody_works() -> None:
    Practitioner.objects.update(licence_last_day=date(2020, 1, 1))


def test_an_assessment_that_has_ended_is_named_with_the_way_to_a_new_one(bookable: Any) -> None:
    _valid_until(bookable.day(-1))
    seen = _seen(bookable)
    assert seen.limit is not None and not seen.slots
    assert (seen.limit.paper, seen.limit.ended, seen.limit.before_all, seen.limit.later) == (
        Paper.ASSESSMENT, True, True, True,
    )  # fmt: skip
    page = _page(bookable)
    assert f"评估已于 {bookable.day(-1)} 到期。" in page and NOBODY not in page
    assert f"/mine/book/{bookable.care.mei.pk}/{bookable.care.service.pk}/assess/" in page
    assessment.begin(SYSTEM, bookable.care.mei.pk, bookable.care.service.pk)
    page = _page(bookable)
    assert "/assess/" not in page and 'href="/homecare/assessment/mine/"' in page


def test_an_assessment_that_ends_before_the_first_day_is_the_reason_and_not_the_staff(bookable: Any) -> None:
    rules = services.RulesDraft(lead_minutes=3 * 24 * 60)
    services.set_rules(bookable.care.act("gao"), bookable.care.office.pk, rules)
    _valid_until(bookable.day(1))
    seen = _seen(bookable)
    assert seen.limit is not None and not seen.limit.ended and seen.limit.before_all and seen.limit.later
    page = _page(bookable)
    assert f"评估有效期至 {bookable.day(1)}。" in page and "可以预约的第一天在此之后" in page
    assert NOBODY not in page and "/assess/" in page


def test_days_that_are_full_and_an_end_of_the_assessment_are_both_said(bookable: Any) -> None:
    care, last = bookable.care, bookable.day(5)
    register.add_absence(care.act("gao"), care.song.pk, bookable.at(0, ahead=0), bookable.at(0, ahead=6))
    # At work on every day, but too far away for Mei.
    other = bookable.colleague("吴护士", "13811115555")
    Practitioner.objects.filter(pk=other.pk).update(radius=1, base_longitude=121.0, base_latitude=31.0)
    services.keep_in_step(care.act("gao"), care.office)
    _valid_until(last)
    seen = _seen(bookable)
    assert not seen.slots and seen.limit is not None
    assert not seen.limit.before_all and seen.limit.later
    page = _page(bookable)
    for said in (f"评估有效期至 {last}。", "在此之前的时间都已约满。", "重新评估后，就可以预约此后的时间。"):
        assert said in page
    assert "/assess/" in page and NOBODY not in page


def test_where_nobody_can_come_afterwards_either_no_new_paper_is_asked_for(bookable: Any) -> None:
    _nobody_works()
    _valid_until(bookable.day(5))
    seen = _seen(bookable)
    assert not seen.slots and seen.limit is not None and not seen.limit.later
    page = _page(bookable)
    assert f"评估有效期至 {bookable.day(5)}。" in page and "此后也没有人能上门。" in page and "/assess/" not in page
    _valid_until(bookable.day(90))
    assert NOBODY in _page(bookable)


def test_times_that_end_early_say_why_they_do(bookable: Any) -> None:
    _valid_until(bookable.day(4))
    seen = _seen(bookable)
    assert seen.slots and seen.limit is not None and seen.limit.later
    assert max(one.start for one in seen.slots) < bookable.at(0, ahead=5)
    page = _page(bookable)
    assert "09:00" in page and f"评估有效期至 {bookable.day(4)}。" in page and "/assess/" in page
    _valid_until(bookable.day(90))
    assert _seen(bookable).limit is None and "/assess/" not in _page(bookable)


def test_a_prescription_that_ends_leads_to_another_one(bookable: Any) -> None:
    care = bookable.care
    ServiceVersion.objects.update(needs_prescription=True)
    assert _seen(bookable).needs == "prescribe"
    draft = services.PrescriptionDraft(
        care.mei.pk, care.service.pk, bookable.day(-1), bookable.day(4), drug="藻酸盐敷料", dose="每次一片",
        route="外用", prescriber="王医生", hospital="市医院", uses=3,
    )  # fmt: skip
    row = services.add_prescription(care.act("mei"), draft, mine=True)
    assert [one.code for one in _seen(bookable, row.pk).against] == ["prescription_unchecked"]
    assert _seen(bookable, row.pk).needs == "check"
    services.check_prescription(care.act("song"), row.pk)
    seen = _seen(bookable, row.pk)
    assert seen.slots and seen.limit is not None
    assert (seen.limit.paper, seen.limit.needs) == (Paper.PRESCRIPTION, "prescribe")
    Prescription.objects.filter(pk=row.pk).update(last_day=bookable.day(-1))
    page = _page(bookable, prescription=row.pk)
    assert (
        f"处方已于 {bookable.day(-1)} 到期。" in page
        and f"/{care.service.pk}/prescription/" in page
        and NOBODY not in page
    )


def test_both_languages_say_it(bookable: Any) -> None:
    _valid_until(bookable.day(4))
    limit = _seen(bookable).limit
    assert limit is not None
    with translation.override("en"):
        assert words.of_limit(limit, True)[0] == f"The assessment is valid until {bookable.day(4)}."


def test_what_no_paper_helps_against_is_said_as_it_is(bookable: Any) -> None:
    Assessment.objects.update(decision="unfit")
    seen = _seen(bookable)
    assert [one.code for one in seen.against] == ["assessment_unfit"] and seen.needs == "no"
    page = _page(bookable)
    assert NOBODY not in page and "/assess/" not in page
    Assessment.objects.update(decision="fit", last_day=bookable.day(90))
    assert _seen(bookable).slots and _seen(bookable).against == ()


def _to_move(bookable: Any, visit: Any) -> str:
    page = bookable.care.client("mei").get(f"/homecare/visits/mine/{visit.pk}/move/")
    assert page.status_code == 200
    return str(page.content.decode())


def test_who_finds_no_time_to_move_to_is_told_why(bookable: Any) -> None:
    visit = bookable.paid(bookable.book(bookable.at(9)))
    _valid_until(bookable.day(2))
    assert f"评估有效期至 {bookable.day(2)}。" in _to_move(bookable, visit)
    _valid_until(bookable.day(-1))
    page = _to_move(bookable, visit)
    assert f"评估已于 {bookable.day(-1)} 到期。" in page and NOBODY not in page
    assert f"/mine/book/{bookable.care.mei.pk}/{bookable.care.service.pk}/assess/" in page
    _valid_until(bookable.day(300))
    _nobody_works()
    assert NOBODY in _to_move(bookable, visit)
