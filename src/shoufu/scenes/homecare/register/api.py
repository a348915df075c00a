"""/api/homecare/register/…: institutions, the catalogue, who gives care, whom it is for."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from ninja import Field, Query, Router, Schema, Status

from shoufu.kernel.access import policy
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.scenes.homecare.register import selectors, services
from shoufu.scenes.homecare.register.models import (
    Institution,
    Patient,
    Portrait,
    Practitioner,
    Service,
    ServiceVersion,
)
from shoufu.scenes.homecare.register.portrait_api import router as portraits

router = Router(tags=["homecare"])
router.add_router("/practitioners", portraits)


class InstitutionOut(Schema):
    id: int
    organisation: int = Field(alias="organisation_id")
    name: str = Field(alias="organisation.name")
    place: int = Field(alias="place_id", description="It serves this place and what lies in it")
    licence_number: str
    licence_last_day: date
    suspended_at: datetime | None


class InstitutionIn(Schema):
    organisation: int
    place: int
    licence_number: str = Field(max_length=64)
    licence_last_day: date


class ReasonIn(Schema):
    reason: str = Field(max_length=200)


class PerformerModel(Schema):
    professions: list[str] = []
    skills: list[str] = []
    least_rank: int = 1
    least_years: int = 0


class MaterialModel(Schema):
    name: str = Field(max_length=80)
    name_en: str = Field("", max_length=80)
    unit: str = Field("", max_length=80)
    quantity: float = 1


class VersionIn(Schema):
    name: str = Field(max_length=120)
    name_en: str = Field(max_length=120)
    duration_minutes: int
    price: int = Field(description="In minor units")
    consent: str = Field(max_length=4000)
    consent_en: str = Field(max_length=4000)
    performers: list[PerformerModel] = Field([PerformerModel()], max_length=2)
    since: date | None = None
    what: str = Field("", max_length=1000)
    what_en: str = Field("", max_length=1000)
    second: str = "none"
    gap_least: int = 0
    gap_most: int = 0
    materials: list[MaterialModel] = Field([], max_length=40)
    insurance_share: int = Field(0, description="Per cent")
    contraindications: list[str] = []
    needs_prescription: bool = False
    needs_assessment: bool = True
    instruments: list[str] = []
    assessment_days: int = 90

    def draft(self) -> services.VersionDraft:
        read = self.model_dump()
        read["performers"] = [services.PerformerDraft(**one) for one in read["performers"]]
        return services.VersionDraft(**read)


class ServiceIn(Schema):
    institution: int
    code: str = Field(max_length=64)
    version: VersionIn


class VersionOut(Schema):
    number: int
    since: date
    name: str
    name_en: str
    what: str
    what_en: str
    performers: list[Any]
    second: str
    gap_least: int
    gap_most: int
    duration_minutes: int
    materials: list[Any]
    price: int
    currency: str
    insurance_share: int
    contraindications: list[str]
    consent: str
    consent_en: str
    needs_prescription: bool
    needs_assessment: bool
    instruments: list[str]
    assessment_days: int


class ServiceOut(Schema):
    id: int
    institution: int = Field(alias="institution_id")
    code: str
    name: str | None = Field(alias="named")
    closed_at: datetime | None


class PractitionerOut(Schema):
    id: int
    person: int = Field(alias="person_id")
    name: str = Field(alias="person.name")
    institution: int = Field(alias="institution_id")
    profession: str
    rank: int
    licence_number: str
    licence_last_day: date
    clinical_since: date
    skills: list[str]
    verified_at: datetime | None
    verified_source: str
    suspended_at: datetime | None
    left_at: datetime | None
    radius: int
    transport: str
    resource: int | None = Field(alias="resource_id")
    portrait: UUID | None = Field(None, description="Which picture of the face is up; a new one has another id")

    @staticmethod
    def resolve_portrait(row: Practitioner) -> UUID | None:
        found: Portrait | None = getattr(row, "portrait", None)
        return found.pk if found is not None else None


class PractitionerIn(Schema):
    institution: int
    name: str = Field(max_length=80)
    phone: str = Field(max_length=20)
    profession: str
    rank: int
    licence_number: str = Field(max_length=64)
    licence_last_day: date
    clinical_since: date
    skills: list[str] = []
    base: tuple[float, float] | None = Field(None, description="Longitude and latitude, WGS-84")
    radius: int = 5000
    transport: str = "ebike"


class PracticeIn(Schema):
    rank: int | None = None
    licence_number: str | None = Field(None, max_length=64)
    licence_last_day: date | None = None
    clinical_since: date | None = None
    skills: list[str] | None = None
    radius: int | None = None
    transport: str | None = None


class VerifyIn(Schema):
    source: str = Field(max_length=200)


class ShiftIn(Schema):
    recurrence: str = Field(max_length=200)
    opens: time
    closes: time
    since: date | None = None
    until: date | None = None


class PatientOut(Schema):
    id: int
    person: int = Field(alias="person_id")
    name: str = Field(alias="person.name")
    institution: int = Field(alias="institution_id")
    place: int = Field(alias="place_id")
    household: int | None = Field(alias="household_id")
    since: datetime
    ended_at: datetime | None
    end_cause: str


class PatientIn(Schema):
    institution: int
    name: str = Field(max_length=80)
    phone: str = Field(max_length=20)
    access: str = Field("", max_length=1000)
    allergies: str = Field("", max_length=1000)
    conditions: str = Field("", max_length=2000)
    flags: list[str] = []
    sex: str = ""


class PatientPatch(Schema):
    access: str | None = Field(None, max_length=1000)
    allergies: str | None = Field(None, max_length=1000)
    conditions: str | None = Field(None, max_length=2000)
    flags: list[str] | None = None
    sex: str | None = None


class HealthOut(Schema):
    access: str
    allergies: str
    conditions: str
    flags: list[str]
    sex: str


class AssignIn(Schema):
    practitioners: list[int] = Field(max_length=50)


class PeopleQuery(ListQuery):
    institution: int | None = None
    ended: bool = Field(False, description="Those who left or whose care has ended too")


def _of(rows: Any, institution: int | None) -> Any:
    return rows if institution is None else rows.filter(institution=institution)


@router.get("/institutions", response=Page[InstitutionOut])
def list_institutions(request: PageRequest, query: Query[ListQuery]) -> Any:
    """The institutions of one's places."""
    policy.require_anywhere(request.actor, selectors.VIEW)
    rows = selectors.institutions(request.actor)
    return answer(rows, query, {"last_day": "licence_last_day"}, InstitutionOut.from_orm, "institutions")


@router.post("/institutions", response={201: InstitutionOut})
def add_institution(request: PageRequest, body: InstitutionIn) -> Status[Institution]:
    """Let a medical organisation give home care below a place."""
    return Status(201, services.add_institution(request.actor, services.InstitutionDraft(**body.model_dump())))


@router.get("/services", response=Page[ServiceOut])
def list_services(request: PageRequest, query: Query[PeopleQuery]) -> Any:
    """The catalogue; closed services only with `ended`."""
    policy.require_anywhere(request.actor, selectors.VIEW)
    rows = _of(selectors.services(request.actor), query.institution)
    rows = rows if query.ended else rows.filter(closed_at__isnull=True)
    return answer(rows, query, {"code": "code", "name": "named"}, ServiceOut.from_orm, "services")


@router.post("/services", response={201: ServiceOut})
def add_service(request: PageRequest, body: ServiceIn) -> Status[Service]:
    """Add a service with its first version."""
    made = services.add_service(request.actor, body.institution, body.code, body.version.draft())
    return Status(201, selectors.service(request.actor, made.pk))


@router.get("/services/{int:service_id}/versions", response=list[VersionOut])
def list_versions(request: PageRequest, service_id: int) -> list[ServiceVersion]:
    """Every version of a service, the newest first."""
    return list(selectors.service(request.actor, service_id).versions.order_by("-since"))


@router.post("/services/{int:service_id}/versions", response={201: VersionOut})
def publish(request: PageRequest, service_id: int, body: VersionIn) -> Status[ServiceVersion]:
    """Publish a new version from its day on; those in use are never changed."""
    return Status(201, services.publish(request.actor, service_id, body.draft()))


@router.post("/services/{int:service_id}/close", response=ServiceOut)
def close_service(request: PageRequest, service_id: int, body: ReasonIn) -> Service:
    """Do a service no longer."""
    services.close_service(request.actor, service_id, body.reason)
    return selectors.service(request.actor, service_id)


@router.get("/practitioners", response=Page[PractitionerOut])
def list_practitioners(request: PageRequest, query: Query[PeopleQuery]) -> Any:
    """Who gives care for one's institutions."""
    policy.require_anywhere(request.actor, selectors.VIEW)
    rows = _of(selectors.practitioners(request.actor, left=query.ended), query.institution)
    return answer(
        rows, query, {"name": "person__name", "last_day": "licence_last_day"}, PractitionerOut.from_orm, "care"
    )


@router.post("/practitioners", response={201: PractitionerOut})
def add_practitioner(request: PageRequest, body: PractitionerIn) -> Status[Practitioner]:
    """Register who gives care; they are sent nowhere before they are verified."""
    read = body.model_dump()
    office = read.pop("institution")
    return Status(201, services.add_practitioner(request.actor, office, services.PractitionerDraft(**read)))


@router.get("/practitioners/{int:practitioner_id}", response=PractitionerOut)
def get_practitioner(request: PageRequest, practitioner_id: int) -> Practitioner:
    """One of them."""
    return selectors.practitioner(request.actor, practitioner_id)


@router.patch("/practitioners/{int:practitioner_id}", response=PractitionerOut)
def change_practitioner(request: PageRequest, practitioner_id: int, body: PracticeIn) -> Practitioner:
    """Change what is noted; licence, title and begin of work must then be verified again."""
    return services.change_practitioner(
        request.actor, practitioner_id, services.PracticeChange(**body.model_dump(exclude_none=True))
    )


@router.post("/practitioners/{int:practitioner_id}/verify", response=PractitionerOut)
def verify(request: PageRequest, practitioner_id: int, body: VerifyIn) -> Practitioner:
    """Note that licence, title and years were checked, and where."""
    return services.verify(request.actor, practitioner_id, body.source)


@router.post("/practitioners/{int:practitioner_id}/suspend", response=PractitionerOut)
def suspend(request: PageRequest, practitioner_id: int, body: ReasonIn) -> Practitioner:
    """Send somebody nowhere for now."""
    return services.suspend(request.actor, practitioner_id, body.reason)


@router.post("/practitioners/{int:practitioner_id}/resume", response=PractitionerOut)
def resume(request: PageRequest, practitioner_id: int, body: ReasonIn) -> Practitioner:
    """Send a suspended person out again."""
    return services.resume(request.actor, practitioner_id, body.reason)


@router.post("/practitioners/{int:practitioner_id}/shifts", response={204: None})
def add_shift(request: PageRequest, practitioner_id: int, body: ShiftIn) -> Status[None]:
    """Let somebody work by a rule (RFC 5545)."""
    services.add_shift(request.actor, practitioner_id, services.ShiftDraft(**body.model_dump()))
    return Status(204, None)


@router.get("/patients", response=Page[PatientOut])
def list_patients(request: PageRequest, query: Query[PeopleQuery]) -> Any:
    """Whom one cares for; nothing of their health."""
    selectors.require_any(request.actor, selectors.PATIENTS, selectors.CARE)
    rows = _of(selectors.patients(request.actor, ended=query.ended), query.institution)
    return answer(rows, query, {"name": "person__name", "since": "since"}, PatientOut.from_orm, "patients")


@router.post("/patients", response={201: PatientOut})
def add_patient(request: PageRequest, body: PatientIn) -> Status[Patient]:
    """Register a person for home care, by name and phone number as registered."""
    health = selectors.Health(body.allergies, body.conditions, tuple(body.flags), body.sex)
    draft = services.PatientDraft(body.name, body.phone, body.access, health)
    return Status(201, services.add_patient(request.actor, body.institution, draft))


@router.get("/patients/{int:patient_id}", response=PatientOut)
def get_patient(request: PageRequest, patient_id: int) -> Patient:
    """One patient; nothing of their health."""
    return selectors.patient(request.actor, patient_id)


@router.post("/patients/{int:patient_id}/look", response=HealthOut)
def look(request: PageRequest, patient_id: int, body: ReasonIn) -> HealthOut:
    """Access notes and health data, with a reason that the patient can read."""
    found = services.look(request.actor, patient_id, body.reason)
    health = found.health
    return HealthOut(
        access=found.access,
        allergies=health.allergies,
        conditions=health.conditions,
        flags=list(health.flags),
        sex=health.sex,
    )


@router.patch("/patients/{int:patient_id}", response=PatientOut)
def change_patient(request: PageRequest, patient_id: int, body: PatientPatch) -> Patient:
    """Change access notes and health data."""
    return services.change_patient(
        request.actor, patient_id, services.PatientChange(**body.model_dump(exclude_none=True))
    )


@router.put("/patients/{int:patient_id}/nurses", response=PatientOut)
def assign(request: PageRequest, patient_id: int, body: AssignIn) -> Patient:
    """Say who cares for a patient."""
    return services.assign(request.actor, patient_id, body.practitioners)


@router.post("/patients/{int:patient_id}/end", response=PatientOut)
def end_patient(request: PageRequest, patient_id: int, body: ReasonIn) -> Patient:
    """End a person's home care, with everything that is open in it."""
    return services.end_patient(request.actor, patient_id, body.reason)
