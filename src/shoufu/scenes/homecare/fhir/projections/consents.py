"""Consent: who may act for a patient in home care, by what the patient granted."""

from collections.abc import Iterator, Sequence

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.privacy.models import Delegation
from shoufu.scenes.homecare.fhir.sources import Made, Narrowed, Projection
from shoufu.scenes.homecare.fhir.vocabulary import HL7, filled, moment, period, pointed, standard, system, to
from shoufu.scenes.homecare.register import selectors as register

LOINC = "http://loinc.org"


def _rows(actor: Actor) -> QuerySet[Delegation]:
    seen = register.patients(actor, ended=True).order_by("pk")
    mine = seen.filter(person=OuterRef("person"), person__erased_at__isnull=True)
    rows = Delegation.objects.filter(scopes__contains=[register.ACT]).select_related("person", "delegate")
    rows = rows.annotate(patient_key=Subquery(mine.values("pk")[:1]), place_key=Subquery(mine.values("place")[:1]))
    return rows.filter(patient_key__isnull=False)


def _make(rows: Sequence[Delegation]) -> Iterator[tuple[int, Made]]:
    now = timezone.now()
    for row in rows:
        ended = row.withdrawn_at or (row.until if row.until is not None and row.until <= now else None)
        role = {"coding": [{"system": f"{HL7}v3-RoleClass", "code": "AGNT"}]}
        content = filled(
            status="inactive" if ended is not None else "active",
            scope=standard("consentscope", "treatment"),
            category=[{"coding": [{"system": LOINC, "code": "59284-0", "display": "Consent Document"}]}],
            patient=to("Patient", row.patient_key, row.person.name),  # type: ignore[attr-defined]
            dateTime=moment(row.since),
            policyRule={"coding": [{"system": f"{HL7}v3-ActCode", "code": "OPTIN"}]},
            provision=filled(
                type="permit",
                period=period(row.since, row.withdrawn_at or row.until),
                actor=[{"role": role, "reference": {"display": row.delegate.name}}],
                code=[{"coding": [{"system": system("scope"), "code": scope}]} for scope in row.scopes],
            ),
        )
        updated = max(filter(None, (row.since, ended)))
        yield row.pk, Made(content, updated, row.person_id, row.place_key)  # type: ignore[attr-defined]


def _narrow(criterion: Criterion) -> Narrowed | None:
    if criterion.parameter.code == "patient" and (keys := pointed(criterion, "Patient")) is not None:
        return Narrowed(Q(patient_key__in=keys))
    return None


projection = Projection("Consent", _rows, _make, _narrow)
