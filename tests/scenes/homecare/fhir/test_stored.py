"""Resources that other programs put here: taken by the check, given back equal, changed, deleted, found."""

import json
from typing import Any

import pytest
from django.test import Client

from shoufu.engines.fhir.reading import read
from shoufu.kernel.access import services as access
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base import keyring, resealing
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.parties import services as parties
from shoufu.scenes.homecare.fhir.models import Refusal, Stored, StoredVersion

LOINC = "http://loinc.org"


def observation(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "from-the-sender",
        "meta": {"tag": [{"system": "urn:test", "code": "t"}]},
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "15074-8"}]},
        "subject": {"reference": "Patient/wang-xiulan"},
        "effectiveDateTime": "2026-03-01T07:30:00+08:00",
        **more,
    }


RAW = json.dumps(observation())[:-1].encode() + b', "valueQuantity": {"value": 6.10, "unit": "mmol/L"}}'


def without_stamps(content: dict[str, Any]) -> str:
    """For comparing: order of names aside, digits kept."""
    meta = {name: one for name, one in content.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    rest = {name: one for name, one in content.items() if name not in ("id", "meta")}
    return json.dumps(rest | ({"meta": meta} if meta else {}), sort_keys=True, default=str)


def test_a_resource_comes_back_equal_and_lies_encrypted(care: Any, program: Any) -> None:
    gao = program("gao")
    made = gao.post("/Observation", RAW)
    assert made.status_code == 201, made.content
    kept, sent = made.content_read, read(RAW)[0]
    assert without_stamps(kept) == without_stamps(sent)
    assert b'"value":6.10' in made.content
    assert kept["id"] != "from-the-sender" and kept["meta"]["versionId"] == "1"
    assert made["Location"].endswith(f"/homecare/fhir/R4/Observation/{kept['id']}/_history/1")
    again = gao.get(f"/Observation/{kept['id']}")
    assert again.content_read == kept and again["ETag"] == 'W/"1"'
    assert gao.get(f"/Observation/{kept['id']}", If_None_Match='W/"1"').status_code == 304
    row = Stored.objects.get()
    assert b"wang" not in bytes(row.content) and row.institution == care.office
    assert AuditEntry.objects.filter(action="homecare.fhir.create").count() == 1


def test_it_is_changed_version_by_version_and_deleted(care: Any, program: Any) -> None:
    gao = program("gao")
    kept = gao.post("/Observation", RAW).content_read
    address = f"/Observation/{kept['id']}"
    changed = kept | {"status": "amended"}
    assert gao.send("PUT", address, changed | {"id": "other"}).status_code == 400
    assert gao.send("PUT", address, changed, If_Match='W/"7"').status_code == 412
    done = gao.send("PUT", address, changed, If_Match='W/"1"')
    assert done.status_code == 200 and done["ETag"] == 'W/"2"'
    assert gao.get(address).content_read["status"] == "amended"
    assert gao.get(f"{address}/_history/1").content_read["status"] == "final"
    assert gao.send("PUT", "/Observation/unknown", changed | {"id": "unknown"}).status_code == 404
    assert gao.send("DELETE", address).status_code == 204
    gone = gao.get(address)
    assert gone.status_code == 410 and gone.content_read["resourceType"] == "OperationOutcome"
    history = gao.get(f"{address}/_history").content_read
    assert [one["request"]["method"] for one in history["entry"]] == ["DELETE", "PUT", "POST"]
    assert gao.get("/Observation").content_read["total"] == 0
    assert StoredVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "status", "expression"),
    [
        (b'{"resourceType": "Observation", "status": "final", }', 400, "Observation"),
        (b'{"resourceType": "Observation", "status": "final", "status": "final"}', 422, "Observation.status"),
        (observation(status="done"), 422, "Observation.status"),
        (observation(status=7), 422, "Observation.status"),
        (observation(valueTemperature=7), 422, "Observation.valueTemperature"),
        (observation(code=None), 422, "Observation.code"),
        (observation(subject={"reference": "Practitioner/1"}), 422, "Observation.subject"),
        (observation(effectiveDateTime="2026-02-30"), 422, "Observation.effectiveDateTime"),
        ({"resourceType": "Patient", "id": "a b"}, 422, "Patient.id"),
        ({"resourceType": "Patient"}, 400, "Patient"),
        (b"", 400, "Observation"),
        (b"\xff", 400, "Observation"),
        (b"// a comment", 400, "Observation"),
        ([], 422, "Observation"),
    ],
)
def test_what_the_check_refuses_is_refused_by_name(
    care: Any, program: Any, body: Any, status: int, expression: str
) -> None:
    answer = program("gao").post("/Observation", body)
    outcome = answer.content_read
    assert outcome["resourceType"] == "OperationOutcome"
    named = [one for issue in outcome["issue"] for one in issue.get("expression", ())]
    assert answer.status_code == status, outcome
    assert expression in named, outcome
    assert not Stored.objects.exists() and Refusal.objects.get().status == status


def test_what_is_about_a_patient_here_lies_under_their_key(care: Any, program: Any) -> None:
    gao = program("gao")
    about = {"reference": f"Patient/patient-{care.mei.pk}"}
    made = gao.post("/Observation", observation(subject=about)).content_read
    row = Stored.objects.get()
    assert row.person == care.people["mei"] and row.key_of == care.people["mei"].pk
    gao.get(f"/Observation/{made['id']}", X_Reason="%E6%9F%A5%E6%88%BF")
    look = AuditEntry.objects.get(action="homecare.fhir.look")
    assert (look.subject, look.reason) == (care.people["mei"].pk, "查房")
    assert gao.get(f"/Observation?patient=patient-{care.mei.pk}").content_read["total"] == 1


def test_neighbours_see_and_change_nothing(care: Any, program: Any) -> None:
    made = program("gao").post("/Observation", RAW).content_read
    for name in ("other", "foreign"):
        stranger = program(name)
        assert stranger.get(f"/Observation/{made['id']}").status_code == 404
        assert stranger.get(f"/Observation/{made['id']}/_history").status_code == 404
        assert stranger.send("PUT", f"/Observation/{made['id']}", observation(id=made["id"])).status_code == 404
        assert stranger.send("DELETE", f"/Observation/{made['id']}").status_code == 404
        assert stranger.get("/Observation").content_read["total"] == 0
    for name in ("song", "mei"):
        assert program(name).get("/Observation").status_code == 403
        assert program(name).post("/Observation", RAW).status_code == 403
    assert Stored.objects.count() == 1


def test_programs_sign_in_by_token_and_nobody_else_gets_in(care: Any) -> None:
    unknown = Client().get("/homecare/fhir/R4/Patient")
    assert unknown.status_code == 401 and "Bearer" in unknown["WWW-Authenticate"]
    assert unknown.json()["issue"][0]["code"] == "login"
    secret = access.create_token(care.act("gao"), "fhir").token
    browser = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret}"})
    assert browser.post("/homecare/fhir/R4/Observation", RAW, "application/fhir+json").status_code == 201
    session = Client(enforce_csrf_checks=True)
    session.force_login(care.users["gao"])
    assert session.post("/homecare/fhir/R4/Observation", RAW, "application/fhir+json").status_code == 403
    assert SYSTEM.is_system


def test_formats_are_negotiated(care: Any, program: Any) -> None:
    gao = program("gao")
    assert gao.get("/metadata", Accept="application/fhir+xml").status_code == 406
    assert gao.get("/metadata?_format=xml").status_code == 406
    assert gao.get("/metadata?_format=json", Accept="application/fhir+xml").status_code == 200
    assert gao.get("/metadata", Accept="application/fhir+json; fhirVersion=5.0").status_code == 406
    assert gao.get("/metadata", Accept="text/html, */*;q=0.1").status_code == 200
    assert gao.post("/Observation", RAW, "application/fhir+xml").status_code == 415
    assert gao.post("/Observation", RAW, "application/json").status_code == 201
    assert gao.post("/Observation", RAW, Prefer="return=minimal").content == b""
    told = gao.post("/Observation", RAW, Prefer="return=OperationOutcome").content_read
    assert told["resourceType"] == "OperationOutcome"
    assert gao.get("/AllergyIntolerance").status_code == 404
    wrong = gao.send("PATCH", "/Observation/x", b"[]", "application/json-patch+json")
    assert wrong.status_code == 405 and "PUT" in wrong["Allow"]
    assert gao.get("/Patient/a/b/c").status_code == 404


def test_the_statement_is_open_and_itself_valid(care: Any) -> None:
    from shoufu.engines import fhir

    answer = Client().get("/homecare/fhir/R4/metadata")
    assert answer.status_code == 200
    report = fhir.check(answer.content)
    assert report.valid, [issue.to_json() for issue in report.issues if issue.grave]
    rows = {one["type"]: one for one in answer.json()["rest"][0]["resource"]}
    assert len(rows) == 20 and rows["Observation"]["conditionalCreate"] is True
    assert "patient" in {one["name"] for one in rows["Observation"]["searchParam"]}


def test_conditional_create_makes_one(care: Any, program: Any) -> None:
    gao, body = program("gao"), observation(identifier=[{"system": "urn:x", "value": "1|2"}])
    condition = r"identifier=urn:x|1\|2"
    first = gao.post("/Observation", body, If_None_Exist=condition)
    second = gao.post("/Observation", body, If_None_Exist=condition)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.content_read["id"] == second.content_read["id"] and Stored.objects.count() == 1
    gao.post("/Observation", body)
    assert gao.post("/Observation", body, If_None_Exist=condition).status_code == 412
    assert gao.post("/Observation", body, If_None_Exist="colour=red").status_code == 400
    assert Stored.objects.count() == 2


def test_answers_are_judged_by_the_questionnaire_that_is_kept_here(care: Any, program: Any) -> None:
    gao = program("gao")
    item = {"linkId": "fell", "type": "boolean", "required": True}
    asked = {"resourceType": "Questionnaire", "url": "urn:q", "status": "active", "item": [item]}
    answered = {"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "urn:q"}
    wrong = answered | {"item": [{"linkId": "fell", "answer": [{"valueString": "yes"}]}]}
    assert gao.post("/QuestionnaireResponse", wrong).status_code == 201
    assert gao.post("/Questionnaire", asked).status_code == 201
    refused = gao.post("/QuestionnaireResponse", wrong)
    assert refused.status_code == 422
    named = refused.content_read["issue"][0]["expression"]
    assert named == ["QuestionnaireResponse.item[0].answer[0].valueString"]
    right = answered | {"item": [{"linkId": "fell", "answer": [{"valueBoolean": True}]}]}
    assert gao.post("/QuestionnaireResponse", right).status_code == 201
    told = gao.post("/QuestionnaireResponse/$validate", wrong)
    assert told.status_code == 200 and told.content_read["issue"][0]["severity"] == "error"
    own = answered | {"questionnaire": "urn:shoufu:questionnaire:morse", "item": []}
    assert gao.post("/QuestionnaireResponse", {k: v for k, v in own.items() if k != "item"}).status_code == 422


def test_nothing_is_written_into_the_file_of_a_patient_whom_one_cannot_see(care: Any, program: Any) -> None:
    def about(patient: int) -> dict[str, Any]:
        subject = {"reference": f"Patient/patient-{patient}"}
        plain = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueString": "y"}
        return {**plain, "subject": subject}

    foreign = program("foreign")
    for patient in (care.mei.pk, care.mei.pk + 1000):
        answer = foreign.post("/Observation", about(patient))
        assert answer.status_code == 422 and answer.content_read["issue"][0]["code"] == "not-found"
    made = foreign.post("/Observation", {**about(0), "subject": {"display": "someone of ours"}}).content_read
    moved = {**about(care.mei.pk), "id": made["id"]}
    assert foreign.send("PUT", f"/Observation/{made['id']}", moved).status_code == 422
    assert Stored.objects.get().person_id is None and Stored.objects.get().version == 1


def test_what_is_kept_here_is_found_after_a_change_of_keys(care: Any, program: Any) -> None:
    gao, about = program("gao"), {"reference": f"Patient/patient-{care.mei.pk}"}
    for subject in (about, {"reference": "Patient/wang-xiulan"}):
        assert gao.post("/Observation", observation(subject=subject)).status_code == 201
    old = keyring.ring().active
    keyring.rotate()
    parties.reencrypt(SYSTEM)
    resealing.reseal()
    keyring.drop(old)
    assert gao.get(f"/Observation?code={LOINC}|15074-8").content_read["total"] == 2
    assert gao.get(f"/Observation?patient=patient-{care.mei.pk}").content_read["total"] == 1
