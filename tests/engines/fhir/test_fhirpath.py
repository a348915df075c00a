"""FHIRPath: precedence, three-valued logic, choices, times of different precision."""

from __future__ import annotations

from typing import Any

import pytest

from shoufu.engines.fhir import fhirpath
from shoufu.engines.fhir.definitions import model
from shoufu.engines.fhir.fhirpath import FhirPathError, Scope

from .examples import observation, patient


def _found(content: dict[str, Any], expression: str) -> list[Any]:
    node = fhirpath.resource(content)
    return [found.value for found in fhirpath.evaluate(expression, Scope(model(), node, node, [node]))]


PATIENT = patient(
    name=[{"use": "official", "family": "王", "given": ["秀", "兰"]}, {"use": "nickname", "text": "兰姐"}]
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3 = 7", [True]),
        ("-1 + 3", [2]),
        ("7 div 2 | 7 mod 2", [3, 1]),
        ("1 / 0", []),
        ("true or {}", [True]),
        ("false implies {}", [True]),
        ("true and {}", []),
        ("true xor true", [False]),
        ("{} = 1", []),
        ("'a' & {} & 'b'", ["ab"]),
        ("'it\\'s \\u738b'", ["it's 王"]),
        ("Patient.name.given", ["秀", "兰"]),
        ("name.where(use = 'official').given.first()", ["秀"]),
        ("name[1].text", ["兰姐"]),
        ("name.select($index)", [0, 1]),
        ("name.given.count()", [2]),
        ("name.all(use.exists())", [True]),
        ("name.exists(use = 'old')", [False]),
        ("name.use.isDistinct()", [True]),
        ("('a' | 'b' | 'a').count()", [2]),
        ("gender in ('male' | 'female')", [True]),
        ("gender.substring(2)", ["male"]),
        ("gender.matches('f.*')", [True]),
        ("id.contains('xiu') and id.startsWith('wang') and id.endsWith('lan')", [True]),
        ("iif(gender = 'female', 'she', 'he')", ["she"]),
        ("descendants().where($this is HumanName).count()", [2]),
        ("birthDate < @1950", [True]),
        ("birthDate < @1949", []),
        ("birthDate = @1949-03-07", [True]),
        ("@2026-03-01T08:00:00+08:00 = @2026-03-01T00:00:00Z", [True]),
        ("@2026-03-01T00:30:00+08:00 < @2026-03-01T00:00:00Z", [True]),
        ("@T09:30 < @T10:00", [True]),
        ("%resource.gender", ["female"]),
        ("'urn:x'.length() // a remark", [5]),
    ],
)
def test_expressions(expression: str, value: list[Any]) -> None:
    assert _found(PATIENT, expression) == value


def test_a_choice_is_found_without_its_type() -> None:
    content = observation()
    assert _found(content, "value.unit") == ["mmol/L"]
    assert _found(content, "value is Quantity") == [True]
    assert _found(content, "value.ofType(string).exists()") == [False]
    assert _found(content, "(value as Quantity).value") == [6]


def test_the_extensions_of_a_primitive_are_found() -> None:
    content = patient(_birthDate={"extension": [{"url": "urn:x", "valueString": "about"}]})
    assert _found(content, "birthDate.extension('urn:x').value") == ["about"]


@pytest.mark.parametrize("expression", ["", "name.", "name[", "(a", "a b", "nothing()", "%nothing", "'a", "#"])
def test_what_cannot_be_read_is_refused(expression: str) -> None:
    with pytest.raises(FhirPathError):
        _found(PATIENT, expression)


def test_every_invariant_of_r4_can_be_read() -> None:
    assert len([fhirpath.prepared(constraint.expression) for constraint in model().constraints]) > 200
