"""Check and REST judge alike what was written from the text of R4; see cases.py. And REST answers whatever comes."""

import importlib.util
from pathlib import Path
from typing import Any

from shoufu.engines import fhir
from shoufu.engines.fhir.reading import read, write


def _cases() -> list[tuple[str, dict[str, Any], str]]:
    spec = importlib.util.spec_from_file_location("fhir_cases", Path(__file__).with_name("cases.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: list[tuple[str, dict[str, Any], str]] = module.cases()
    return found


def test_check_and_rest_judge_alike(care: Any, program: Any) -> None:
    gao, cases = program("gao"), _cases()
    assert len(cases) == 60
    for kind, content, wrong in cases:
        body = write(content)
        report = fhir.check(body)
        told = [issue.expression for issue in report.issues if issue.grave]
        assert (wrong in told) if wrong else report.valid, (kind, wrong, report.issues)
        answer = gao.post(f"/{kind}", body)
        assert answer.status_code == (422 if wrong else 201), (kind, wrong, answer.content)
        if wrong:
            named = [one for issue in answer.content_read["issue"] for one in issue.get("expression", ())]
            assert wrong in named, (kind, named)
            continue
        kept = gao.get(f"/{kind}/{answer.content_read['id']}").content_read
        assert {name: kept[name] for name in content} == read(body)[0]


ODD: list[tuple[str, str, bytes, set[int]]] = [
    ("POST", "/Patient", b'{"resourceType": "Patient", "\\u0000": 1}', {422}),
    ("POST", "/Patient", b'{"resourceType": "Patient", "\\ud800": ]', {400}),
    ("POST", "/Patient", b'{"resourceType": "Patient", "id": "\\ud800"}', {400}),
    ("POST", "/Patient", b"[" * 10_000, {400}),
    ("POST", "/Patient", b'{"resourceType": "Patient", "name": [{"text": "\\u0000"}]}', {422}),
    ("GET", "/Patient?name=%00", b"", {400}),
    ("GET", "/Patient?identifier=%00|%00", b"", {400}),
    ("GET", "/Patient?_id=%00", b"", {400}),
    ("GET", "/Observation?subject=Patient/%00", b"", {400}),
    ("GET", "/Patient?birthdate=ge99999", b"", {400}),
    ("GET", "/Patient?_lastUpdated=lt0000-00-00", b"", {400}),
    ("GET", "/Patient?_sort=%00", b"", {400}),
    ("GET", "/Patient?_page=99999999999999999999", b"", {400}),
    ("GET", "/Patient?_count=99999999999999999999", b"", {200}),
    ("GET", "/Patient?%00=%ff", b"", {400}),
    ("GET", "/Patient?a=%ff&%ed%a0%80=x", b"", {200}),
    ("GET", "/Patient/%00", b"", {404}),
    ("GET", "/Patient/patient-99999999999999999999", b"", {404}),
    ("GET", "/%00/x", b"", {404}),
    ("GET", "/Patient/patient-1/_history/%00", b"", {404}),
    ("PUT", "/Patient/%00", b'{"resourceType": "Patient", "id": "x"}', {400, 404}),
    ("DELETE", "/Patient/%00", b"", {404}),
]


def test_whatever_comes_is_answered_by_an_outcome(care: Any, program: Any) -> None:
    for method, address, body, statuses in ODD:
        answer = program("gao").send(method, address, body, X_Reason="%00%ff")
        assert answer.status_code in statuses, (address, answer.content)
        assert answer.content_read["resourceType"] in ("OperationOutcome", "Bundle")


def test_a_condition_of_odd_letters_is_answered(care: Any, program: Any) -> None:
    body = {"resourceType": "Patient", "active": True}
    for condition in ("identifier=%00", "name=\x00", "identifier=" + "x" * 5000, "%ff=%ff", "birthdate=9999999999"):
        assert program("gao").post("/Patient", body, If_None_Exist=condition).status_code in (201, 400)
