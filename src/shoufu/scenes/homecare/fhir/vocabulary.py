"""Codes and references as resources write them."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max, Model

from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.engines.fhir.rest.values import Pointer, Token
from shoufu.kernel.audit.models import AuditEntry

HL7 = "http://terminology.hl7.org/CodeSystem/"
LOOKS = ("look", "search", "export", "view", "why_not")


def system(name: str) -> str:
    """The URI of one of this product's own code or identifier systems."""
    return f"urn:shoufu:{name}"


def coded(name: str, code: str, display: str = "") -> dict[str, Any]:
    """A CodeableConcept of one of our own systems."""
    coding = {"system": system(name), "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]} | ({"text": display} if display else {})


def standard(name: str, code: str) -> dict[str, Any]:
    """A CodeableConcept of a code system of HL7's terminology."""
    return {"coding": [{"system": f"{HL7}{name}", "code": code}]}


def to(kind: str, key: int | str, display: str = "") -> dict[str, str]:
    """A reference to a resource of this server."""
    return {"reference": f"{kind}/{prefix(kind)}-{key}"} | ({"display": display} if display else {})


def prefix(kind: str) -> str:
    """How the ids of a type begin that are made of the scene's own rows: "patient", "care-plan"."""
    parts = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in kind)
    return parts.removeprefix("-")


def moment(at: datetime, zone: str = "") -> str:
    """A dateTime with its offset, to the second; by the wall clock of a zone where one is given."""
    return (at.astimezone(ZoneInfo(zone)) if zone else at).isoformat(timespec="seconds")


def period(start: datetime | date | None, end: datetime | date | None) -> dict[str, str]:
    """A Period; empty where neither end is known."""
    named = (("start", start), ("end", end))
    return {name: moment(at) if isinstance(at, datetime) else at.isoformat() for name, at in named if at is not None}


def filled(**elements: Any) -> dict[str, Any]:
    """Elements without those that are empty: FHIR knows no empty ones."""
    return {name: value for name, value in elements.items() if value is not None and value not in ("", [], {})}


def changes(model: type[Model], keys: Iterable[int]) -> dict[int, datetime]:
    """When rows were last changed, by the audit log; looks do not count. One query."""
    wanted = [str(key) for key in keys]
    rows = AuditEntry.objects.filter(object_type=model._meta.label_lower, object_id__in=wanted)
    for word in LOOKS:
        rows = rows.exclude(action__endswith=f".{word}")
    return {int(key): at for key, at in rows.values("object_id").annotate(at=Max("at")).values_list("object_id", "at")}


def pointed(criterion: Criterion, kind: str) -> list[int] | None:
    """The keys of our own rows of a type that a reference criterion names; None where it asks for something else."""
    from shoufu.scenes.homecare.fhir.sources import key_of

    if criterion.modifier is not None or criterion.missing is not None:
        return None
    found = []
    for value in criterion.values:
        if not isinstance(value, Pointer) or value.url is not None:
            return None
        key = key_of(prefix(kind), value.id) if value.type in (None, kind) else None
        found += [key] if key is not None else []
    return found


def codes(criterion: Criterion) -> list[str] | None:
    """The codes of a token criterion, whatever their systems; None where it asks for something else."""
    if criterion.modifier is not None or criterion.missing is not None:
        return None
    found = [value.code for value in criterion.values if isinstance(value, Token)]
    return [code for code in found if code] if all(found) and len(found) == len(criterion.values) else None
