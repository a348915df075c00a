from datetime import timedelta

from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """A visit that was done with its rating, a complaint, an adverse event, a refusal, an entry with an appeal, and a
    sanction: through the tables where only people of the house may act, so that what is encrypted opens."""
    from shoufu.scenes.homecare.quality.models import (
        Appeal,
        Bar,
        Complaint,
        Incident,
        Policy,
        Rating,
        Refusal,
        Sanction,
    )
    from shoufu.scenes.homecare.quality.services.common import needed
    from shoufu.scenes.homecare.quality.services.common import step as write
    from shoufu.scenes.homecare.visits.models import Stop, Visit

    patient, practitioner = estate.row("homecare_register.Patient"), estate.row("homecare_register.Practitioner")
    service, mark, now = estate.row("homecare_register.Service"), estate.mark(), timezone.now()
    version, office, place = service.versions.first(), patient.institution, patient.place
    begin = now - timedelta(hours=4)
    visit = Visit.objects.create(
        patient=patient, institution=office, service=service, version=version, place=place, state="done",
        day=begin.date(), starts_at=begin, latest_at=begin, requested_at=begin, began_at=begin, ended_at=now,
    )  # fmt: skip
    Stop.objects.create(visit=visit, practitioner=practitioner, span=(begin, now), live=False)
    person, staff = patient.person_id, practitioner.person_id
    Policy.objects.create(institution=office, acknowledge_hours=24, answer_days=7, appeal_days=10, least_ratings=5)
    Rating.objects.create(visit=visit, stars=4, words=needed(person, mark), made_at=now)
    limits = {"acknowledge_by": now + timedelta(days=1), "answer_by": now + timedelta(days=7)}
    complaint = Complaint.objects.create(
        patient=patient, institution=office, place=place, kind="care", what=needed(person, mark), made_at=now, **limits
    )
    write(SYSTEM, "received", person, mark, complaint=complaint)
    Incident.objects.create(
        institution=office, place=place, visit=visit, patient=patient, practitioner=practitioner, subject_id=person,
        kind="fall", grade=4, happened_at=begin, reported_at=now, what=needed(person, mark),
    )  # fmt: skip
    refusal = Refusal.objects.create(
        patient=patient, practitioner=practitioner, place=place, side="practitioner", code="unsafe",
        words=needed(staff, mark), made_at=now,
    )  # fmt: skip
    from shoufu.scenes.homecare.quality.services.bars import REASON

    bar = Bar.objects.create(
        patient=patient, institution=office, place=place, code="unsafe", reason=needed(person, mark, REASON),
        state="in_force", proposed_at=now, days=30, decided_at=now, last_day=now.date() + timedelta(days=30),
        review_on=now.date() + timedelta(days=15),
    )  # fmt: skip
    bar.refusals.add(refusal)
    Appeal.objects.create(bar=bar, words=needed(person, mark), made_at=now, answer_by=now + timedelta(days=9))
    Sanction.objects.create(
        practitioner=practitioner, place=office.place, reason=needed(staff, mark, REASON), made_at=now,
        last_day=now.date() + timedelta(days=9),
    )  # fmt: skip


neighbours = Neighbours(
    seed,
    values={
        "act": (
            "look", "acknowledge", "answer", "rule", "add", "regulator", "accept", "withdraw", "follow", "regrade",
            "close", "enter", "reject", "lift", "pause", "unpause", "grant", "refuse", "appeal", "share", "policy",
        ),
        "step": ("answer", "lift", "appeal"),
        "stars": ("4",),
        "grade": ("3",),
        "kind": ("care", "fall"),
        "code": ("unsafe",),
        "reason": ("drill",),
        "words": ("drill",),
        "cause": ("drill",),
        "measures": ("drill",),
        "what": ("drill",),
        "happened_at": ("2026-01-01T08:00",),
        "last_day": ("2030-01-01",),
        "percent": ("50",),
        "as": ("json",),
        "format": ("csv", "json", "money", "time"),
        "published": ("yes",),
    },
)  # fmt: skip
