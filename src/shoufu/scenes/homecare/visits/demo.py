"""Visits of the model district: services open for booking, some booked and paid, some done with money behind them."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from shoufu.kernel.access.models import User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Problem
from shoufu.kernel.booking.models import Booking
from shoufu.scenes.homecare.assessment import services as assessment
from shoufu.scenes.homecare.assessment.instruments import all_versions
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.register.models import Institution, Patient, Practitioner, Service
from shoufu.scenes.homecare.visits import ordering, services
from shoufu.scenes.homecare.visits.models import Stop, Visit

# Patient (in the order of the register), service, days from now, hour, and how it is paid: "", "later" or "cash".
WISHES = (
    (0, "wound", 0, 14, "cash"),
    (0, "wound", 1, 9, "cash"),
    (2, "rehabilitation", 1, 10, "cash"),
    (3, "catheter", 1, 9, "later"),
    (5, "stoma", 1, 11, "cash"),
    (6, "wound", 1, 14, "later"),
    (7, "acupuncture", 1, 9, "cash"),
    (8, "acupuncture", 1, 15, ""),
    (4, "wound", 2, 9, "cash"),
)
DONE = ((0, "wound", 6, 9), (5, "stoma", 5, 10), (7, "acupuncture", 4, 9), (6, "wound", 3, 14))
"""Patient, service, days ago and hour of those that were done."""


@transaction.atomic
def load(actor: Actor) -> None:
    """Make them by the services that the pages use; a second call changes nothing."""
    office = Institution.objects.select_related("place", "organisation").first()
    users = {one.username: one for one in User.objects.filter(username__in=("coordinator", "nurse"))}
    if office is None or len(users) != 2 or Visit.objects.exists():
        return
    coordinator, nurse = actor_for_user(users["coordinator"]), actor_for_user(users["nurse"])
    made = {one.code: one for one in Service.objects.filter(institution=office)}
    _more_shifts(coordinator, office)
    for one in made.values():
        services.open_for_booking(coordinator, one.pk)
    patients = list(Patient.objects.filter(institution=office, ended_at__isnull=True).order_by("pk"))
    zone = ZoneInfo(office.place.time_zone)
    for who, code, ago, hour in DONE:
        if who < len(patients) and code in made:
            visit = _booked(coordinator, nurse, patients[who], made[code], _at(zone, 3, hour), "cash")
            if visit is not None:
                _done(visit, _at(zone, -ago, hour))
    for who, code, ahead, hour, paid in WISHES:
        if who < len(patients) and code in made:
            _booked(coordinator, nurse, patients[who], made[code], _at(zone, ahead, hour), paid)


def _more_shifts(coordinator: Actor, office: Institution) -> None:
    """The demo is looked at on any day and hour: everybody works on Saturdays and Sundays too, wound nurses into
    the evening."""
    since = timezone.localdate() - timedelta(days=30)
    weekend = register.ShiftDraft("FREQ=WEEKLY;BYDAY=SA,SU", time(8), time(17), since)
    evening = register.ShiftDraft("FREQ=DAILY", time(17), time(22), since)
    for row in Practitioner.objects.filter(institution=office, verified_at__isnull=False):
        register.add_shift(coordinator, row.pk, weekend)
        if "wound" in row.skills:
            register.add_shift(coordinator, row.pk, evening)


def _at(zone: ZoneInfo, days: int, hour: int) -> datetime:
    today = timezone.now().astimezone(zone).date()
    return datetime.combine(today + timedelta(days=days), time(hour), zone)


def _booked(
    coordinator: Actor, nurse: Actor, patient: Patient, service: Service, around: datetime, paid: str
) -> Visit | None:
    """A visit at the free time nearest to a moment; None where there is none within a day and a half."""
    prescription = _prepared(nurse, patient, service)
    since = max(around - timedelta(hours=3), timezone.now())
    until = around + timedelta(hours=36)
    try:
        free = services.free_slots(coordinator, patient.pk, service.pk, since, until, prescription=prescription)
    except Problem:
        return None
    start = min((one.start for one in free), key=lambda one: abs(one - around), default=None)
    version = service.versions.order_by("-since").first()
    if start is None or version is None:
        return None
    draft = services.VisitDraft(patient.pk, service.pk, start, version.pk, prescription)
    visit = services.book(coordinator, draft)
    if paid == "later":
        return services.pay_at_visit(coordinator, visit.pk)
    if paid == "cash":
        services.confirm_cash(coordinator, visit.pk, f"收据 {visit.number}")
        ordering.follow(visit.pk)
    return Visit.objects.select_related("booking").get(pk=visit.pk)


def _prepared(nurse: Actor, patient: Patient, service: Service) -> int | None:
    """The assessment that a service needs, and its prescription where it needs one."""
    version = service.versions.order_by("-since").first()
    decided = patient.assessments.filter(service=service, state="decided").exists()
    if version is not None and version.needs_assessment and not decided:
        row = assessment.begin(nurse, patient.pk, service.pk)
        for one in row.responses.all():
            scale = all_versions()[one.instrument, one.number]
            answers = {item.code: sorted(item.points)[-1] for item in scale.asked("female")}
            assessment.answer(nurse, one.pk, answers)
        assessment.decide(nurse, row.pk, assessment.DecisionDraft("fit"))
    if version is None or not version.needs_prescription:
        return None
    today = timezone.localdate()
    draft = services.PrescriptionDraft(
        patient.pk, service.pk, today, today + timedelta(days=30), "导尿管护理", "每两周一次", "邵医生",
        "盛京医院", "尿道", uses=3,
    )  # fmt: skip
    made = services.add_prescription(nurse, draft)
    services.check_prescription(nurse, made.pk)
    return made.pk


def _done(visit: Visit, began: datetime) -> None:
    """As if it had been then: nothing can be booked in the past, so a booked one is done and carried back."""
    length = timedelta(minutes=visit.version.duration_minutes)
    services.begin(SYSTEM, visit.pk, timezone.now())
    services.finish(SYSTEM, visit.pk, timezone.now())
    day = began.astimezone(ZoneInfo(visit.institution.place.time_zone)).date()
    back = {"starts_at": began, "latest_at": began + timedelta(minutes=30), "day": day}
    Visit.objects.filter(pk=visit.pk).update(**back, began_at=began, ended_at=began + length)
    Stop.objects.filter(visit=visit).update(span=(began, began + length))
    Booking.objects.filter(homecare_visit=visit).update(
        starts_at=began, ends_at=began + length, state=Booking.State.COMPLETED, ended_at=began + length
    )
    ordering.follow(visit.pk)
