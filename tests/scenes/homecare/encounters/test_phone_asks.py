"""What the phone says and asks, in a real Chromium; run with `-m browser`."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from shoufu.scenes.homecare.encounters.models import Encounter, Operation
from shoufu.scenes.homecare.visits.models import Visit
from tests.browsers import MARKS
from tests.scenes.homecare.encounters.hand import PHONE, Hand

pytestmark = MARKS


def test_the_first_page_speaks_the_language_of_the_account(hand: Callable[..., Hand], visiting: Any) -> None:
    """Whose it is comes by the API, when title and button stand there already."""
    user = visiting.care.users["song"]
    for language, title, help_ in (("en", "Home visits", "Hold for help"), ("zh-hans", "上门护理", "按住求助")):
        user.language = language
        user.save()
        one = hand()
        one.page.goto(one.server + PHONE)
        one.page.wait_for_selector("input[name=again]")
        assert one.page.locator("h1").inner_text() == title and one.page.title() == title
        assert help_ in one.page.locator(".sos").inner_text()
        one.shot(f"first-{language}")


def test_a_check_in_hours_before_the_promise_is_asked_about(hand: Callable[..., Hand], visiting: Any) -> None:
    promised = timezone.now() + timedelta(hours=2, minutes=21)
    Visit.objects.filter(pk=visiting.visit.pk).update(starts_at=promised, latest_at=promised + timedelta(minutes=30))
    one = hand()
    one.set_up()
    one.page.click(".card.visit")
    one.step("check_in")
    one.located()
    one.page.click("[data-save]")
    ask = one.page.locator(".step [role=alert]", has_text="约定")
    ask.wait_for()
    said = ask.inner_text()
    assert f"{timezone.localtime(promised):%H:%M}" in said and len(re.findall(r"\d\d:\d\d", said)) == 2
    one.shot("early")
    ask.get_by_role("button", name="返回").click()
    one.page.wait_for_selector(".steps")
    assert not Operation.objects.exists()
    one.step("check_in")
    one.located()
    one.page.click("[data-save]")
    ask.get_by_role("button", name="继续签到").click()
    one.page.wait_for_selector(".steps")
    one.page.locator(".banner a[href='#problems']").wait_for()
    row = Operation.objects.get(kind="check_in")
    assert row.result == "conflict" and row.problem["doubts"][0]["code"] == "before_promise"
    assert Encounter.objects.get().in_at is not None


def test_a_check_in_at_its_time_is_not(hand: Callable[..., Hand], visiting: Any) -> None:
    one = hand()
    one.set_up()
    one.page.click(".card.visit")
    one.step("check_in")
    one.located()
    one.save()
    one.settled()
    assert Operation.objects.get(kind="check_in").result == "applied"
