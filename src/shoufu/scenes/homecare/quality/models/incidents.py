from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shoufu.scenes.homecare.quality import codes, national


class Incident(models.Model):
    """An adverse event around care at home. Purpose: care without harm. Retention: 15 years (医疗机构病历管理规定 §29),
    or until the person is erased.

    `grade` is of the published scale (`national/incidents.json`). What happened and what was done at once are encrypted
    with the key of `subject`: the patient of the visit, or without one the practitioner. Who reported it does not close
    it.
    """

    PURPOSE = "care without harm to patients and staff"
    RETENTION_DAYS = 5479

    class State(models.TextChoices):
        OPEN = "open", _("Not closed yet")
        CLOSED = "closed", _("Closed out")

    institution = models.ForeignKey("homecare_register.Institution", on_delete=models.PROTECT, related_name="incidents")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="homecare_incidents")
    visit = models.ForeignKey(
        "homecare_visits.Visit", null=True, blank=True, on_delete=models.SET_NULL, related_name="incidents"
    )
    patient = models.ForeignKey(
        "homecare_register.Patient", null=True, blank=True, on_delete=models.CASCADE, related_name="incidents"
    )
    practitioner = models.ForeignKey(
        "homecare_register.Practitioner", null=True, blank=True, on_delete=models.SET_NULL, related_name="incidents"
    )
    subject = models.ForeignKey("parties.Person", on_delete=models.CASCADE, related_name="homecare_incidents")
    kind = models.CharField(max_length=10, choices=codes.Happened.choices)
    grade = models.PositiveSmallIntegerField()
    happened_at = models.DateTimeField()
    reported_at = models.DateTimeField()
    reported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    what = models.BinaryField()
    immediate = models.BinaryField(null=True, blank=True)
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)
    cause = models.BinaryField(null=True, blank=True)
    measures = models.BinaryField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-happened_at", "-pk"]
        indexes = [models.Index(fields=["institution", "-happened_at"], name="homecare_incident_of_office")]
        constraints = [
            models.CheckConstraint(condition=Q(grade__range=(1, 4)), name="homecare_incident_grade"),
            models.CheckConstraint(
                condition=Q(closed_by__isnull=True) | Q(reported_by__isnull=True) | ~Q(closed_by=F("reported_by")),
                name="homecare_incident_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) | Q(state="open", closed_at__isnull=True),
                name="homecare_incident_closed",
            ),
        ]

    @property
    def number(self) -> str:
        return f"I-{self.pk:06d}"

    @property
    def serious(self) -> bool:
        return self.grade in codes.SERIOUS

    @property
    def grade_label(self) -> str:
        return national.grades()[self.grade].label
