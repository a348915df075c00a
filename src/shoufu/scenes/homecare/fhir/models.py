import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Stored(models.Model):
    """A resource that another program put here. Purpose: care at home. Retention: 15 years after its last
    change (医疗机构病历管理规定 §29), or until the person whom it is about is erased.

    `content` is the whole JSON, encrypted under the key of `key_of` (see `sealing`): the person's, where its subject is
    a patient here, else the institution's or the place's. `marks` are keyed hashes by which it is searched.
    `institution` is whose it is; none where its author works for a whole place. Deleted: `content` is empty.
    """

    PURPOSE = "care at home, together with other programs"
    RETENTION_DAYS = 5479

    type = models.CharField(max_length=64)
    logical_id = models.CharField(max_length=64)
    institution = models.ForeignKey(
        "homecare_register.Institution", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(
        "parties.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="homecare_resources"
    )
    version = models.PositiveIntegerField(default=1)
    content = models.BinaryField(blank=True)
    key_of = models.BigIntegerField()
    marks = ArrayField(models.BigIntegerField(), default=list, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            GinIndex(fields=["marks"], name="homecare_fhir_marks"),
            models.Index(fields=["type", "id"], name="homecare_fhir_type"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["type", "logical_id"], name="homecare_fhir_id_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="homecare_fhir_version"),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=False, content=b"") | Q(deleted_at__isnull=True) & ~Q(content=b""),
                name="homecare_fhir_whole",
            ),
        ]


class StoredVersion(models.Model):
    """A resource as it was before a change. Purpose and retention: as Stored. Empty `content`: it was deleted then."""

    PURPOSE = Stored.PURPOSE
    RETENTION_DAYS = Stored.RETENTION_DAYS

    stored = models.ForeignKey(Stored, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.BinaryField(blank=True)
    key_of = models.BigIntegerField()
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["stored", "-number"]
        constraints = [models.UniqueConstraint(fields=["stored", "number"], name="homecare_fhir_version_once")]


class BulkExport(models.Model):
    """Files of resources, one a type, made in the background for whoever asked. The files go when `expires_at` is past.

    `files` are {"type", "count", "size", "sha256"}; `path` is where the asker's right was then.
    """

    RETENTION_DAYS = 1095

    class Level(models.TextChoices):
        SYSTEM = "system", _("Everything")
        PATIENT = "patient", _("About patients")

    class State(models.TextChoices):
        QUEUED = "queued", pgettext_lazy("export", "Waiting")
        RUNNING = "running", _("Being made")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Deleted")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    level = models.CharField(max_length=7, choices=Level.choices)
    types = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200)
    request = models.CharField(max_length=500)
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    progress = models.FloatField(default=0)
    files = models.JSONField(default=list, blank=True)
    problem = models.CharField(max_length=120, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(condition=Q(progress__gte=0, progress__lte=1), name="homecare_fhir_progress"),
        ]


class Refusal(models.Model):
    """A request that was refused, for whoever connects a program: what it was and which elements were wrong.

    Nothing of the resource is kept: `issues` are {"expression", "code"}, at most five.
    """

    RETENTION_DAYS = 30

    at = models.DateTimeField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    place = models.ForeignKey("places.Place", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    method = models.CharField(max_length=8)
    type = models.CharField(max_length=64, blank=True)
    status = models.PositiveSmallIntegerField()
    issues = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["user", "-at"], name="homecare_fhir_refused")]
