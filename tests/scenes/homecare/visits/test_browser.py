"""A patient's journey in a real Chromium with a real payment gateway; run with `-m browser`. SHOTS names a folder for
pictures."""

import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image, ImageDraw

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


def face() -> bytes:
    """A drawn face on a wide picture."""
    image = Image.new("RGB", (1200, 900), "#bcd9d6")
    draw = ImageDraw.Draw(image)
    draw.ellipse((300, 640, 900, 1300), fill="#f4f7f8")
    draw.ellipse((440, 160, 760, 520), fill="#2f2622")
    draw.ellipse((460, 200, 740, 640), fill="#edc7a5")
    draw.pieslice((440, 160, 760, 480), 180, 360, fill="#2f2622")
    draw.ellipse((530, 390, 560, 420), fill="#2f2622")
    draw.ellipse((640, 390, 670, 420), fill="#2f2622")
    draw.arc((540, 440, 660, 560), 20, 160, fill="#a4533f", width=9)
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


def loaded(page: Any) -> list[int]:
    """How wide the faces on the page really are, once they are there; 0 for one that did not come."""
    come = "async i => { i.loading = 'eager'; await i.decode().catch(() => 0); return i.naturalWidth; }"
    return list(page.evaluate(f"Promise.all([...document.querySelectorAll('img.face')].map({come}))"))


def test_a_face_goes_up_and_those_whom_it_concerns_see_it(
    shown: Any, shot: Any, bookable: Any, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    care = bookable.care
    page = shown("song", f"/homecare/register/practitioners/{care.song.pk}/")
    shot(page, "face-0-own-phone-before")
    page.set_input_files("#portrait", {"name": "wrong.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"})
    page.locator("button[value=portray]").click()
    page.wait_for_selector("#portrait-wrong")
    shot(page, "face-1-refused")
    page.set_input_files("#portrait", {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": face()})
    page.locator("button[value=portray]").click()
    page.wait_for_selector("img.face.big")
    assert fits(page) and loaded(page) == [480, 480]
    shot(page, "face-2-own-phone")
    desk = shown("gao", f"/homecare/register/practitioners/{care.song.pk}/", 1440, 900)
    assert fits(desk) and loaded(desk) == [480, 480]
    shot(desk, "face-3-desk")
    desk.goto(desk.url.split("/homecare/")[0] + "/homecare/register/practitioners/")
    assert loaded(desk) == [480]
    shot(desk, "face-4-desk-list")
    day = bookable.day().isoformat()
    desk.goto(desk.url.split("/homecare/")[0] + f"/homecare/planning/people/{care.song.pk}/?day={day}")
    assert loaded(desk) == [480]
    shot(desk, "face-5-desk-person")
    visit = bookable.book(bookable.at(9))
    mine = shown("mei", f"/homecare/visits/mine/{visit.pk}/")
    settled(mine)
    assert loaded(mine) == [480] and mine.get_by_role("img", name="宋晓燕").count() == 1
    shot(mine, "face-6-visit")
    board = shown("gao", f"/homecare/planning/?institution={care.office.pk}&day={day}")
    shot(board, "face-7-board-phone")
    assert fits(board)
    board = shown("gao", f"/homecare/planning/?institution={care.office.pk}&day={day}", 1440, 900)
    shot(board, "face-8-board")


def test_days_after_the_third_are_folded_and_open_by_keyboard(
    shown: Any, shot: Any, bookable: Any, settings: Any, tmp_path: Path
) -> None:
    from shoufu.scenes.homecare.register import services as register

    settings.MEDIA_ROOT = tmp_path
    register.portray(bookable.care.act("gao"), bookable.care.song.pk, face())
    page = shown("mei", f"/homecare/visits/mine/book/{bookable.care.mei.pk}/{bookable.care.service.pk}/")
    settled(page)
    shot(page, "times-0-folded")
    folded = page.locator("details.day")
    assert page.locator("section.card", has=page.locator(".slots")).count() == 3 and folded.count() >= 8
    summary = folded.first.locator("summary")
    assert folded.first.locator(".slots .btn").first.is_visible() is False
    assert summary.bounding_box()["height"] >= 44
    count = folded.first.locator(".slots .btn").count()
    assert f"{count} 个时间" in summary.inner_text()
    summary.focus()
    page.keyboard.press("Enter")
    assert folded.first.locator(".slots .btn").first.is_visible()
    settled(page)
    shot(page, "times-1-open")
    folded.first.locator(".slots .btn").first.click()
    page.wait_for_selector(".carer img.face")
    settled(page)
    assert loaded(page) == [480]
    shot(page, "times-2-agree")
    wide = shown("mei", "/" + page.url.split("/", 3)[3], 1440, 900)
    shot(wide, "times-3-agree-wide")
