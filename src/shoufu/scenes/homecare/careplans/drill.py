from uuid import uuid4

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """A plan with a reading that is found out of the way, a follow-up, and a doctor to whom the patient is handed."""
    from datetime import timedelta

    from django.utils import timezone

    from shoufu.kernel.parties import services as parties
    from shoufu.scenes.homecare.careplans.services import follow_ups, handovers, plans, readings
    from shoufu.scenes.homecare.register import services as register

    patient, office = estate.row("homecare_register.Patient"), estate.row("homecare_register.Institution")
    (person,) = parties.create_people(SYSTEM, [parties.PersonDraft(estate.mark(), estate.place.pk, "13700000003")])
    today = timezone.localdate()
    doctor = register.add_practitioner(
        SYSTEM,
        office.pk,
        register.PractitionerDraft(
            person.name,
            "13700000003",
            "physician",
            3,
            estate.mark(),
            today + timedelta(days=300),
            today - timedelta(days=4000),
        ),
    )
    register.verify(SYSTEM, doctor.pk, estate.mark())
    row = plans.make(
        SYSTEM, patient.pk, plans.PlanDraft("hypertension", "hypertension-primary-2019", note=estate.mark())
    )
    values = {"systolic": 190.0, "diastolic": 100.0}
    readings.add(SYSTEM, patient.pk, readings.ReadingDraft(uuid4(), "blood_pressure", values))
    follow_ups.add(SYSTEM, row.pk, follow_ups.FollowUpDraft("home", "regular", estate.mark()))
    handovers.send(SYSTEM, row.pk, handovers.HandoverDraft(estate.mark()))


neighbours = Neighbours(
    seed,
    values={
        "kind": ("blood_pressure",),
        "condition": ("hypertension", "diabetes"),
        "guideline": ("hypertension-primary-2019", "diabetes-primary-2022"),
        "act": ("end", "take", "close", "bind", "release", "accept", "answer", "refuse", "withdraw", "send", "save"),
        "way": ("home",),
        "adherence": ("regular",),
        "systolic": ("190",),
        "diastolic": ("100",),
        "days": ("30",),
        "next_day": ("2030-01-01",),
        "performer": ("patient",),
        "unit": ("d",),
    },
)
