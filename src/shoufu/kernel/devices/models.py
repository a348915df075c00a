from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _


class Device(models.Model):
    """A camera, controller, barrier, sensor or gateway at a place.

    `secret_hash` is SHA-256 of the device's random 256-bit secret (a bearer token over HTTP, the password over
    MQTT): long random secrets need no slow hash. `config` is validated by the kind's own schema.
    """

    class Kind(models.TextChoices):
        CAMERA = "camera", _("Camera")
        DOOR_CONTROLLER = "door_controller", _("Door controller")
        BARRIER = "barrier", _("Barrier")
        SENSOR = "sensor", _("Sensor")
        GATEWAY = "gateway", _("Gateway")

    class Status(models.TextChoices):
        ONLINE = "online", _("Online")
        OFFLINE = "offline", _("Offline")
        DEGRADED = "degraded", _("Degraded")
        UNKNOWN = "unknown", _("Not seen yet")

    code = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="devices")
    longitude = models.FloatField(null=True, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    heading = models.FloatField(null=True, blank=True)
    model = models.CharField(max_length=80, blank=True)
    protocol = models.CharField(max_length=16, default="mqtt")
    secret_hash = models.BinaryField(max_length=32, null=True, blank=True, unique=True)
    config = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.UNKNOWN)
    status_since = models.DateTimeField(null=True, blank=True)
    last_seen = models.DateTimeField(null=True, blank=True)
    heartbeat_seconds = models.PositiveIntegerField(default=60)
    retired_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["place__path", "code"]


class Channel(models.Model):
    """A part of a device that watches or drives one place: a camera's stream, one door of a controller."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="channels")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="channels")
    config = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device", "number"], name="channel_number_once_per_device")]


class Shadow(models.Model):
    """What a device should be (desired) and what it last said it is (reported), each with its own version."""

    device = models.OneToOneField(Device, on_delete=models.CASCADE, primary_key=True, related_name="shadow")
    desired = models.JSONField(default=dict, blank=True)
    desired_version = models.PositiveIntegerField(default=0)
    reported = models.JSONField(default=dict, blank=True)
    reported_version = models.PositiveIntegerField(default=0)
    reported_at = models.DateTimeField(null=True, blank=True)


class Change(models.Model):
    """A property of a device took a value: `valid` when it happened, `known` when it was committed (time machine)."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="changes")
    property = models.CharField(max_length=32)
    value = models.JSONField()
    valid = models.DateTimeField()
    known = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["device", "property", "-valid"], include=["known"], name="devices_change_as_of"),
            # Rows come in the order in which they became known: block ranges find what was learned in a span.
            BrinIndex(fields=["known"], name="devices_change_known", pages_per_range=32, autosummarize=True),
        ]
        constraints = [
            models.UniqueConstraint(fields=["device", "property", "valid"], name="devices_change_once"),
        ]


class Command(models.Model):
    """An order to a device (open, reboot, …), sent until acknowledged or expired."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENT = "sent", _("Sent")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        EXPIRED = "expired", _("Expired")

    id = models.UUIDField(primary_key=True)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="commands")
    name = models.CharField(max_length=32)
    parameters = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    asked_by = models.CharField(max_length=120)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    answer = models.JSONField(null=True, blank=True)
