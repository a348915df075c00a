"""Journeys in a real Chromium against the real pages; run with `-m browser`."""

from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from typing import Any

import pytest

from shoufu.web import demo
from tests import browsers
from tests.browsers import MARKS

pytest.importorskip("playwright.sync_api")
pytestmark = MARKS
WAIT = 30_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsers.started() as found:
        yield found


@pytest.fixture
def scene(transactional_db: None, load_district: Callable[..., Any], settings: Any) -> Any:
    settings.DEMO = True
    settings.WHITENOISE_AUTOREFRESH = True
    return load_district()


@pytest.fixture
def open_page(browser: Any, live_server: Any, scene: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page as a user; what the page throws fails the test."""
    contexts, thrown = [], []

    def opened(user: str, path: str, width: int = 1440, height: int = 900) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, timezone_id="Asia/Shanghai")
        context.set_default_timeout(WAIT)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        page.goto(live_server.url + demo.link(user))
        page.goto(live_server.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert thrown == []


def test_from_alarm_to_dispatch_by_keyboard(open_page: Callable[..., Any], scene: Any) -> None:
    page = open_page("operator", f"/desk/?place={scene.places['songshan'].pk}")
    page.wait_for_selector(".case-mark")
    page.keyboard.press("j")
    second = page.locator(".queue-row").nth(1)
    page.wait_for_selector(".queue-row:nth-of-type(2)[aria-current]")
    page.wait_for_function(
        "id => document.querySelector('#case .case').dataset.case === id", arg=second.get_attribute("data-case")
    )
    page.keyboard.press("a")
    page.wait_for_selector("#case .tag.acknowledged")
    page.keyboard.press("d")
    page.fill("#case .act[open] input[name=text]", "带上手电")
    page.click("#case .act[open] .act-form .btn-primary")
    page.wait_for_selector("#case .tag.dispatched")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("dialog#keys[open]")


def test_looking_back_and_returning(open_page: Callable[..., Any], scene: Any) -> None:
    page = open_page("operator", f"/desk/?place={scene.places['songshan'].pk}")
    page.wait_for_selector(".case-mark")
    box = page.locator(".timebar canvas").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    page.wait_for_selector(".shell.past .clock.then")
    page.wait_for_selector(".then-line")
    assert "at=" in page.url
    page.click("[data-now]")
    page.wait_for_selector(".shell:not(.past) .clock.live")
    page.wait_for_selector(".queue .tabs")
    assert "at=" not in page.url


def test_a_typed_condition_is_checked_and_marked(open_page: Callable[..., Any], scene: Any) -> None:
    page = open_page("operator", f"/rules/{scene.rule.pk}")
    page.fill("textarea[name='/where']", "result.object == 'person' && result.seconds > 300.0")
    page.wait_for_selector(".piece.changed")
    page.fill("textarea[name='/where']", "result.secondz > 300.0")
    page.wait_for_selector("[data-error='/where']:not([hidden])")


def test_a_zone_is_drawn_and_kept(open_page: Callable[..., Any], scene: Any) -> None:
    camera = scene.devices["cam-2"]
    page = open_page("admin", f"/devices/{camera.pk}/zones")
    page.click("[data-add=zone]")
    box = page.locator("[data-canvas]").bounding_box()
    for x, y in ((0.2, 0.5), (0.7, 0.5), (0.7, 0.9)):
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    page.click("[data-save]")
    page.wait_for_selector(".toast-line")
    camera.refresh_from_db()
    assert len(camera.config["zones"][0]["points"]) == 3


def test_a_zone_is_drawn_by_keyboard_alone(open_page: Callable[..., Any], scene: Any) -> None:
    camera = scene.devices["cam-2"]
    page = open_page("admin", f"/devices/{camera.pk}/zones")
    page.focus("[data-add=zone]")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Insert")
    page.focus("[data-save]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".toast-line")
    camera.refresh_from_db()
    points = camera.config["zones"][-1]["points"]
    assert points[0] == [0.34, 0.35]
    assert len(points) == 5


def test_the_phone_shows_one_thing_at_a_time(open_page: Callable[..., Any], scene: Any) -> None:
    page = open_page("guard", "/desk/", 390, 844)
    page.wait_for_selector(".queue-row")
    assert not page.locator("#map").is_visible()
    page.locator(".queue-row").nth(1).click()
    page.wait_for_selector("#case .case-acts")
    low = page.evaluate(
        "[...document.querySelectorAll('.case-acts .btn, .bottom a')].map(e => e.getBoundingClientRect().height)"
    )
    assert min(low) >= 44
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    page.click("[data-part=map]")
    page.wait_for_selector(".case-mark")


@pytest.mark.parametrize(
    "path", ["/overview/", "/cases/", "/observations/", "/devices/", "/rules/", "/audit/", "/profile/", "/health/"]
)
def test_pages_fit_the_phone(open_page: Callable[..., Any], path: str) -> None:
    page = open_page("admin", path, 390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_moment_is_replayed_shared_and_compared(open_page: Callable[..., Any], scene: Any) -> None:
    place, at = scene.places["songshan"].pk, scene.cases[3].opened_at + timedelta(minutes=1)
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    page = open_page("guard", f"/replay/?place={place}&at={moment}&speed=10")
    page.wait_for_selector("#replay[data-ready]")
    page.wait_for_selector("[data-list=doors] li .word")
    page.wait_for_selector("[data-list=cases] .case-row")
    began = page.locator("[data-face]").inner_text()
    page.keyboard.press("4")
    page.wait_for_selector("[data-speed-of='600'][aria-pressed=true]")
    page.keyboard.press(" ")
    page.wait_for_function("began => document.querySelector('[data-face]').textContent !== began", arg=began)
    page.keyboard.press(" ")
    page.wait_for_selector("#replay:not(.playing)")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => location.search.includes('speed=600')")
    page.click("[data-compare]")
    page.wait_for_selector("[data-map=second] canvas")
    page.wait_for_selector(".days-table tbody tr:nth-child(4)")
    address = page.url.split("/replay/")[1]
    assert f"place={place}" in address and "at=" in address and "with=" in address
    # Whoever has the right opens the same moment on a phone; a neighbour is refused and learns nothing.
    phone = open_page("manager", f"/replay/{address}", width=390, height=844)
    phone.wait_for_selector("#replay[data-ready]")
    phone.click(".replay-switch [data-part=doors]")
    phone.wait_for_selector(".doors-pane li .word")
    stranger = open_page("stranger", f"/replay/{address}")
    assert stranger.locator("#replay").count() == 0 and "松山" not in stranger.inner_text("body")
