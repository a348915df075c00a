"""The dispatch board in a real Chromium; run with `-m browser`. SHOTS names a folder for pictures."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from shoufu.web import demo
from tests import browsers
from tests.browsers import MARKS

pytest.importorskip("playwright.sync_api")
pytestmark = MARKS
PAGE = "/homecare/planning/"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browsers.started() as found:
        yield found


@pytest.fixture
def day(transactional_db: None, board: Any, clock: Callable[[Any], None]) -> Any:
    """A day with eight people and 34 visits at twenty to eleven: some done, some under way, one late, two open."""
    from shoufu.scenes.homecare.planning import services
    from shoufu.scenes.homecare.visits.models import Stop, Visit

    board.grow(6, 32)
    for n in range(32):
        board.visit(n, 8 + (n // 8 * 2 + 1), 15 * (n % 4), window=45)
    made = services.plan_day(board.act(), board.care.office.pk, board.day, 0.5)
    services.take(board.act(), made.pk)
    clock(board.at(10, 40))
    for stop in Stop.objects.filter(span__startswith__lt=board.at(10, 20)).select_related("visit"):
        began = max(stop.span.lower, stop.visit.starts_at)
        Visit.objects.filter(pk=stop.visit_id).update(
            state="done", began_at=began, ended_at=began + timedelta(minutes=45)
        )
    board.visit(33, 16, 30, window=15)
    for n in (34, 35):
        board.visit(n, 11, 0, window=20)
    return board


@pytest.fixture
def shown(day: Any, chromium: Any, live_server: Any, settings: Any) -> Iterator[Any]:
    """Opens a page as somebody; what pages throw fails the test."""
    settings.DEMO = True
    settings.WHITENOISE_AUTOREFRESH = True
    contexts, thrown = [], []

    def opened(path: str, width: int = 1440, height: int = 900, scheme: str = "light", user: str = "gao") -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, timezone_id="Asia/Shanghai", color_scheme=scheme
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        page.goto(live_server.url + demo.link(day.care.users[user].username))
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
            page.wait_for_timeout(1200)
            page.screenshot(path=f"{folder}/{name}.png")

    return taken


def _planned(day: Any) -> tuple[Any, Any]:
    """A visit of the afternoon and somebody else who can take it at its promised time."""
    from shoufu.scenes.homecare.planning import services
    from shoufu.scenes.homecare.visits.models import Visit

    for visit in Visit.objects.filter(starts_at__gte=day.at(13), stops__isnull=False).order_by("-starts_at"):
        own = visit.stops.get().practitioner
        for other in day.nurses.values():
            wish = services.Wish([other.pk], visit.starts_at + timedelta(minutes=10))
            if other != own and services.check(day.act(), visit.pk, wish).fit is not None:
                return visit, other
    raise AssertionError("nobody can take anything")


def _centre(page: Any, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_visit_is_dragged_to_somebody_else_and_taken_back(shown: Any, day: Any, shot: Any) -> None:
    visit, other = _planned(day)
    before = visit.stops.get().practitioner
    page = shown(PAGE)
    page.wait_for_selector(".gantt .gantt-bar")
    shot(page, "board-zh")
    bar, row = f'.gantt-bar[data-visit="{visit.pk}"]', f'.gantt-row[data-person="{other.pk}"]'
    x, y = _centre(page, bar)
    _x, goal = _centre(page, f"{row} .track")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 6, y + 4, steps=3)
    page.mouse.move(x + 4, goal, steps=8)
    page.wait_for_selector(".ghost.good")
    page.wait_for_selector(".gantt-row.cannot, .gantt-row.can")
    shot(page, "drag-good")
    page.mouse.move(x - 300, goal, steps=6)
    page.wait_for_selector(".ghost.bad")
    assert page.locator(".drag-hint.bad").inner_text()
    shot(page, "drag-bad")
    page.mouse.move(x + 4, goal, steps=6)
    page.wait_for_selector(".ghost.good")
    page.mouse.up()
    page.wait_for_selector(f"{row} {bar}.pinned")
    assert visit.stops.get().practitioner == other
    page.wait_for_selector("#board-panel [data-shown-visit]")
    shot(page, "given")
    page.locator(".toast-line button").first.click()
    page.wait_for_selector(f'.gantt-row[data-person="{before.pk}"] {bar}')
    assert visit.stops.get().practitioner == before


def test_the_keyboard_moves_a_visit_as_well(shown: Any, day: Any, shot: Any) -> None:
    visit, other = _planned(day)
    page = shown(PAGE)
    page.wait_for_selector(".gantt .gantt-bar")
    people = page.locator(".gantt-row").evaluate_all("rows => rows.map(row => Number(row.dataset.person))")
    steps = people.index(other.pk) - people.index(visit.stops.get().practitioner_id)
    page.locator(f'.gantt-bar[data-visit="{visit.pk}"]').focus()
    for _step in range(abs(steps)):
        page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
    page.wait_for_selector(".ghost.good, .ghost.bad")
    page.keyboard.press("Escape")
    assert not page.locator(".ghost").count()
    for _step in range(abs(steps)):
        page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
    for _step in range(2):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(".ghost.good")
    assert "可以" in page.locator("#board-say").inner_text()
    shot(page, "keyboard")
    page.keyboard.press("Enter")
    page.wait_for_selector(f'.gantt-row[data-person="{other.pk}"] .gantt-bar[data-visit="{visit.pk}"]')
    assert visit.stops.get().practitioner == other and visit.stops.get().pinned


def test_an_open_visit_says_why_not_and_a_form_gives_it(shown: Any, day: Any, shot: Any) -> None:
    page = shown(PAGE)
    page.locator(".board-entry.open").first.click()
    page.wait_for_selector("#board-panel [data-shown-visit]")
    shot(page, "open")
    page.get_by_role("button", name="就这样派").click()
    page.wait_for_selector("#board-panel .note.success")
    page.locator(".board-entry.open").nth(2).wait_for(state="detached")


def test_an_ill_nurse_is_looked_at_before_it_is_taken(shown: Any, day: Any, shot: Any) -> None:
    page = shown(PAGE)
    page.locator(".gantt-row .who").nth(2).click()
    page.wait_for_selector("#board-panel [data-shown-person]")
    shot(page, "person")
    page.get_by_role("button", name="看怎么办").last.click()
    page.wait_for_selector("#board-panel [data-proposal]")
    shot(page, "ill")
    page.get_by_role("button", name="用这个方案").click()
    page.wait_for_selector("#board-panel .note.success")
    page.wait_for_timeout(500)
    shot(page, "ill-taken")


@pytest.mark.slow
def test_every_page_for_the_eye(shown: Any, day: Any, shot: Any) -> None:
    """Both sizes and languages, light and dark; what is asserted is that nothing is wider than the screen."""
    user, address = day.care.users["gao"], f"?institution={day.care.office.pk}&day={day.day}"
    visit, _other = _planned(day)
    for language in ("zh-hans", "en"):
        user.language = language
        user.save()
        for width, height in ((390, 844), (1440, 900)):
            for scheme in ("light", "dark"):
                pages = {"board": PAGE, "routes": f"{PAGE}routes/{address}", "visit": f"{PAGE}visits/{visit.pk}/"}
                pages |= {"settings": f"{PAGE}settings/{day.care.office.pk}/"}
                for name, path in pages.items():
                    if scheme == "dark" and name != "board":
                        continue
                    page = shown(path, width, height, scheme)
                    if name == "board" and width > 1000:
                        page.wait_for_selector(".board-map canvas")
                    shot(page, f"{name}-{language}-{width}-{scheme}")
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, (name, language, width, wide)
                    page.context.close()
    user.language, user.large_print = "zh-hans", True
    user.save()
    shot(shown(PAGE, 1440, 900), "large-1440")
    shot(shown(PAGE, 390, 844), "large-390")
