"""Everybody can read and reach the pages: contrast by WCAG 2.2 AA in both themes, and the keyboard alone."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shoufu.runtime.bench.interface import browser as browsers
from shoufu.runtime.bench.interface import checks
from shoufu.web import built, demo

pytest.importorskip("playwright.sync_api")
try:
    browsers.path()
except browsers.Missing as missing:
    pytest.skip(str(missing), allow_module_level=True)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not built.MANIFEST.exists(), reason="the front end is not built; run bin/shoufu build"),
]
WAIT = 30_000
PAGES = [
    "/desk/",
    "/overview/",
    "/cases/",
    "/observations/",
    "/devices/",
    "/places/",
    "/parties/people/",
    "/parties/vehicles/",
    "/rules/",
    "/rules/new",
    "/access/",
    "/audit/",
    "/profile/",
    "/health/",
    "/wall/",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with browsers.chromium() as started:
        yield started
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def scene(transactional_db: None, load_district: Callable[..., Any], settings: Any) -> Any:
    settings.DEMO = True
    settings.WHITENOISE_AUTOREFRESH = True
    return load_district()


@pytest.fixture
def open_page(browser: Any, live_server: Any, scene: Any) -> Iterator[Callable[..., Any]]:
    """A signed-in administrator's page in a theme."""
    contexts = []

    def opened(theme: str = "light", size: tuple[int, int] = (1440, 900)) -> Any:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, timezone_id="Asia/Shanghai", color_scheme=theme
        )
        context.set_default_timeout(WAIT)
        contexts.append(context)
        page = context.new_page()
        page.goto(live_server.url + demo.link("admin"))
        return page

    yield opened
    for context in contexts:
        context.close()


def _pages(scene: Any) -> list[str]:
    return [
        *PAGES,
        f"/cases/{scene.cases[0].pk}",
        f"/devices/{scene.devices['cam-2'].pk}",
        f"/devices/{scene.devices['cam-2'].pk}/zones",
        f"/places/{scene.places['songshan'].pk}",
        f"/rules/{scene.rule.pk}",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desk", "phone"])
def test_every_text_has_enough_contrast(
    open_page: Callable[..., Any], live_server: Any, scene: Any, theme: str, size: tuple[int, int]
) -> None:
    page = open_page(theme, size)
    faint, texts = [], 0
    for path in _pages(scene):
        page.goto(live_server.url + path)
        found = checks.contrast(page)
        texts += found.texts
        faint += [(path, failure) for failure in found.failures]
    assert texts > 300
    assert faint == []


def test_the_keyboard_reaches_every_control_and_shows_where_it_is(
    open_page: Callable[..., Any], live_server: Any, scene: Any
) -> None:
    camera = scene.devices["cam-2"]
    corners = [[0.1, 0.1], [0.4, 0.1], [0.4, 0.4]]
    camera.config["zones"] = [{"name": name, "kind": "zone", "points": corners} for name in ("yard", "gate", "steps")]
    camera.save()
    page = open_page()
    missed = []
    for path in _pages(scene):
        page.goto(live_server.url + path)
        found = checks.reach(page)
        assert found.controls > 5, path
        missed += [(path, name) for name in [*found.unreached, *found.unseen]]
    assert missed == []


def test_the_checks_find_what_is_wrong(open_page: Callable[..., Any], live_server: Any) -> None:
    page = open_page()
    page.goto(live_server.url + "/profile/")
    page.evaluate(
        """() => {
          document.querySelector("main").innerHTML = `
            <p style="color: #999; background: #fff">faint</p>
            <p style="color: #888; background: #fff; font-size: 24px">large enough</p>
            <p style="color: #000; background: #fff; opacity: 0.4">faded</p>
            <button tabindex="-1" style="outline: none">out of reach</button>
            <input id="blind" style="outline: none; box-shadow: none; border: 1px solid #000">`;
          const style = document.createElement("style");
          document.head.append(style);
          document.getElementById("blind").style.setProperty("outline", "none", "important");
          document.getElementById("blind").style.setProperty("border", "1px solid #000", "important");
          document.getElementById("blind").style.setProperty("box-shadow", "none", "important");
        }"""
    )
    faint = checks.contrast(page)
    assert [failure["text"] for failure in faint.failures] == ["faint", "faded"]
    assert faint.failures[0]["ratio"] == pytest.approx(2.85, abs=0.01)
    reach = checks.reach(page)
    assert reach.unreached == ['button "out of reach"']
    assert [name.partition(" ")[0] for name in reach.unseen] == ["input#blind"]
