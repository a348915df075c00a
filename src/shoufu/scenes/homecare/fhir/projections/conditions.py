"""Condition: what the register notes of a patient's health, a line or a sentence for each, and what speaks against a
service at home."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.kernel.audit import subjects
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.fhir.sources import Made, Narrowed, Projection
from shoufu.scenes.homecare.fhir.vocabulary import changes, coded, moment, pointed, standard, to
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.codes import Flag
from shoufu.scenes.homecare.register.models import Patient
from shoufu.scenes.homecare.register.services.common import HEALTH, opened

_BETWEEN = re.compile(r"[；;。\n]+")


def _rows(actor: Actor) -> QuerySet[Patient]:
    rows = register.patients(actor, ended=True).filter(person__erased_at__isnull=True, health__isnull=False)
    return rows.defer(None).defer("access")


def _make(rows: Sequence[Patient]) -> Iterator[tuple[int, Made]]:
    keys = subjects.known_keys({row.person_id for row in rows})
    changed = changes(Patient, [row.pk for row in rows])
    for row in rows:
        health = opened(keys.get(row.person_id), row.health, row.person_id, HEALTH) or {}
        updated = max(filter(None, (row.since, changed.get(row.pk))))
        for suffix, code in _codes(health):
            content = {
                "clinicalStatus": standard("condition-clinical", "active"),
                "category": [standard("condition-category", "problem-list-item")],
                "code": code,
                "subject": to("Patient", row.pk, row.person.name),
                "recordedDate": moment(updated),
            }
            yield row.pk, Made(content, updated, row.person_id, row.place_id, suffix)


def _codes(health: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    said = (part.strip() for part in _BETWEEN.split(str(health.get("conditions", ""))))
    for number, text in enumerate(filter(None, said), 1):
        yield str(number), {"text": text}
    for flag in health.get("flags", ()):
        if flag in Flag.values:
            yield flag.replace("_", "-"), coded("flag", flag, str(Flag(flag).label))


def _narrow(criterion: Criterion) -> Narrowed | None:
    if criterion.parameter.code in ("patient", "subject") and (keys := pointed(criterion, "Patient")) is not None:
        return Narrowed(Q(pk__in=keys))
    return None


projection = Projection("Condition", _rows, _make, _narrow, several=True)
