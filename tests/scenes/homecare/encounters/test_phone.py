"""The nurse's phone in a real Chromium with the network off; run with `-m browser`."""

import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_started
from django.test import Client

from shoufu.kernel.cases.models import Case
from shoufu.scenes.homecare.encounters import services
from shoufu.scenes.homecare.encounters.models import Encounter, Entry, Operation, Photo, Sos
from shoufu.scenes.homecare.visits.models import Visit
from tests.browsers import MARKS
from tests.scenes.homecare.encounters.hand import PIN, Hand

pytestmark = MARKS


def picture() -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (3000, 2000), (214, 178, 160))
    draw = ImageDraw.Draw(image)
    draw.ellipse((1100, 600, 1900, 1200), fill=(150, 40, 40))
    draw.rectangle((500, 1600, 2500, 1660), fill=(240, 240, 240))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


class Counted:
    """Requests that reached the server. The browser itself asks now and then whether the worker has a new version, past
    what is switched off for pages; the app does not need the answer."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def __call__(self, environ: Any = None, **_signal: Any) -> None:
        path = (environ or {}).get("PATH_INFO", "")
        if not path.endswith("/sw.js"):
            self.paths.append(path)


def take_picture(hand: Hand) -> None:
    """A picture with two points on the ruler, 100 mm apart, and an outline round the wound."""
    page = hand.page
    hand.step("photo")
    file = {"name": "wound.jpg", "mimeType": "image/jpeg", "buffer": picture()}
    page.set_input_files("#camera", file)
    page.wait_for_selector(".stage img")
    box = page.locator(".stage").bounding_box()

    def tap(x: float, y: float) -> None:
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)

    page.locator(".stage").scroll_into_view_if_needed()
    box = page.locator(".stage").bounding_box()
    tap(500 / 3000, 1630 / 2000)
    tap(2500 / 3000, 1630 / 2000)
    page.fill("#millimetres", "100")
    for x, y in (
        (1100, 900),
        (1300, 650),
        (1500, 600),
        (1700, 650),
        (1900, 900),
        (1700, 1150),
        (1500, 1200),
        (1300, 1150),
    ):
        tap(x / 3000, y / 2000)
    page.locator(".result", has_text="cm²").wait_for()
    hand.shot("measure")
    hand.save()


def first_half(hand: Hand) -> None:
    hand.step("identity")
    hand.choose("method", "document")
    hand.page.fill("input[name=digits]", "4021")
    hand.shot("identity")
    hand.save()
    hand.step("check_in")
    hand.located()
    hand.shot("check-in")
    hand.save()
    hand.step("consent")
    hand.page.check("input[name=service]")
    hand.page.check("input[name=photos]")
    hand.choose("by", "patient")
    hand.shot("consent")
    hand.save()
    hand.step("checklist")
    for box in hand.page.locator(".choices label:first-child").all():
        box.click()
    hand.shot("checklist")
    hand.save()
    hand.step("vitals")
    hand.page.locator("input[name=systolic]").fill("1380")
    hand.page.locator("input[name=diastolic]").fill("86")
    hand.page.click("[data-save]")
    hand.page.wait_for_selector(".field.wrong .wrong-text:not([hidden])")
    hand.shot("vitals-wrong")
    hand.page.locator("input[name=systolic]").fill("138")
    hand.page.locator("input[name=pulse]").fill("72")
    hand.save()
    take_picture(hand)


def second_half(hand: Hand) -> None:
    hand.page.fill("textarea[name=measures]", "生理盐水清洗，泡沫敷料覆盖")
    hand.shot("record")
    hand.save()
    hand.step("consumables")
    hand.page.click("form button:has-text('加一种耗材'), form button:has-text('Add an item')")
    hand.page.locator(".row-card input[name=name]").last.fill("泡沫敷料")
    hand.page.locator(".row-card input[name=quantity]").last.fill("1")
    hand.shot("consumables")
    hand.save()
    hand.step("signature")
    hand.sign()
    hand.shot("signature")
    hand.save()
    hand.step("check_out")
    hand.located()
    hand.save()


@pytest.mark.parametrize("language", ["zh-CN", pytest.param("en-GB", marks=pytest.mark.slow)])
def test_a_whole_visit_with_the_network_off_and_a_reload_in_the_middle(
    hand: Callable[..., Hand], visiting: Any, language: str
) -> None:
    visit, counted = visiting.visit, Counted()
    one = hand(language)
    if language.startswith("en"):
        visiting.care.users["song"].language = "en"
        visiting.care.users["song"].save()
    one.set_up()
    one.shot("day")
    one.page.wait_for_load_state("networkidle")
    one.page.context.set_offline(True)
    request_started.connect(counted)
    try:
        one.page.click(".card.visit")
        one.page.wait_for_selector(".steps")
        one.shot("visit")
        first_half(one)
        one.step("record")
        one.page.fill("textarea[name=findings]", "骶尾部创面 4×3 cm，肉芽红润")
        one.page.wait_for_timeout(800)
        # In the middle of a sentence, without a network: the page is loaded anew.
        one.page.reload()
        one.shot("locked")
        one.unlock()
        assert one.page.input_value("textarea[name=findings]") == "骶尾部创面 4×3 cm，肉芽红润"
        second_half(one)
        one.page.wait_for_selector(".chip[data-state=offline]")
        one.shot("done-offline")
        assert one.chip()[1] == 11
    finally:
        request_started.disconnect(counted)
    assert counted.paths == [] and not Encounter.objects.exists() and not Operation.objects.exists()
    one.page.context.set_offline(False)
    one.settled()
    one.page.wait_for_selector(".step-link.done")
    one.shot("synced")

    row = Encounter.objects.get()
    assert (row.state, row.visit, row.contested) == ("finished", visit, False)
    assert Visit.objects.get(pk=visit.pk).state == "done"
    assert Operation.objects.filter(result="applied").count() == Operation.objects.count() == 10
    assert sorted(Operation.objects.values_list("sequence", flat=True)) == list(range(1, 11))
    kinds = sorted(Entry.objects.values_list("kind", flat=True))
    assert kinds == ["checklist", "consent", "consumables", "identity", "record", "signature", "vitals"]
    shown = services.shown(row)
    assert shown.last["record"]["findings"].startswith("骶尾部创面")
    assert shown.last["vitals"]["values"] == {"systolic": 138, "diastolic": 86, "pulse": 72}
    assert len(shown.last["signature"]["strokes"][0]) >= 10
    assert shown.last["consumables"]["used"][-1]["name"] == "泡沫敷料"
    photo = Photo.objects.get()
    content = services.picture(visiting.care.act("song"), row.pk, photo.pk)[1]
    assert content.startswith(b"\xff\xd8\xff") and b"Exif" not in content[:64]
    # 2000 of 3000 pixels are 100 mm: the ellipse is 4.0 by 3.0 cm, 9.4 cm²; the octagon in it a little less.
    measured = shown.photos[0].detail["measured"]
    assert measured["length"] == pytest.approx(4.0, abs=0.15) and measured["width"] == pytest.approx(3.0, abs=0.15)
    assert 7.8 < measured["area"] < 9.4
    # Loaded anew with a network: nothing is sent twice, and the visit stands as it was done.
    one.page.reload()
    one.unlock()
    one.settled()
    assert Operation.objects.count() == 10 and Entry.objects.count() == 7


def test_nothing_personal_lies_open_on_the_phone_and_wrong_pins_empty_it(
    hand: Callable[..., Hand], visiting: Any
) -> None:
    one = hand()
    one.set_up()
    one.page.context.set_offline(True)
    one.page.click(".card.visit")
    one.step("identity")
    one.choose("method", "known")
    one.save()
    dump = """async () => {
      const asked = (request) => new Promise((done) => { request.onsuccess = () => done(request.result); });
      const open = await asked(indexedDB.open('shoufu-nurse'));
      const decoder = new TextDecoder();
      const text = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? decoder.decode(value)
        : value && typeof value === 'object' ? Object.values(value).map(text).join(' ') : String(value);
      let all = JSON.stringify(Object.entries(localStorage));
      for (const name of open.objectStoreNames)
        all += (await asked(open.transaction(name).objectStore(name).getAll())).map(text).join(' ');
      for (const name of await caches.keys()) for (const key of await (await caches.open(name)).keys()) all += key.url;
      return all;
    }"""
    kept = one.page.evaluate(dump)
    for secret in ("欧阳梅", "青霉素", "糖尿病", "门铃", "document", "known", PIN):
        assert secret not in kept, secret
    assert "宋晓燕" in kept
    one.page.reload()
    for n in range(8):
        one.page.fill("input[name=pin]", "111111")
        one.page.click("form button")
        if n < 7:
            one.page.locator(".wrong-text", has_text=f"还可以试 {7 - n} 次").wait_for()
    one.page.wait_for_selector("main .card.warn")
    assert "宋晓燕" not in one.page.evaluate(dump)


def test_help_is_called_with_a_network_and_without(hand: Callable[..., Hand], visiting: Any, capsys: Any) -> None:
    care = visiting.care
    services.set_rules(care.act("gao"), care.office.pk, services.RulesDraft(200, 30, "13800138000"))
    one = hand()
    one.set_up()
    one.page.click(".card.visit")
    one.page.wait_for_selector(".steps")
    one.hold_for_help()
    one.page.wait_for_selector(".sos-sheet[data-state=sent]")
    one.shot("sos-sent")
    row = Sos.objects.select_related("case").get()
    assert row.case is not None and row.case.severity == "critical" and row.visit == visiting.visit
    assert row.latitude == pytest.approx(41.8402) and row.accuracy == 8
    seconds = (row.case.known_at - row.pressed_at).total_seconds()
    with capsys.disabled():
        print(f"\nSOS online: case in the database {seconds:.3f} s after the press")
    one.page.click(".sos-sheet button")
    services.answer(care.act("gao"), row.case, "已处理", done=True)

    one.page.context.set_offline(True)
    one.page.reload()
    # Also from the locked phone: the number for the text message is no patient's data.
    one.hold_for_help()
    one.page.wait_for_selector(".sos-sheet a[href^='sms:13800138000']")
    text = one.page.locator(".sos-sheet a[href^='sms:']").get_attribute("href")
    assert "%E5%AE%8B%E6%99%93%E7%87%95" in text and "41.84020" in text
    one.page.locator(".sos-sheet", has_text="不能自己发短信").wait_for()
    one.shot("sos-offline")
    # Pressed again, and the page loaded anew in between: it is one call, and one case when the network is back.
    one.page.locator(".sos-sheet button").click()
    one.hold_for_help()
    one.page.reload()
    one.page.wait_for_selector(".sos-sheet[open]")
    assert Sos.objects.count() == 1
    # Nobody is signed in any more either: the phone itself calls.
    one.page.context.clear_cookies()
    one.page.context.set_offline(False)
    one.page.wait_for_selector(".sos-sheet[data-state=sent]")
    later = Sos.objects.select_related("case").order_by("-known_at")[0]
    assert Sos.objects.count() == 2 and Case.objects.count() == 2 and later.case != row.case
    said = one.page.locator(".sos-sheet").inner_text()
    assert later.case is not None and later.case.number in said and re.search(r"\d+\.\d 秒", said)


def test_signed_out_and_a_picture_of_60_mb(hand: Callable[..., Hand], visiting: Any) -> None:
    one = hand()
    one.set_up()
    one.page.click(".card.visit")
    one.step("identity")
    one.page.context.clear_cookies()
    one.choose("method", "known")
    one.save()
    one.page.wait_for_selector(".banner a[href*=login]")
    one.shot("signed-out")
    assert one.chip() == ("signin", 1) and not Operation.objects.exists()
    one.step("consent")
    one.page.check("input[name=service]")
    one.page.check("input[name=photos]")
    one.choose("by", "family")
    one.save()
    one.step("photo")
    big = Path(os.environ["SHOUFU_DATA"]) / "big.jpg"
    big.write_bytes(b"\xff\xd8\xff" + b"0" * (60 << 20))
    one.page.set_input_files("#camera", str(big))
    one.page.locator(".step .wrong-text", has_text="48.0 MB").wait_for()
    one.shot("photo-60-mb")
    big.unlink()
    signed_in = Client()
    signed_in.force_login(visiting.care.users["song"])
    cookie = {"name": "sessionid", "value": signed_in.cookies["sessionid"].value, "url": one.server}
    one.page.context.add_cookies([cookie])
    one.page.reload()
    one.unlock()
    one.settled()
    assert Operation.objects.filter(result="applied").count() == 2
