"""A patient's journey in a real Chromium with a real payment gateway; run with `-m browser`. SHOTS names a folder for
pictures."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from shoufu.web import built, demo

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium here; set CHROMIUM to its path"),
    pytest.mark.skipif(not built.MANIFEST.exists(), reason="the front end is not built; run bin/shoufu build"),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def gateway(live_server: Any, settings: Any, tmp_path: Path) -> Iterator[Any]:
    """The test gateway as a real HTTP server, which calls the live server back when somebody pays."""
    from shoufu.runtime.paygateway import keys
    from shoufu.runtime.paygateway.server import Gateway

    keys.make(tmp_path / "keys", "http://127.0.0.1:1", live_server.url)
    server = Gateway(tmp_path / "keys", 0, waits=(0.1,) * 20)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    settings.WECHATPAY, settings.WECHATPAY_URL = str(tmp_path / "keys" / "wechat.toml"), origin
    settings.ALIPAY, settings.ALIPAY_URL = str(tmp_path / "keys" / "alipay.toml"), f"{origin}/gateway.do"
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def shown(transactional_db: None, chromium: Any, live_server: Any, settings: Any, care: Any) -> Iterator[Any]:
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
        page.goto(live_server.url + demo.link(care.users[user].username))
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
        # The page scrolls inside its frame: a picture of all of it needs a window as high as it is.
        if folder := os.environ.get("SHOTS"):
            before = page.viewport_size
            height = page.evaluate("Math.max(844, (document.querySelector('main')?.scrollHeight ?? 0) + 120)")
            page.set_viewport_size({"width": before["width"], "height": min(height, 5000)})
            page.screenshot(path=f"{folder}/{name}.png")
            page.set_viewport_size(before)

    return taken


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"))


def settled(page: Any) -> None:
    wide = "e => e.getBoundingClientRect().right > window.innerWidth + 1"
    over = page.evaluate(f"[...document.querySelectorAll('main *')].filter({wide}).map(e => e.outerHTML.slice(0, 80))")
    assert fits(page), (page.url, over[:4])
    small = page.evaluate(
        "[...document.querySelectorAll('.phone .btn')].filter(b => b.offsetParent && b.offsetHeight < 44).length"
    )
    assert small == 0, page.url


def test_four_taps_from_the_service_to_a_paid_visit_and_its_nurse(
    shown: Any, shot: Any, gateway: Any, bookable: Any
) -> None:
    from shoufu.kernel.payments.models import Payment
    from shoufu.scenes.homecare.visits.models import Visit

    page = shown("mei", f"/homecare/visits/mine/book/{bookable.care.mei.pk}/")
    settled(page)
    shot(page, "1-service")
    page.locator(".service .cover").first.click()
    page.wait_for_selector(".slots .btn")
    settled(page)
    shot(page, "2-time")
    day = page.locator(".phone .card", has=page.locator(".slots")).nth(1)
    day.locator(".slots .btn", has_text="09:00").click()
    page.wait_for_selector(".carer")
    settled(page)
    shown_to = page.locator(".phone").inner_text()
    assert "宋晓燕" in shown_to and "主管护师" in shown_to and "同意换药" in shown_to
    shot(page, "3-agree")
    page.locator("button.first").click()
    page.wait_for_selector("button[value=wechat]")
    settled(page)
    shot(page, "4-pay")
    page.locator("button[value=wechat]").click()
    page.wait_for_selector(".pay-code svg")
    shot(page, "4-pay-code")
    payment = Payment.objects.get()
    gateway.do_pay(payment.number)
    page.wait_for_url("**/homecare/visits/mine/*/", timeout=20_000)
    settled(page)
    assert Visit.objects.get().state == "booked"
    assert "已预约" in page.locator(".phone").inner_text() and "预计" in page.locator(".phone").inner_text()
    shot(page, "5-visit")
    page.goto(page.url.rsplit("mine/", 1)[0] + "mine/")
    page.wait_for_selector(".carer")
    shot(page, "6-mine")


@pytest.mark.slow
def test_the_desk_shows_visits_with_what_happened(shown: Any, shot: Any, bookable: Any) -> None:
    from shoufu.scenes.homecare.visits import services

    visit = bookable.paid(bookable.book(bookable.at(9), note="请先打电话"))
    bookable.book(bookable.at(14))
    services.begin(bookable.care.act("song"), visit.pk, timezone.now())
    page = shown("gao", "/homecare/visits/", 1440, 900)
    assert fits(page) and page.locator("tbody tr").count() == 2
    shot(page, "desk-list")
    page.locator("tbody a.main").last.click()
    page.wait_for_selector(".timeline")
    shot(page, "desk-visit")
    page.goto(
        page.url.rsplit("visits/", 1)[0]
        + f"visits/patients/{bookable.care.mei.pk}/book/?service={bookable.care.service.pk}"
    )
    shot(page, "desk-book")
    page.goto(page.url.rsplit("visits/", 1)[0] + f"visits/institutions/{bookable.care.office.pk}/rules/")
    shot(page, "desk-rules")
    phone = shown("gao", "/homecare/visits/")
    assert fits(phone)
