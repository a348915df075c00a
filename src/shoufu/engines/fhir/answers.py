"""A QuestionnaireResponse against its Questionnaire (http://hl7.org/fhir/R4/questionnaireresponse.html#notes).

Which items there are, in which order and how often; the type and the permitted values of answers; what an item that is
not enabled may hold. Of the extensions those of R4 and of Structured Data Capture that limit answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import limits
from .definitions import Model
from .enabling import enabled
from .issues import Issue, Severity

FINISHED = frozenset({"completed", "amended"})
VALUES = {
    "boolean": ("valueBoolean",),
    "decimal": ("valueDecimal",),
    "integer": ("valueInteger",),
    "date": ("valueDate",),
    "dateTime": ("valueDateTime",),
    "time": ("valueTime",),
    "string": ("valueString",),
    "text": ("valueString",),
    "url": ("valueUri",),
    "choice": ("valueCoding",),
    "open-choice": ("valueCoding", "valueString"),
    "attachment": ("valueAttachment",),
    "reference": ("valueReference",),
    "quantity": ("valueQuantity",),
}
# Options may be of these types; a choice is then answered by one of them.
OPTIONS = frozenset({"valueInteger", "valueDate", "valueTime", "valueString", "valueCoding", "valueReference"})


def faults(model: Model, response: dict[str, Any], questionnaire: dict[str, Any], path: str) -> Iterator[Issue]:
    """What is wrong with the answers of a valid response to a valid questionnaire."""
    judge = _Judge(model, questionnaire, response.get("status") in FINISHED)
    judge.gather(response.get("item", ()))
    yield from judge.items(questionnaire.get("item", ()), response.get("item", ()), path)


def named(questionnaires: Iterable[dict[str, Any]], canonical: str) -> dict[str, Any] | None:
    """The one of them that a canonical means (``url`` or ``url|version``); None where none does."""
    url, _bar, version = canonical.partition("#")[0].partition("|")
    for one in questionnaires:
        if one.get("url") == url and version in ("", one.get("version")):
            return one
    return None


@dataclass
class _Judge:
    model: Model
    questionnaire: dict[str, Any]
    finished: bool
    given: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def gather(self, items: Sequence[dict[str, Any]]) -> None:
        """The answers to each question, for what depends on them."""
        for item in items:
            answers = item.get("answer", ())
            self.given.setdefault(str(item.get("linkId")), []).extend(answers)
            self.gather(item.get("item", ()))
            for answer in answers:
                self.gather(answer.get("item", ()))

    def items(self, asked: Sequence[dict[str, Any]], given: Sequence[dict[str, Any]], path: str) -> Iterator[Issue]:
        """One level: what is asked there against what is given."""
        places = {str(item.get("linkId")): place for place, item in enumerate(asked)}
        found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        last = -1
        for number, item in enumerate(given):
            link, where = str(item.get("linkId")), f"{path}.item[{number}]"
            place = places.get(link)
            if place is None:
                yield Issue(f"{where}.linkId", f"the questionnaire asks no '{link}' here", "not-found")
                continue
            if place < last:
                yield Issue(where, f"'{link}' stands after what the questionnaire asks later", "structure")
            last = max(last, place)
            found.setdefault(link, []).append((where, item))
        for item in asked:
            yield from self._item(item, found.get(str(item.get("linkId")), []), path)

    def _item(self, asked: dict[str, Any], found: list[tuple[str, dict[str, Any]]], path: str) -> Iterator[Issue]:
        link, kind = str(asked.get("linkId")), str(asked.get("type"))
        if not enabled(asked, self.given):
            for where, item in found:
                if item.get("answer") or item.get("item"):
                    yield Issue(where, f"'{link}' is answered, though it is not enabled", "invariant")
            return
        yield from self._often(asked, found, path)
        for where, item in found:
            if kind == "group":
                yield from self._group(asked, item, where)
            elif kind in ("display", "question"):
                if item.get("answer"):
                    yield Issue(f"{where}.answer", f"'{link}' is of type {kind}, which has no answers", "structure")
            else:
                yield from self._answers(asked, item, where)

    def _often(self, asked: dict[str, Any], found: list[tuple[str, dict[str, Any]]], path: str) -> Iterator[Issue]:
        """How often an item and its answers may stand, and must where the response is finished."""
        link, kind = str(asked.get("linkId")), str(asked.get("type"))
        group = kind == "group"
        if len(found) > 1 and not (group and asked.get("repeats")):
            yield Issue(found[1][0], f"only one item '{link}' is allowed", "structure")
        count = len(found) if group else sum(len(item.get("answer", ())) for _where, item in found)
        where = found[0][0] if found else path
        if not asked.get("repeats") and not group and count > 1:
            yield Issue(where, f"only one answer to '{link}' is allowed", "structure")
        least = max(limits.number(asked, "minOccurs") or 0, 1 if asked.get("required") else 0)
        most = limits.number(asked, "maxOccurs")
        if kind != "display" and count < least:
            message = f"'{link}' needs an answer" if least == 1 else f"'{link}' needs {least} answers, not {count}"
            yield Issue(where, message, "required", Severity.ERROR if self.finished else Severity.INFORMATION)
        if most is not None and count > most:
            yield Issue(where, f"'{link}' has at most {most} answers, not {count}", "structure")

    def _group(self, asked: dict[str, Any], item: dict[str, Any], where: str) -> Iterator[Issue]:
        if item.get("answer"):
            yield Issue(f"{where}.answer", f"'{asked.get('linkId')}' is a group, which has no answers", "structure")
        if asked.get("required") and asked.get("item") and not item.get("item") and self.finished:
            yield Issue(where, f"the required group '{asked.get('linkId')}' is empty", "required")
        yield from self.items(asked.get("item", ()), item.get("item", ()), where)

    def _answers(self, asked: dict[str, Any], item: dict[str, Any], where: str) -> Iterator[Issue]:
        if item.get("item"):
            message = f"items below the question '{asked.get('linkId')}' stand in its answer"
            yield Issue(f"{where}.item", message, "structure")
        answers = item.get("answer", ())
        for number, answer in enumerate(answers):
            at = f"{where}.answer[{number}]"
            yield from self._answer(asked, answer, at)
            yield from self.items(asked.get("item", ()), answer.get("item", ()), at)
        yield from limits.exclusive(asked, answers, where)

    def _answer(self, asked: dict[str, Any], answer: dict[str, Any], where: str) -> Iterator[Issue]:
        name = next((name for name in answer if name.startswith("value")), None)
        if name is None:
            return
        kind = str(asked.get("type"))
        options = [option for option in asked.get("answerOption", ()) if isinstance(option, dict)]
        allowed = VALUES.get(kind, ())
        if kind in ("choice", "open-choice"):
            listed = [value for option in options for value in option if value in OPTIONS]
            # Options that nobody named here may be of any of their types.
            allowed = (*allowed, *(listed if options or asked.get("answerValueSet") else sorted(OPTIONS)))
        if name not in allowed:
            wanted = " or ".join(dict.fromkeys(one.removeprefix("value") for one in allowed))
            yield Issue(f"{where}.{name}", f"the answer to '{asked.get('linkId')}' is of type {wanted}", "value")
            return
        value, at = answer[name], f"{where}.{name}"
        free = kind == "open-choice" and name == "valueString"
        if options and not free and not any(_same(value, option.get(name)) for option in options):
            yield Issue(
                at, f"{_shown(value)} is not among the permitted answers to '{asked.get('linkId')}'", "code-invalid"
            )
        elif asked.get("answerValueSet") and not free:
            yield from limits.in_value_set(self.model, self.questionnaire, str(asked["answerValueSet"]), value, at)
        yield from limits.faults(self.model, self.questionnaire, asked, value, at)


def _same(value: Any, option: Any) -> bool:
    if isinstance(value, dict) and isinstance(option, dict):
        if "reference" in option:
            return bool(value.get("reference") == option["reference"])
        return bool(value.get("code") == option.get("code") and value.get("system") == option.get("system"))
    return type(value) is type(option) and bool(value == option)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value.get('system', '')}#{value.get('code', value.get('reference', ''))}"
    return f"'{value}'"
