from datetime import time, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.actor import SYSTEM
from shoufu.scenes.homecare.planning.services import plan_day
from shoufu.scenes.homecare.quality import services as quality
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.register.models import Patient, Practitioner
from shoufu.scenes.homecare.register.selectors import day_at
from shoufu.scenes.homecare.visits import services as visits
from shoufu.scenes.homecare.visits.models import Stop, Visit
from tests.kernel.access.rights.shape import Side


def booked(tag: str, compound: Any, patient: Patient, side: Side) -> dict[str, Any]:
    """A service that can be booked, with a prescription for it; a visit of it, to be paid when the nurse comes, and a
    plan for its day that nobody took yet."""
    today, nurse = timezone.localdate(), side["practitioner_id"]
    register.add_shift(SYSTEM, nurse, register.ShiftDraft("FREQ=DAILY", time(0), time(0), today - timedelta(days=1)))
    version = register.VersionDraft(
        f"{tag} injection", f"{tag} injection", 30, 100, f"{tag}", f"{tag}", needs_assessment=False,
        needs_prescription=True,
    )  # fmt: skip
    service = register.add_service(SYSTEM, patient.institution_id, f"{tag}-injection", version)
    prescription = visits.add_prescription(
        SYSTEM,
        visits.PrescriptionDraft(patient.pk, service.pk, today, today + timedelta(days=9), tag, tag, tag, tag, uses=99),
    )
    visits.check_prescription(SYSTEM, prescription.pk)
    visits.open_for_booking(SYSTEM, service.pk)
    since = timezone.now() + timedelta(days=2)
    until = since + timedelta(hours=6)
    free = visits.free_slots(SYSTEM, patient.pk, service.pk, since, until, prescription=prescription.pk)
    consent = service.versions.get().pk
    wish = visits.VisitDraft(patient.pk, service.pk, free[0].start, consent, prescription.pk, f"{tag} note")
    visit = visits.pay_at_visit(SYSTEM, visits.book(SYSTEM, wish).pk)
    proposal = plan_day(SYSTEM, patient.institution_id, visit.day, 0.1)
    return {
        "bookable_id": service.pk, "prescription_id": prescription.pk, "booked_id": visit.pk, "consent_id": consent,
        "proposal_id": proposal.pk, "day": visit.day.isoformat(),
        "free_time": free[-1].start.isoformat(), "times_since": since.isoformat(), "times_until": until.isoformat(),
    }  # fmt: skip


def judged(tag: str, compound: Any, patient: Patient, person: Any, side: Side) -> dict[str, Any]:
    """A visit that was done and rated; what came of it: a complaint that the regulator has, an adverse event, a doctor
    who goes there no more, an entry that is paused for an appeal; a sanction of another nurse."""
    now = timezone.now()
    begin, office = now - timedelta(hours=5), patient.institution
    service = office.services.get(pk=side["service_id"])
    done = Visit.objects.create(
        patient=patient, institution=office, service=service, version=service.versions.get(), place=patient.place,
        state="done", day=day_at(compound, begin), starts_at=begin, latest_at=begin, requested_at=begin,
        began_at=begin, ended_at=begin + timedelta(minutes=30),
    )  # fmt: skip
    span = DateTimeTZRange(begin, begin + timedelta(minutes=30))
    nurse = Practitioner.objects.get(pk=side["practitioner_id"])
    Stop.objects.create(visit=done, practitioner=nurse, span=span, live=False)
    own, doctor = (actor_for_user(side.users[role]) for role in ("resident", "care_physician"))
    rating = quality.rate(own, done.pk, quality.RatingDraft(4, words=tag))
    complaint = quality.complain(own, patient.pk, quality.ComplaintDraft("care", tag, tag))
    quality.ask_regulator(own, complaint.pk, tag)
    incident = quality.report(SYSTEM, quality.IncidentDraft("fall", 4, begin, tag, tag, done.pk))
    refusal = quality.refuse_patient(doctor, patient.pk, quality.RefusalDraft("unsafe", tag))
    entry = quality.propose(SYSTEM, patient.pk, quality.BarDraft("unsafe", tag, 30, refusals=[refusal.pk]))
    quality.decide(SYSTEM, entry.pk, True)
    appeal = quality.appeal_bar(own, entry.pk, tag)
    quality.pause(SYSTEM, entry.pk, True)
    draft = register.PractitionerDraft(
        person.name, "13700000005", "nurse", 2, f"{tag} licence other", nurse.licence_last_day, nurse.clinical_since
    )
    other = register.add_practitioner(SYSTEM, office.pk, draft)
    sanction = quality.sanction(SYSTEM, other.pk, tag, timezone.localdate() + timedelta(days=9))
    return {
        "done_id": done.pk, "rating_id": rating.pk, "complaint_id": complaint.pk, "incident_id": incident.pk,
        "refusal_id": refusal.pk, "bar_id": entry.pk, "appeal_id": appeal.pk, "sanction_id": sanction.pk,
    }  # fmt: skip
