from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shoufu.scenes.homecare.quality import codes


class Complaint(models.Model):
    """What a patient, or who acts for them, complains of, about a visit or in general. Purpose: putting right what went
    wrong. Retention: five years after its end, or until the person is erased.

    `what` and `wish` are encrypted with the patient's key; answers stand in the steps. `escalated_at`: the regulator
    sees it, because a limit passed ("late_acknowledge", "late_answer") or the patient asked ("asked").
    """

    PURPOSE = "putting right what went wrong"
    RETENTION_DAYS = 1826

    class State(models.TextChoices):
        RECEIVED = "received", _("Handed in")
        ACKNOWLEDGED = "acknowledged", _("Being looked into")
        ANSWERED = "answered", _("Answered")
        CLOSED = "closed", _("Ended")
        WITHDRAWN = "withdrawn", _("Taken back")

    OPEN = (State.RECEIVED, State.ACKNOWLEDGED, State.ANSWERED)
    UNANSWERED = (State.RECEIVED, State.ACKNOWLEDGED)

    patient = models.ForeignKey("homecare_register.Patient", on_delete=models.CASCADE, related_name="complaints")
    institution = models.ForeignKey(
        "homecare_register.Institution", on_delete=models.PROTECT, related_name="complaints"
    )
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="homecare_complaints")
    visit = models.ForeignKey(
        "homecare_visits.Visit", null=True, blank=True, on_delete=models.SET_NULL, related_name="complaints"
    )
    kind = models.CharField(max_length=8, choices=codes.Complained.choices)
    what = models.BinaryField()
    wish = models.BinaryField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVED)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    acknowledge_by = models.DateTimeField()
    answer_by = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    escalation = models.CharField(max_length=16, blank=True)
    ruled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        indexes = [
            models.Index(fields=["institution", "-made_at"], name="homecare_complaint_of_office"),
            models.Index(fields=["patient", "-made_at"], name="homecare_complaint_of_patient"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=("closed", "withdrawn"), ended_at__isnull=False)
                | ~Q(state__in=("closed", "withdrawn")) & Q(ended_at__isnull=True),
                name="homecare_complaint_ended",
            ),
            models.CheckConstraint(
                condition=Q(escalated_at__isnull=True, escalation="")
                | Q(escalated_at__isnull=False) & ~Q(escalation=""),
                name="homecare_complaint_escalated",
            ),
        ]

    @property
    def number(self) -> str:
        return f"K-{self.pk:06d}"

    @property
    def open(self) -> bool:
        return self.state in self.OPEN
