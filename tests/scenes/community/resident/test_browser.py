"""The phone pages in a real Chromium; run with `-m browser`. SHOTS names a folder for pictures."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shoufu.web import demo
from tests import browsers
from tests.browsers import MARKS

pytest.importorskip("playwright.sync_api")
pytestmark = MARKS


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browsers.started() as found:
        yield found


@pytest.fixture
def phone(transactional_db: None, chromium: Any, live_server: Any, settings: Any, homes: Any) -> Iterator[Any]:
    """Opens a page as somebody, on a phone unless said otherwise; what pages throw fails the test."""
    settings.DEMO = True
    settings.WHITENOISE_AUTOREFRESH = True
    contexts, thrown = [], []

    def opened(user: str, path: str, width: int = 390, height: int = 844) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, timezone_id="Asia/Shanghai")
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        if user:
            page.goto(live_server.url + demo.link(user))
        page.goto(live_server.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert thrown == []


@pytest.fixture
def shot() -> Callable[[Any, str], None]:
    def taken(page: Any, name: str) -> None:
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{name}.png")

    return taken


def test_the_code_is_shown_with_the_network_off(phone: Any, shot: Any) -> None:
    page = phone("mei", "/community/resident/")
    page.click("[data-enrol]")
    page.wait_for_selector("[data-qr][data-drawn] svg")
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    shot(page, "home")
    page.context.set_offline(True)
    page.goto(page.url)
    page.wait_for_selector("[data-phone-code][data-state=ready] [data-qr][data-drawn] svg")
    assert "1 号楼 1 单元" in page.inner_text("[data-phone-code]")
    shot(page, "offline")


def test_an_old_person_calls_for_help_by_holding_a_key(phone: Any, shot: Any, homes: Any) -> None:
    from shoufu.kernel.cases.models import Case
    from shoufu.scenes.community.resident import services

    services.add_contact(homes.act("mei"), "女儿", "13933334444")
    homes.users["mei"].large_print = True
    homes.users["mei"].save()
    page = phone("mei", "/community/resident/")
    shot(page, "large")
    heights = page.eval_on_selector_all("a.large-button, button", "all => all.map(one => one.offsetHeight)")
    assert all(height == 0 or height >= 44 for height in heights)
    page.focus(".sos")
    page.keyboard.press("Enter")
    assert not Case.objects.exists()
    page.keyboard.down("Enter")
    page.wait_for_selector(".note")
    page.keyboard.up("Enter")
    assert Case.objects.get().kind == "resident.sos"


def test_three_taps_invite_and_the_visitor_sees_a_living_code(phone: Any, shot: Any) -> None:
    page = phone("mei", "/community/resident/")
    page.click("a[href$='/visitors/invite/']")
    shot(page, "invite")
    page.click("text=生成链接")
    link = page.inner_text(".link-text")
    shot(page, "invited")
    visitor = phone("", link.partition("/community")[1] + link.partition("/community")[2])
    visitor.wait_for_selector("[data-qr][data-drawn] svg")
    shot(visitor, "visitor")
    desk = phone("alice", "/community/visitors/", 1440, 900)
    shot(desk, "desk")
    for path, name in (("door/", "door"), ("me/", "me"), ("looks/", "looks"), ("data/", "data")):
        page.goto(page.url.partition("/community")[0] + f"/community/resident/{path}")
        shot(page, name)
