from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Resource(models.Model):
    """Something that serves one booking at a time: a court, a room, a nurse's time. Its availability is in the time
    zone of its place; `person` and `organisation` say whose it is, where it is somebody's. Purpose: keeping
    appointments. Retention: until retired, then with its last booking."""

    PURPOSE = "keeping appointments"
    RETENTION_DAYS = 730

    class Kind(models.TextChoices):
        ROOM = "room", _("Room")
        COURT = "court", _("Court")
        PERSON = "person", _("Person's time")
        VEHICLE = "vehicle", _("Vehicle")
        EQUIPMENT = "equipment", _("Equipment")
        OTHER = "other", _("Other")

    code = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=9, choices=Kind.choices)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="resources")
    person = models.ForeignKey(
        "parties.Person", null=True, blank=True, on_delete=models.SET_NULL, related_name="resources"
    )
    organisation = models.ForeignKey(
        "parties.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="resources"
    )
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["place__path", "code"]


class AvailabilityRule(models.Model):
    """When a resource is there: on the days of `recurrence` (RFC 5545 RRULE that starts on `since`) before `until`,
    from `opens` to `closes` by the wall clock of its place; a closing not after the opening lies on the next day."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="rules")
    recurrence = models.CharField(max_length=200)
    since = models.DateField()
    until = models.DateField(null=True, blank=True)
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        ordering = ["since", "opens"]
        constraints = [
            models.CheckConstraint(condition=Q(until__isnull=True) | Q(until__gt=F("since")), name="availability_span")
        ]


class Override(models.Model):
    """An exception to the rules: from an instant to an instant the resource is away, or there besides (`available`).

    `reason` is a word of a list, so that nothing about anybody's health is written down.
    """

    class Reason(models.TextChoices):
        ABSENT = "absent", _("Absent")
        CLOSED = "closed", _("Closed")
        MAINTENANCE = "maintenance", _("Maintenance")
        EXTRA = "extra", _("Open besides")

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="overrides")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    available = models.BooleanField(default=False)
    reason = models.CharField(max_length=12, choices=Reason.choices)

    class Meta:
        ordering = ["starts_at"]
        indexes = [models.Index(fields=["resource", "ends_at"], name="override_of_resource")]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="override_span")]
