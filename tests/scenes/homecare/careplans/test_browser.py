"""A patient's and a nurse's journeys in a real Chromium; run with `-m browser`. SHOTS names a folder for pictures."""

import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from shoufu.web import demo
from tests import browsers
from tests.browsers import MARKS

pytest.importorskip("playwright.sync_api")
pytestmark = MARKS
HOME = "/homecare/careplans/"
# A cuff that speaks the Blood Pressure profile: 146/84, pulse 68, no clock of its own.
CUFF = """
const bytes = [0x04, 0x92, 0x00, 0x54, 0x00, 0x69, 0x00, 0x44, 0x00];
const measurement = new EventTarget();
measurement.startNotifications = async () => {
  setTimeout(() => {
    measurement.value = new DataView(Uint8Array.from(bytes).buffer);
    measurement.dispatchEvent(new Event("characteristicvaluechanged"));
  }, 50);
  return measurement;
};
const service = { getCharacteristic: async (uuid) => { window.asked = uuid; return measurement; } };
const device = { id: "cuff-1", gatt: { connect: async () => ({ getPrimaryService: async () => service }) } };
Object.defineProperty(navigator, "bluetooth", { value: { requestDevice: async () => device } });
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browsers.started() as found:
        yield found


@pytest.fixture
def shown(transactional_db: None, chromium: Any, live_server: Any, settings: Any, care: Any) -> Iterator[Any]:
    """Opens a page as somebody; what pages throw fails the test."""
    settings.DEMO = True
    settings.WHITENOISE_AUTOREFRESH = True
    contexts, thrown = [], []

    def opened(
        user: str, path: str, width: int = 390, height: int = 844, scheme: str = "light", script: str = ""
    ) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, timezone_id="Asia/Shanghai", color_scheme=scheme
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        if script:
            page.add_init_script(script)
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
            height = page.evaluate("Math.max(844, (document.querySelector('main')?.scrollHeight ?? 0) + 120)")
            page.set_viewport_size({"width": page.viewport_size["width"], "height": min(height, 6000)})
            page.screenshot(path=f"{folder}/{name}.png")

    return taken


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"))


def planned(care: Any) -> tuple[Any, Any]:
    """Mei has two plans and sixty days of readings; a doctor works at the institution."""
    from shoufu.kernel.access.models import RoleAssignment
    from shoufu.scenes.homecare.careplans.services import plans, readings
    from shoufu.scenes.homecare.careplans.services.readings import ReadingDraft
    from shoufu.scenes.homecare.register import services as register

    today, song = timezone.localdate(), care.act("song")
    doctor = register.add_practitioner(
        care.act("gao"),
        care.office.pk,
        register.PractitionerDraft(
            "欧阳兰", "13811110004", "physician", 3, "D-7", today + timedelta(days=60), date(2010, 1, 1)
        ),
    )
    register.verify(care.act("gao"), doctor.pk, "医师执业注册信息查询")
    since = timezone.now() - timedelta(days=1)
    RoleAssignment.objects.create(user=care.users["lan"], role="care_physician", place=care.office.place, since=since)
    made = plans.make(song, care.mei.pk, plans.PlanDraft("hypertension", "hypertension-primary-2019", note="少盐"))
    plans.make(song, care.mei.pk, plans.PlanDraft("diabetes", "diabetes-primary-2022"))
    chance, drafts = Random(3), []
    for ago in range(60, 3, -1):
        at = timezone.now() - timedelta(days=ago)
        systolic = float(round(142 + ago / 6 + chance.gauss(0, 4)))
        values = {"systolic": systolic, "diastolic": float(round(systolic * 0.55)), "pulse": 72.0}
        drafts.append(ReadingDraft(uuid4(), "blood_pressure", values, at))
        if ago % 3 == 0:
            sugar = {"glucose": round(6.3 + ago / 50 + chance.gauss(0, 0.4), 1)}
            drafts.append(ReadingDraft(uuid4(), "glucose", sugar, at, "fasting"))
    readings.add_many(care.act("mei"), care.mei.pk, drafts, mine=True)
    return made, doctor


def test_a_patient_enters_by_hand_and_by_the_cuff_and_reads_the_trend(shown: Any, shot: Any, care: Any) -> None:
    from shoufu.scenes.homecare.careplans.models import Finding, Reading

    planned(care)
    before = Reading.objects.count()
    page = shown("mei", f"{HOME}mine/", script=CUFF)
    assert fits(page) and page.locator("svg.trend").count() == 2
    shot(page, "mine")
    page.locator("a[href$='enter/blood_pressure/']").first.click()
    page.wait_for_selector("form[data-reading]")
    # Typed wrongly: the limits stand beside the field, and what was typed is still there.
    page.fill("[name=systolic]", "1460")
    page.fill("[name=diastolic]", "84")
    page.get_by_role("button", name="保存").click()
    page.wait_for_selector(".wrong-text")
    assert page.input_value("[name=systolic]") == "1460" and "300" in page.inner_text("#e-systolic")
    shot(page, "enter-wrong")
    # The cuff fills the form, and one tap keeps it.
    page.get_by_role("button", name="蓝牙").click()
    page.wait_for_selector("form[data-bluetooth-state=taken]")
    assert page.evaluate("window.asked") == 0x2A35
    fields = ("systolic", "diastolic", "pulse")
    assert [page.input_value(f"[name={name}]") for name in fields] == ["146", "84", "68"]
    assert page.locator(".wrong-text").count() == 0
    assert page.locator("button.first").bounding_box()["height"] >= 44
    shot(page, "enter-cuff")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url(f"**{HOME}mine/")
    assert "146/84" in page.inner_text("main") and Reading.objects.count() == before + 1
    # The same measurement fetched from the cuff once more is no second one.
    page.goto(page.url + f"{care.mei.pk}/enter/blood_pressure/")
    page.get_by_role("button", name="蓝牙").click()
    page.wait_for_selector("form[data-bluetooth-state=taken]")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url(f"**{HOME}mine/")
    assert Reading.objects.count() == before + 1
    # A dangerous value says what to do at once.
    page.goto(page.url + f"{care.mei.pk}/enter/glucose/")
    page.fill("[name=glucose]", "2.8")
    page.get_by_text("随机", exact=True).click()
    page.get_by_role("button", name="保存").click()
    page.wait_for_selector("[role=alert]")
    assert "120" in page.inner_text("main") and Finding.objects.filter(rule="glucose_very_low").count() == 1
    shot(page, "mine-danger")
    page.get_by_role("button", name="完成").first.click()
    page.wait_for_selector(".note.success")
    page.get_by_role("link", name="全部读数").first.click()
    page.wait_for_selector("table.list")
    page.get_by_role("link", name="90 天").click()
    page.wait_for_selector("[aria-current=true]")
    assert fits(page) and page.locator("table.list tbody tr").count() >= 58
    shot(page, "trend")


def test_a_nurse_deals_with_it_follows_up_and_the_doctor_answers(shown: Any, shot: Any, care: Any) -> None:
    from shoufu.kernel.cases.models import Case
    from shoufu.scenes.homecare.careplans.models import Finding, FollowUp, Handover
    from shoufu.scenes.homecare.careplans.services import readings

    row, _doctor = planned(care)
    values = {"systolic": 188.0, "diastolic": 104.0}
    readings.add(care.act("mei"), care.mei.pk, readings.ReadingDraft(uuid4(), "blood_pressure", values), mine=True)
    page = shown("song", HOME)
    assert fits(page)
    shot(page, "list")
    page.get_by_role("link", name="欧阳梅").last.click()
    page.wait_for_selector("svg.trend")
    assert fits(page)
    shot(page, "plan")
    page.get_by_role("button", name="我来处理").first.click()
    page.wait_for_selector(".note.success")
    page.locator("textarea[name=answer]").first.fill("已电话询问，无胸痛头痛，嘱立即服药并半小时后复测")
    page.locator("button[value=close]").first.click()
    page.wait_for_selector(".note.success")
    assert Finding.objects.filter(state="closed").count() == 1 and Case.objects.filter(state="closed").count() == 1
    page.get_by_role("link", name="记录随访").click()
    page.get_by_label("电话").check()
    page.get_by_label("有时漏服").check()
    page.fill("#found", "漏服晚间药")
    shot(page, "follow-up")
    page.get_by_role("button", name="保存").click()
    page.wait_for_selector(".note.success")
    assert FollowUp.objects.get().adherence == "sometimes"
    page.get_by_role("link", name="转给医生").click()
    page.fill("#reason", "血压 188/104，请看是否调整用药")
    page.get_by_role("button", name="转给医生").click()
    page.wait_for_selector(".note.success")
    shot(page, "letter")
    doctor = shown("lan", page.url.partition(HOME)[1] + page.url.partition(HOME)[2])
    doctor.get_by_role("button", name="接收患者").click()
    doctor.wait_for_selector(".note.success")
    doctor.fill("#answer", "氨氯地平加至 10 mg，1 周后复查")
    doctor.locator("button[value=answer]").click()
    doctor.wait_for_selector("button[value=answer]", state="detached")
    assert Handover.objects.get().state == "answered"
    shot(doctor, "letter-answered")
    assert "氨氯地平" in shown("mei", f"{HOME}mine/").inner_text("main")


@pytest.mark.slow
def test_every_page_for_the_eye(shown: Any, shot: Any, care: Any) -> None:
    """The pages at both sizes and in both languages; what is asserted is that nothing is wider than the screen."""
    row, _doctor = planned(care)
    care.users["song"].language = "en"
    care.users["song"].save()
    care.users["mei"].large_print = True
    care.users["mei"].save()
    number, patient = row.pk, care.mei.pk
    pages = (
        ("song", ""), ("song", f"{number}/"), ("song", f"{number}/edit/"), ("song", f"{number}/handover/"),
        ("song", f"patients/{patient}/new/"), ("song", f"patients/{patient}/trend/blood_pressure/"),
        ("song", "handovers/"), ("mei", "mine/"), ("mei", f"mine/{patient}/enter/glucose/"),
    )  # fmt: skip
    for user, path in pages:
        for width, height, scheme in ((390, 844, "light"), (1440, 900, "dark")):
            page = shown(user, HOME + path, width, height, scheme)
            assert fits(page), (user, path, width)
            shot(page, f"{user}-{path.strip('/').replace('/', '-') or 'list'}-{width}")
            page.context.close()
