from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from shoufu.scenes.homecare.register import codes


class Institution(models.Model):
    """A medical organisation that sends its own people to homes, below one place; licensed up to `licence_last_day`,
    which still counts, by the days of its place."""

    organisation = models.OneToOneField("parties.Organisation", on_delete=models.PROTECT, related_name="homecare")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="homecare_institutions")
    licence_number = models.CharField(max_length=64, unique=True)
    licence_last_day = models.DateField()
    suspended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["place__path", "pk"]

    @property
    def label(self) -> str:
        english = (get_language() or "").startswith("en")
        return self.organisation.name_en or self.organisation.name if english else self.organisation.name


class Service(models.Model):
    """Something that an institution does at homes. What it is stands in its versions."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="services")
    code = models.CharField(max_length=64)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["institution", "code"]
        constraints = [models.UniqueConstraint(fields=["institution", "code"], name="homecare_service_code_once")]


class ServiceVersion(models.Model):
    """What a service is from a day on, until the next version's day. Never changed once its day has come.

    `performers` are one or two documents {"professions", "skills", "least_rank", "least_years"}: who may do it, and for
    a double service who comes besides. `materials` are {"name", "name_en", "quantity", "unit"}. `price` is in minor
    units of `currency`, `insurance_share` in per cent. `instruments` are the questionnaires of its assessment.
    """

    class Second(models.TextChoices):
        NONE = "none", _("One person")
        SIMULTANEOUS = "simultaneous", _("Two at the same moment")
        SEQUENTIAL = "sequential", _("Two one after the other")

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    since = models.DateField()
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    what = models.TextField(max_length=1000, blank=True)
    what_en = models.TextField(max_length=1000, blank=True)
    performers = models.JSONField(default=list)
    second = models.CharField(max_length=12, choices=Second.choices, default=Second.NONE)
    gap_least = models.PositiveSmallIntegerField(default=0)
    gap_most = models.PositiveSmallIntegerField(default=0)
    duration_minutes = models.PositiveSmallIntegerField()
    materials = models.JSONField(default=list, blank=True)
    price = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3, default="CNY")
    insurance_share = models.PositiveSmallIntegerField(default=0)
    contraindications = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    consent = models.TextField(max_length=4000)
    consent_en = models.TextField(max_length=4000)
    needs_prescription = models.BooleanField(default=False)
    needs_assessment = models.BooleanField(default=True)
    instruments = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    assessment_days = models.PositiveSmallIntegerField(default=90)
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["service", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["service", "number"], name="homecare_version_number_once"),
            models.UniqueConstraint(fields=["service", "since"], name="homecare_version_day_once"),
            models.CheckConstraint(
                condition=Q(duration_minutes__gt=0, insurance_share__lte=100, assessment_days__gt=0),
                name="homecare_version_figures",
            ),
            models.CheckConstraint(
                condition=Q(gap_most__gte=F("gap_least")) & (Q(second="sequential") | Q(gap_most=0)),
                name="homecare_version_gap",
            ),
        ]

    @property
    def label(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name

    @property
    def description(self) -> str:
        return self.what_en if (get_language() or "").startswith("en") else self.what

    @property
    def consent_text(self) -> str:
        return self.consent_en if (get_language() or "").startswith("en") else self.consent

    @property
    def price_text(self) -> str:
        return f"{self.price // 100}.{self.price % 100:02d} {self.currency}"


class Practitioner(models.Model):
    """A person who gives care at homes for one institution. Purpose: sending only who may come. Retention: five years
    after they left.

    Not usable before `verified_at`, after `licence_last_day` (by the days of the institution's place), while
    suspended, or after `left_at`. `base_…` is where their day begins (WGS-84); `radius` is in metres.
    """

    PURPOSE = "sending only people who are licensed and able to do a service"
    RETENTION_DAYS = 1826

    person = models.ForeignKey("parties.Person", on_delete=models.CASCADE, related_name="homecare_practices")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="practitioners")
    profession = models.CharField(max_length=16, choices=codes.Profession.choices)
    rank = models.PositiveSmallIntegerField(choices=codes.Rank.choices)
    licence_number = models.CharField(max_length=64)
    licence_last_day = models.DateField()
    clinical_since = models.DateField()
    skills = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    verified_source = models.CharField(max_length=200, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_reason = models.CharField(max_length=200, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    base_longitude = models.FloatField(null=True, blank=True)
    base_latitude = models.FloatField(null=True, blank=True)
    radius = models.PositiveIntegerField(default=5000)
    transport = models.CharField(max_length=8, choices=codes.Transport.choices, default=codes.Transport.EBIKE)
    resource = models.OneToOneField(
        "booking.Resource", null=True, blank=True, on_delete=models.SET_NULL, related_name="homecare_practitioner"
    )

    class Meta:
        ordering = ["institution", "person__name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["person", "institution"], name="homecare_practitioner_once"),
            models.CheckConstraint(condition=Q(rank__gte=1, rank__lte=5), name="homecare_practitioner_rank"),
            models.CheckConstraint(
                condition=Q(base_longitude__isnull=True, base_latitude__isnull=True)
                | Q(base_longitude__range=(-180, 180), base_latitude__range=(-90, 90)),
                name="homecare_practitioner_base",
            ),
            models.CheckConstraint(
                condition=Q(verified_at__isnull=True) | ~Q(verified_source=""),
                name="homecare_practitioner_source",
            ),
        ]

    @property
    def title(self) -> str:
        return codes.title(self.profession, self.rank)


class Portrait(models.Model):
    """The face of somebody who gives care. Purpose: patients recognise who comes. Retention: until it is taken down or
    replaced, or the practitioner leaves or is erased.

    A square JPEG, encrypted with the person's key under `key`. Each picture has an id of its own, so that an address
    names one picture for good.
    """

    PURPOSE = "patients recognise who comes to their home"

    id = models.UUIDField(primary_key=True)
    practitioner = models.OneToOneField(Practitioner, on_delete=models.CASCADE, related_name="portrait")
    key = models.CharField(max_length=200, unique=True)
    size = models.PositiveIntegerField()
    made_at = models.DateTimeField()


class Patient(models.Model):
    """A person whom an institution cares for at home. Purpose: care at home. Retention: 15 years after it ended
    (医疗机构病历管理规定 §29), or until the person is erased.

    `access` (how to get in) and `health` (a JSON document: allergies, conditions, flags, sex) are encrypted with the
    person's key. Who may act for them is kept by the kernel (scope "care.act"), so is the way to their door
    (`household`). `place` is the unit they live in, or their compound.
    """

    PURPOSE = "care at home"
    RETENTION_DAYS = 5479

    person = models.ForeignKey("parties.Person", on_delete=models.CASCADE, related_name="homecare_patients")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="patients")
    household = models.ForeignKey(
        "parties.Household", null=True, blank=True, on_delete=models.SET_NULL, related_name="homecare_patients"
    )
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="homecare_patients")
    access = models.BinaryField(null=True, blank=True)
    health = models.BinaryField(null=True, blank=True)
    nurses = models.ManyToManyField(Practitioner, blank=True, related_name="patients")
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_cause = models.CharField(max_length=12, blank=True)

    class Meta:
        ordering = ["place__path", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "institution"], condition=Q(ended_at__isnull=True), name="homecare_patient_once"
            )
        ]
