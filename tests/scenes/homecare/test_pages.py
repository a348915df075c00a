from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.scenes.homecare.assessment import services as assessment
from shoufu.scenes.homecare.assessment.models import Assessment, Response
from shoufu.scenes.homecare.register.models import Patient, Practitioner, Service

REGISTER, ASSESSMENT = "/homecare/register/", "/homecare/assessment/"
ANSWERS = {"history": 0, "diagnosis": 15, "aid": 0, "infusion": 0, "gait": 10, "insight": 0}


def addresses(care: Any) -> list[str]:
    row = assessment.begin(care.act("gao"), care.mei.pk, care.service.pk)
    return [
        f"{REGISTER}patients/",
        f"{REGISTER}patients/?format=csv",
        f"{REGISTER}patients/new/",
        f"{REGISTER}patients/{care.mei.pk}/",
        f"{REGISTER}practitioners/?state=usable&skill=wound",
        f"{REGISTER}practitioners/new/",
        f"{REGISTER}practitioners/{care.song.pk}/",
        f"{REGISTER}services/?name=换药",
        f"{REGISTER}services/new/",
        f"{REGISTER}services/{care.service.pk}/",
        f"{REGISTER}services/{care.service.pk}/publish/",
        f"{REGISTER}institutions/",
        f"{REGISTER}institutions/{care.office.pk}/",
        f"{ASSESSMENT}?state=open",
        f"{ASSESSMENT}?format=csv",
        f"{ASSESSMENT}{row.pk}/",
        f"{ASSESSMENT}responses/{row.responses.get().pk}/",
        f"{ASSESSMENT}patients/{care.mei.pk}/{care.service.pk}/who/",
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_coordinator_reads_every_page_and_a_foreign_one_none_of_it(care: Any, language: str) -> None:
    user = care.users["gao"]
    user.language = language
    user.save()
    gao, foreign, other = care.client("gao"), care.client("foreign"), care.client("other")
    for address in addresses(care):
        assert gao.get(address).status_code == 200, address
        for stranger in (foreign, other):
            answered = stranger.get(address)
            shown = b"".join(answered.streaming_content) if answered.streaming else answered.content
            assert answered.status_code in (200, 404), address
            assert "欧阳梅" not in shown.decode() and "宋晓燕" not in shown.decode(), address


def test_health_is_shown_after_a_reason_and_kept_when_saved(care: Any) -> None:
    song, address = care.client("song"), f"{REGISTER}patients/{care.mei.pk}/"
    assert "糖尿病" not in song.get(address).content.decode()
    assert song.post(address, {"act": "look", "reason": ""}).status_code == 422
    page = song.post(address, {"act": "look", "reason": "明天上门"}).content.decode()
    assert "糖尿病" in page and "门铃坏了" in page
    saved = {"act": "change", "conditions": "糖尿病足", "access": "先打电话", "flags": ["fever"], "sex": "female"}
    assert song.post(address, saved).status_code == 302
    assert "糖尿病足" in song.post(address, {"act": "look", "reason": "再看"}).content.decode()
    wrong = song.post(address, saved | {"flags": ["gout"]})
    assert wrong.status_code == 422 and "糖尿病足" in wrong.content.decode()
    assert song.post(address, {"act": "end", "reason": "x"}).status_code == 403
    assert care.client("gao").post(address, {"act": "end", "reason": "康复"}).status_code == 302
    assert Patient.objects.get().ended_at is not None


def test_everything_is_registered_on_pages(care: Any) -> None:
    gao, day = care.client("gao"), (timezone.localdate() + timedelta(days=300)).isoformat()
    patient = {"institution": care.office.pk, "name": "欧阳兰", "phone": "13811110004", "flags": ["latex"]}
    assert gao.post(f"{REGISTER}patients/new/", patient).status_code == 302
    assert gao.post(f"{REGISTER}patients/new/", patient | {"phone": "1"}).status_code == 422
    nurse = {
        "institution": care.office.pk, "name": "欧阳兰", "phone": "13811110004", "profession": "nurse", "rank": "2",
        "licence_number": "7", "licence_last_day": day, "clinical_since": "2012-07-01", "skills": ["wound"],
        "longitude": "123.42", "latitude": "41.84", "radius": "4000", "transport": "walk",
    }  # fmt: skip
    assert gao.post(f"{REGISTER}practitioners/new/", nurse | {"rank": "", "radius": "x"}).status_code == 422
    made = gao.post(f"{REGISTER}practitioners/new/", nurse)["Location"]
    for sent in (
        {"act": "shift", "days": ["MO", "TH"], "opens": "08:00", "closes": "12:00"},
        {"act": "absence", "starts_at": "2030-01-01T08:00", "ends_at": "2030-01-02T08:00"},
        {"act": "verify", "source": "国家注册系统"},
        {"act": "suspend", "reason": "培训"},
        {"act": "resume", "reason": "培训结束"},
    ):
        assert gao.post(made, sent).status_code == 302, sent
    assert gao.post(made, {"act": "shift"}).status_code == 422
    assert "08:00" in gao.get(made).content.decode()
    assert Practitioner.objects.get(licence_number="7").verified_by == care.users["gao"]
    service = {
        "institution": care.office.pk, "code": "stoma", "name": "造口", "name_en": "Stoma", "professions": ["nurse"],
        "skills": ["stoma"], "least_rank": "2", "least_years": "5", "second": "none", "duration_minutes": "50",
        "price": "178.50", "consent": "同意", "consent_en": "I agree", "materials": "手套 | Gloves | 2 | 副",
        "needs_assessment": "on", "instruments": ["barthel"],
    }  # fmt: skip
    assert gao.post(f"{REGISTER}services/new/", service | {"price": "x"}).status_code == 422
    address = gao.post(f"{REGISTER}services/new/", service)["Location"]
    row = Service.objects.get(code="stoma")
    version = row.versions.get()
    assert (version.price, version.materials[0]["quantity"]) == (17850, 2)
    assert "手套" in gao.get(address).content.decode()
    later = service | {"since": (timezone.localdate() + timedelta(days=3)).isoformat(), "price": "200"}
    assert gao.post(f"{address}publish/", later).status_code == 302
    assert row.versions.count() == 2
    assert gao.post(address, {"reason": "停用"}).status_code == 302
    office = f"{REGISTER}institutions/{care.office.pk}/"
    assert gao.post(office, {"act": "renew", "last_day": day}).status_code == 302
    assert gao.post(office, {"act": "suspend", "reason": ""}).status_code == 422
    assert care.client("song").post(office, {"act": "suspend", "reason": "x"}).status_code == 403


def test_a_patient_fills_a_questionnaire_the_score_follows_and_a_nurse_decides(care: Any) -> None:
    mei, song = care.client("mei"), care.client("song")
    assert "换药" in mei.get(f"{ASSESSMENT}mine/").content.decode()
    assert mei.post(f"{ASSESSMENT}mine/{care.mei.pk}/{care.service.pk}/begin").status_code == 302
    response = Response.objects.get()
    address = f"{ASSESSMENT}mine/responses/{response.pk}/"
    assert mei.get(address).status_code == 200
    assert "25" in mei.post(f"{address}score", {"history": "25"}).content.decode()
    assert Response.objects.get().answers is None
    assert mei.post(f"{address}score", {"history": "x"}).status_code == 422
    assert mei.post(f"{address}score", {"history": "24"}).status_code == 422
    assert mei.post(address, ANSWERS).status_code == 302
    assert care.client("lan").get(address).status_code == 404
    assert care.client("lan").post(f"{address}score", ANSWERS).status_code == 404
    row = Assessment.objects.get()
    page = song.get(f"{ASSESSMENT}{row.pk}/").content.decode()
    assert "中度风险" in page
    refused = song.post(f"{ASSESSMENT}{row.pk}/", {"act": "decide", "decision": "unfit", "reason": "伤口太深"})
    assert refused.status_code == 422 and "伤口太深" in refused.content.decode()
    assert song.post(f"{ASSESSMENT}{row.pk}/", {"act": "decide", "decision": "fit"}).status_code == 302
    assert "可居家服务" in mei.get(f"{ASSESSMENT}mine/").content.decode()
    assert mei.get(f"{ASSESSMENT}{row.pk}/").status_code == 403


def test_lists_cost_a_fixed_number_of_queries(care: Any, django_assert_max_num_queries: Any) -> None:
    gao = care.client("gao")
    for address, most in (
        (f"{REGISTER}patients/", 14),
        (f"{REGISTER}practitioners/", 12),
        (f"{REGISTER}services/", 13),
    ):
        gao.get(address)
        with django_assert_max_num_queries(most):
            assert gao.get(address).status_code == 200
