import hashlib
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from PIL import Image

from shoufu.kernel.access import services as access
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.access.services import RoleDraft, UserDraft
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.devices import services as devices
from shoufu.kernel.parties import services as parties
from shoufu.scenes.homecare.assessment import services as assessments
from shoufu.scenes.homecare.careplans.models import Task
from shoufu.scenes.homecare.careplans.services import devices as home_devices
from shoufu.scenes.homecare.careplans.services import follow_ups, handovers, plans, readings
from shoufu.scenes.homecare.encounters import services as encounters
from shoufu.scenes.homecare.encounters.models import Encounter
from shoufu.scenes.homecare.fhir.models import BulkExport
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.register.models import Patient, Practitioner
from shoufu.scenes.homecare.register.selectors import day_at
from shoufu.scenes.homecare.visits.models import Stop, Visit
from tests.kernel.access.rights.shape import FOREIGN, Side
from tests.kernel.access.rights.sides_visits import booked, judged


def homecare(tag: str, compound: Any, side: Side) -> None:
    """An institution with a nurse, a doctor and a patient, who have accounts; what is open about the patient."""
    people = _people(tag, compound)
    name = tag if tag == FOREIGN else "who tries"
    side.ids |= _register(tag, compound, people)
    patient = Patient.objects.get(pk=side["patient_id"])
    for role, person in (("nurse", people[0]), ("resident", people[1]), ("care_physician", people[3])):
        label = f"{name} {role}"
        user = access.create_user(SYSTEM, UserDraft(label.replace(" ", "-"), label, person_id=person.pk))
        access.give_role(SYSTEM, RoleDraft(user.pk, role, compound.pk))
        side.users[role] = user
    side.ids |= _plan(tag, compound, patient)
    side.ids |= _encounter(tag, compound, patient, side)
    side.ids |= booked(tag, compound, patient, side)
    side.ids |= judged(tag, compound, patient, people[4], side)
    export = BulkExport.objects.create(
        level="patient", reason=f"{tag} study", request="", place=compound, asked_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    side.under = {
        "homecare/fhir/": {
            "kind": "Patient", "logical": f"patient-{patient.pk}", "number": "1", "rest": "x/y/z",
            "bulk_id": export.pk,
        },
        "homecare/careplans/": {"kind": "blood_pressure"},
        "homecare/visits/": {"visit_id": side["booked_id"], "service_id": side["bookable_id"]},
        "homecare/planning/": {"visit_id": side["booked_id"]},
        "homecare/quality/": {"visit_id": side["done_id"]},
    }  # fmt: skip


def _people(tag: str, compound: Any) -> Any:
    """A nurse to be, a patient, somebody, a doctor and another nurse to be."""
    drafts = [
        parties.PersonDraft(f"{tag} n{n}", compound.pk, f"1370000000{number}")
        for n, number in enumerate((7, 8, 9, 6, 5))
    ]
    return parties.create_people(SYSTEM, drafts)


def _register(tag: str, compound: Any, people: Any) -> dict[str, Any]:
    """The institution and an assessment that is open; a medical office that is no institution yet."""
    offices = [parties.OrganisationDraft(f"{tag}-care-{n}", "medical", f"{tag} clinic", compound.pk) for n in (1, 2)]
    clinic, other = parties.create_organisations(SYSTEM, offices)
    last, begun = timezone.localdate() + timedelta(days=99), timezone.localdate() - timedelta(days=4000)
    office = register.add_institution(SYSTEM, register.InstitutionDraft(clinic.pk, compound.pk, f"{tag} L", last))
    version = register.VersionDraft(f"{tag} care", f"{tag} care", 30, 1, f"{tag}", f"{tag}", instruments=["morse"])
    service = register.add_service(SYSTEM, office.pk, f"{tag}-care", version)
    numbers = ("13700000007", "13700000006")
    nurse, doctor = (
        register.add_practitioner(
            SYSTEM,
            office.pk,
            register.PractitionerDraft(person.name, number, work, 3, f"{tag} licence {work}", last, begun),
        )
        for person, number, work in zip((people[0], people[3]), numbers, ("nurse", "physician"), strict=True)
    )
    for one in (nurse, doctor):
        register.verify(SYSTEM, one.pk, f"{tag} source")
    portrait = register.portray(SYSTEM, nurse.pk, _picture(240))
    draft = register.PatientDraft(people[1].name, "13700000008", f"{tag} way")
    patient = register.add_patient(SYSTEM, office.pk, draft)
    assessment = assessments.begin(SYSTEM, patient.pk, service.pk)
    return {
        "clinic_id": other.pk, "institution_id": office.pk, "service_id": service.pk, "practitioner_id": nurse.pk,
        "nurse_name": people[2].name, "patient_id": patient.pk, "assessment_id": assessment.pk,
        "response_id": assessment.responses.get().pk, "portrait_id": portrait.pk,
    }  # fmt: skip


def _plan(tag: str, compound: Any, patient: Patient) -> dict[str, Any]:
    """A care plan with a reading that gives reason to worry, a letter to a doctor, and a device at the home; a sensor
    that measures nobody yet."""
    drafts = [
        devices.DeviceDraft(f"{tag}-cuff-{n}", "sensor", f"{tag} cuff {n}", compound.pk) for n in ("used", "free")
    ]
    used, free = (devices.register(SYSTEM, draft).device for draft in drafts)
    plan = plans.make(SYSTEM, patient.pk, plans.PlanDraft("hypertension", "hypertension-primary-2019", note=tag))
    values = {"systolic": 190.0, "diastolic": 100.0}
    added = readings.add(SYSTEM, patient.pk, readings.ReadingDraft(uuid4(), "blood_pressure", values))
    follow_ups.add(SYSTEM, plan.pk, follow_ups.FollowUpDraft("home", "regular", tag))
    letter = handovers.send(SYSTEM, plan.pk, handovers.HandoverDraft(tag))
    # Of the patient themselves, so that they may take it back.
    added.row.source = added.row.Source.PATIENT
    added.row.save(update_fields=["source"])
    return {
        "plan_id": plan.pk, "reading_id": added.row.pk, "finding_id": added.findings[0].pk, "handover_id": letter.pk,
        "task_id": Task.objects.filter(plan=plan).order_by("kind").first().pk,  # type: ignore[union-attr]
        "binding_id": home_devices.bind(SYSTEM, patient.pk, used.code).pk, "sensor_code": free.code,
    }  # fmt: skip


def _encounter(tag: str, compound: Any, patient: Patient, side: Side) -> dict[str, Any]:
    """A visit under way as the phone wrote it: with a picture, a line that did not fit, and a call for help."""
    now = timezone.now()
    nurse, start = Practitioner.objects.get(pk=side["practitioner_id"]), now - timedelta(minutes=10)
    service = patient.institution.services.get(pk=side["service_id"])
    visit = Visit.objects.create(
        patient=patient, institution=patient.institution, service=service, version=service.versions.get(),
        place=patient.place, state="booked", day=day_at(compound), starts_at=start,
        latest_at=start + timedelta(minutes=30), requested_at=start,
    )  # fmt: skip
    Stop.objects.create(visit=visit, practitioner=nurse, span=DateTimeTZRange(start, start + timedelta(minutes=30)))
    actor, phone, photo = actor_for_user(side.users["nurse"]), uuid4(), uuid7()
    picture = _picture()
    where: dict[str, Any] = {"reason": f"{tag} cellar"}
    contents = [
        ("check_in", where),
        ("consent", {"service": True, "photos": True}),
        ("record", {"findings": f"{tag} wound"}),
        ("photo", {"media": str(photo), "content_type": "image/png", "size": len(picture), "width": 8, "height": 8,
                   "sha256": hashlib.sha256(picture).hexdigest(), "note": f"{tag} picture"}),
        ("check_in", where),
    ]  # fmt: skip
    lines = [
        encounters.Draft(uuid7(), visit.pk, n, kind, now, content) for n, (kind, content) in enumerate(contents, 1)
    ]
    answers = [one.result for one in encounters.sync(actor, phone, now, lines)]
    assert answers == ["applied"] * 4 + ["conflict"], answers
    encounters.piece(actor, photo, 0, picture)
    called = encounters.call(actor, encounters.Press(uuid7(), now, visit.pk))
    return {
        "visit_id": visit.pk, "encounter_id": Encounter.objects.get(visit=visit).pk, "photo_id": photo, "offset": 0,
        "operation_id": lines[-1].id, "sos_id": called.pk, "phone": str(phone), "next_line": len(lines) + 1,
    }  # fmt: skip


def _picture(side: int = 8) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), (180, 90, 80)).save(out, "PNG")
    return out.getvalue()
