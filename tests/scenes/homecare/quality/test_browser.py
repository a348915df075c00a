"""A patient's phone and the regulator's desk in a real Chromium; run with `-m browser`. SHOTS names a folder for
pictures."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shoufu.scenes.homecare.quality import services
from shoufu.scenes.homecare.quality.models import Bar, Complaint, Rating
from shoufu.scenes.homecare.quality.services import BarDraft, IncidentDraft, RatingDraft, RefusalDraft
from shoufu.web import demo
from tests import browsers
from tests.browsers import MARKS

pytest.importorskip("playwright.sync_api")
pytestmark = MARKS
Make = Callable[..., Any]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browsers.started() as found:
        yield found


@pytest.fixture
def shown(transactional_db: None, chromium: Any, live_server: Any, settings: Any, staff: Any) -> Iterator[Any]:
    """Opens a page as somebody; what pages throw fails the test."""
    settings.DEMO = True
    settings.WHITENOISE_AUTOREFRESH = True
    contexts, thrown = [], []

    def opened(user: str, path: str, width: int = 390, height: int = 844, language: str = "zh-hans") -> Any:
        account = staff.users[user]
        account.language = language
        account.save()
        context = chromium.new_context(viewport={"width": width, "height": height}, timezone_id="Asia/Shanghai")
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        page.goto(live_server.url + demo.link(account.username))
        answer = page.goto(f"{live_server.url}/homecare/quality/{path}")
        assert answer.ok and "/accounts/" not in page.url, (path, answer.status, page.url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert thrown == []


@pytest.fixture
def shot() -> Callable[[Any, str], None]:
    def taken(page: Any, name: str) -> None:
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), name
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{name}.png", full_page=True)

    return taken


def test_a_patient_rates_and_complains_and_the_regulator_traces(
    shown: Any, shot: Any, staff: Any, visit_of: Make
) -> None:
    visit = visit_of(ago=timedelta(hours=5))
    staff.users["mei"].large_print = True
    page = shown("mei", "mine/")
    shot(page, "mine-before")
    page.get_by_role("link", name="评价", exact=True).click()
    page.get_by_role("radio", name="不满意", exact=True).check()
    page.get_by_role("checkbox", name="弄疼我了").check()
    page.fill("#own-words", "撕胶布太快")
    assert page.locator("button.wide").bounding_box()["height"] >= 44
    shot(page, "rate")
    page.locator("button.wide").click()
    page.wait_for_selector(".note")
    assert Rating.objects.get().stars == 2
    shot(page, "mine-after")
    page.get_by_role("link", name="投诉").first.click()
    page.get_by_role("radio", name="护理操作", exact=True).check()
    page.fill("#what", "换药时很疼，说了也不停。")
    page.fill("#wish", "换一位护士")
    shot(page, "complain")
    page.locator("button.wide").click()
    page.wait_for_selector(".note")
    shot(page, "my-complaint")
    page.get_by_role("button", name="请监管部门处理").click()
    page.wait_for_selector("text=转监管部门")
    assert Complaint.objects.get().escalation == "asked"
    desk = shown("ji", f"trace/{visit.pk}/", 1440, 900)
    assert "欧阳梅" not in desk.content() and "欧**" in desk.content()
    shot(desk, "trace-before")
    desk.fill("#reason", "投诉核查")
    desk.keyboard.press("Enter")
    desk.wait_for_selector("text=SHA-256")
    assert "欧阳梅" in desk.content() and "撕胶布太快" in desk.content() and "说了也不停" in desk.content()
    shot(desk, "trace")
    with desk.expect_download() as got:
        desk.get_by_role("button", name="PDF").click()
    assert Path(got.value.path()).read_bytes().startswith(b"%PDF")


@pytest.mark.slow
def test_every_page_for_the_eye(shown: Any, shot: Any, staff: Any, visit_of: Make) -> None:
    """The pages at both sizes and in both languages; what is asserted is that nothing is wider than the screen."""
    from django.utils import timezone

    visits = [visit_of(ago=timedelta(days=9 * n + 1), late=(n * 13) % 40, minutes=40 + n) for n in range(14)]
    visit_of("missed", ago=timedelta(days=12), end_cause="nobody_home")
    for n, row in enumerate(visits[:3]):
        services.rate(staff.act("mei"), row.pk, RatingDraft(5 - n, ("gentle",), "很好"))
    draft = IncidentDraft("needle", 2, timezone.now(), "针刺左手", "冲洗", visits[0].pk)
    incident = services.report(staff.act("song"), draft)
    made = services.complain(
        staff.act("mei"), staff.mei.pk, services.ComplaintDraft("time", "来晚了", "", visits[1].pk)
    )
    services.answer(staff.act("gao"), made.pk, "堵车，非常抱歉。")
    ground = services.refuse_patient(staff.act("song"), staff.mei.pk, RefusalDraft("unsafe", "有大狗"))
    bar = services.propose(staff.act("gao"), staff.mei.pk, BarDraft("unsafe", "大狗不拴", 30, refusals=[ground.pk]))
    services.decide(staff.act("dou"), bar.pk, True)
    services.appeal_bar(staff.act("mei"), bar.pk, "狗已送走")
    sanction = services.sanction(staff.act("gao"), staff.song.pk, "迟到", timezone.localdate() + timedelta(days=9))
    pages = (
        ("gao", ""), ("song", ""), ("ji", "?published=yes"), ("gao", "rules/"), ("gao", "ratings/"),
        ("gao", "complaints/"), ("gao", f"complaints/{made.pk}/"), ("gao", "incidents/"), ("song", "incidents/new/"),
        ("gao", f"incidents/{incident.pk}/"), ("ji", f"incidents/{incident.pk}/"), ("gao", "refusals/"),
        ("gao", "entries/"), ("gao", "entries/new/"), ("ji", f"entries/{bar.pk}/"), ("dou", f"entries/{bar.pk}/"),
        ("gao", "sanctions/"), ("song", f"sanctions/{sanction.pk}/"), ("ji", "trace/"), ("dou", "office/"),
        ("mei", "mine/"), ("mei", f"mine/complaints/{made.pk}/"), ("mei", f"mine/entries/{bar.pk}/"),
        ("mei", f"mine/{staff.mei.pk}/refuse/"), ("mei", f"mine/visits/{visits[0].pk}/rate/"),
    )  # fmt: skip
    for user, path in pages:
        for width, height, language in ((390, 844, "zh-hans"), (1440, 900, "en")):
            page = shown(user, path, width, height, language)
            name = path.strip("/").replace("/", "-").replace("?", "-") or "figures"
            shot(page, f"{user}-{name}-{width}")
            page.context.close()
    assert Bar.objects.get().state == "in_force"
