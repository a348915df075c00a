"""Judge a resource: read its bytes, walk it, try its invariants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from . import answers, bundles, capabilities, code_systems, invariants, profiles, references, vitals, xml
from .at_hand import AtHand, Known, at_hand
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
    """What was found; ``resource`` is there when nothing grave is against it, ``content`` wherever something was read.

    ``shaped`` says that arrays, objects and values stand where they belong, whatever else is wrong.
    """

    resource: Resource | None
    issues: tuple[Issue, ...] = field(default=())
    content: Any = None
    shaped: bool = False

    @property
    def valid(self) -> bool:
        """Whether no issue is an error."""
        return not any(issue.grave for issue in self.issues)


def check(data: bytes, known: Known | AtHand | None = None) -> Report:
    """Judge JSON in bytes by the base specification of R4; raises nothing for whatever bytes come.

    ``known`` adds definitions: questionnaires (as a function) by which answers are judged, or all that
    :class:`AtHand` has. What is contained in a resource, or stands in the same bundle, counts too.
    """
    try:
        value, issues = read(data)
    except Unreadable as error:
        return Report(None, (error.issue,))
    return _judged(value, issues, known)


def check_file(data: bytes, known: Known | AtHand | None = None) -> Report:
    """Judge what a file holds: XML where it begins as such, else JSON. Expressions are those of JSON in both."""
    if data.removeprefix(BOM).lstrip()[:1] != b"<":
        return check(data, known)
    try:
        value, issues = xml.read(model(), data)
    except Unreadable as error:
        return Report(None, (error.issue,))
    return _judged(value, issues, known)


def check_content(content: dict[str, Any], known: Known | AtHand | None = None) -> Report:
    """Judge a resource that a program made: JSON's types, numbers as int or Decimal."""
    return _judged(content, [], known)


def parse(data: bytes) -> Resource | tuple[Issue, ...]:
    """The resource in the bytes, or what is wrong with it (errors and the warnings with them)."""
    report = check(data)
    return report.resource or report.issues


def _judged(value: Any, issues: list[Issue], known: Known | AtHand | None) -> Report:
    given = known if isinstance(known, AtHand) else AtHand(known)
    r4 = model()
    if given.extensions:
        # Those of R4 itself cannot be defined anew.
        r4 = msgspec.structs.replace(r4, extensions=given.extensions | r4.extensions)
    walk = Walk(r4)
    walk.resource(value, "", None)
    found = [*issues, *walk.issues]
    if not walk.misshapen:
        found.extend(invariants.broken(r4, walk.pending))
        own = at_hand(row for _path, row in walk.resources)
        systems, claimed = given.code_systems | own.code_systems, given.profiles | own.profiles
        for path, resource in walk.resources:
            found.extend(_by_type(r4, resource, path))
            found.extend(code_systems.faults(resource, path, systems) if systems else ())
            found.extend(profiles.faults(r4, resource, path, claimed) if claimed else ())
        if not any(issue.grave for issue in found):
            found.extend(_answers(r4, walk.resources, given.questionnaires))
    report = Report(None, tuple(dict.fromkeys(found)), value, shaped=not walk.misshapen)
    if not report.valid:
        return report
    return Report(Resource(value["resourceType"], value), report.issues, value, shaped=True)


def _by_type(known: Model, resource: dict[str, Any], path: str) -> Iterator[Issue]:
    match resource["resourceType"]:
        case "Bundle":
            yield from bundles.faults(known, resource, path)
        case "CodeSystem":
            yield from code_systems.definition_faults(resource, path)
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
