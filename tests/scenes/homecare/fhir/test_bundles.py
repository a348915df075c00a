"""Batches and transactions: each for itself, or all or nothing."""

from typing import Any

from shoufu.scenes.homecare.fhir.models import Stored

URN = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"


def entry(method: str, url: str, resource: Any = None, full: str = "", **request: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    return made | ({"resource": resource} if resource else {}) | ({"fullUrl": full} if full else {})


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def observation(reference: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": reference},
        **more,
    }


PATIENT = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "7"}], "active": True}


def statuses(answer: Any) -> list[str]:
    return [one["response"]["status"] for one in answer.content_read["entry"]]


def test_a_batch_does_each_entry_for_itself(care: Any, program: Any) -> None:
    gao = program("gao")
    asked = bundle(
        "batch",
        entry("GET", f"Patient/patient-{care.mei.pk}"),
        entry("POST", "Observation", observation("Patient/1")),
        entry("POST", "Observation", observation("Patient/1", status="done")),
        entry("GET", "Patient?name=欧阳"),
        entry("GET", "Patient/none"),
        entry("POST", "Patient", PATIENT, ifNoneExist="identifier=urn:x|7"),
        entry("PATCH", "Patient/1"),
        entry("GET", "AllergyIntolerance"),
    )
    answer = gao.post("", asked)
    assert answer.status_code == 200, answer.content
    assert statuses(answer) == ["200", "201", "422", "200", "404", "201", "405", "404"]
    entries = answer.content_read["entry"]
    assert entries[0]["resource"]["name"][0]["text"] == "欧阳梅"
    named = [one for issue in entries[2]["response"]["outcome"]["issue"] for one in issue.get("expression", ())]
    assert any(one.endswith("resource.status") for one in named)
    assert entries[3]["resource"]["total"] == 1
    assert statuses(gao.post("/", bundle("batch", asked["entry"][5]))) == ["200"]
    assert Stored.objects.count() == 2


def test_a_transaction_gives_ids_to_what_its_references_name(care: Any, program: Any) -> None:
    gao = program("gao")
    asked = bundle(
        "transaction",
        entry("POST", "Observation", observation(URN)),
        entry("POST", "Patient", PATIENT, URN),
    )
    answer = gao.post("", asked)
    assert statuses(answer) == ["201", "201"], answer.content
    made = [one["resource"] for one in answer.content_read["entry"]]
    assert made[0]["subject"]["reference"] == f"Patient/{made[1]['id']}"
    assert answer.content_read["type"] == "transaction-response"
    again = gao.post("", bundle("transaction", entry("POST", "Observation", observation("Patient?identifier=urn:x|7"))))
    assert again.content_read["entry"][0]["resource"]["subject"]["reference"] == f"Patient/{made[1]['id']}"
    assert gao.get(f"/Observation?patient={made[1]['id']}").content_read["total"] == 2


def test_a_transaction_that_fails_keeps_nothing(care: Any, program: Any) -> None:
    gao = program("gao")
    good = entry("POST", "Patient", PATIENT, URN)
    for wrong, status in (
        (entry("POST", "Observation", observation(URN, status="done")), 422),
        (entry("POST", "Observation", observation("Patient?identifier=urn:x|none")), 412),
        (entry("PUT", "Patient/unknown", PATIENT | {"id": "unknown"}), 404),
        (entry("DELETE", f"Patient/patient-{care.mei.pk}"), 405),
        (entry("GET", "Patient/none"), 404),
        (entry("POST", "Medication", {"resourceType": "Medication"}), 404),
    ):
        answer = gao.post("", bundle("transaction", good, wrong))
        assert answer.status_code == status, answer.content
        named = [one for issue in answer.content_read["issue"] for one in issue.get("expression", ())]
        assert any(one.startswith("Bundle.entry[1]") for one in named), named
        assert not Stored.objects.exists()


def test_only_batches_and_transactions_are_carried_out(care: Any, program: Any) -> None:
    gao = program("gao")
    named = {"fullUrl": URN, "resource": PATIENT}
    assert gao.post("", bundle("collection", named)).status_code == 400
    assert gao.post("", PATIENT).status_code == 400
    assert gao.post("", b"{").status_code == 400
    assert gao.post("", bundle("batch", entry("FETCH", "Patient"))).status_code == 422
    assert gao.post("/Bundle", bundle("collection", named)).status_code == 201
    assert gao.post("/Bundle", bundle("collection", {"resource": PATIENT})).status_code == 422
    assert (
        program("song")
        .post("", bundle("batch", entry("GET", "Patient")))
        .content_read["entry"][0]["response"]["status"]
        == "403"
    )
