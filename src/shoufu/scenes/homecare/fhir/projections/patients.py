"""Patient: whom an institution of the actor's cares for, or cared for."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.kernel.audit import subjects
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.parties.selectors import home_label, phones
from shoufu.scenes.homecare.fhir.sources import Made, Narrowed, Projection
from shoufu.scenes.homecare.fhir.vocabulary import changes, codes, filled, pointed, system, to
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Patient, Practitioner
from shoufu.scenes.homecare.register.services.common import HEALTH, opened


def _rows(actor: Actor) -> QuerySet[Patient]:
    rows = register.patients(actor, ended=True).filter(person__erased_at__isnull=True)
    nurses = Practitioner.objects.select_related("person").order_by("pk")
    return rows.defer(None).defer("access").prefetch_related(Prefetch("nurses", nurses))


def _make(rows: Sequence[Patient]) -> Iterator[tuple[int, Made]]:
    people = {row.person_id for row in rows}
    numbers, keys = phones(people), subjects.known_keys(people)
    changed = changes(Patient, [row.pk for row in rows])
    for row in rows:
        health = opened(keys.get(row.person_id), row.health, row.person_id, HEALTH) or {}
        updated = max(filter(None, (row.since, row.ended_at, row.person.updated_at, changed.get(row.pk))))
        content = _content(row, numbers.get(row.person_id, ""), str(health.get("sex", "")))
        yield row.pk, Made(content, updated, row.person_id, row.place_id)


def _content(row: Patient, phone: str, sex: str) -> dict[str, Any]:
    person = row.person
    home = home_label(row.household) if row.household is not None else ""
    return filled(
        identifier=[{"use": "official", "system": system("person"), "value": person.code}],
        active=row.ended_at is None,
        name=[{"use": "official", "text": person.name}],
        telecom=[{"system": "phone", "value": phone}] if phone else [],
        gender=sex or "unknown",
        birthDate=person.born.isoformat() if person.born else None,
        deceasedDateTime=person.died_on.isoformat() if person.died_on else None,
        address=[{"use": "home", "text": home, "country": "CN"}] if home else [],
        generalPractitioner=[to("Practitioner", one.pk, one.person.name) for one in row.nurses.all()],
        managingOrganization=to("Organization", row.institution_id, row.institution.organisation.name),
    )


def _narrow(criterion: Criterion) -> Narrowed | None:
    match criterion.parameter.code:
        case "organization" if (keys := pointed(criterion, "Organization")) is not None:
            return Narrowed(Q(institution__in=keys))
        case "general-practitioner" if (keys := pointed(criterion, "Practitioner")) is not None:
            assigned = Patient.nurses.through.objects.filter(practitioner__in=keys).values("patient")
            return Narrowed(Q(pk__in=assigned), exact=False)
        case "identifier" if (wanted := codes(criterion)) is not None:
            return Narrowed(Q(person__code__in=wanted), exact=False)
        case "active" if (wanted := codes(criterion)) in (["true"], ["false"]):
            return Narrowed(Q(ended_at__isnull=wanted == ["true"]))
    return None


projection = Projection("Patient", _rows, _make, _narrow)
