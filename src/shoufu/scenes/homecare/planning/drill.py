from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """A visit of today that is open, and a proposal for its day."""
    from datetime import timedelta

    from django.utils import timezone

    from shoufu.scenes.homecare.planning import selectors
    from shoufu.scenes.homecare.planning.services import plan_day
    from shoufu.scenes.homecare.visits.models import Visit

    office = estate.row("homecare_register.Institution")
    patient = estate.row("homecare_register.Patient")
    service = estate.row("homecare_register.Service")
    day, now = selectors.today(office), timezone.now()
    Visit.objects.create(
        patient=patient,
        institution=office,
        service=service,
        version=service.versions.get(),
        place=patient.place,
        state="booked",
        day=day,
        starts_at=now + timedelta(hours=1),
        latest_at=now + timedelta(hours=2),
        requested_at=now,
    )
    plan_day(SYSTEM, office.pk, day, 0.1)


neighbours = Neighbours(
    seed,
    values={
        "act": ("assign", "take", "insert", "unassign", "pin", "unpin", "anew", "mend", "undo", "late", "ill", "drop"),
        "day": ("2030-01-01",),
        "until": ("2030-01-01T10:00:00+08:00", "10:00"),
        "when": ("10:00",),
        "seconds": ("1",),
        "window_minutes": ("30",),
        "break_minutes": ("30",),
        "break_earliest": ("11:30",),
        "break_latest": ("13:00",),
        "grace_minutes": ("5",),
        "offer": ("1@2030-01-01T10:00:00+08:00",),
    },
)
