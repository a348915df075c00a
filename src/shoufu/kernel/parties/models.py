from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Organisation(models.Model):
    """A property office, alarm centre, street office, company or institution."""

    class Kind(models.TextChoices):
        PROPERTY = "property", _("Property office")
        ALARM_CENTRE = "alarm_centre", _("Alarm centre")
        COMMUNITY = "community", _("Community office")
        MEDICAL = "medical", _("Medical institution")
        COMPANY = "company", _("Company")

    code = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="organisations")


class Person(models.Model):
    """A person known to the district. Purpose: running the services of the places where they live or work.
    Retention: until erased, or two years after the last residency or membership ended.

    Phone and identity number are stored encrypted; `…_lookup` are keyed hashes to find them by.
    """

    PURPOSE = "residents and staff of the places served"
    RETENTION_DAYS = 730

    code = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=80)
    phone = models.BinaryField(null=True, blank=True)
    phone_lookup = models.BinaryField(max_length=32, null=True, blank=True, db_index=True)
    identity = models.BinaryField(null=True, blank=True)
    identity_lookup = models.BinaryField(max_length=32, null=True, blank=True, unique=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="people")
    born = models.DateField(null=True, blank=True)
    died_on = models.DateField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [GinIndex(fields=["name"], name="parties_person_name_trgm", opclasses=["gin_trgm_ops"])]


class Membership(models.Model):
    """A person works for an organisation, from a day to a day (half-open)."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    title = models.CharField(max_length=80)
    since = models.DateField()
    until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(until__isnull=True) | Q(until__gt=F("since")), name="membership_span")
        ]


class Household(models.Model):
    """The people who live behind one door number of a unit."""

    code = models.CharField(max_length=64, unique=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="households")
    number = models.CharField(max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "number"], name="household_number_once_per_place")]


class Residency(models.Model):
    """A person lives in a household, from a day to a day (half-open). Purpose and retention: as Person.

    `ended_at` is the moment at which the rights that it gave were taken away; until then they hold, whatever `until`.
    """

    class Kind(models.TextChoices):
        OWNER = "owner", _("Owner")
        TENANT = "tenant", _("Tenant")
        FAMILY = "family", _("Family member")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="residencies")
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="residencies")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    since = models.DateField()
    until = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["until"],
                name="residency_to_end",
                condition=Q(until__isnull=False, ended_at__isnull=True),
            )
        ]
        constraints = [
            models.CheckConstraint(condition=Q(until__isnull=True) | Q(until__gt=F("since")), name="residency_span"),
            models.UniqueConstraint(
                fields=["person", "household"], condition=Q(until__isnull=True), name="residency_once_at_a_time"
            ),
        ]


class Departure(models.Model):
    """The receipt of a person's leaving: why, when, and everything that ended with it, line by line.

    Purpose: proof that rights ended. Retention: two years, or until the person is erased. `lines` are what
    `kernel.base.hooks.Receipt` holds; nothing in them names anybody.
    """

    RETENTION_DAYS = 730

    class Cause(models.TextChoices):
        MOVED_OUT = "moved_out", _("Moved out")
        LAPSED = "lapsed", _("The tenancy ended")
        DIVORCED = "divorced", _("Separated")
        DIED = "died", _("Died")
        LEFT = "left", _("Left the service")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="departures")
    household = models.ForeignKey(Household, null=True, blank=True, on_delete=models.PROTECT, related_name="departures")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    cause = models.CharField(max_length=12, choices=Cause.choices)
    at = models.DateTimeField()
    author = models.CharField(max_length=120)
    reason = models.CharField(max_length=200, blank=True)
    lines = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["-at"]


class Vehicle(models.Model):
    """A registered vehicle. Purpose: letting it into its compound. Retention: until it leaves plus 30 days."""

    PURPOSE = "vehicle access to the compound"
    RETENTION_DAYS = 30

    plate = models.CharField(max_length=12, db_index=True)
    colour = models.CharField(max_length=8, default="blue")
    household = models.ForeignKey(Household, null=True, blank=True, on_delete=models.PROTECT, related_name="vehicles")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="vehicles")
    since = models.DateField()
    until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(until__isnull=True) | Q(until__gt=F("since")), name="vehicle_span"),
            models.UniqueConstraint(
                fields=["plate", "place"], condition=Q(until__isnull=True), name="vehicle_plate_once_per_place"
            ),
        ]


class Consent(models.Model):
    """A person allowed a purpose; withdrawn as easily. Retention: three years after the withdrawal, as proof."""

    RETENTION_DAYS = 1095

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=64)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    how = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "purpose"], condition=Q(withdrawn_at__isnull=True), name="consent_once_at_a_time"
            )
        ]
