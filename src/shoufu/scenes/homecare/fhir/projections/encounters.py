"""Encounter: one person's work at one visit. Observation: vital signs and wounds that were written there. Provenance:
who wrote it, and that the patient signed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Max, Prefetch, Q, QuerySet

from shoufu.engines.chronic.quantities import KINDS
from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.kernel.audit import subjects
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.encounters import selectors as encounters
from shoufu.scenes.homecare.encounters.documents import VITALS
from shoufu.scenes.homecare.encounters.models import Encounter, Entry
from shoufu.scenes.homecare.encounters.services.common import LINE, clear_with
from shoufu.scenes.homecare.fhir.kept import instant
from shoufu.scenes.homecare.fhir.measures import ALSO, LOINC, UCUM, amount, measure
from shoufu.scenes.homecare.fhir.sources import Made, Narrowed, Projection
from shoufu.scenes.homecare.fhir.vocabulary import HL7, coded, codes, filled, moment, period, pointed, standard, to

PRESSURE = ("systolic", "diastolic")
WOUND = {
    "length": ("39126-8", "Length of wound"),
    "width": ("39125-0", "Width of wound"),
    "depth": ("39127-6", "Depth"),
}


def _rows(actor: Actor) -> QuerySet[Encounter]:
    rows = encounters.encounters(actor).filter(patient__person__erased_at__isnull=True)
    return rows.annotate(last_at=Max("entries__known_at"))


def _updated(row: Encounter) -> datetime:
    known = (row.opened_at, row.in_known, row.out_known, row.last_at)  # type: ignore[attr-defined]
    return max(at for at in known if at is not None)


def _encounters(rows: Sequence[Encounter]) -> Iterator[tuple[int, Made]]:
    for row in rows:
        visit = row.visit
        content = filled(
            status=row.state,
            serviceType=coded("service", visit.service.code, visit.version.name),
            subject=to("Patient", row.patient_id, row.patient.person.name),
            basedOn=[to("ServiceRequest", row.visit_id)],
            participant=[{"individual": to("Practitioner", row.practitioner_id, row.practitioner.person.name)}],
            appointment=[to("Appointment", row.visit_id)],
            period=period(row.in_at, row.out_at),
            serviceProvider=to("Organization", visit.institution_id, visit.institution.organisation.name),
        )
        content["class"] = {"system": f"{HL7}v3-ActCode", "code": "HH", "display": "home health"}
        yield row.pk, Made(content, _updated(row), row.patient.person_id, row.place_id)


def _narrow(criterion: Criterion) -> Narrowed | None:
    name = criterion.parameter.code
    if name in ("patient", "subject") and (keys := pointed(criterion, "Patient")) is not None:
        return Narrowed(Q(patient__in=keys))
    if name in ("practitioner", "participant") and (keys := pointed(criterion, "Practitioner")) is not None:
        return Narrowed(Q(practitioner__in=keys), exact=name == "practitioner")
    if name == "status" and (wanted := codes(criterion)) is not None:
        return Narrowed(Q(state__in=wanted), exact=False)
    return None


def _entries(actor: Actor, kind: str) -> QuerySet[Entry]:
    seen = encounters.encounters(actor).filter(patient__person__erased_at__isnull=True)
    rows = Entry.objects.filter(kind=kind, encounter__in=seen.order_by().values("pk"))
    return rows.select_related("encounter__patient__person", "encounter__place", "author__person")


def _vital_rows(actor: Actor) -> QuerySet[Entry]:
    return _entries(actor, Entry.Kind.VITALS)


def _record_rows(actor: Actor) -> QuerySet[Entry]:
    """The newest record of each encounter: it takes the place of those before."""
    rows = _entries(actor, Entry.Kind.RECORD)
    newest = rows.order_by("encounter_id", "-number").distinct("encounter_id").values("pk")
    return rows.filter(pk__in=newest)


def _opened(rows: Sequence[Entry]) -> Iterator[tuple[Entry, Mapping[str, Any]]]:
    keys = subjects.known_keys({row.encounter.patient.person_id for row in rows})
    for row in rows:
        person = row.encounter.patient.person_id
        yield row, clear_with(keys.get(person), person, row.content, LINE) or {}


def _made(row: Entry, content: dict[str, Any], suffix: str) -> tuple[int, Made]:
    encounter = row.encounter
    head = {
        "status": "final",
        "subject": to("Patient", encounter.patient_id, encounter.patient.person.name),
        "encounter": to("Encounter", encounter.pk),
        "effectiveDateTime": moment(row.at, encounter.place.time_zone),
        "issued": instant(row.known_at),
        "performer": [to("Practitioner", row.author_id, row.author.person.name)],
    }
    return row.pk, Made(filled(**head | content), row.known_at, encounter.patient.person_id, encounter.place_id, suffix)


def _vitals(rows: Sequence[Entry]) -> Iterator[tuple[int, Made]]:
    for row, found in _opened(rows):
        values = found.get("values", {})
        device = {"display": found["device"]} if found.get("device") else None
        if all(name in values for name in PRESSURE):
            kind = KINDS["blood_pressure"]
            parts = [
                {"code": measure(VITALS[name]), "valueQuantity": amount(VITALS[name], values[name])}
                for name in PRESSURE
            ]
            code = {"coding": [{"system": LOINC, "code": kind.loinc}], "text": kind.text}
            yield _made(
                row, {"category": _category(), "code": code, "component": parts, "device": device}, "blood-pressure"
            )
        for name, value in values.items():
            if name in PRESSURE or name not in VITALS:
                continue
            quantity = VITALS[name]
            coding = [{"system": LOINC, "code": one} for one in (ALSO.get(quantity.loinc), quantity.loinc) if one]
            content = {
                "category": _category("laboratory" if name == "glucose" else "vital-signs"),
                "code": {"coding": coding, "text": quantity.text},
                "valueQuantity": amount(quantity, value),
                "device": device,
            }
            yield _made(row, content, name)


def _category(code: str = "vital-signs") -> list[dict[str, Any]]:
    return [standard("observation-category", code)]


def _wounds(rows: Sequence[Entry]) -> Iterator[tuple[int, Made]]:
    for row, found in _opened(rows):
        for number, wound in enumerate(found.get("wounds", ()), 1):
            parts = [
                {
                    "code": {"coding": [{"system": LOINC, "code": code, "display": display}]},
                    "valueQuantity": {"value": wound[name], "unit": "cm", "system": UCUM, "code": "cm"},
                }
                for name, (code, display) in WOUND.items()
                if wound.get(name) is not None
            ]
            parts += [
                {"code": coded("wound", name), "valueString": wound[name]}
                for name in ("tissue", "exudate")
                if wound.get(name)
            ]
            content = {
                "category": _category("exam"),
                "code": coded("observation", "wound", "创面"),
                "bodySite": {"text": wound["site"]} if wound.get("site") else None,
                "component": parts,
            }
            yield _made(row, content, str(number))


def _narrow_entry(criterion: Criterion) -> Narrowed | None:
    name = criterion.parameter.code
    if name in ("patient", "subject") and (keys := pointed(criterion, "Patient")) is not None:
        return Narrowed(Q(encounter__patient__in=keys))
    if name == "encounter" and (keys := pointed(criterion, "Encounter")) is not None:
        return Narrowed(Q(encounter__in=keys))
    return None


def _finished(actor: Actor) -> QuerySet[Encounter]:
    signed = Entry.objects.filter(kind=Entry.Kind.SIGNATURE).order_by("number")
    rows = _rows(actor).filter(state=Encounter.State.FINISHED, out_known__isnull=False)
    return rows.prefetch_related(Prefetch("entries", signed, to_attr="signed"))


def _provenances(rows: Sequence[Encounter]) -> Iterator[tuple[int, Made]]:
    keys = subjects.known_keys({row.patient.person_id for row in rows})
    for row in rows:
        person = row.patient.person_id
        agents = [_agent("author", to("Practitioner", row.practitioner_id, row.practitioner.person.name))]
        for one in row.signed[-1:]:  # type: ignore[attr-defined]
            found = clear_with(keys.get(person), person, one.content, LINE) or {}
            if found.get("by") == "patient":
                agents.append(_agent("verifier", to("Patient", row.patient_id, row.patient.person.name)))
            elif found.get("name"):
                agents.append(_agent("verifier", {"display": found["name"]}))
        content = filled(
            target=[to("Encounter", row.pk)],
            occurredPeriod=period(row.in_at, row.out_at),
            recorded=instant(row.out_known or row.opened_at),
            agent=agents,
        )
        yield row.pk, Made(content, _updated(row), person, row.place_id)


def _agent(role: str, who: dict[str, str]) -> dict[str, Any]:
    return {"type": standard("provenance-participant-type", role), "who": who}


def _narrow_provenance(criterion: Criterion) -> Narrowed | None:
    if criterion.parameter.code == "patient" or criterion.parameter.code != "target":
        return None
    keys = pointed(criterion, "Encounter")
    return Narrowed(Q(pk__in=keys)) if keys is not None else None


projections = (
    Projection("Encounter", _rows, _encounters, _narrow),
    Projection("Observation", _vital_rows, _vitals, _narrow_entry, several=True, prefix="vitals"),
    Projection("Observation", _record_rows, _wounds, _narrow_entry, several=True, prefix="wound"),
    Projection("Provenance", _finished, _provenances, _narrow_provenance, prefix="encounter-provenance"),
)
