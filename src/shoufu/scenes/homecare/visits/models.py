from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Deferrable, F, Q
from django.utils.translation import gettext_lazy as _

PURPOSE = "care at home"
RETENTION_DAYS = 5479


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
    """

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    class State(models.TextChoices):
        HELD = "held", _("Held, to be paid")
        BOOKED = "booked", _("Booked")
        UNDERWAY = "underway", _("Under way")
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

    class Meta:
        ordering = ["-starts_at", "-pk"]
        indexes = [
            models.Index(fields=["institution", "day"], name="homecare_visit_of_day"),
            models.Index(fields=["patient", "-starts_at"], name="homecare_visit_of_patient"),
            models.Index(fields=["place", "-starts_at"], name="homecare_visit_of_place"),
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
