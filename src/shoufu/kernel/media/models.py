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


class Segment(models.Model):
    """A piece of a camera's recording, or a hole in it; [t, until) in phenomenon time by this machine's clock.

    A recording has its bytes (MPEG-TS) under `key`, a hole the reason in `gap` and no bytes; a hole that still lasts
    has no `until`. `clock_offset` is the camera's clock less ours, seconds, where the camera tells. `keyed` says that
    it can be played from its beginning, `group` is the longest picture group seen in it, seconds.

    Purpose: evidence of what happened at the place. Retention: `keep_until`, earlier where the disk has no room.
    """

    PURPOSE = "evidence"
    RETENTION_DAYS = 30

    class Gap(models.TextChoices):
        NONE = "", _("Recorded")
        CAMERA = "camera", _("The camera did not answer")
        RECORDER = "recorder", _("The recorder did not run")
        DISK = "disk", _("The disk did not take it")
        OFF = "off", _("Recording was switched off")

    device = models.ForeignKey("devices.Device", on_delete=models.PROTECT, related_name="segments")
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    t = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    known = models.DateTimeField(auto_now_add=True)
    gap = models.CharField(max_length=8, choices=Gap.choices, blank=True, default="")
    detail = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=120, null=True, blank=True, unique=True)
    size = models.PositiveIntegerField(default=0)
    sha256 = models.BinaryField(max_length=32, null=True, blank=True)
    keyed = models.BooleanField(default=True)
    group = models.FloatField(default=0)
    clock_offset = models.FloatField(null=True, blank=True)
    keep_until = models.DateTimeField()

    class Meta:
        ordering = ["t"]
        indexes = [
            models.Index(fields=["device", "t"], name="media_segment_device_t"),
            models.Index(fields=["keep_until"], name="media_segment_keep"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(gap="", key__isnull=False, sha256__isnull=False, until__isnull=False)
                | (~models.Q(gap="") & models.Q(key__isnull=True)),
                name="media_segment_bytes_or_gap",
            ),
            models.CheckConstraint(
                condition=models.Q(until__isnull=True) | models.Q(until__gt=models.F("t")),
                name="media_segment_forwards",
            ),
            models.UniqueConstraint(
                fields=["device"], condition=models.Q(until__isnull=True), name="media_one_open_gap_per_device"
            ),
        ]


class LiveLook(models.Model):
    """That somebody watched a camera's live picture during an hour: noted in the audit once, not once a second."""

    PURPOSE = "accountability"
    RETENTION_DAYS = 2

    actor = models.CharField(max_length=80)
    device = models.ForeignKey("devices.Device", on_delete=models.CASCADE, related_name="+")
    hour = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "device", "hour"], name="media_live_look_once")]
