from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Policy(models.Model):
    """How soon an institution deals with complaints and appeals. A row only where it is not as `national.limits`."""

    institution = models.OneToOneField(
        "homecare_register.Institution", on_delete=models.CASCADE, related_name="quality_policy"
    )
    acknowledge_hours = models.PositiveSmallIntegerField()
    answer_days = models.PositiveSmallIntegerField()
    appeal_days = models.PositiveSmallIntegerField()
    least_ratings = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(acknowledge_hours__gt=0, answer_days__gt=0, appeal_days__gt=0, least_ratings__gte=3),
                name="homecare_quality_policy",
            )
        ]


class Rating(models.Model):
    """What a patient, or who acts for them, says of a visit that was done: 1 (bad) to 5 (good). Purpose: better care.
    Retention: five years, or until the person is erased. `words` are encrypted with the patient's key."""

    PURPOSE = "better care at home"
    RETENTION_DAYS = 1826

    visit = models.OneToOneField("homecare_visits.Visit", on_delete=models.CASCADE, related_name="quality_rating")
    stars = models.PositiveSmallIntegerField()
    tags = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    words = models.BinaryField(null=True, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        indexes = [models.Index(fields=["-made_at"], name="homecare_rating_made")]
        constraints = [models.CheckConstraint(condition=Q(stars__range=(1, 5)), name="homecare_quality_rating_stars")]
