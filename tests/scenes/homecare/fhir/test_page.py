"""The page for who connects programs."""

from typing import Any

import pytest

from shoufu.scenes.homecare.fhir import services
from shoufu.scenes.homecare.fhir.models import BulkExport

HOME = "/homecare/fhir/"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_it_shows_address_types_exports_and_refusals(care: Any, program: Any, language: str) -> None:
    user = care.users["gao"]
    user.language = language
    user.save()
    gao = care.client("gao")
    program("gao").post("/Observation", {"resourceType": "Observation"})
    assert gao.post(f"{HOME}exports/begin", {"level": "patient", "reason": ""}).status_code == 422
    assert gao.post(f"{HOME}exports/begin", {"level": "patient", "reason": "年报"}).status_code == 302
    page = gao.get(HOME).content.decode()
    assert "http://testserver/homecare/fhir/R4" in page and "QuestionnaireResponse" in page
    assert "年报" in page and "every 2s" in page and "Observation.code" in page
    row = BulkExport.objects.get()
    services.make(row.pk)
    page = gao.get(HOME).content.decode()
    assert "Patient (1)" in page and "every 2s" not in page
    got = gao.get(f"{HOME}exports/{row.pk}/Patient")
    assert "欧阳梅" in b"".join(got.streaming_content).decode()
    assert "Observation.code" in gao.get(f"{HOME}refusals/?type=Observation").content.decode()
    other = care.client("other")
    assert "年报" not in other.get(HOME).content.decode()
    assert "Observation.code" not in other.get(f"{HOME}refusals/").content.decode()
    assert other.get(f"{HOME}exports/{row.pk}/Patient").status_code == 404
    assert other.post(f"{HOME}exports/{row.pk}/cancel").status_code == 404
    assert care.client("song").get(HOME).status_code == 403
    assert gao.post(f"{HOME}exports/{row.pk}/cancel").status_code == 302
    assert gao.get(f"{HOME}exports/{row.pk}/Patient").status_code == 404
