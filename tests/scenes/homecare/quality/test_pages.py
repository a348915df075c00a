import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from shoufu.scenes.homecare.quality import services
from shoufu.scenes.homecare.quality.models import Bar, Complaint, Incident, Policy, Rating, Refusal, Sanction
from shoufu.scenes.homecare.quality.services import BarDraft, ComplaintDraft, IncidentDraft, RatingDraft, RefusalDraft

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
BASE = "/homecare/quality/"


def story(staff: Any, visit_of: Make) -> dict[str, Any]:
    """One of everything."""
    visit = visit_of(ago=timedelta(hours=5))
    rating = services.rate(staff.act("mei"), visit.pk, RatingDraft(2, ("rough",), "很疼的一次"))
    complaint = services.complain(staff.act("mei"), staff.mei.pk, ComplaintDraft("care", "换药太疼", "换人", visit.pk))
    services.ask_regulator(staff.act("mei"), complaint.pk)
    draft = IncidentDraft("bleeding", 2, timezone.now(), "渗血不止", "压迫止血", visit.pk)
    incident = services.report(staff.act("song"), draft)
    refusal = services.refuse_patient(staff.act("song"), staff.mei.pk, RefusalDraft("unsafe", "有大狗"))
    bar = services.propose(staff.act("gao"), staff.mei.pk, BarDraft("unsafe", "大狗不拴", 30, refusals=[refusal.pk]))
    last = timezone.localdate() + timedelta(days=9)
    sanction = services.sanction(staff.act("gao"), staff.song.pk, "迟到多次", last)
    return {"visit": visit, "rating": rating, "complaint": complaint, "incident": incident, "refusal": refusal,
            "bar": bar, "sanction": sanction}  # fmt: skip


def addresses(made: dict[str, Any]) -> dict[str, str]:
    """Who reads which page: g the institution's staff, j the regulator, s the practitioner, d the manager alone."""
    return {
        "": "gjsd", "?published=yes": "gjsd", "?format=csv": "gjsd", "?format=json": "gjsd", "rules/": "gjsd",
        "rules/?format=csv": "gjsd", "ratings/": "gd", "ratings/?stars=2": "gd", f"ratings/{made['rating'].pk}/": "gd",
        "complaints/": "gjd", "complaints/?state=received": "gjd", "complaints/?format=csv": "gjd",
        f"complaints/{made['complaint'].pk}/": "gjd", "incidents/": "gjsd", "incidents/new/": "gsd",
        f"incidents/{made['incident'].pk}/": "gjsd", "refusals/": "gsd", "refusals/new/": "s",
        f"refusals/{made['refusal'].pk}/": "gsd", "entries/": "gjd", "entries/new/": "gd",
        f"entries/{made['bar'].pk}/": "gjd", "sanctions/": "gjd", f"sanctions/{made['sanction'].pk}/": "gjsd",
        "trace/": "gjd", f"trace/{made['visit'].pk}/": "gjd", "office/": "d", "office/?format=money": "d",
        "office/?format=time": "d",
    }  # fmt: skip


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_everybody_reads_their_pages_and_neighbours_nothing(staff: Any, visit_of: Make, language: str) -> None:
    made = story(staff, visit_of)
    who = {"g": "gao", "j": "ji", "s": "song", "d": "dou"}
    for name in (*who.values(), "other", "du"):
        user = staff.users[name]
        user.language = language
        user.save()
    clients = {letter: staff.client(name) for letter, name in who.items()}
    strangers = [staff.client(name) for name in ("other", "du", "foreign")]
    for address, readers in addresses(made).items():
        for letter, client in clients.items():
            status = client.get(BASE + address).status_code
            assert status == 200 if letter in readers else status in (403, 404), (address, who[letter], status)
        for stranger in strangers:
            answered = stranger.get(BASE + address)
            shown = b"".join(answered.streaming_content) if answered.streaming else answered.content
            assert answered.status_code in (200, 403, 404), address
            for secret in ("欧阳梅", "宋晓燕", "很疼", "渗血", "大狗", "迟到多"):
                assert secret not in shown.decode(), (address, secret)


def test_the_regulator_sees_no_name_before_a_reason(staff: Any, visit_of: Make) -> None:
    made, ji = story(staff, visit_of), staff.client("ji")
    services.decide(staff.act("dou"), made["bar"].pk, True)
    quiet = ("", "rules/", "complaints/", "complaints/?format=csv", "incidents/", f"incidents/{made['incident'].pk}/",
             "entries/", f"entries/{made['bar'].pk}/", "sanctions/", f"sanctions/{made['sanction'].pk}/", "trace/",
             "trace/?format=csv", f"trace/{made['visit'].pk}/")  # fmt: skip
    for address in quiet:
        answered = ji.get(BASE + address)
        shown = (b"".join(answered.streaming_content) if answered.streaming else answered.content).decode()
        for secret in ("欧阳梅", "宋晓燕", "渗血", "大狗", "迟到多"):
            assert secret not in shown, (address, secret)
    looked = {
        f"incidents/{made['incident'].pk}/": "渗血不止",
        f"entries/{made['bar'].pk}/": "大狗不拴",
        f"sanctions/{made['sanction'].pk}/": "迟到多次",
        f"trace/{made['visit'].pk}/": "很疼的一次",
    }
    for address, secret in looked.items():
        assert ji.post(BASE + address, {"act": "look", "reason": ""}).status_code == 422
        answered = ji.post(BASE + address, {"act": "look", "reason": "专项检查"})
        assert answered.status_code == 200 and secret in answered.content.decode(), address
    trace = f"{BASE}trace/{made['visit'].pk}/export"
    found = json.loads(ji.post(trace, {"reason": "专项检查", "as": "json"}).content)
    assert len(found["sha256"]) == 64 and found["trace"]["reason"] == "专项检查"
    assert ji.post(trace, {"reason": "专项检查", "as": "pdf"}).content.startswith(b"%PDF")
    looks = staff.client("mei").get(reverse("privacy:looks")).content.decode()
    assert "专项检查" in looks and "查看了一次上门的全过程" in looks


def test_a_patient_rates_complains_refuses_and_appeals_on_the_phone(staff: Any, visit_of: Make) -> None:
    mei, visit = staff.client("mei"), visit_of(ago=timedelta(hours=5))
    assert "换药" in mei.get(f"{BASE}mine/").content.decode()
    rate = f"{BASE}mine/visits/{visit.pk}/rate/"
    assert mei.get(rate).status_code == 200
    refused = mei.post(rate, {"stars": "9", "words": "我写的话"})
    assert refused.status_code == 422 and "我写的话" in refused.content.decode()
    assert mei.post(rate, {"stars": "5", "tags": ["gentle", "kind"], "words": "谢谢"}).status_code == 302
    assert Rating.objects.get().tags == ["gentle", "kind"]
    complain = f"{BASE}mine/{staff.mei.pk}/complain/"
    assert mei.get(f"{complain}?visit={visit.pk}").status_code == 200
    kept = mei.post(complain, {"kind": "", "what": "没说清楚"})
    assert kept.status_code == 422 and "没说清楚" in kept.content.decode()
    address = mei.post(complain, {"kind": "time", "what": "来晚了", "visit": str(visit.pk)})["Location"]
    services.answer(staff.act("gao"), Complaint.objects.get().pk, "堵车，抱歉")
    assert "堵车，抱歉" in mei.get(address).content.decode()
    assert mei.post(address, {"act": "regulator", "words": "不满意"}).status_code == 302
    assert mei.post(address, {"act": "regulator"}).status_code == 409
    assert mei.post(address, {"act": "accept"}).status_code == 302 and Complaint.objects.get().state == "closed"
    assert mei.post(address, {"act": "dance"}).status_code == 422
    refuse = f"{BASE}mine/{staff.mei.pk}/refuse/"
    assert "宋晓燕" in mei.get(refuse).content.decode()
    assert mei.post(refuse, {"practitioner": "0", "code": "other"}).status_code == 422
    assert mei.post(refuse, {"practitioner": str(staff.song.pk), "code": "conflict"}).status_code == 302
    assert mei.post(f"{BASE}mine/refusals/{Refusal.objects.get().pk}/back").status_code == 302
    ground = services.refuse_patient(staff.act("song"), staff.mei.pk, RefusalDraft("unsafe"))
    bar = services.propose(staff.act("gao"), staff.mei.pk, BarDraft("unsafe", "大狗", 30, refusals=[ground.pk]))
    entry = f"{BASE}mine/entries/{bar.pk}/"
    assert mei.get(entry).status_code == 404
    services.decide(staff.act("dou"), bar.pk, True)
    assert "大狗" in mei.get(entry).content.decode() and mei.get(f"{BASE}mine/").status_code == 200
    assert mei.post(entry, {"words": "狗已送走"}).status_code == 302
    for theirs in (rate, complain, address, refuse, entry):
        assert staff.client("lan").get(theirs).status_code == 404, theirs


def test_staff_work_on_the_desk(staff: Any, visit_of: Make) -> None:
    gao, dou, song, ji = (staff.client(name) for name in ("gao", "dou", "song", "ji"))
    made = story(staff, visit_of)
    complaint = f"{BASE}complaints/{made['complaint'].pk}/"
    assert gao.post(complaint, {"act": "answer", "words": ""}).status_code == 422
    assert gao.post(complaint, {"act": "acknowledge"}).status_code == 302
    assert gao.post(complaint, {"act": "answer", "words": "已换人"}).status_code == 302
    assert ji.post(complaint, {"act": "rule", "words": "处理得当"}).status_code == 302
    report = {"kind": "fall", "grade": "4", "happened_at": timezone.localtime().strftime("%Y-%m-%dT%H:%M"),
              "what": "险些跌倒", "visit": str(made["visit"].pk)}  # fmt: skip
    assert song.post(f"{BASE}incidents/new/", report | {"happened_at": "soon"}).status_code == 422
    address = song.post(f"{BASE}incidents/new/", report)["Location"]
    assert song.post(address, {"act": "close", "cause": "x", "measures": "y"}).status_code == 403
    assert gao.post(address, {"act": "follow", "words": "已装扶手"}).status_code == 302
    assert gao.post(address, {"act": "regrade", "grade": "3", "words": "其实跌了"}).status_code == 302
    assert gao.post(address, {"act": "close", "cause": "地滑", "measures": ""}).status_code == 422
    assert gao.post(address, {"act": "close", "cause": "地滑", "measures": "防滑垫"}).status_code == 302
    assert Incident.objects.get(grade=3).state == "closed"
    bar = f"{BASE}entries/{made['bar'].pk}/"
    assert gao.post(bar, {"act": "enter"}).status_code == 403 and dou.post(bar, {"act": "enter"}).status_code == 302
    appeal = services.appeal_bar(staff.act("mei"), made["bar"].pk, "狗已送走")
    assert "狗已送走" in dou.get(bar).content.decode()
    judged = {"appeal": str(appeal.pk), "words": "核实"}
    assert dou.post(bar, judged | {"act": "grant"}).status_code == 409
    assert ji.post(bar, {"act": "pause"}).status_code == 302
    assert ji.post(bar, judged | {"act": "grant"}).status_code == 302 and Bar.objects.get().state == "lifted"
    again = {"patient": str(staff.mei.pk), "code": "unsafe", "reason": "又来", "days": "10",
             "refusals": [str(made["refusal"].pk)]}  # fmt: skip
    assert gao.post(f"{BASE}entries/new/", again | {"days": "1"}).status_code == 422
    assert gao.post(f"{BASE}entries/new/", again).status_code == 302
    sanction = f"{BASE}sanctions/{made['sanction'].pk}/"
    assert song.post(sanction, {"act": "appeal", "words": "堵车"}).status_code == 302
    answer = {"appeal": str(Sanction.objects.get().appeals.get().pk), "words": "属实"}
    assert song.post(sanction, answer | {"act": "grant"}).status_code in (403, 404)
    assert dou.post(sanction, answer | {"act": "grant"}).status_code == 302
    day = (timezone.localdate() + timedelta(days=3)).isoformat()
    new = {"practitioner": str(staff.song.pk), "reason": "再犯", "last_day": day}
    assert gao.post(f"{BASE}sanctions/", new | {"last_day": "x"}).status_code == 422
    assert gao.post(f"{BASE}sanctions/", new).status_code == 302
    refuse = {"patient": str(staff.mei.pk), "code": "other", "visit": str(made["visit"].pk)}
    assert song.post(f"{BASE}refusals/new/", refuse).status_code == 302
    assert song.post(f"{BASE}refusals/{made['refusal'].pk}/back").status_code == 302
    limits = {"act": "policy", "acknowledge_hours": "12", "answer_days": "3", "appeal_days": "5", "least_ratings": "4"}
    assert dou.post(f"{BASE}office/", limits | {"answer_days": "0"}).status_code == 422
    assert dou.post(f"{BASE}office/", limits).status_code == 302 and Policy.objects.get().answer_days == 3
    share = {"act": "share", "percent": "60", "since": day}
    assert dou.post(f"{BASE}office/", share | {"percent": "120"}).status_code == 422
    assert dou.post(f"{BASE}office/", share).status_code == 302
    assert "60%" in dou.get(f"{BASE}office/").content.decode()


def test_figures_go_out_as_csv_and_json_with_what_they_rest_on(staff: Any, visit_of: Make) -> None:
    for days in (1, 2, 3):
        visit_of(ago=timedelta(days=days), late=20 * days)
    gao = staff.client("gao")
    text = b"".join(gao.get(f"{BASE}?format=csv").streaming_content).decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert lines[0]["table"] == "total" and lines[0]["punctuality_of"] == "1/3"
    found = gao.get("/api/homecare/quality/figures").json()
    assert found[0]["visits"] == 3 and {line["table"] for line in found} >= {
        "total",
        "month",
        "service",
        "practitioner",
    }
    small = gao.get(f"{BASE}?format=json&published=yes").json()["lines"]
    assert small[0]["visits"] == "" and small[0]["punctuality_of"] == ""


def test_programs_do_the_same(staff: Any, visit_of: Make) -> None:
    api, visit = "/api/homecare/quality/", visit_of(ago=timedelta(hours=5))
    kind = "application/json"
    mei, gao, ji, song, dou = (staff.client(name) for name in ("mei", "gao", "ji", "song", "dou"))
    assert mei.put(f"{api}visits/{visit.pk}/rating", {"stars": 0}, kind).status_code == 422
    assert mei.put(f"{api}visits/{visit.pk}/rating", {"stars": 4}, kind).status_code == 200
    assert gao.get(f"{api}ratings").json()["items"][0]["stars"] == 4
    made = mei.post(f"{api}complaints", {"patient": staff.mei.pk, "kind": "care", "what": "疼"}, kind).json()
    assert gao.post(f"{api}complaints/{made['id']}/answer", {"words": "抱歉"}, kind).status_code == 200
    assert mei.get(f"{api}complaints/{made['id']}?mine=true").json()["steps"][-1]["words"] == "抱歉"
    event = {"kind": "fall", "grade": 4, "happened_at": timezone.now().isoformat(), "what": "险", "visit": visit.pk}
    incident = song.post(f"{api}incidents", event, kind).json()
    assert gao.post(f"{api}incidents/{incident['id']}/close", {"cause": "a", "measures": "b"}, kind).status_code == 200
    refused = song.post(f"{api}refusals", {"patient": staff.mei.pk, "code": "unsafe"}, kind).json()
    entry = {"patient": staff.mei.pk, "code": "unsafe", "reason": "狗", "days": 30, "refusals": [refused["id"]]}
    bar = gao.post(f"{api}entries", entry, kind).json()
    assert gao.post(f"{api}entries/{bar['id']}/decide", {"enter": True}, kind).status_code == 403
    assert dou.post(f"{api}entries/{bar['id']}/decide", {"enter": True}, kind).json()["state"] == "in_force"
    assert mei.post(f"{api}entries/{bar['id']}/appeal", {"words": "错了"}, kind).status_code == 200
    assert ji.post(f"{api}trace/{visit.pk}", {"reason": ""}, kind).status_code == 422
    assert len(ji.post(f"{api}trace/{visit.pk}", {"reason": "核查投诉"}, kind).json()["sha256"]) == 64
    assert gao.get(f"{api}rules").status_code == 200 and mei.get(f"{api}rules").status_code == 403
    assert song.delete(f"{api}refusals/{refused['id']}").status_code == 204


def test_lists_cost_a_fixed_number_of_queries(staff: Any, visit_of: Make, django_assert_max_num_queries: Any) -> None:
    story(staff, visit_of)
    gao = staff.client("gao")
    for address, most in (("ratings/", 15), ("complaints/", 14), ("incidents/", 14), ("refusals/", 14),
                          ("entries/", 15), ("trace/", 14), ("", 32), ("rules/", 34)):  # fmt: skip
        gao.get(BASE + address)
        with django_assert_max_num_queries(most):
            assert gao.get(BASE + address).status_code == 200
