import io
from datetime import timedelta

from django.utils import timezone
from PIL import Image

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """An institution with a service, a nurse and a patient, all through the services: what is encrypted then opens."""
    from shoufu.kernel.parties import services as parties
    from shoufu.scenes.homecare.register import services

    mark, place = estate.mark(), estate.place.pk
    today = timezone.localdate()
    offices = [parties.OrganisationDraft(estate.mark(), "medical", mark, place, mark) for _n in range(2)]
    organisation = parties.create_organisations(SYSTEM, offices)[0]
    drafts = [parties.PersonDraft(estate.mark(), place, phone) for phone in ("13700000001", "13700000002")]
    nurse, patient = parties.create_people(SYSTEM, drafts)
    office = services.add_institution(
        SYSTEM, services.InstitutionDraft(organisation.pk, place, mark, today + timedelta(days=300))
    )
    version = services.VersionDraft(mark, mark, 30, 1000, mark, mark, instruments=["morse"])
    services.add_service(SYSTEM, office.pk, mark, version)
    made = services.add_practitioner(
        SYSTEM,
        office.pk,
        services.PractitionerDraft(
            nurse.name, "13700000001", "nurse", 3, mark, today + timedelta(days=300), today - timedelta(days=4000)
        ),
    )
    services.verify(SYSTEM, made.pk, mark)
    services.portray(SYSTEM, made.pk, _face())
    kept = services.add_patient(SYSTEM, office.pk, services.PatientDraft(patient.name, "13700000002", mark))
    services.assign(SYSTEM, kept.pk, [made.pk])


def _face() -> bytes:
    """A grey square, large enough for a portrait."""
    out = io.BytesIO()
    Image.new("RGB", (240, 240), "grey").save(out, "PNG")
    return out.getvalue()


neighbours = Neighbours(
    seed,
    values={
        "act": (
            "verify",
            "suspend",
            "resume",
            "shift",
            "unshift",
            "absence",
            "leave",
            "look",
            "change",
            "assign",
            "end",
            "portray",
            "unportray",
        ),
        "profession": ("nurse",),
        "rank": ("3",),
        "transport": ("walk",),
        "days": ("MO",),
        "opens": ("08:00",),
        "closes": ("12:00",),
        "licence_last_day": ("2030-01-01",),
        "last_day": ("2030-01-01",),
        "clinical_since": ("2010-01-01",),
        "starts_at": ("2030-01-01T08:00",),
        "ends_at": ("2030-01-02T08:00",),
        "second": ("none",),
        "sex": ("female",),
        "flags": ("fever",),
        "skills": ("wound",),
        "recurrence": ("FREQ=DAILY",),
    },
)
