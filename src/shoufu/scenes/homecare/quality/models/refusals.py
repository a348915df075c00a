from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shoufu.scenes.homecare.quality import codes


class Refusal(models.Model):
    """A practitioner does not go to a patient, or a patient does not want somebody. Purpose: nobody is sent where one
    of the two does not want it. Retention: five years after it ended, or until the person is erased.

    No plan and no booking brings the two together while it runs; with `only_visit` it is about that visit alone.
    `words` are encrypted with the patient's key where the patient refused, else with the practitioner's.
    """

    PURPOSE = "nobody is sent where one of the two does not want it"
    RETENTION_DAYS = 1826

    class Side(models.TextChoices):
        PRACTITIONER = "practitioner", _("The practitioner")
        PATIENT = "patient", _("The patient")

    patient = models.ForeignKey("homecare_register.Patient", on_delete=models.CASCADE, related_name="refusals")
    practitioner = models.ForeignKey(
        "homecare_register.Practitioner", on_delete=models.CASCADE, related_name="refusals"
    )
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="homecare_refusals")
    visit = models.ForeignKey(
        "homecare_visits.Visit", null=True, blank=True, on_delete=models.SET_NULL, related_name="refusals"
    )
    only_visit = models.BooleanField(default=False)
    side = models.CharField(max_length=12, choices=Side.choices)
    code = models.CharField(max_length=10, choices=codes.Against.choices)
    words = models.BinaryField(null=True, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        indexes = [
            models.Index(fields=["patient"], condition=Q(ended_at__isnull=True), name="homecare_refusal_running")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "practitioner", "side"],
                condition=Q(ended_at__isnull=True, only_visit=False),
                name="homecare_refusal_once",
            ),
            models.UniqueConstraint(
                fields=["visit", "practitioner", "side"],
                condition=Q(ended_at__isnull=True, only_visit=True),
                name="homecare_refusal_once_a_visit",
            ),
        ]

    @property
    def number(self) -> str:
        return f"R-{self.pk:06d}"
