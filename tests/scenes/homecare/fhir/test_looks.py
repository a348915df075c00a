"""Whatever opens what is encrypted leaves a record, however the request ends, and opens no more than it may."""

from typing import Any

import pytest

from shoufu.kernel.audit.models import AuditEntry
from shoufu.scenes.homecare.fhir import opened


@pytest.fixture
def sugar(care: Any, program: Any) -> Any:
    """A program whose three readings of Mei's sugar are kept here, with the times when she was looked at."""
    gao = program("gao")
    for value in (5, 6, 7):
        reading = {
            "resourceType": "Observation",
            "status": "final",
            "identifier": [{"system": "urn:x", "value": "twice" if value > 5 else "once"}],
            "code": {"text": "sugar"},
            "subject": {"reference": f"Patient/patient-{care.mei.pk}"},
            "valueQuantity": {"value": value, "unit": "mmol/L"},
        }
        assert gao.post("/Observation", reading).status_code == 201
    return gao


def looks(care: Any) -> list[tuple[str, str]]:
    rows = AuditEntry.objects.filter(
        subject=care.people["mei"].pk, action__in=["homecare.fhir.look", "homecare.fhir.search"]
    )
    return list(rows.order_by("pk").values_list("action", "reason"))


@pytest.mark.parametrize("how", ["_summary=count", "_count=0", "_count=1&_sort=-value-quantity&_page=9"])
def test_who_only_counts_is_on_record_too(care: Any, sugar: Any, how: str) -> None:
    found = sugar.get(f"/Observation?value-quantity=gt5.5||mmol/L&{how}", X_Reason="counting").content_read
    assert found["total"] in (2, 3) and "entry" not in found
    assert looks(care) == [("homecare.fhir.search", "counting")]


def test_who_is_shown_is_not_said_to_be_only_compared(care: Any, sugar: Any) -> None:
    sugar.get("/Observation?value-quantity=gt6.5||mmol/L", X_Reason="a page")
    assert looks(care) == [("homecare.fhir.look", "a page")]


def test_a_condition_leaves_its_look_also_where_nothing_is_made(care: Any, sugar: Any) -> None:
    body = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    answer = sugar.post("/Observation", body, If_None_Exist="identifier=urn:x|twice", X_Reason="asking")
    assert answer.status_code == 412 and looks(care) == [("homecare.fhir.look", "asking")]
    none = sugar.post("/Observation", body, If_None_Exist="value-quantity=gt900", X_Reason="probing")
    assert none.status_code == 201 and looks(care)[1:] == [("homecare.fhir.search", "probing")]


def test_a_transaction_that_fails_takes_no_look_back(care: Any, sugar: Any) -> None:
    task = {"resourceType": "Task", "status": "ready", "intent": "order"}
    focus = {"focus": {"reference": "Observation?value-quantity=gt900"}}
    entry = {"request": {"method": "POST", "url": "Task"}, "resource": task | focus}
    answer = sugar.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}, X_Reason="probing")
    assert answer.status_code == 412 and looks(care) == [("homecare.fhir.search", "probing")]


def test_what_is_about_others_peoples_patients_is_on_record_by_place(care: Any, program: Any) -> None:
    body = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"display": "someone"}}
    made = program("gao").post("/Observation", body).content_read
    program("gao").get(f"/Observation/{made['id']}")
    entry = AuditEntry.objects.get(action="homecare.fhir.look")
    assert (entry.subject, entry.place, entry.data) == (None, care.office.place_id, {"types": {"Observation": 1}})


def test_what_is_included_counts_among_what_is_opened(care: Any, sugar: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "MOST_TRIED", 2)
    address = f"/Patient?_id=patient-{care.mei.pk}&_revinclude=Observation:patient"
    answer = sugar.get(address, X_Reason="much")
    assert answer.status_code == 422 and answer.content_read["issue"][0]["code"] == "too-costly"
    assert looks(care) == [("homecare.fhir.search", "much")]
    monkeypatch.setattr(opened, "MOST_TRIED", 20)
    assert len(sugar.get(address).content_read["entry"]) == 4


def test_a_batch_opens_no_more_than_a_request_may(care: Any, sugar: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "MOST_TOGETHER", 8)
    entry = {"request": {"method": "GET", "url": "Observation?value-quantity=gt0"}}
    answer = sugar.post("", {"resourceType": "Bundle", "type": "batch", "entry": [entry] * 4}).content_read
    assert [one["response"]["status"] for one in answer["entry"]] == ["200", "200", "422", "422"]


def test_the_questionnaires_of_one_address_are_opened_up_to_a_limit(
    care: Any, program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gao = program("gao")
    asked = {"resourceType": "Questionnaire", "url": "urn:q", "status": "active"}
    for _ in range(3):
        assert gao.post("/Questionnaire", asked).status_code == 201
    answers = {"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "urn:q"}
    assert gao.post("/QuestionnaireResponse", answers).status_code == 201
    monkeypatch.setattr(opened, "MOST_TRIED", 2)
    refused = gao.post("/QuestionnaireResponse", answers)
    assert refused.status_code == 422 and refused.content_read["issue"][0]["code"] == "too-costly"


def test_who_reads_a_history_looks_at_everybody_it_was_about(care: Any, sugar: Any) -> None:
    made = sugar.get(f"/Observation?patient=patient-{care.mei.pk}&_count=1").content_read["entry"][0]["resource"]
    elsewhere = made | {"subject": {"display": "someone"}}
    assert sugar.send("PUT", f"/Observation/{made['id']}", elsewhere).status_code == 200
    before = len(looks(care))
    sugar.get(f"/Observation/{made['id']}/_history", X_Reason="history")
    assert looks(care)[before:] == [("homecare.fhir.look", "history")]
