from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Assessment(models.Model):
    """Whether a service can be done for a patient at home. Purpose: no service at home that would harm. Retention: 15
    years after it ended (医疗机构病历管理规定 §29), or until the person is erased.

    `version` is the service as it was then. `reason` and `elsewhere` (where to go instead) are encrypted with the
    person's key. A decision holds up to `last_day`, by the days of the patient's place; that day still counts.
    """

    PURPOSE = "deciding whether a service can be done at home without harm"
    RETENTION_DAYS = 5479

    class State(models.TextChoices):
        OPEN = "open", _("Not decided yet")
        DECIDED = "decided", _("Decided")
        CANCELLED = "cancelled", _("Cancelled")

    class Decision(models.TextChoices):
        FIT = "fit", _("Fit for care at home")
        UNFIT = "unfit", _("Unfit for care at home")
        VISIT = "visit", _("Needs a visit first")

    patient = models.ForeignKey("homecare_register.Patient", on_delete=models.CASCADE, related_name="assessments")
    service = models.ForeignKey("homecare_register.Service", on_delete=models.PROTECT, related_name="assessments")
    version = models.ForeignKey(
        "homecare_register.ServiceVersion", on_delete=models.PROTECT, related_name="assessments"
    )
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="homecare_assessments")
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=5, choices=Decision.choices, blank=True)
    decided_by = models.ForeignKey(
        "homecare_register.Practitioner", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.BinaryField(null=True, blank=True)
    elsewhere = models.BinaryField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at", "-pk"]
        indexes = [models.Index(fields=["patient", "service", "-ended_at"], name="homecare_assessed")]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "service"], condition=Q(state="open"), name="homecare_one_open_assessment"
            ),
            models.CheckConstraint(
                condition=Q(state="decided", last_day__isnull=False, ended_at__isnull=False) & ~Q(decision="")
                | ~Q(state="decided") & Q(decision=""),
                name="homecare_decision_is_whole",
            ),
        ]


class Response(models.Model):
    """One questionnaire of an assessment. Purpose and retention: as Assessment. `answers` (item → points) is
    encrypted with the person's key; the score is worked out from it, never stored."""

    PURPOSE = Assessment.PURPOSE
    RETENTION_DAYS = Assessment.RETENTION_DAYS

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="responses")
    instrument = models.CharField(max_length=32)
    number = models.PositiveSmallIntegerField()
    answers = models.BinaryField(null=True, blank=True)
    complete = models.BooleanField(default=False)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["assessment", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["assessment", "instrument"], name="homecare_response_once"),
        ]
