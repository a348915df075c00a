from django.conf import settings
from django.db import models
from django.db.models import Q


class Step(models.Model):
    """A line in the trail of a complaint, an incident, an entry or a sanction. Purpose and retention: with what it is
    about. `words` are encrypted with the key of the person whom that concerns."""

    PURPOSE = "following what was done about it"
    RETENTION_DAYS = 5479

    complaint = models.ForeignKey(
        "homecare_quality.Complaint", null=True, blank=True, on_delete=models.CASCADE, related_name="steps"
    )
    incident = models.ForeignKey(
        "homecare_quality.Incident", null=True, blank=True, on_delete=models.CASCADE, related_name="steps"
    )
    bar = models.ForeignKey(
        "homecare_quality.Bar", null=True, blank=True, on_delete=models.CASCADE, related_name="steps"
    )
    sanction = models.ForeignKey(
        "homecare_quality.Sanction", null=True, blank=True, on_delete=models.CASCADE, related_name="steps"
    )
    at = models.DateTimeField()
    kind = models.CharField(max_length=16)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    words = models.BinaryField(null=True, blank=True)

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(complaint__isnull=False, incident__isnull=True, bar__isnull=True, sanction__isnull=True)
                | Q(complaint__isnull=True, incident__isnull=False, bar__isnull=True, sanction__isnull=True)
                | Q(complaint__isnull=True, incident__isnull=True, bar__isnull=False, sanction__isnull=True)
                | Q(complaint__isnull=True, incident__isnull=True, bar__isnull=True, sanction__isnull=False),
                name="homecare_step_about_one",
            )
        ]
