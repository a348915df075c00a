"""What the phone keeps, and what must leave it, in a real Chromium; run with `-m browser`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shoufu.scenes.homecare.encounters import services
from shoufu.scenes.homecare.encounters.models import Encounter, Entry, Operation
from shoufu.scenes.homecare.encounters.pages import phone as phone_page
from tests.browsers import MARKS
from tests.scenes.homecare.encounters.hand import PHONE, Hand

pytestmark = MARKS
COUNT = """async () => {
  const asked = (request) => new Promise((done) => { request.onsuccess = () => done(request.result); });
  const open = await asked(indexedDB.open('shoufu-nurse'));
  const found = {};
  for (const name of ['kv', 'lines', 'media'])
    found[name] = await asked(open.transaction(name).objectStore(name).count());
  open.close();
  return found;
}"""


def identified(one: Hand) -> None:
    one.page.click(".card.visit")
    one.step("identity")
    one.choose("method", "known")
    one.save()


def test_it_locks_by_itself_and_an_old_day_leaves_it(hand: Callable[..., Hand], visiting: Any) -> None:
    one = hand()
    one.page.clock.install()
    one.set_up()
    one.page.wait_for_load_state("networkidle")
    one.page.context.set_offline(True)
    identified(one)
    one.step("signature")
    one.sign()
    one.page.clock.fast_forward("06:00")
    # A signature that is being drawn is kept nowhere yet: it does not lock.
    one.save()
    one.page.clock.fast_forward("05:10")
    one.page.wait_for_selector("input[name=pin]")
    assert "欧阳梅" not in one.page.content()
    one.shot("locked-by-itself")
    one.unlock()
    one.page.wait_for_selector(".steps")
    one.page.clock.fast_forward("37:00:00")
    one.page.wait_for_selector("input[name=pin]")
    one.page.wait_for_timeout(300)
    # Removed while it is locked; what was not sent is still there, sealed.
    assert one.page.evaluate(COUNT) == {"kv": 0, "lines": 2, "media": 0}
    one.unlock()
    one.page.locator(".card.warn", has_text="36 小时").wait_for()
    one.shot("day-too-old")
    assert one.chip()[1] == 2
    one.page.context.set_offline(False)
    one.page.click(".chip")
    one.settled()
    # The visit is there again, and the next line counts on from where it was.
    one.step("consent")
    one.page.check("input[name=service]")
    one.choose("by", "family")
    one.save()
    one.settled()
    assert sorted(Operation.objects.values_list("sequence", flat=True)) == [1, 2, 3]
    assert Entry.objects.count() == 3


def test_a_closed_account_empties_the_phone_and_what_was_not_sent_is_handed_in(
    hand: Callable[..., Hand], visiting: Any
) -> None:
    one = hand()
    one.set_up()
    one.page.wait_for_load_state("networkidle")
    one.page.context.set_offline(True)
    identified(one)
    one.page.reload()
    one.page.wait_for_selector("input[name=pin]")
    user = visiting.care.users["song"]
    user.is_active = False
    user.save()
    one.page.context.set_offline(False)
    one.page.reload()
    # It hears so while it is locked, and needs no PIN to remove the patients.
    one.page.locator(".banner", has_text="患者资料已从这部手机清除").wait_for()
    one.shot("closed-locked")
    assert one.page.evaluate(COUNT) == {"kv": 0, "lines": 1, "media": 0}
    assert not Operation.objects.exists()
    one.unlock()
    one.page.wait_for_selector(".chip[data-state=revoked][data-waiting='0']")
    one.shot("closed-handed-in")
    row = Operation.objects.get()
    assert row.result == "conflict" and row.problem["doubts"][0]["code"] == "no_right"
    assert services.shown(Encounter.objects.get()).last["identity"]["method"] == "known"
    assert one.page.evaluate(COUNT) == {"kv": 0, "lines": 0, "media": 0} and "欧阳梅" not in one.page.content()


def test_a_new_version_loses_nothing_that_was_not_sent(
    hand: Callable[..., Hand], visiting: Any, monkeypatch: Any
) -> None:
    care = visiting.care
    services.set_rules(care.act("gao"), care.office.pk, services.RulesDraft(200, 30, "", True))
    one = hand()
    one.set_up()
    one.page.wait_for_load_state("networkidle")
    cookies = one.page.context.cookies()
    one.page.context.clear_cookies()
    identified(one)
    one.step("check_in")
    one.located()
    one.page.check("input[name=trace]")
    one.save()
    one.page.context.set_geolocation({"longitude": 123.4203, "latitude": 41.8403, "accuracy": 8})
    one.step("record")
    one.page.fill("textarea[name=findings]", "写到一半")
    one.page.wait_for_timeout(600)
    page = phone_page._page
    monkeypatch.setattr(phone_page, "_page", lambda: page() + "<!-- 2 -->")
    one.page.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.update())")
    button = one.page.locator(".banner button")
    button.wait_for()
    # Never by itself under somebody's hand.
    assert one.page.input_value("textarea[name=findings]") == "写到一半"
    one.shot("new-version")
    button.click()
    one.page.wait_for_selector("input[name=pin]")
    assert "<!-- 2 -->" in one.page.evaluate(f"fetch('{PHONE}').then((found) => found.text())")
    one.unlock()
    assert one.page.input_value("textarea[name=findings]") == "写到一半"
    one.page.wait_for_selector(".chip[data-state=signin][data-waiting='2']")
    assert not Operation.objects.exists()
    one.page.click("a.round:visible >> nth=0")
    one.page.click("a.btn[href$='/missed']")
    one.choose("cause", "unsafe")
    one.page.click("[data-save]")
    one.page.wait_for_selector(".steps")
    one.page.context.add_cookies(cookies)
    one.page.click(".chip")
    one.settled()
    kinds = list(Operation.objects.order_by("sequence").values_list("kind", "result"))
    assert kinds == [(kind, "applied") for kind in ("identity", "check_in", "trail", "missed")]


def test_the_nurse_is_told_what_became_of_lines_that_waited(
    hand: Callable[..., Hand], visiting: Any, monkeypatch: Any
) -> None:
    one = hand()
    one.set_up()
    one.page.wait_for_load_state("networkidle")
    one.page.context.set_offline(True)
    identified(one)
    one.step("vitals")
    one.page.fill("input[name=pulse]", "72")
    one.save()
    one.step("record")
    one.page.fill("textarea[name=findings]", "好")
    one.save()

    def broken(actor: Any, device: Any, sent_at: Any, lines: Any) -> Any:
        """The first line is lost on the way, and the second comes with a figure that cannot be."""
        monkeypatch.setattr(services, "sync", whole)
        _lost, vitals, *rest = lines
        changed = replace(vitals, content={"values": {"pulse": 720}})
        return whole(actor, device, sent_at, [changed, *rest])

    whole = services.sync
    monkeypatch.setattr(services, "sync", broken)
    one.page.context.set_offline(False)
    one.page.wait_for_selector(".chip[data-state=ready][data-waiting='1']")
    assert set(Operation.objects.values_list("result", flat=True)) == {"held"}
    one.page.click(".chip")
    one.settled()
    one.page.locator(".banner a", has_text="(2)").click()
    one.page.locator("[data-result=applied]", has_text="之前的内容到了").wait_for()
    refused = one.page.locator("[data-result=refused]")
    refused.locator("summary").click()
    assert "250" in refused.inner_text() and "脉搏" in refused.inner_text() and "{" not in refused.inner_text()
    one.shot("told")
    refused.locator("button").click()
    refused.wait_for(state="detached")
    services.settle(visiting.care.act("gao"), Operation.objects.get(kind="vitals").pk, "电话核实，应为 72")
    one.page.click(".chip")
    one.page.locator("[data-result=settled]", has_text="电话核实，应为 72").wait_for()
    one.shot("told-decided")
