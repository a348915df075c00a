from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """A resource of another program about the patient of the estate, changed once, and a finished export."""
    from django.utils import timezone

    from shoufu.scenes.homecare.fhir import services
    from shoufu.scenes.homecare.fhir.models import BulkExport

    patient = estate.row("homecare_register.Patient")
    content = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": estate.mark()},
        "subject": {"reference": f"Patient/patient-{patient.pk}"},
    }
    kept = services.create(SYSTEM, content, "")
    services.update(SYSTEM, "Observation", kept.id, content | {"id": kept.id}, "", None)
    now = timezone.now()
    BulkExport.objects.create(
        level="patient", reason=estate.mark(), request="", place=estate.place, asked_at=now, expires_at=now
    )


neighbours = Neighbours(
    seed,
    values={
        "kind": ("Patient", "Observation"),
        "logical": ("patient-1", "none"),
        "number": ("1",),
        "rest": ("x/y/z",),
        "level": ("patient",),
    },
    texts={"BulkExport.level": "patient", "Stored.type": "Observation"},
)
