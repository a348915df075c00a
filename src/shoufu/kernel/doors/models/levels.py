from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shoufu.kernel.doors.models.points import AccessPoint, Named


class Schedule(Named):
    """When a level counts: wall time in the place's zone, half-open; spans may pass midnight.

    `spans` is a list of {"days": [...], "from": "HH:MM", "to": "HH:MM"}; days are mon … sun and holiday. A make-up
    working day counts as the weekday that it stands in for.
    """

    code = models.CharField(max_length=64, unique=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="door_schedules")
    spans = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["place__path", "code"]


class SpecialDay(Named):
    """A public holiday, or a weekend day that is worked in its stead. `source` is where it was announced.

    A row without a place holds everywhere; a row of a place comes before it.
    """

    class Kind(models.TextChoices):
        HOLIDAY = "holiday", _("Holiday")
        WORKDAY = "workday", _("Make-up working day")

    day = models.DateField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    stands_for = models.PositiveSmallIntegerField(null=True, blank=True)
    place = models.ForeignKey(
        "places.Place", null=True, blank=True, on_delete=models.CASCADE, related_name="special_days"
    )
    source = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["day", "place"], nulls_distinct=False, name="doors_special_day_once"),
            models.CheckConstraint(
                condition=Q(stands_for__isnull=True) | Q(stands_for__range=(1, 7)), name="doors_special_day_weekday"
            ),
        ]


class AccessLevel(Named):
    """A set of doors, each at all times or by a schedule: what a person or a credential is given."""

    code = models.CharField(max_length=64, unique=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="access_levels")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["place__path", "code"]


class LevelDoor(models.Model):
    """A door of a level; without a schedule at all times."""

    level = models.ForeignKey(AccessLevel, on_delete=models.CASCADE, related_name="doors")
    point = models.ForeignKey(AccessPoint, on_delete=models.CASCADE, related_name="levels")
    schedule = models.ForeignKey(Schedule, null=True, blank=True, on_delete=models.PROTECT, related_name="doors")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "point"], name="doors_level_door_once")]


class Assignment(models.Model):
    """A person, or one credential, has a level from a moment to a moment (half-open). One of the two is given.

    Purpose and retention: as Credential.
    """

    PURPOSE = "opening the doors of the places where somebody lives, works or visits"
    RETENTION_DAYS = 90

    level = models.ForeignKey(AccessLevel, on_delete=models.CASCADE, related_name="assignments")
    person = models.ForeignKey(
        "parties.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="access_levels"
    )
    credential = models.ForeignKey(
        "doors.Credential", null=True, blank=True, on_delete=models.CASCADE, related_name="assignments"
    )
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["level", "until"], name="doors_assignment_level")]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=True, credential__isnull=False)
                | Q(person__isnull=False, credential__isnull=True),
                name="doors_assignment_of_one",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")), name="doors_assignment_span"
            ),
            models.UniqueConstraint(
                fields=["level", "person"], condition=Q(until__isnull=True), name="doors_level_person_once"
            ),
            models.UniqueConstraint(
                fields=["level", "credential"], condition=Q(until__isnull=True), name="doors_level_credential_once"
            ),
        ]
