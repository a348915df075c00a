from django.db import models
from django.utils.translation import gettext_lazy as _


class MediaObject(models.Model):
    """A picture or a clip: bytes in the store under `key`, fixed by `sha256`.

    Purpose: evidence of what happened at the place. Retention: `keep_until`, later where a case holds it.
    """

    PURPOSE = "evidence"
    RETENTION_DAYS = 30

    class Kind(models.TextChoices):
        SNAPSHOT = "snapshot", _("Snapshot")
        CLIP = "clip", _("Clip")

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    content_type = models.CharField(max_length=64)
    size = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    key = models.CharField(max_length=200, unique=True)
    device = models.ForeignKey("devices.Device", null=True, on_delete=models.SET_NULL, related_name="media")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="media")
    t = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    known = models.DateTimeField(auto_now_add=True)
    keep_until = models.DateTimeField()
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-t"]
        indexes = [
            models.Index(fields=["device", "-t"], name="media_device_t"),
            models.Index(fields=["keep_until"], name="media_keep_until"),
        ]
