"""/api/homecare/register/…: institutions, the catalogue, who gives care, whom it is for."""

from typing import Any

from ninja import Query, Router, Status

from shoufu.kernel.access import policy
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.scenes.homecare.register import selectors, services
from shoufu.scenes.homecare.register.models import (
    Institution,
    Patient,
    Practitioner,
    Service,
    ServiceVersion,
)
from shoufu.scenes.homecare.register.portrait_api import router as portraits
from shoufu.scenes.homecare.register.shapes import (
    AssignIn,
    HealthOut,
    InstitutionIn,
    InstitutionOut,
    PatientIn,
    PatientOut,
    PatientPatch,
    PeopleQuery,
    PracticeIn,
    PractitionerIn,
    PractitionerOut,
    ReasonIn,
    ServiceIn,
    ServiceOut,
    ShiftIn,
    VerifyIn,
    VersionIn,
    VersionOut,
)

router = Router(tags=["homecare"])
router.add_router("/practitioners", portraits)


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
