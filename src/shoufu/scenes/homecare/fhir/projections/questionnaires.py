"""Questionnaire: the instruments of assessments, every version. QuestionnaireResponse: the answers, with the score."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet

from shoufu.engines.fhir.rest import Search
from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.engines.scales import Item, Option, Scale, Score, score
from shoufu.kernel.audit import subjects
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.assessment import instruments
from shoufu.scenes.homecare.assessment import selectors as assessment
from shoufu.scenes.homecare.assessment.models import Assessment, Response
from shoufu.scenes.homecare.assessment.services import ANSWERS
from shoufu.scenes.homecare.fhir.sources import Computed, Made, Narrowed, Projection
from shoufu.scenes.homecare.fhir.vocabulary import filled, moment, pointed, system, to
from shoufu.scenes.homecare.register.services.common import HEALTH, opened

ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
TOTAL, BAND = "total", "band"
# An instrument is a file of the program; it changes with its version only.
_SINCE = datetime(2026, 11, 1, tzinfo=UTC)


def canonical(scale: Scale) -> str:
    """The URL of a questionnaire, without its version."""
    return system(f"questionnaire:{scale.code}")


def _coding(scale: Scale, item: Item, option: Option) -> dict[str, Any]:
    return {
        "extension": [{"url": ORDINAL, "valueDecimal": option.points}],
        "system": system(f"questionnaire:{scale.code}:{item.code}"),
        "code": str(option.points),
        "display": option.text,
    }


def _questionnaires(actor: Actor, search: Search | None, logical_id: str) -> Iterator[tuple[str, Made]]:
    for (code, number), scale in sorted(instruments.all_versions().items()):
        items: list[dict[str, Any]] = [
            {
                "linkId": item.code,
                "text": item.text,
                "type": "choice",
                "required": not item.only,
                "answerOption": [{"valueCoding": _coding(scale, item, option)} for option in item.options],
            }
            for item in scale.items
        ]
        items += [
            {"linkId": TOTAL, "text": "总分", "type": "integer", "readOnly": True},
            {"linkId": BAND, "text": "结果", "type": "string", "readOnly": True, "repeats": True},
        ]
        content = {
            "url": canonical(scale),
            "version": str(number),
            "name": code.capitalize(),
            "title": scale.name,
            "status": "active",
            "subjectType": ["Patient"],
            "copyright": scale.citation,
            "item": items,
        }
        yield f"questionnaire-{code}-{number}", Made(content, _SINCE)


def _rows(actor: Actor) -> QuerySet[Response]:
    seen = assessment.assessments(actor).filter(patient__person__erased_at__isnull=True)
    rows = Response.objects.filter(answers__isnull=False, assessment__in=seen.values("pk"))
    return rows.select_related("assessment__patient__person", "assessment__place")


def _make(rows: Sequence[Response]) -> Iterator[tuple[int, Made]]:
    keys = subjects.known_keys({row.assessment.patient.person_id for row in rows})
    for row in rows:
        patient = row.assessment.patient
        person, key = patient.person_id, keys.get(patient.person_id)
        scale = instruments.all_versions()[row.instrument, row.number]
        answers = opened(key, row.answers, person, ANSWERS) or {}
        sex = (opened(key, patient.health, person, HEALTH) or {}).get("sex", "")
        items = [_answer(scale, item, answers[item.code]) for item in scale.items if item.code in answers]
        content = filled(
            questionnaire=f"{canonical(scale)}|{scale.version}",
            status=_status(row),
            subject=to("Patient", patient.pk, patient.person.name),
            authored=moment(row.answered_at, row.assessment.place.time_zone) if row.answered_at else None,
            item=[*items, *_result(score(scale, answers, sex))],
        )
        updated = max(filter(None, (row.answered_at, row.assessment.ended_at, row.assessment.opened_at)))
        yield row.pk, Made(content, updated, person, row.assessment.place_id)


def _status(row: Response) -> str:
    if row.assessment.state == Assessment.State.CANCELLED:
        return "stopped"
    return "completed" if row.complete else "in-progress"


def _answer(scale: Scale, item: Item, points: int) -> dict[str, Any]:
    option = next(one for one in item.options if one.points == points)
    return {"linkId": item.code, "text": item.text, "answer": [{"valueCoding": _coding(scale, item, option)}]}


def _result(found: Score) -> list[dict[str, Any]]:
    if not found.complete:
        return []
    says = [found.band.text] if found.band else []
    if found.constitution is not None:
        says += [one.group.text for one in found.constitution.findings if one.says in ("yes", "mostly")]
    rows: list[dict[str, Any]] = []
    if found.constitution is None:
        rows.append({"linkId": TOTAL, "text": "总分", "answer": [{"valueInteger": found.total}]})
    if says:
        rows.append({"linkId": BAND, "text": "结果", "answer": [{"valueString": text} for text in says]})
    return rows


def _narrow(criterion: Criterion) -> Narrowed | None:
    if criterion.parameter.code in ("patient", "subject") and (keys := pointed(criterion, "Patient")) is not None:
        return Narrowed(Q(assessment__patient__in=keys))
    return None


projections = (
    Computed("Questionnaire", _questionnaires),
    Projection("QuestionnaireResponse", _rows, _make, _narrow),
)
