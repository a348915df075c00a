from datetime import time, timedelta

from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.neighbours import Estate, Neighbours


def seed(estate: Estate) -> None:
    """A service open for booking, a prescription, and a visit that is booked and has its order."""
    from shoufu.scenes.homecare.register import services as register
    from shoufu.scenes.homecare.register.models import ServiceVersion
    from shoufu.scenes.homecare.visits import services

    patient, service = estate.row("homecare_register.Patient"), estate.row("homecare_register.Service")
    nurse = estate.row("homecare_register.Practitioner")
    today = timezone.localdate()
    rule = register.ShiftDraft("FREQ=DAILY", time(0), time(0), today - timedelta(days=1))
    register.add_shift(SYSTEM, nurse.pk, rule)
    ServiceVersion.objects.filter(service=service).update(needs_assessment=False, needs_prescription=True)
    mark = estate.mark()
    draft = services.PrescriptionDraft(
        patient.pk, service.pk, today, today + timedelta(days=30), mark, mark, mark, mark, uses=9
    )
    prescription = services.add_prescription(SYSTEM, draft)
    services.check_prescription(SYSTEM, prescription.pk)
    services.open_for_booking(SYSTEM, service.pk)
    version = ServiceVersion.objects.filter(service=service).first()
    since = timezone.now() + timedelta(days=2)
    found = services.free_slots(
        SYSTEM, patient.pk, service.pk, since, since + timedelta(days=3), prescription=prescription.pk
    )
    if not found or version is None:
        return
    wish = services.VisitDraft(patient.pk, service.pk, found[0].start, version.pk, prescription.pk, mark)
    services.pay_at_visit(SYSTEM, services.book(SYSTEM, wish).pk)


def _soon(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()


neighbours = Neighbours(
    seed,
    values={
        "act": ("cancel", "note", "cash", "later", "look", "check", "revoke", "open", "close"),
        "start": (_soon(3),),
        "since": (_soon(2),),
        "until": (_soon(4),),
        "provider": ("wechat", "at_visit"),
        "issued_on": (timezone.localdate().isoformat(),),
        "last_day": ((timezone.localdate() + timedelta(days=9)).isoformat(),),
        "mine": ("true",),
    },
)
