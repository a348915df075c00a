"""What a nurse's phone wrote at a visit, as FHIR."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from shoufu.engines import fhir

PHONE = Path(__file__).parent.parent / "encounters" / "phone.py"


@pytest.fixture
def visiting(care: Any) -> Any:
    """Song is sent to Mei today, with a phone."""
    if "care_phone" not in sys.modules:
        spec = importlib.util.spec_from_file_location("care_phone", PHONE)
        assert spec is not None and spec.loader is not None
        sys.modules["care_phone"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["care_phone"])
    return sys.modules["care_phone"].build(care)


def test_a_visit_that_was_written_offline(visiting: Any, program: Any) -> None:
    phone, gao = visiting.phone, program("gao")
    phone.fetch()
    phone.send(*phone.whole(visiting.visit))
    mei = f"patient-{visiting.care.mei.pk}"
    (entry,) = gao.get(f"/Encounter?patient={mei}&status=finished").content_read["entry"]
    encounter = entry["resource"]
    found = gao.get(f"/Observation?encounter={encounter['id']}&_count=50").content_read["entry"]
    texts = {one["resource"]["code"]["text"]: one["resource"] for one in found}
    assert set(texts) == {"血压", "脉搏", "创面"}
    assert [one["valueQuantity"]["value"] for one in texts["血压"]["component"]] == [132, 78]
    assert texts["创面"]["bodySite"]["text"] == "骶尾部"
    proofs = gao.get(f"/Provenance?target=Encounter/{encounter['id']}").content_read["entry"]
    assert [one["type"]["coding"][0]["code"] for one in proofs[0]["resource"]["agent"]] == ["author", "verifier"]
    for one in (encounter, *texts.values(), proofs[0]["resource"]):
        report = fhir.check_content(one)
        assert report.valid, [issue.to_json() for issue in report.issues if issue.grave]
        assert gao.get(f"/{one['resourceType']}/{one['id']}").content_read == one
        for stranger in ("other", "foreign"):
            assert program(stranger).get(f"/{one['resourceType']}/{one['id']}").status_code == 404
    joined = gao.get(
        f"/Encounter?_id={encounter['id']}&_include=Encounter:appointment&_revinclude=Observation:encounter"
    )
    kinds = [one["resource"]["resourceType"] for one in joined.content_read["entry"]]
    assert kinds.count("Observation") == 3 and "Appointment" in kinds
