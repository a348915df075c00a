"""Bulk export: asked with a reason, made in the background, fetched by who asked, gone after a day."""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from shoufu.engines import fhir
from shoufu.kernel.audit.models import AuditEntry
from shoufu.scenes.homecare.fhir import services
from shoufu.scenes.homecare.fhir.models import BulkExport
from shoufu.scenes.homecare.fhir.services import exports

ASYNC = {"Prefer": "respond-async", "X_Reason": "monthly report"}


def test_it_is_begun_made_and_fetched(care: Any, program: Any) -> None:
    gao = program("gao")
    body = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "Patient/q"},
    }
    gao.post("/Observation", body)
    begun = gao.get("/Patient/$export?_type=Patient,Condition,Observation", **ASYNC)
    assert begun.status_code == 202
    place = begun["Content-Location"].partition("/R4")[2]
    waiting = gao.get(place)
    assert waiting.status_code == 202 and waiting["X-Progress"] == "queued 0%"
    row = BulkExport.objects.get()
    services.make(row.pk)
    done = gao.get(place)
    manifest = done.json()
    assert done.status_code == 200 and "Expires" in done and manifest["requiresAccessToken"] is True
    assert {one["type"]: one["count"] for one in manifest["output"]} == {"Patient": 1, "Condition": 1, "Observation": 1}
    for one in manifest["output"]:
        address = one["url"].partition("/R4")[2]
        answer = gao.get(address)
        assert answer["Content-Type"] == "application/fhir+ndjson"
        lines = b"".join(answer.streaming_content).splitlines()
        assert len(lines) == one["count"] and all(fhir.check(line).valid for line in lines)
        assert program("other").get(address).status_code == 404
    told, others = AuditEntry.objects.filter(action="homecare.fhir.export").order_by("subject")
    assert (others.subject, others.data) == (None, {"types": {"Observation": 1}})
    assert (told.subject, told.reason) == (care.people["mei"].pk, "monthly report")
    assert program("other").get(place).status_code == 404
    assert services.expire(timezone.now() + timedelta(hours=25)) == 1
    assert gao.get(place).status_code == 404 and not list(exports.folder().glob("*"))


def test_what_is_asked_wrongly_is_refused(care: Any, program: Any) -> None:
    gao = program("gao")
    for address, headers, status, named in (
        ("/$export", {"X_Reason": "x"}, 400, "Prefer"),
        ("/$export", {"Prefer": "respond-async"}, 422, "_reason"),
        ("/$export?_type=Medication", ASYNC, 422, "_type"),
        ("/Patient/$export?_type=Practitioner", ASYNC, 422, "_type"),
        ("/$export?_since=yesterday", ASYNC, 400, "_since"),
        ("/$export?_outputFormat=csv", ASYNC, 400, "_outputFormat"),
    ):
        answer = gao.get(address, **headers)
        assert answer.status_code == status, address
        assert answer.content_read["issue"][0]["expression"] == [named]
    assert program("song").get("/$export", **ASYNC).status_code == 403
    assert not BulkExport.objects.exists()


def test_it_is_cancelled_and_what_changed_since_is_asked(care: Any, program: Any) -> None:
    gao = program("gao")
    place = gao.get("/$export", **ASYNC)["Content-Location"].partition("/R4")[2]
    assert gao.send("DELETE", place).status_code == 202
    row = BulkExport.objects.get()
    services.make(row.pk)
    assert gao.get(place).status_code == 404 and gao.send("DELETE", place).status_code == 404
    later = (timezone.now() + timedelta(hours=1)).isoformat().replace("+", "%2B")
    gao.get(f"/$export?_type=Patient&_since={later}", **ASYNC)
    row = BulkExport.objects.get(state="queued")
    services.make(row.pk)
    row.refresh_from_db()
    assert row.state == "ready" and row.files == [], json.dumps(row.files)


def test_system_export_holds_every_type(care: Any, program: Any) -> None:
    program("gao").get("/$export", **ASYNC)
    row = BulkExport.objects.get()
    services.make(row.pk)
    row.refresh_from_db()
    found = {one["type"] for one in row.files}
    assert {
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "Organization",
        "HealthcareService",
        "Questionnaire",
    } <= found
