"""What speaks for and against a service for a patient, read once and asked for any moment from then on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q
from django.utils import timezone

from shoufu.scenes.homecare.assessment import selectors as assessment
from shoufu.scenes.homecare.assessment.models import Assessment
from shoufu.scenes.homecare.register import facts
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register import services as registry
from shoufu.scenes.homecare.register.eligibility import Cared, Reason, of_patient, of_service
from shoufu.scenes.homecare.register.models import Institution, Patient, Service, ServiceVersion
from shoufu.scenes.homecare.visits.models import Prescription, Visit


@dataclass(frozen=True)
class Standing:
    """A patient and a service at an institution. `decision` is the last one on the patient's assessment, `used` how
    many other visits rest on the prescription."""

    patient: Patient
    office: Institution
    service: Service
    versions: Sequence[ServiceVersion]
    flags: frozenset[str] | None
    decision: Assessment | None
    prescription: Prescription | None
    used: int

    def day(self, moment: datetime) -> date:
        """The day at the institution's place."""
        return register.day_at(self.office.place, moment)

    def version_on(self, day: date) -> ServiceVersion | None:
        """The version that holds on a day."""
        if self.service.closed_at is not None:
            return None
        return next((one for one in self.versions if one.since <= day), None)

    def against(self, moment: datetime, agreed: ServiceVersion | None = None) -> list[Reason]:
        """Every reason against a visit that begins then, whoever comes. `agreed` is the version of a visit that was
        booked: it counts though another one may hold by then."""
        day = self.day(moment)
        version = agreed or self.version_on(day)
        assessed = assessment.standing_of(self.decision, moment)
        asked = facts.asked(
            self.office, version, assessed if version is None or version.needs_assessment else "not_needed"
        )
        found = [*self._patient(moment), *of_service(asked, day), *of_patient(asked, self._cared(moment))]
        return [*found, *self._prescribed(version, moment)]

    def _patient(self, moment: datetime) -> Iterator[Reason]:
        died = self.patient.person.died_on
        if died is not None and died <= register.day_at(self.patient.place, moment):
            yield Reason("died")

    def _cared(self, moment: datetime) -> Cared:
        row = self.patient
        return Cared(
            institution=row.institution_id,
            flags=self.flags,
            ended=row.ended_at is not None and row.ended_at <= moment,
            inside=row.place.path.startswith(self.office.place.path),
        )

    def _prescribed(self, version: ServiceVersion | None, moment: datetime) -> Iterator[Reason]:
        if version is None or not version.needs_prescription:
            return
        row, day = self.prescription, register.day_at(self.patient.place, moment)
        if row is None:
            yield Reason("prescription_missing")
            return
        if row.revoked_at is not None and row.revoked_at <= moment:
            yield Reason("prescription_revoked")
        if row.checked_at is None:
            yield Reason("prescription_unchecked")
        if day < row.issued_on:
            yield Reason("prescription_early", {"day": row.issued_on.isoformat()})
        if row.last_day < day:
            yield Reason("prescription_lapsed", {"day": row.last_day.isoformat()})
        if self.used >= row.uses:
            yield Reason("prescription_used", {"uses": row.uses})


def standing(
    patient: Patient,
    service: Service,
    prescription: Prescription | None = None,
    *,
    leaving: int | None = None,
    moment: datetime | None = None,
) -> Standing:
    """Read where a patient stands with a service, for any moment from `moment` (now) on. The visit `leaving` counts as
    none that rests on the prescription. The caller checked the right."""
    office = patient.institution
    versions = list(ServiceVersion.objects.filter(service=service).order_by("-since"))
    flags = frozenset(registry.shown(patient).health.flags)
    decision = assessment.last_decision(patient, service.pk, moment or timezone.now())
    used = uses(prescription, leaving) if prescription is not None else 0
    return Standing(patient, office, service, versions, flags, decision, prescription, used)


def uses(prescription: Prescription, leaving: int | None = None) -> int:
    """How many visits rest on a prescription; holds that ran out do not."""
    gone = Q(state=Visit.State.HELD, booking__held_until__lte=timezone.now())
    rows = Visit.objects.filter(prescription=prescription, state__in=Visit.PLANNED).exclude(gone)
    return rows.exclude(pk=leaving or 0).count()
