"""The welfare pages in a real Chromium; run with `-m browser`. SHOTS names a folder for pictures."""

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
def shown(transactional_db: None, chromium: Any, live_server: Any, settings: Any, story: Any) -> Iterator[Any]:
    """Opens a page as somebody; what pages throw fails the test."""
    settings.DEMO = True
    settings.WHITENOISE_AUTOREFRESH = True
    contexts, thrown = [], []

    def opened(user: str, path: str, width: int = 390, height: int = 844, scheme: str = "light") -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, timezone_id="Asia/Shanghai", color_scheme=scheme
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        page.goto(live_server.url + demo.link(story.homes.users[user].username))
        answer = page.goto(live_server.url + path)
        assert answer.ok and "/accounts/" not in page.url, (path, answer.status, page.url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert thrown == []


@pytest.fixture
def shot() -> Callable[[Any, str], None]:
    def taken(page: Any, name: str) -> None:
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{name}.png", full_page=True)

    return taken


def test_i_am_fine_is_one_key_for_the_hand_and_for_the_keyboard(shown: Any, shot: Any, story: Any) -> None:
    from shoufu.scenes.community.welfare.models import Check

    story.homes.users["mei"].large_print = True
    story.homes.users["mei"].save()
    story.collapse()
    story.tick()
    large = shown("mei", "/community/resident/")
    shot(large, "large")
    page = shown("mei", "/community/welfare/mine/ask/")
    shot(page, "ask")
    key = page.locator("button.welfare-fine")
    assert key.evaluate("one => one === document.activeElement") and key.bounding_box()["height"] >= 64
    page.keyboard.press("Enter")
    page.wait_for_selector(".note")
    assert Check.objects.get().outcome == "fine"


def test_every_page_for_the_eye(shown: Any, shot: Any, story: Any) -> None:
    """The pages at both sizes and in both languages; what is asserted is that nothing is wider than the screen."""
    story.collapse()
    for minutes in (0, 16, 37):
        story.tick(minutes)
    number, watch = story.check.pk, story.watch.pk
    story.homes.users["worker"].language = "en"
    story.homes.users["worker"].save()
    pages = (
        ("mei", "mine/"), ("lan", "../resident/"), ("worker", ""), ("worker", f"checks/{number}/"),
        ("manager", ""), ("manager", "people/"), ("manager", f"people/{watch}/"),
        ("manager", "people/join/?home=1-1-101"),
        ("manager", "people/join/?home=1-2-101"), ("manager", "sensors/"), ("manager", "steps/"),
    )  # fmt: skip
    for user, path in pages:
        for width, height, scheme in ((390, 844, "light"), (1440, 900, "dark")):
            page = shown(user, f"/community/welfare/{path}", width, height, scheme)
            name = path.strip("./").replace("/", "-").replace("?", "-") or "desk"
            shot(page, f"{user}-{name}-{width}")
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), (user, path, width)
            page.context.close()
    story.homes.users["mei"].language = "en"
    story.homes.users["mei"].save()
    shot(shown("mei", "/community/welfare/mine/", scheme="dark"), "mei-mine-en-dark")
