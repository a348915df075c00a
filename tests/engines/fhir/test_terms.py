"""Codes of systems that FHIR names: what their letters, check digits and texts tell."""

from __future__ import annotations

from typing import Any

import pytest

from shoufu.engines.fhir import terms, ucum

from .examples import LOINC, condition, errors, observation, patient

ROLE = "http://terminology.hl7.org/CodeSystem/condition-clinical"
UCUM = "http://unitsofmeasure.org"


UNITS = (
    "% 1 mmol/L mm[Hg] m[Hg] [degF] Cel /min 10*9/L 10*-3{a'U} kg/m2 mL/min/{1.73_m2} L/(24.h) [iU]/mL u[IU]/mL m-2"
    " {次}/d ug/kg/h [in_i'H2O] B[10.nV] 173.10*-2.m2 cal_[15] %[slope] {score}"
)


@pytest.mark.parametrize("code", UNITS.split())
def test_units_of_ucum(code: str) -> None:
    assert ucum.is_unit(code)


@pytest.mark.parametrize(
    "code", ["", "mmHg", "mmol/Lx", "mmol L", "kmin", "m//s", "m(", "m)", "(m", "{a", "m^2", "[foo]", "毫升", "/"]
)
def test_what_is_no_unit(code: str) -> None:
    assert not ucum.is_unit(code)


def test_a_long_row_of_units_takes_no_time() -> None:
    assert not ucum.is_unit("(" * 10_000)
    assert not ucum.is_unit("m." * 10_000)


def test_loinc_has_a_check_digit_but_in_parts_and_answers() -> None:
    assert all(map(terms.is_loinc, ("15074-8", "8480-6", "LA32-8", "LP173421-1", "MTHU000998")))
    assert not any(map(terms.is_loinc, ("15074-9", "15074", "8480-6 ", "glucose", "")))


def test_snomed_has_a_check_digit_of_verhoeff() -> None:
    assert all(map(terms.is_snomed, ("73211009", "404684003 |Clinical finding|", "404684003:363698007=56459004")))
    assert not any(map(terms.is_snomed, ("73211008", "73211009x", "12345", "diabetes", "")))


@pytest.mark.parametrize(
    ("resource", "expression"),
    [
        (observation(code={"coding": [{"system": LOINC, "code": "15074-9"}]}), "Observation.code.coding[0].code"),
        (
            condition(code={"coding": [{"system": terms.SNOMED, "code": "73211008"}]}),
            "Condition.code.coding[0].code",
        ),
        (
            observation(valueQuantity={"value": 6, "unit": "mmol/l", "system": UCUM, "code": "mmol per l"}),
            "Observation.valueQuantity.code",
        ),
        (
            patient(communication=[{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "zh CN"}]}}]),
            "Patient.communication[0].language.coding[0].code",
        ),
    ],
)
def test_a_code_that_its_system_cannot_have_is_refused(resource: dict[str, Any], expression: str) -> None:
    assert expression in errors(resource)


def _said(text: str, **more: Any) -> dict[str, str]:
    return errors(condition(clinicalStatus={"coding": [{"system": ROLE, "code": "active", "display": text}]}, **more))


def test_the_text_of_a_code_of_fhir_itself_is_the_one_of_its_system() -> None:
    assert not _said("Active") and not _said(" active ")
    assert "Active" in _said("Gone")["Condition.clinicalStatus.coding[0].display"]
    # Other languages have their own words, and R4 publishes none of them.
    assert not _said("活动期")
    assert not _said("aktiv", language="de")


def test_sampled_data_are_decimals_or_the_three_letters() -> None:
    def errors_of(data: str) -> dict[str, str]:
        sampled = {"origin": {"value": 0}, "period": 10, "dimensions": 1, "data": data}
        resource = observation(valueSampledData=sampled)
        del resource["valueQuantity"]
        return errors(resource)

    assert not errors_of("1 -2.5 E U L 3e2")
    assert "Observation.valueSampledData.data" in errors_of("1 two 3")
