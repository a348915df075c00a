import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from shoufu.scenes.homecare.careplans.models import CarePlan, Finding, FollowUp, Handover, Reading
from shoufu.scenes.homecare.careplans.services import handovers, plans, readings
from shoufu.scenes.homecare.register import services as register

HOME, API = "/homecare/careplans/", "/api/homecare/careplans/"


def planned(care: Any, guideline: str = "hypertension-clinical-2022", condition: str = "hypertension") -> CarePlan:
    return plans.make(care.act("song"), care.mei.pk, plans.PlanDraft(condition, guideline))


def measured(care: Any, systolic: float, days: float = 0) -> Reading:
    values = {"systolic": systolic, "diastolic": 76, "pulse": 70}
    at = timezone.now() - timedelta(days=days)
    return readings.add(
        care.act("mei"), care.mei.pk, readings.ReadingDraft(uuid4(), "blood_pressure", values, at), mine=True
    ).row


def doctor(care: Any) -> Any:
    from datetime import date

    today = timezone.localdate()
    made = register.add_practitioner(
        care.act("gao"),
        care.office.pk,
        register.PractitionerDraft(
            "欧阳兰", "13811110004", "physician", 3, "D-7", today + timedelta(days=60), date(2010, 1, 1)
        ),
    )  # fmt: skip
    register.verify(care.act("gao"), made.pk, "医师执业注册信息查询")
    return made


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_staff_read_every_page_and_neighbours_none_of_it(care: Any, language: str) -> None:
    row = planned(care)
    for day in (4, 3, 1):
        measured(care, 150, day)
    doctor(care)
    letter = handovers.send(care.act("song"), row.pk, handovers.HandoverDraft("血压高"))
    user = care.users["song"]
    user.language = language
    user.save()
    song, patient = care.client("song"), care.mei.pk
    for path in (
        "", "?what=due", "?what=found", "?what=missed&control=out", "?format=csv", f"{row.pk}/", f"{row.pk}/?days=90",
        f"{row.pk}/edit/", f"{row.pk}/follow-up/", f"{row.pk}/handover/", f"patients/{patient}/new/",
        f"patients/{patient}/new/?guideline=diabetes-primary-2022", f"patients/{patient}/enter/glucose/",
        f"patients/{patient}/trend/blood_pressure/", f"patients/{patient}/trend/blood_pressure/?format=csv",
        "handovers/", f"handovers/{letter.pk}/", f"handovers/{letter.pk}/letter.pdf",
    ):  # fmt: skip
        answered = song.get(HOME + path)
        assert answered.status_code == 200, path
        for name in ("foreign", "other"):
            shown = care.client(name).get(HOME + path)
            text = b"".join(shown.streaming_content) if shown.streaming else shown.content
            assert shown.status_code in (200, 403, 404) and "欧阳梅" not in text.decode(errors="replace"), (name, path)
        assert care.client("mei").get(HOME + path).status_code == 403
    assert song.get(f"{HOME}handovers/{letter.pk}/letter.pdf").content.startswith(b"%PDF")
    page = song.get(f"{HOME}{row.pk}/").content.decode()
    assert "<svg" in page and "150/76" in page and ("三个不同日期" in page or "three different days" in page)


def test_a_nurse_makes_changes_and_ends_a_plan_on_pages(care: Any) -> None:
    song, address = care.client("song"), f"{HOME}patients/{care.mei.pk}/new/"
    page = song.get(f"{address}?guideline=hypertension-primary-2019").content.decode()
    sent = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)) | {"note": "少盐"}
    sent |= {f"task-{n}-unit": "d" for n in range(4)} | {"task-0-kind": "blood_pressure"}
    assert sent["high-systolic"] == "150" and sent["task-0-text"] == "测量血压"
    wrong = song.post(address, sent | {"high-systolic": "9000", "task-0-frequency": "x"})
    assert wrong.status_code == 422 and "少盐" in wrong.content.decode() and "9000" in wrong.content.decode()
    made = song.post(address, sent)
    assert made.status_code == 302, made.content.decode()
    row = CarePlan.objects.get()
    assert song.post(address, sent).status_code == 409
    edit = f"{HOME}{row.pk}/edit/"
    changed = sent | {"version": "1", "high-systolic": "140"}
    assert song.post(edit, changed).status_code == 302
    stale = song.post(edit, changed | {"high-systolic": "135"})
    assert stale.status_code == 409 and "135" in stale.content.decode()
    assert song.post(f"{HOME}{row.pk}/", {"act": "end", "reason": ""}).status_code == 422
    assert song.post(f"{HOME}{row.pk}/", {"act": "end", "reason": "转诊"}).status_code == 302
    assert care.client("gao").post(address, sent).status_code == 403


def test_the_patient_enters_reads_and_marks_as_wrong(care: Any) -> None:
    planned(care)
    mei, patient = care.client("mei"), care.mei.pk
    page = mei.get(f"{HOME}mine/").content.decode()
    assert "测量血压" in page
    address = f"{HOME}mine/{patient}/enter/blood_pressure/"
    typed = {"id": str(uuid4()), "systolic": "1860", "diastolic": "92"}
    refused = mei.post(address, typed)
    assert refused.status_code == 422 and "300" in refused.content.decode() and "1860" in refused.content.decode()
    typed |= {"systolic": "186"}
    for _time in range(2):
        assert mei.post(address, typed).status_code == 302
    assert Reading.objects.count() == 1 and Finding.objects.get().rule == "bp_danger"
    page = mei.get(f"{HOME}mine/").content.decode()
    assert "186/92" in page and "血压达到危急值" in page
    trend = f"{HOME}mine/{patient}/trend/blood_pressure/"
    assert "<svg" in mei.get(trend).content.decode()
    lines = b"".join(mei.get(f"{trend}?format=csv").streaming_content).decode()
    assert "186" in lines and "收缩压" in lines
    kept = Reading.objects.get()
    assert mei.post(f"{HOME}mine/readings/{kept.pk}/wrong", {"reason": "量错"}).status_code == 302
    assert Reading.objects.get().void_at is not None
    lan = care.client("lan")
    assert lan.get(trend).status_code == 404 and lan.post(address, typed).status_code == 404
    assert lan.post(f"{HOME}mine/readings/{kept.pk}/wrong").status_code == 302
    assert mei.get(f"{HOME}mine/{patient}/enter/mood/").status_code == 404


def test_from_a_finding_to_the_doctors_answer_on_pages(care: Any) -> None:
    row, tang = planned(care), doctor(care)
    for day in (4, 3, 1):
        measured(care, 150, day)
    song, address = care.client("song"), f"{HOME}{row.pk}/"
    number = Finding.objects.get().pk
    assert song.post(address, {"act": "take", "which": number}).status_code == 302
    assert song.post(address, {"act": "close", "which": number, "answer": ""}).status_code == 422
    assert song.post(address, {"act": "close", "which": number, "answer": "已电话指导"}).status_code == 302
    follow = {"way": "phone", "adherence": "sometimes", "found": "漏服", "measures": "设闹钟"}
    assert song.post(f"{address}follow-up/", follow | {"found": ""}).status_code == 422
    assert song.post(f"{address}follow-up/", follow)["Location"] == address
    assert song.post(f"{address}follow-up/", follow)["Location"] == f"{address}handover/"
    assert FollowUp.objects.count() == 2
    assert song.post(f"{address}handover/", {"reason": ""}).status_code == 422
    letter = song.post(f"{address}handover/", {"reason": "两次未达标", "to": tang.pk, "urgent": "on"})["Location"]
    from shoufu.kernel.access.models import RoleAssignment

    since = timezone.now() - timedelta(days=1)
    RoleAssignment.objects.create(user=care.users["lan"], role="care_physician", place=care.office.place, since=since)
    lan = care.client("lan")
    assert "两次未达标" in lan.get(letter).content.decode()
    assert lan.post(letter, {"act": "accept", "version": 1}).status_code == 302
    assert lan.post(letter, {"act": "answer", "answer": "", "version": 2}).status_code == 422
    assert lan.post(letter, {"act": "answer", "answer": "加一种药", "version": 2}).status_code == 302
    assert Handover.objects.get().state == "answered"
    assert "加一种药" in care.client("mei").get(f"{HOME}mine/").content.decode()


def test_programs_do_the_same(care: Any) -> None:
    song, mei = care.client("song"), care.client("mei")
    assert {one["code"] for one in song.get(f"{API}guidelines").json()} >= {"hypertension-clinical-2022"}
    body = {"patient": care.mei.pk, "condition": "hypertension", "guideline": "hypertension-clinical-2022"}
    made = song.post(f"{API}plans", json.dumps(body), "application/json")
    assert made.status_code == 201, made.content
    reading = {"id": str(uuid4()), "kind": "blood_pressure", "values": {"systolic": 190, "diastolic": 90}}
    address = f"{API}patients/{care.mei.pk}/readings"
    added = mei.post(f"{address}?mine=true", json.dumps(reading), "application/json").json()
    assert added["fresh"] and [one["rule"] for one in added["findings"]] == ["bp_danger"]
    bad = mei.post(
        f"{address}?mine=true", json.dumps(reading | {"values": {"systolic": 19}}), "application/json"
    ).json()
    assert {one["field"] for one in bad["errors"]} == {"systolic", "diastolic"}
    assert mei.post(address, json.dumps(reading), "application/json").status_code == 404
    shown = song.get(f"{API}plans/{made.json()['id']}").json()
    assert shown["findings"][0]["value"] == 190 and "180" in shown["findings"][0]["clause"]
    assert song.get(address).json()[0]["values"]["systolic"] == 190
    for name in ("foreign", "other", "manager"):
        stranger = care.client(name)
        assert stranger.get(f"{API}plans/{made.json()['id']}").status_code == 404
        assert stranger.get(address).status_code == 404
        listed = stranger.get(f"{API}plans")
        assert listed.status_code == 403 or listed.json()["items"] == []


def test_the_list_costs_a_fixed_number_of_queries(care: Any, django_assert_max_num_queries: Any) -> None:
    planned(care)
    planned(care, "diabetes-primary-2022", "diabetes")
    song = care.client("song")
    song.get(HOME)
    with django_assert_max_num_queries(16):
        assert song.get(HOME).status_code == 200
