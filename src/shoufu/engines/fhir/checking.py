"""Judge a resource: read its bytes, walk it, try its invariants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from . import answers, bundles, capabilities, invariants, references, vitals, xml
from .definitions import Model, model
from .issues import Issue
from .reading import BOM, Unreadable, read, write
from .walk import Walk


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as it was sent: names in their order, numbers with their digits."""

    type: str
    content: dict[str, Any]

    @property
    def id(self) -> str | None:
        """Its logical id; None before a server gave it one."""
        found = self.content.get("id")
        return found if isinstance(found, str) else None

    def to_bytes(self) -> bytes:
        """As JSON in UTF-8, equal to what was read."""
        return write(self.content)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found; ``resource`` is there when nothing grave is against it, ``content`` wherever JSON was read."""

    resource: Resource | None
    issues: tuple[Issue, ...] = field(default=())
    content: Any = None

    @property
    def valid(self) -> bool:
        """Whether no issue is an error."""
        return not any(issue.grave for issue in self.issues)


Known = Callable[[str], dict[str, Any] | None]
"""Gives the questionnaire of a canonical (``url`` or ``url|version``), None for one that it does not have."""


def check(data: bytes, known: Known | None = None) -> Report:
    """Judge JSON in bytes by the base specification of R4; raises nothing for whatever bytes come.

    The answers of a QuestionnaireResponse are judged where its questionnaire is contained in it, in the same bundle, or
    given by ``known``.
    """
    try:
        value, issues = read(data)
    except Unreadable as error:
        return Report(None, (error.issue,))
    return _judged(value, issues, model(), known)


def check_file(data: bytes, known: Known | None = None) -> Report:
    """Judge what a file holds: XML where it begins as such, else JSON. Expressions are those of JSON in both."""
    if data.removeprefix(BOM).lstrip()[:1] != b"<":
        return check(data, known)
    try:
        value, issues = xml.read(model(), data)
    except Unreadable as error:
        return Report(None, (error.issue,))
    return _judged(value, issues, model(), known)


def check_content(content: dict[str, Any], known: Known | None = None) -> Report:
    """Judge a resource that a program made: JSON's types, numbers as int or Decimal."""
    return _judged(content, [], model(), known)


def parse(data: bytes) -> Resource | tuple[Issue, ...]:
    """The resource in the bytes, or what is wrong with it (errors and the warnings with them)."""
    report = check(data)
    return report.resource or report.issues


def _judged(value: Any, issues: list[Issue], known: Model, questionnaires: Known | None) -> Report:
    walk = Walk(known)
    walk.resource(value, "", None)
    found = [*issues, *walk.issues]
    if not walk.misshapen:
        found.extend(invariants.broken(known, walk.pending))
        for path, resource in walk.resources:
            found.extend(_by_type(known, resource, path))
        if not any(issue.grave for issue in found):
            found.extend(_answers(known, walk.resources, questionnaires))
    report = Report(None, tuple(dict.fromkeys(found)), value)
    return Report(Resource(value["resourceType"], value), report.issues, value) if report.valid else report


def _by_type(known: Model, resource: dict[str, Any], path: str) -> Iterator[Issue]:
    match resource["resourceType"]:
        case "Bundle":
            yield from bundles.faults(known, resource, path)
        case "CapabilityStatement":
            yield from capabilities.faults(resource, path)
        case "Observation":
            yield from vitals.faults(resource, path)


def _answers(known: Model, resources: list[tuple[str, dict[str, Any]]], given: Known | None) -> Iterator[Issue]:
    """Responses against the questionnaires that are at hand."""
    here = [row for _path, row in resources if row["resourceType"] == "Questionnaire"]
    for path, row in resources:
        canonical = row.get("questionnaire")
        if row["resourceType"] != "QuestionnaireResponse" or not isinstance(canonical, str):
            continue
        found = _questionnaire(row, canonical, here, given)
        if found is not None:
            yield from answers.faults(known, row, found, path)


def _questionnaire(
    response: dict[str, Any], canonical: str, here: list[dict[str, Any]], given: Known | None
) -> dict[str, Any] | None:
    if canonical.startswith("#"):
        found = references.contained(response, canonical[1:])
        return found if found is not None and found.get("resourceType") == "Questionnaire" else None
    return answers.named(here, canonical) or (given(canonical) if given is not None else None)
