from django.db import models
from django.db.models import Q


class MonthSummary(models.Model):
    """What was counted of an institution's visits in a month: as a whole, of one service, or of one practitioner.

    `counts` are those of `figures.Counts`, `causes` {"state:cause": how many} of visits that did not take place. Only
    institutions with many visits have rows. `settled`: nothing of that month changes any more. Purpose: figures of
    quality. Retention: five years.
    """

    PURPOSE = "figures of quality"
    RETENTION_DAYS = 1826

    institution = models.ForeignKey(
        "homecare_register.Institution", on_delete=models.CASCADE, related_name="month_summaries"
    )
    month = models.DateField()
    service = models.ForeignKey(
        "homecare_register.Service", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    practitioner = models.ForeignKey(
        "homecare_register.Practitioner", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    counts = models.JSONField()
    causes = models.JSONField(default=dict)
    made_at = models.DateTimeField()
    settled = models.BooleanField(default=False)

    class Meta:
        ordering = ["institution", "month", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "month", "service", "practitioner"],
                name="homecare_summary_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(service__isnull=True) | Q(practitioner__isnull=True), name="homecare_summary_of_one"
            ),
        ]
