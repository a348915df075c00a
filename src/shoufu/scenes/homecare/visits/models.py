from typing import Any

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Deferrable, F, Q
from django.utils.translation import gettext_lazy as _

PURPOSE = "care at home"
RETENTION_DAYS = 5479


def default_policy() -> dict[str, Any]:
    """What cancelling costs where nobody said otherwise: nothing until a day before, half until two hours before."""
    steps = [{"hours": 24, "percent": 0}, {"hours": 2, "percent": 50}]
    return {"steps": steps, "late_percent": 100, "no_show_percent": 100, "move_hours": 2}


class Prescription(models.Model):
    """What a physician prescribed, for services that need it. Purpose: care at home. Retention: 15 years after its last
    day (医疗机构病历管理规定 §29), or until the person is erased.

    `document` (drug, dose, route, who prescribed it where) is encrypted with the person's key. It holds up to
    `last_day`, by the days of the patient's place; `checked_by` is who looked at the original. `uses` visits may rest
    on it.
    """

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    patient = models.ForeignKey("homecare_register.Patient", on_delete=models.CASCADE, related_name="prescriptions")
    service = models.ForeignKey("homecare_register.Service", on_delete=models.PROTECT, related_name="prescriptions")
    document = models.BinaryField()
    issued_on = models.DateField()
    last_day = models.DateField()
    uses = models.PositiveSmallIntegerField(default=1)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    checked_at = models.DateTimeField(null=True, blank=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-issued_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("issued_on"), uses__gt=0), name="homecare_prescription_span"
            ),
        ]


class Visit(models.Model):
    """A service that was asked for and is given at a patient's home. Purpose: care at home. Retention: 15 years
    after it ended (医疗机构病历管理规定 §29), or until the person is erased.

    It begins within [starts_at, latest_at]: that is what was promised. `day` is the day at the institution's place.
    `version` is the service as it was agreed; `assessment` the decision it rests on. `note` (what the patient asks) is
    encrypted with the person's key. Who comes when stands in its stops.

    `order` is what is to be paid, or was; `first_order` the one under which it was booked, once an order over what it
    came to owe (a charge) took its place. `pay_later`: booked before it is paid, because it is paid when somebody
    comes. `money_due_at`: since when something is to be done about its money (confirm, pay back, cancel the order);
    None where nothing is. `blocked` are codes of why it can no longer take place as booked (see `words.REASONS`), found
    at `blocked_at`.
    """

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    class State(models.TextChoices):
        HELD = "held", _("Held, to be paid")
        BOOKED = "booked", _("Visit booked")
        UNDERWAY = "underway", _("Visit under way")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Not paid in time")
        MISSED = "missed", _("Did not take place")

    LIVE = (State.HELD, State.BOOKED, State.UNDERWAY)
    PLANNED = (*LIVE, State.DONE)

    patient = models.ForeignKey("homecare_register.Patient", on_delete=models.CASCADE, related_name="visits")
    institution = models.ForeignKey("homecare_register.Institution", on_delete=models.PROTECT, related_name="visits")
    service = models.ForeignKey("homecare_register.Service", on_delete=models.PROTECT, related_name="visits")
    version = models.ForeignKey("homecare_register.ServiceVersion", on_delete=models.PROTECT, related_name="visits")
    assessment = models.ForeignKey(
        "homecare_assessment.Assessment", null=True, blank=True, on_delete=models.SET_NULL, related_name="visits"
    )
    prescription = models.ForeignKey(
        Prescription, null=True, blank=True, on_delete=models.SET_NULL, related_name="visits"
    )
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="homecare_visits")
    booking = models.OneToOneField(
        "booking.Booking", null=True, blank=True, on_delete=models.SET_NULL, related_name="homecare_visit"
    )
    order = models.OneToOneField(
        "payments.Order", null=True, blank=True, on_delete=models.SET_NULL, related_name="homecare_visit"
    )
    first_order = models.ForeignKey(
        "payments.Order", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=9, choices=State.choices, default=State.HELD)
    day = models.DateField()
    starts_at = models.DateTimeField()
    latest_at = models.DateTimeField()
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    consented_at = models.DateTimeField(null=True, blank=True)
    consented_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    note = models.BinaryField(null=True, blank=True)
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_cause = models.CharField(max_length=16, blank=True)
    changed = models.PositiveIntegerField(default=1)
    pay_later = models.BooleanField(default=False)
    money_due_at = models.DateTimeField(null=True, blank=True)
    blocked = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    blocked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-starts_at", "-pk"]
        indexes = [
            models.Index(fields=["institution", "day"], name="homecare_visit_of_day"),
            models.Index(fields=["patient", "-starts_at"], name="homecare_visit_of_patient"),
            models.Index(fields=["place", "-starts_at"], name="homecare_visit_of_place"),
            models.Index(fields=["-starts_at", "-id"], name="homecare_visit_by_time"),
            models.Index(
                fields=["money_due_at"], name="homecare_visit_money_due", condition=Q(money_due_at__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(latest_at__gte=F("starts_at")), name="homecare_visit_window"),
            models.CheckConstraint(
                condition=~Q(state__in=("underway", "done")) | Q(began_at__isnull=False), name="homecare_visit_began"
            ),
        ]

    @property
    def number(self) -> str:
        return f"V-{self.pk:06d}"


class Stop(models.Model):
    """Who does which service of a visit when, by the plan. Purpose and retention: with the visit.

    `task` is 0, or 1 for who comes besides in a double service. While `live`, nobody is at two places at once: the
    constraint is checked at the commit, so that a plan can be exchanged as a whole. `pinned`: a coordinator chose the
    person, and no plan changes that.
    """

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="stops")
    task = models.PositiveSmallIntegerField(default=0)
    practitioner = models.ForeignKey(
        "homecare_register.Practitioner", on_delete=models.PROTECT, related_name="homecare_stops"
    )
    span = DateTimeRangeField()
    live = models.BooleanField(default=True)
    pinned = models.BooleanField(default=False)

    class Meta:
        ordering = ["visit", "task"]
        constraints = [
            models.UniqueConstraint(fields=["visit", "task"], name="homecare_stop_once"),
            ExclusionConstraint(
                name="homecare_stop_no_overlap",
                expressions=[(F("practitioner"), RangeOperators.EQUAL), (F("span"), RangeOperators.OVERLAPS)],
                condition=Q(live=True),
                deferrable=Deferrable.DEFERRED,
            ),
        ]


class BookingRules(models.Model):
    """How an institution's visits are booked and paid. `policy` is data of the booking kernel: what cancelling costs.
    `pay_at_visit`: cash or transfer when somebody comes is allowed, so that a booking needs no payment before."""

    institution = models.OneToOneField(
        "homecare_register.Institution", on_delete=models.CASCADE, related_name="booking_rules"
    )
    step_minutes = models.PositiveSmallIntegerField(default=30)
    lead_minutes = models.PositiveIntegerField(default=120)
    horizon_days = models.PositiveSmallIntegerField(default=14)
    hold_seconds = models.PositiveIntegerField(default=900)
    pay_at_visit = models.BooleanField(default=True)
    policy = models.JSONField(default=default_policy)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(step_minutes__gt=0, horizon_days__gt=0, horizon_days__lte=365, hold_seconds__gte=60),
                name="homecare_booking_rules",
            )
        ]


class VisitEvent(models.Model):
    """A line of a visit's history. Purpose and retention: with the visit. `data` holds ids, codes and times only."""

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=24)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["visit", "at", "pk"]
