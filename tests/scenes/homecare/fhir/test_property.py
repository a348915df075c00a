"""Whatever is done to a valid resource: REST refuses what the check refuses, and gives back equal what it takes."""

import copy
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoufu.engines import fhir
from shoufu.engines.fhir.reading import read, write
from shoufu.scenes.homecare.fhir.models import Stored

VALID: tuple[bytes, ...] = (
    b"""{"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:x", "value": "1"}], "active": true,
    "name": [{"family": "W", "given": ["X", "Y"], "_given": [null, {"id": "g"}]}], "gender": "female",
    "birthDate": "1949-03-07", "extension": [{"url": "urn:e", "valueDecimal": 1.50}]}""",
    b"""{"resourceType": "Observation", "status": "final", "code": {"coding": [{"system": "urn:c", "code": "c"}]},
    "subject": {"reference": "Patient/p"}, "effectiveDateTime": "2026-03-01T07:30:00+08:00",
    "valueQuantity": {"value": 6.10, "unit": "mmol/L"}, "component": [{"code": {"text": "t"}, "valueInteger": 7}]}""",
    b"""{"resourceType": "Appointment", "status": "booked", "start": "2026-03-02T09:00:00Z",
    "end": "2026-03-02T10:00:00Z", "participant": [{"actor": {"reference": "Patient/p"}, "status": "accepted"}]}""",
    b"""{"resourceType": "Task", "status": "ready", "intent": "order", "for": {"reference": "Patient/p"},
    "restriction": {"repetitions": 2}, "input": [{"type": {"text": "i"}, "valueBoolean": false}]}""",
    b"""{"resourceType": "Slot", "schedule": {"reference": "Schedule/s"}, "status": "free",
    "start": "2026-03-02T09:00:00.000Z", "end": "2026-03-02T10:00:00.000Z", "comment": "\\u4f60\\u597d \\"q\\""}""",
)
ODD = st.sampled_from(
    [None, "", " ", "x", "a b", "done", "final", "2026-02-30", "2026", 0, -1, 7, 1.5, True, [], {}, ["x"], {"x": "y"}]
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a document something can be changed."""
    found = [here] if here else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [path for name, one in inner for path in paths(one, (*here, name))]


@st.composite
def edited(draw: Any) -> tuple[str, Any]:
    """A valid resource with up to two changes: something else in a place, taken away, twice, or added."""
    content, _issues = read(draw(st.sampled_from(VALID)))
    kind = content["resourceType"]
    for _ in range(draw(st.integers(0, 2))):
        content = copy.deepcopy(content)
        places = [path for path in paths(content) if path != ("resourceType",)]
        path = draw(st.sampled_from(places))
        owner = content
        for name in path[:-1]:
            owner = owner[name]
        match draw(st.sampled_from(["odd", "gone", "twice", "more"])):
            case "odd":
                owner[path[-1]] = draw(ODD)
            case "gone":
                del owner[path[-1]]
            case "twice" if isinstance(owner, list):
                owner.append(owner[path[-1]])
            case _ if isinstance(owner, dict):
                owner[draw(st.sampled_from(["note", "language", "value", "status", "extension"]))] = draw(ODD)
    return kind, content


def stripped(content: dict[str, Any]) -> bytes:
    """Without what the server says of it, names in order."""
    meta = {name: one for name, one in content.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    rest = {name: one for name, one in content.items() if name not in ("id", "meta")} | ({"meta": meta} if meta else {})
    return write(dict(sorted(rest.items())))


def test_rest_and_check_agree(care: Any, program: Any) -> None:
    gao = program("gao")
    seen = {True: 0, False: 0}

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(edited())
    def tried(made: tuple[str, Any]) -> None:
        kind, content = made
        body = write(_decimals(content))
        report = fhir.check(body)
        with transaction.atomic():
            before = Stored.objects.count()
            answer = gao.post(f"/{kind}", body)
            assert (answer.status_code == 201) == report.valid, (body, answer.content)
            seen[report.valid] += 1
            if report.valid:
                again = gao.get(f"/{kind}/{answer.content_read['id']}").content_read
                assert stripped(again) == stripped(read(body)[0])
            else:
                outcome = answer.content_read
                assert all(one["expression"] for one in outcome["issue"] if one["severity"] in ("error", "fatal"))
                assert Stored.objects.count() == before
            transaction.set_rollback(True)

    tried()
    assert min(seen.values()) >= 10, seen


def _decimals(value: Any) -> Any:
    from shoufu.scenes.homecare.fhir.sealing import digits

    return digits(value)
