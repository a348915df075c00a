import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.cases.models import Case
from shoufu.scenes.homecare.encounters import services
from shoufu.scenes.homecare.encounters.models import Encounter, Operation, Overdue, Rules, Sos
from shoufu.scenes.homecare.visits.models import Visit

pytestmark = pytest.mark.django_db
HOME, API = "/homecare/encounters/", "/api/homecare/encounters/"


def done(visiting: Any) -> tuple[Encounter, UUID]:
    """A whole visit with a picture, a corrected record and an addendum."""
    import sys

    content = sys.modules["care_phone"].jpeg()
    phone, visit = visiting.phone, visiting.visit
    lines = phone.whole(visit)
    phone.send(*lines[:-1])
    phone.last[visit.pk] = 8
    photo = phone.photo(visit, content, site="骶尾部")
    phone.send(
        phone.line(visit, "record", {"findings": "创面缩小", "medications": [{"name": "磺胺", "dose": "1 g"}]}, 1),
        phone.line(visit, "check_out", {"reason": "没有信号"}),
    )  # fmt: skip
    media = UUID(photo.content["media"])
    phone.last[visit.pk] = 8
    answers = phone.send(photo)
    assert answers[0].result == "applied"
    services.piece(visiting.care.act("song"), media, 0, content)
    assert phone.send(*[]) == []
    return Encounter.objects.get(), media


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_staff_read_what_was_done_after_a_reason_and_strangers_nothing(visiting: Any, language: str) -> None:
    care = visiting.care
    row, media = done(visiting)
    user = care.users["gao"]
    user.language = language
    user.save()
    gao, page = care.client("gao"), f"{HOME}{row.pk}/"
    shown = gao.get(page).content.decode()
    assert "创面缩小" not in shown and "宋晓燕" in shown and "<svg" in shown
    assert gao.post(page, {"act": "look", "reason": ""}).status_code == 422
    shown = gao.post(page, {"act": "look", "reason": "质控抽查"}).content.decode()
    for text in ("创面缩小", "创面红润", "骶尾部", "磺胺", "132/78 mmHg", "<polyline", "2.5 × ", str(media)):
        assert text in shown, text
    printed = gao.post(page, {"act": "print", "reason": "归档"}).content.decode()
    assert "创面缩小" in printed and "@page" in printed and 'class="rail"' not in printed
    assert gao.get(f"{page}photos/{media}").content.startswith(b"\xff\xd8\xff")
    assert gao.post(page, {"act": "add", "text": "补"}).status_code == 403
    assert care.client("song").post(page, {"act": "add", "text": "补：已电话回访"}).status_code == 302
    listed = gao.get(HOME)
    assert "欧阳梅" in listed.content.decode()
    csv = b"".join(gao.get(f"{HOME}?format=csv&state=finished&mark=far").streaming_content).decode()
    assert "欧阳梅" in csv and "创面" not in csv
    for stranger in ("other", "foreign"):
        browser = care.client(stranger)
        assert browser.get(page).status_code == 404
        assert browser.get(f"{page}photos/{media}").status_code == 404
        assert "欧阳梅" not in browser.get(HOME).content.decode()
    assert care.client("mei").get(page).status_code == 403
    looks = AuditEntry.objects.filter(action="homecare.encounter.look", subject=care.people["mei"].pk)
    assert list(looks.order_by("pk").values_list("reason", flat=True)) == ["质控抽查", "归档"]


def test_the_patient_reads_what_was_done_at_home(visiting: Any) -> None:
    care = visiting.care
    row, media = done(visiting)
    mei = care.client("mei")
    assert "换药" in mei.get(f"{HOME}mine/").content.decode()
    shown = mei.get(f"{HOME}mine/{row.pk}/").content.decode()
    assert "创面缩小" in shown and "132/78" in shown and "创面红润" not in shown and "4021" not in shown
    assert mei.get(f"{HOME}mine/{row.pk}/photos/{media}").status_code == 200
    assert not AuditEntry.objects.filter(action="homecare.encounter.look").exists()
    for other in ("lan", "song"):
        assert care.client(other).get(f"{HOME}mine/{row.pk}/").status_code in (403, 404)


def test_a_conflict_is_read_and_settled_on_its_page(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    phone.fetch()
    Visit.objects.filter(pk=visit.pk).update(state="cancelled")
    phone.send(phone.line(visit, "check_in"), phone.line(visit, "vitals", {"values": {"pulse": 900}}))
    gao = care.client("gao")
    listed = gao.get(f"{HOME}conflicts/?settled=no").content.decode()
    assert "签到" in listed and "生命体征" in listed
    row = Operation.objects.get(kind="vitals")
    page = f"{HOME}conflicts/{row.pk}/"
    assert "250" in gao.get(page).content.decode() and "900" not in gao.get(page).content.decode()
    assert "900" in gao.post(page, {"act": "look", "reason": "核对"}).content.decode()
    assert gao.post(page, {"act": "settle", "note": ""}).status_code == 422
    assert gao.post(page, {"act": "take", "note": "采用"}).status_code == 409
    assert gao.post(page, {"act": "settle", "note": "输错了，作废"}).status_code == 302
    assert care.client("other").get(page).status_code == 404
    assert "输错了" in care.client("song").get(page).content.decode()


def said_of(visiting: Any, language: str, row: Operation) -> str:
    """What the coordinator reads of a line after a recorded look."""
    gao = visiting.care.users["gao"]
    gao.language = language
    gao.save()
    shown = visiting.care.client("gao").post(f"{HOME}conflicts/{row.pk}/", {"act": "look", "reason": "核对"})
    return str(shown.content.decode().partition("<main")[2].partition("</main>")[0])


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("zh-hans", ("位置", "42.10000", "证件", "核对清单", "脉搏", "创面红润", "骶尾部", "笔画", "伤口", "点数",
                     "补：回访", "家里没人")),
        ("en", ("Position", "42.10000", "by a document", "Hands cleaned", "Pulse", "创面红润", "Wound", "Strokes",
                "Number of points", "补：回访", "Nobody was at home")),
    ],
)  # fmt: skip
def test_every_kind_of_line_is_shown_in_words(visiting: Any, language: str, expected: tuple[str, ...]) -> None:
    """Lines of a nurse who was suspended: none is carried out, each is read on its page."""
    import sys

    from shoufu.scenes.homecare.encounters.pages.lines import KINDS
    from shoufu.scenes.homecare.register import services as register

    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    phone.fetch()
    register.suspend(care.act("gao"), care.song.pk, "投诉调查")
    where = {"longitude": 123.5, "latitude": 42.1, "accuracy": 30.0, "reason": "在门口"}
    lines = phone.whole(visit)
    lines[1] = lines[1].__class__(**vars(lines[1]) | {"content": where})
    lines += [
        phone.photo(visit, sys.modules["care_phone"].jpeg(), site="骶尾部"),
        phone.line(visit, "trail", {"points": [[timezone.now().timestamp() * 1000, 123.4, 41.8, 9]]}),
        phone.line(visit, "addendum", {"text": "补：回访"}),
        phone.line(visit, "missed", {"cause": "nobody_home"}),
    ]
    phone.send(*lines)
    rows = Operation.objects.filter(result="conflict")
    assert set(rows.values_list("kind", flat=True)) == set(KINDS)
    shown = "".join(said_of(visiting, language, row) for row in rows)
    assert [one for one in expected if one not in shown] == []
    for raw in ("{", "}", "&quot;", "hands-before", "nobody_home", "strokes]", "None"):
        assert raw not in shown.replace("csrfmiddlewaretoken", ""), raw


def test_a_line_that_does_not_fit_its_kind_is_shown_by_its_fields(visiting: Any) -> None:
    phone, visit = visiting.phone, visiting.visit
    phone.send(
        phone.line(visit, "record", {"findings": 5, "wounds": [{"site": "左踝", "length": "三"}], "medications": None}),
        phone.line(visit, "vitals", {"values": {"systolic": 900, "diastolic": 80}}),
        phone.line(visit, "signature", {"by": "family", "width": 9, "height": 9, "strokes": [[[1, 2]] * 4]}),
    )
    shown = {row.kind: said_of(visiting, "zh-hans", row) for row in Operation.objects.all()}
    assert "左踝" in shown["record"] and "伤口 · 1 · 部位" in shown["record"] and "{" not in shown["record"]
    assert "收缩压" in shown["vitals"] and "900" in shown["vitals"] and "家属" in shown["signature"]


def test_a_visit_that_is_somebody_elses_is_given_back_before_it_counts(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    lan = visiting.colleague()
    phone.fetch()
    visit.stops.update(practitioner=lan)
    phone.send(*phone.whole(visit))
    row = Operation.objects.get(kind="check_in")
    page, gao = f"{HOME}conflicts/{row.pk}/", care.client("gao")
    shown = gao.get(page).content.decode()
    board = reverse("homecare:planning:visit", args=[visit.pk])
    assert "现在由别人去" in shown and board in shown and 'value="take"' not in shown
    assert gao.get(board).status_code == 200
    assert gao.post(page, {"act": "take", "note": "算她的"}).status_code == 409
    # Given back on the board, it counts.
    visit.stops.update(practitioner=care.song)
    assert 'value="take"' in gao.get(page).content.decode()
    assert gao.post(page, {"act": "take", "note": "改派给实际去的人"}).status_code == 302
    assert Visit.objects.get(pk=visit.pk).state == "done"
    assert 'value="settle"' not in care.client("song").get(page).content.decode()


def test_the_coordinator_answers_for_help_and_sets_the_rules(visiting: Any) -> None:
    care, visit = visiting.care, visiting.visit
    sos = services.call(care.act("song"), services.Press(uuid4(), timezone.now(), visit.pk))
    visiting.phone.send(visiting.phone.line(visit, "check_in"))
    services.watch(timezone.now() + timezone.timedelta(hours=3))
    gao, page = care.client("gao"), f"{HOME}alarms/"
    shown = gao.get(page).content.decode()
    assert "宋晓燕" in shown and "未签退" in shown and visit.number in shown
    assert gao.post(page, {"act": "note", "sos": str(sos.pk), "text": ""}).status_code == 422
    assert gao.post(page, {"act": "note", "sos": "x", "text": "x"}).status_code == 422
    assert gao.post(page, {"act": "done", "sos": str(sos.pk), "text": "已安全"}).status_code == 302
    late = Overdue.objects.get()
    assert care.client("song").post(page, {"act": "note", "overdue": late.pk, "text": "x"}).status_code == 403
    assert gao.post(page, {"act": "note", "overdue": late.pk, "text": "打通了"}).status_code == 302
    assert sorted(Case.objects.values_list("state", flat=True)) == ["acknowledged", "resolved"]
    guard = Client()
    guard.force_login(care.world.alice)
    assert "13811110002" in guard.get(f"{HOME}sos/{sos.pk}/").content.decode()
    assert AuditEntry.objects.get(action="homecare.sos.look").subject == care.people["song"].pk
    assert "宋晓燕" in guard.get(reverse("cases:detail", args=[sos.case_id])).content.decode()
    for stranger in ("other", "foreign", "mei"):
        assert care.client(stranger).get(f"{HOME}sos/{sos.pk}/").status_code == 404
    rules = f"{HOME}rules/{care.office.pk}/"
    assert gao.get(rules).status_code == 200
    assert gao.post(rules, {"radius": "x", "grace": "10"}).status_code == 422
    sent = {"radius": "150", "grace": "10", "alarm_number": "138 1111 0000", "trace": "on"}
    assert gao.post(rules, sent).status_code == 302
    assert (Rules.objects.get().radius, Rules.objects.get().trace) == (150, True)


def test_the_phones_interface_by_http(visiting: Any) -> None:
    care, phone, visit = visiting.care, visiting.phone, visiting.visit
    song = care.client("song")
    asked = f"{API}bundle?device={phone.device}"
    found = song.get(asked)
    assert found.json()["user"] == str(care.users["song"].pk) and "csrftoken" in found.cookies
    assert song.get(f"{asked}&known={found.json()['tag']}").status_code == 204
    assert care.client("gao").get(asked).json()["reason"] == "revoked"
    line = phone.line(visit, "check_in")
    body = {
        "device": str(phone.device), "user": str(care.users["song"].pk), "sent_at": timezone.now().isoformat(),
        "lines": [
            {"id": str(line.id), "visit": visit.pk, "sequence": 1, "kind": "check_in", "at": line.at.isoformat(),
             "content": {"reason": "地下室没有信号"}, "base": 0}
        ],
    }  # fmt: skip

    def post(browser: Client, sent: Any) -> Any:
        return browser.post(f"{API}sync", json.dumps(sent), content_type="application/json")

    assert post(song, body).json()["answers"][0]["result"] == "applied"
    assert post(song, body).json()["answers"][0]["result"] == "already"
    assert post(song, body | {"user": "1"}).status_code == 409
    assert post(song, body | {"sent_at": "yesterday"}).status_code == 422
    assert Client().post(f"{API}sync", "{}", content_type="application/json").status_code == 401
    row = Encounter.objects.get()
    assert song.get(f"{API}encounters?state=in-progress").json()["count"] == 1
    assert song.get(f"{API}encounters/{row.pk}").status_code == 422
    assert song.get(f"{API}encounters/{row.pk}?reason=x").json()["encounter"]["state"] == "in-progress"
    assert care.client("other").get(f"{API}encounters/{row.pk}?reason=x").status_code == 404
    press = {"id": str(uuid4()), "pressed_at": timezone.now().isoformat(), "visit": visit.pk}
    called = song.post(f"{API}sos", json.dumps(press), content_type="application/json").json()
    assert called["case"] == Sos.objects.get().case.number


def test_the_app_is_public_holds_nothing_and_keeps_itself(visiting: Any) -> None:
    page = Client().get(f"{HOME}phone/")
    assert page.status_code == 200 and "欧阳梅" not in page.content.decode()
    worker = Client().get(f"{HOME}phone/sw.js")
    assert worker["Service-Worker-Allowed"] == f"{HOME}phone/" and worker["Cache-Control"] == "no-cache"
    assert worker["Content-Type"].startswith("text/javascript") and f'"{HOME}phone/"' in worker.content.decode()
    assert Client().get(f"{HOME}phone/manifest.webmanifest").json()["scope"] == f"{HOME}phone/"


def test_lists_cost_a_fixed_number_of_queries(visiting: Any, django_assert_max_num_queries: Any) -> None:
    done(visiting)
    for _n in range(3):
        other = visiting.another()
        visiting.phone.send(*visiting.phone.whole(other))
    gao = visiting.care.client("gao")
    for address, most in ((HOME, 14), (f"{HOME}conflicts/", 14), (f"{HOME}alarms/", 16)):
        gao.get(address)
        with django_assert_max_num_queries(most):
            assert gao.get(address).status_code == 200
    song = visiting.care.act("song")
    services.bundle(song, visiting.phone.device)
    with django_assert_max_num_queries(60):
        services.bundle(song, visiting.phone.device)
