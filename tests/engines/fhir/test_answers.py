"""Answers against their questionnaire: contained, in the same bundle, or known otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from shoufu.engines import fhir

from .examples import bundle

CORE = "http://hl7.org/fhir/StructureDefinition/"
UCUM = "http://unitsofmeasure.org"


def coding(code: str) -> dict[str, Any]:
    return {"system": "urn:c", "code": code}


def extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": f"{CORE}{name}", **value}


ALONE = extension("questionnaire-optionExclusive", valueBoolean=True)
ITEMS: list[dict[str, Any]] = [
    {"linkId": "fell", "type": "boolean", "required": True},
    {
        "linkId": "often", "type": "integer",
        "enableWhen": [{"question": "fell", "operator": "=", "answerBoolean": True}],
        "extension": [extension("minValue", valueInteger=1), extension("maxValue", valueInteger=9)],
    },
    {
        "linkId": "aid", "type": "choice", "repeats": True,
        "answerOption": [
            {"valueCoding": coding("none"), "extension": [ALONE]},
            {"valueCoding": coding("stick")}, {"valueCoding": coding("frame")},
        ],
    },
    {"linkId": "says", "type": "string", "maxLength": 5, "extension": [extension("regex", valueString="[a-z]+")]},
    {
        "linkId": "way", "type": "quantity",
        "extension": [{
            "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-maxQuantity",
            "valueQuantity": {"value": 2, "system": UCUM, "code": "km"},
        }],
    },
    {"linkId": "more", "type": "group", "item": [
        {"linkId": "told", "type": "display", "text": "!"}, {"linkId": "since", "type": "date"},
    ]},
]  # fmt: skip
QUESTIONNAIRE = {"resourceType": "Questionnaire", "url": "urn:q", "version": "2", "status": "active", "item": ITEMS}


def response(*items: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    head = {"resourceType": "QuestionnaireResponse", "status": status, "questionnaire": "urn:q"}
    return head | ({"item": list(items)} if items else {}) | more


def said(link: str, *values: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"linkId": link, **({"answer": list(values)} if values else {}), **more}


NO = said("fell", {"valueBoolean": False})
YES = said("fell", {"valueBoolean": True})


def judged(content: dict[str, Any]) -> dict[str, str]:
    report = fhir.check_content(content, lambda url: QUESTIONNAIRE if url.startswith("urn:q") else None)
    return {
        issue.expression.partition("QuestionnaireResponse")[2]: issue.message for issue in report.issues if issue.grave
    }


@pytest.mark.parametrize(
    "items",
    [
        (NO,),
        (YES, said("often", {"valueInteger": 3})),
        (NO, said("aid", {"valueCoding": coding("stick")}, {"valueCoding": coding("frame")})),
        (NO, said("says", {"valueString": "abc"}), said("more", item=[said("since", {"valueDate": "2026-01-01"})])),
        (NO, said("way", {"valueQuantity": {"value": 1900, "system": UCUM, "code": "m"}})),
    ],
)
def test_taken(items: tuple[dict[str, Any], ...]) -> None:
    assert judged(response(*items)) == {}


@pytest.mark.parametrize(
    ("items", "where"),
    [
        ((), ""),
        ((said("fell"),), ".item[0]"),
        ((NO, said("often", {"valueInteger": 3})), ".item[1]"),
        ((YES, said("often", {"valueInteger": 10})), ".item[1].answer[0].valueInteger"),
        ((YES, said("often", {"valueString": "x"})), ".item[1].answer[0].valueString"),
        ((NO, said("colour", {"valueString": "x"})), ".item[1].linkId"),
        ((said("says", {"valueString": "a"}), NO), ".item[1]"),
        ((NO, NO), ".item[1]"),
        ((said("fell", {"valueBoolean": True}, {"valueBoolean": True}),), ".item[0]"),
        ((NO, said("aid", {"valueCoding": coding("cart")})), ".item[1].answer[0].valueCoding"),
        ((NO, said("aid", {"valueCoding": coding("none")}, {"valueCoding": coding("stick")})), ".item[1].answer[0]"),
        ((NO, said("says", {"valueString": "abcdef"})), ".item[1].answer[0].valueString"),
        ((NO, said("says", {"valueString": "A"})), ".item[1].answer[0].valueString"),
        (
            (NO, said("way", {"valueQuantity": {"value": 3, "system": UCUM, "code": "km"}})),
            ".item[1].answer[0].valueQuantity",
        ),
        (
            (NO, said("way", {"valueQuantity": {"value": 3, "system": UCUM, "code": "kg"}})),
            ".item[1].answer[0].valueQuantity",
        ),
        ((NO, said("more", {"valueBoolean": True})), ".item[1].answer"),
        ((NO, said("more", item=[said("told", {"valueBoolean": True})])), ".item[1].item[0].answer"),
    ],
)
def test_refused(items: tuple[dict[str, Any], ...], where: str) -> None:
    assert where in judged(response(*items))


def test_what_is_not_finished_may_lack_answers() -> None:
    assert judged(response(status="in-progress")) == {}
    assert "" in judged(response(status="completed"))


def test_where_the_questionnaire_comes_from() -> None:
    wrong = said("fell", {"valueString": "x"})
    inside = {name: value for name, value in QUESTIONNAIRE.items() if name != "url"} | {"id": "q"}
    assert not fhir.check_content(response(wrong, questionnaire="#q", contained=[inside])).valid
    assert fhir.check_content(response(NO, questionnaire="#q", contained=[inside])).valid
    both = [{"fullUrl": f"urn:uuid:0000000{n}-0000-4000-8000-000000000000", "resource": one}
            for n, one in enumerate((QUESTIONNAIRE, response(wrong)))]  # fmt: skip
    assert not fhir.check_content(bundle(*both)).valid
    assert fhir.check_content(response(wrong)).valid
    assert fhir.check_content(response(wrong, questionnaire="urn:q|3")).valid
    assert judged(response(wrong, questionnaire="urn:q|2"))


def test_a_canonical_of_hl7_names_its_type() -> None:
    found = fhir.check_content(response(NO, questionnaire="http://hl7.org/fhir/ValueSet/example-extensional"))
    assert [issue.expression for issue in found.issues if issue.grave] == ["QuestionnaireResponse.questionnaire"]
