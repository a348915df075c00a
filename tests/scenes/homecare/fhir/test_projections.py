"""The scene's own tables as FHIR: valid, found, limited to the caller, each look recorded."""

import io
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from PIL import Image
from psycopg.types.range import TimestamptzRange as DateTimeTZRange

from shoufu.engines import fhir
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.privacy import services as privacy
from shoufu.scenes.homecare.assessment import services as assessment
from shoufu.scenes.homecare.careplans.services import plans, readings
from shoufu.scenes.homecare.fhir import kinds, sources
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.visits.models import Stop, Visit

ANSWERS = {"history": 25, "diagnosis": 15, "aid": 0, "infusion": 0, "gait": 10, "insight": 0}


@pytest.fixture
def lived(care: Any) -> Any:
    """Care with a shift, an answered and decided assessment, and a daughter who may act."""
    shift = register.ShiftDraft("FREQ=DAILY", time(8), time(17), timezone.localdate() - timedelta(days=1))
    register.add_shift(care.act("gao"), care.song.pk, shift)
    register.assign(care.act("gao"), care.mei.pk, [care.song.pk])
    register.change_patient(
        care.act("gao"), care.mei.pk, register.PatientChange(conditions="糖尿病；足部伤口", flags=["fever"])
    )
    row = assessment.begin(care.act("gao"), care.mei.pk, care.service.pk)
    assessment.answer(care.act("gao"), row.responses.get().pk, ANSWERS)
    privacy.grant(care.act("mei"), privacy.GrantDraft(care.people["lan"].pk, ["care.act"]))
    plans.make(care.act("song"), care.mei.pk, plans.PlanDraft("hypertension", "hypertension-primary-2019"))
    for kind, values, context in READINGS:
        readings.add(care.act("song"), care.mei.pk, readings.ReadingDraft(uuid4(), kind, values, context=context))
    visited(care)
    return care


READINGS: tuple[tuple[str, dict[str, float], str], ...] = (
    ("blood_pressure", {"systolic": 152.0, "diastolic": 94.0, "pulse": 71.0}, ""),
    ("glucose", {"glucose": 6.1}, "fasting"),
    ("weight", {"weight": 61.5}, ""),
    ("spo2", {"spo2": 97.0, "pulse": 70.0}, ""),
    ("temperature", {"temperature": 36.6}, ""),
    ("hba1c", {"hba1c": 6.9}, ""),
)


def visited(care: Any) -> None:
    """One visit in every state, planned for Song."""
    begin = timezone.now().replace(microsecond=0) + timedelta(days=2)
    version = care.service.versions.get()
    for number, state in enumerate(Visit.State.values):
        start = begin + timedelta(hours=2 * number)
        began = start if state in ("underway", "done") else None
        visit = Visit.objects.create(
            patient=care.mei, institution=care.office, service=care.service, version=version, place=care.mei.place,
            state=state, day=start.date(), starts_at=start, latest_at=start + timedelta(minutes=30),
            requested_at=timezone.now(), consented_at=timezone.now(), began_at=began,
            ended_at=start if state in ("done", "cancelled", "expired", "missed") else None, end_cause="patient",
        )  # fmt: skip
        if state in Visit.PLANNED:
            span = DateTimeTZRange(start, start + timedelta(minutes=45))
            Stop.objects.create(visit=visit, practitioner=care.song, span=span)


OWN = (
    "CarePlan", "Task", "Observation", "ServiceRequest", "Appointment",
    "Patient", "Practitioner", "PractitionerRole", "Organization", "HealthcareService", "Condition", "Consent",
    "Questionnaire", "QuestionnaireResponse", "Schedule", "Slot",
)  # fmt: skip


@pytest.mark.parametrize("kind", OWN)
def test_every_type_is_valid_and_read_by_its_id(lived: Any, program: Any, kind: str) -> None:
    gao = program("gao")
    found = gao.get(f"/{kind}?_count=200").content_read
    assert found["total"] >= 1, found
    for entry in found["entry"]:
        resource = entry["resource"]
        report = fhir.check_content(resource)
        assert report.valid, [issue.to_json() for issue in report.issues if issue.grave]
        again = gao.get(f"/{kind}/{resource['id']}")
        assert again.status_code == 200 and again.content_read == resource
        assert sources.is_own(lived.act("gao"), kind, resource["id"])
        assert gao.send("PUT", f"/{kind}/{resource['id']}", resource).status_code == 405
    assert fhir.check_content(found).valid


@pytest.mark.parametrize("kind", sorted({*OWN} - {"Questionnaire"}))
def test_a_neighbour_finds_nothing_of_it(lived: Any, program: Any, kind: str) -> None:
    ids = [one["resource"]["id"] for one in program("gao").get(f"/{kind}").content_read["entry"]]
    for name in ("other", "foreign"):
        stranger = program(name)
        answers = [stranger.get(f"/{kind}/{one}").status_code for one in ids]
        assert answers == [404] * len(ids)
        shown = stranger.get(f"/{kind}?_count=200")
        assert not set(ids) & {one["resource"]["id"] for one in shown.content_read.get("entry", ())}
        assert "欧阳梅" not in shown.content.decode() and "宋晓燕" not in shown.content.decode()


def test_what_was_put_here_has_its_provenance(lived: Any, program: Any) -> None:
    gao = program("gao")
    made = gao.post("/Patient", {"resourceType": "Patient"}).content_read
    (entry,) = gao.get(f"/Provenance?target=Patient/{made['id']}").content_read["entry"]
    assert fhir.check_content(entry["resource"]).valid
    assert entry["resource"]["agent"][0]["who"]["display"] == "高雅琴"
    assert program("other").get("/Provenance").content_read["total"] == 0


def test_readings_and_plans_in_their_own_words(lived: Any, program: Any) -> None:
    gao = program("gao")
    (entry,) = gao.get("/Observation?code=85354-9").content_read["entry"]
    values = [one["valueQuantity"]["value"] for one in entry["resource"]["component"]]
    assert values == [152, 94, 71]
    found = gao.get("/Observation?code=8310-5")
    assert b'"value":36.6' in found.content
    plan = gao.get("/CarePlan").content_read["entry"][0]["resource"]
    assert plan["contained"][0]["resourceType"] == "Goal" and plan["activity"]
    included = gao.get("/Appointment?status=booked&_include=Appointment:patient&_include=Appointment:based-on")
    assert {one["resource"]["resourceType"] for one in included.content_read["entry"]} == {
        "Appointment", "Patient", "ServiceRequest",
    }  # fmt: skip


def test_a_face_is_named_by_an_address_that_a_program_can_open(
    lived: Any, program: Any, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    gao, where = program("gao"), f"/Practitioner/practitioner-{lived.song.pk}"
    before = gao.get(where).content_read
    out = io.BytesIO()
    Image.new("RGB", (300, 300)).save(out, "PNG")
    register.portray(lived.act("gao"), lived.song.pk, out.getvalue())
    after = gao.get(where).content_read
    assert "photo" not in before and after["meta"]["versionId"] != before["meta"]["versionId"]
    assert fhir.check_content(after).valid
    (photo,) = after["photo"]
    shown = gao.browser.get(photo["url"])
    assert shown["Content-Type"] == photo["contentType"] and len(shown.content) == photo["size"]


def test_what_it_says(lived: Any, program: Any) -> None:
    gao, mei = program("gao"), f"patient-{lived.mei.pk}"
    patient = gao.get(f"/Patient/{mei}").content_read
    assert patient["name"][0]["text"] == "欧阳梅" and patient["gender"] == "female"
    assert patient["telecom"][0]["value"].endswith("13811110003") and patient["birthDate"] == "1950-01-01"
    assert patient["generalPractitioner"][0]["reference"] == f"Practitioner/practitioner-{lived.song.pk}"
    conditions = gao.get(f"/Condition?patient={mei}").content_read["entry"]
    assert [one["resource"]["code"]["text"] for one in conditions][:2] == ["糖尿病", "足部伤口"]
    response = gao.get(f"/QuestionnaireResponse?subject=Patient/{mei}").content_read["entry"][0]["resource"]
    values = {one["linkId"]: one["answer"][0] for one in response["item"]}
    assert values["total"]["valueInteger"] == 50 and values["history"]["valueCoding"]["code"] == "25"
    assert response["status"] == "completed"
    slots = gao.get(f"/Slot?schedule=schedule-{lived.song.pk}&status=free").content_read["entry"]
    assert len(slots) >= 13


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("Appointment?status=booked&patient=patient-{mei}", 1),
        ("Appointment?practitioner=practitioner-{song}&date=ge2000", 4),
        ("ServiceRequest?status=revoked", 3),
        ("Observation?code=http://loinc.org|85354-9", 1),
        ("Observation?category=vital-signs&patient=patient-{mei}", 4),
        ("Observation?value-quantity=gt6||mmol/L", 1),
        ("Observation?date=lt2020", 0),
        ("CarePlan?category=I10&status=active", 1),
        ("Task?based-on=CarePlan/care-plan-0", 0),
        ("Patient?name=欧阳", 1),
        ("Patient?birthdate=ge1949&gender=female", 1),
        ("Patient?birthdate=lt1949", 0),
        ("Patient?active=true&organization=organization-{office}", 1),
        ("Patient?general-practitioner=Practitioner/practitioner-{song}", 1),
        ("Patient?_id=patient-{mei},patient-0", 1),
        ("Patient?_lastUpdated=gt2999", 0),
        ("Condition?subject=Practitioner/practitioner-1", 0),
        ("Practitioner?identifier=urn:shoufu:licence|2021-宋晓燕", 1),
        ("Practitioner?identifier=urn:other|2021-宋晓燕", 0),
        ("PractitionerRole?specialty=wound", 1),
        ("Consent?patient=patient-{mei}&status=active", 8),
        ("Questionnaire?url=urn:shoufu:questionnaire:morse", 1),
        ("Slot?start=ge2020-01-01&start=lt2020-01-02", 0),
    ],
)
def test_searches(lived: Any, program: Any, query: str, total: int) -> None:
    keys = {"mei": lived.mei.pk, "song": lived.song.pk, "office": lived.office.pk}
    found = program("gao").get(f"/{query.format(**keys)}")
    assert found.status_code == 200 and found.content_read["total"] == total, found.content


def test_includes_sorting_and_pages(lived: Any, program: Any) -> None:
    gao, mei = program("gao"), f"patient-{lived.mei.pk}"
    for day in (3, 1, 2):
        body = {
            "resourceType": "Observation", "status": "final", "code": {"coding": [{"code": "x"}]},
            "subject": {"reference": f"Patient/{mei}"}, "effectiveDateTime": f"2026-03-0{day}",
        }  # fmt: skip
        assert gao.post("/Observation", body).status_code == 201
    first = gao.get(f"/Observation?patient={mei}&code=x&_sort=-date&_count=2&_include=Observation:subject").content_read
    shown = [one["resource"].get("effectiveDateTime") for one in first["entry"]]
    assert shown == ["2026-03-03", "2026-03-02", None] and first["total"] == 3
    assert first["entry"][2]["search"]["mode"] == "include"
    links = {one["relation"]: one["url"] for one in first["link"]}
    rest = gao.get(links["next"].partition("/R4")[2]).content_read
    assert [one["resource"].get("effectiveDateTime") for one in rest["entry"]] == ["2026-03-01", None]
    back = gao.get(f"/Patient?_id={mei}&_revinclude=Observation:patient").content_read
    assert len(back["entry"]) == 10
    posted = gao.post(
        "/Observation/_search", f"patient={mei}&code=x&_summary=count".encode(), "application/x-www-form-urlencoded"
    )
    assert posted.content_read["total"] == 3 and "entry" not in posted.content_read
    told = gao.get("/Patient?colour=red").content_read["entry"][-1]
    assert told["search"]["mode"] == "outcome"
    assert gao.get("/Patient?colour=red", Prefer="handling=strict").status_code == 400
    assert gao.get("/Patient?birthdate=x").status_code == 400


def test_each_look_is_recorded_with_its_reason(lived: Any, program: Any) -> None:
    looks = AuditEntry.objects.filter(action="homecare.fhir.look", subject=lived.people["mei"].pk)
    program("gao").get("/Patient?_reason=质量检查")
    assert looks.get().reason == "质量检查"
    program("gao").get("/Condition")
    assert looks.count() == 2
    program("gao").get("/Organization")
    assert looks.count() == 2


def test_kinds_that_are_about_patients() -> None:
    assert {"Patient", "Observation", "Task", "Provenance", "Appointment"} <= set(kinds.of_patients())
    assert not {"Practitioner", "Slot", "Questionnaire"} & set(kinds.of_patients())
    assert date.today()
