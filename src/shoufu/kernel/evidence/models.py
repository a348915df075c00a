from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Export(models.Model):
    """A bundle of a case's evidence for somebody: who asked, for whom, why, how far it is, until when it lies here.

    `secret` (the passphrase of the sealed originals) is encrypted with the key ring and forgotten when the bundle is
    made. Purpose: handing evidence over. Retention: the file until `expires_at`, the row as proof three years.
    """

    PURPOSE = "handing evidence over"
    RETENTION_DAYS = 1095

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Ready")
        FAILED = "failed", _("Failed")
        DELETED = "deleted", _("Deleted")

    class Sharp(models.TextChoices):
        NOBODY = "nobody", _("Everybody blurred")
        SUBJECT = "subject", _("The person of the case sharp, bystanders blurred")
        ALL = "all", _("Nothing blurred")

    number = models.CharField(max_length=28, unique=True)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="exports")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    progress = models.FloatField(default=0)
    step = models.CharField(max_length=80, blank=True)
    error = models.TextField(blank=True)
    recipient = models.CharField(max_length=120)
    reason = models.CharField(max_length=200)
    sharp = models.CharField(max_length=8, choices=Sharp.choices, default=Sharp.NOBODY)
    sharp_reason = models.CharField(max_length=200, blank=True)
    media = models.JSONField(default=list, blank=True)
    cameras = models.JSONField(default=list, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    recipient_key = models.CharField(max_length=80, blank=True)
    secret = models.BinaryField(null=True, blank=True)
    language = models.CharField(max_length=8, default="zh-hans")
    asked_by = models.CharField(max_length=120)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)
    key = models.CharField(max_length=120, blank=True)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    signed_by = models.CharField(max_length=64, blank=True)
    files = models.PositiveIntegerField(default=0)
    downloads = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["expires_at"], name="export_expires", condition=~Q(key="")),
            models.Index(fields=["place", "-asked_at"], name="export_place"),
        ]


class Hold(models.Model):
    """A legal hold: nothing of the case's evidence is removed before it is lifted, whatever the retention says."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=200)
    review_at = models.DateField()
    placed_by = models.CharField(max_length=120)
    placed_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=120, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(lifted_at__isnull=True), name="hold_once_at_a_time")
        ]
