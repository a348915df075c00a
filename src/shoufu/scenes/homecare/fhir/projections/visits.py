"""ServiceRequest and Appointment of a visit: what was asked for, and when it was promised.
Consent: that the patient agreed to the service."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q, QuerySet

from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.fhir.sources import Made, Narrowed, Projection
from shoufu.scenes.homecare.fhir.vocabulary import (
    HL7,
    coded,
    codes,
    filled,
    moment,
    pointed,
    prefix,
    standard,
    to,
)
from shoufu.scenes.homecare.visits import selectors as visits
from shoufu.scenes.homecare.visits.models import Visit

State = Visit.State
REQUEST = {
    State.HELD: "draft",
    State.BOOKED: "active",
    State.UNDERWAY: "active",
    State.DONE: "completed",
    State.CANCELLED: "revoked",
    State.EXPIRED: "revoked",
    State.MISSED: "revoked",
}
APPOINTMENT = {
    State.HELD: "pending",
    State.BOOKED: "booked",
    State.UNDERWAY: "arrived",
    State.DONE: "fulfilled",
    State.CANCELLED: "cancelled",
    State.EXPIRED: "cancelled",
    State.MISSED: "noshow",
}
LOINC = "http://loinc.org"


def _rows(actor: Actor) -> QuerySet[Visit]:
    rows = visits.visits(actor).filter(patient__person__erased_at__isnull=True)
    return rows.annotate(last_at=Max("events__at"))


def _updated(row: Visit) -> datetime:
    known = (row.requested_at, row.consented_at, row.began_at, row.ended_at, row.last_at)  # type: ignore[attr-defined]
    return max(at for at in known if at is not None)


def _made(row: Visit, content: dict[str, Any]) -> tuple[int, Made]:
    return row.pk, Made(filled(**content), _updated(row), row.patient.person_id, row.place_id)


def _service(row: Visit) -> dict[str, Any]:
    return coded("service", row.service.code, row.version.name)


def _zoned(row: Visit, at: datetime) -> str:
    return moment(at, row.place.time_zone)


def _requests(rows: Sequence[Visit]) -> Iterator[tuple[int, Made]]:
    for row in rows:
        yield _made(
            row,
            {
                "status": REQUEST[State(row.state)],
                "intent": "order",
                "code": _service(row),
                "subject": to("Patient", row.patient_id, row.patient.person.name),
                "occurrencePeriod": {"start": _zoned(row, row.starts_at), "end": _zoned(row, row.latest_at)},
                "authoredOn": _zoned(row, row.requested_at),
                "performer": [to("Organization", row.institution_id, row.institution.organisation.name)],
            },
        )


def _appointments(rows: Sequence[Visit]) -> Iterator[tuple[int, Made]]:
    for row in rows:
        start, end = _times(row)
        status = APPOINTMENT[State(row.state)]
        accepted = "tentative" if row.state == State.HELD else "accepted"
        people = [to("Patient", row.patient_id, row.patient.person.name)]
        people += [to("Practitioner", one.practitioner_id, one.practitioner.person.name) for one in row.stops.all()]
        cause = status in ("cancelled", "noshow") and row.end_cause
        yield _made(
            row,
            {
                "status": status,
                "cancelationReason": coded("visit-end", row.end_cause) if cause else None,
                "serviceType": [_service(row)],
                "start": _zoned(row, start),
                "end": _zoned(row, end),
                "minutesDuration": int((end - start).total_seconds() // 60),
                "created": _zoned(row, row.requested_at),
                "basedOn": [to("ServiceRequest", row.pk)],
                "participant": [{"actor": one, "status": accepted} for one in people],
                "requestedPeriod": [{"start": _zoned(row, row.starts_at), "end": _zoned(row, row.latest_at)}],
            },
        )


def _times(row: Visit) -> tuple[datetime, datetime]:
    """When it is planned; before it is, the begin of what was promised and the service's minutes."""
    spans = [one.span for one in row.stops.all()]
    if spans:
        return min(one.lower for one in spans), max(one.upper for one in spans)
    return row.starts_at, row.starts_at + timedelta(minutes=row.version.duration_minutes)


def _consents(rows: Sequence[Visit]) -> Iterator[tuple[int, Made]]:
    for row in rows:
        yield _made(
            row,
            {
                "status": "active",
                "scope": standard("consentscope", "treatment"),
                "category": [{"coding": [{"system": LOINC, "code": "59284-0", "display": "Consent Document"}]}],
                "patient": to("Patient", row.patient_id, row.patient.person.name),
                "dateTime": _zoned(row, row.consented_at) if row.consented_at else None,
                "organization": [to("Organization", row.institution_id, row.institution.organisation.name)],
                "policyRule": {
                    "coding": [{"system": f"{HL7}v3-ActCode", "code": "OPTIN"}],
                    "text": row.version.consent,
                },
                "provision": {
                    "type": "permit",
                    "data": [{"meaning": "instance", "reference": to("ServiceRequest", row.pk)}],
                },
            },
        )


def _narrow(criterion: Criterion) -> Narrowed | None:
    name = criterion.parameter.code
    if name in ("patient", "subject") and (keys := pointed(criterion, "Patient")) is not None:
        return Narrowed(Q(patient__in=keys))
    if name in ("practitioner", "participant") and (keys := pointed(criterion, "Practitioner")):
        return Narrowed(Q(pk__in=Visit.objects.filter(stops__practitioner__in=keys).values("pk")), exact=False)
    return None


def _by(statuses: dict[State, str]) -> Any:
    """`_narrow`, and the status by what it is called there."""

    def narrow(criterion: Criterion) -> Narrowed | None:
        if criterion.parameter.code == "status" and (wanted := codes(criterion)) is not None:
            return Narrowed(Q(state__in=[state for state, code in statuses.items() if code in wanted]), exact=False)
        return _narrow(criterion)

    return narrow


def _agreed(actor: Actor) -> QuerySet[Visit]:
    return _rows(actor).filter(consented_at__isnull=False)


projections = (
    Projection("ServiceRequest", _rows, _requests, _by(REQUEST)),
    Projection("Appointment", _rows, _appointments, _by(APPOINTMENT)),
    Projection("Consent", _agreed, _consents, _narrow, prefix=f"visit-{prefix('Consent')}"),
)
