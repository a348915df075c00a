from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shoufu.kernel.doors.models.points import AccessPoint


class LockDown(models.Model):
    """Nobody passes at the doors of a place subtree until a person releases it; doors open from inside all the same."""

    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="lock_downs")
    reason = models.CharField(max_length=200)
    started_by = models.CharField(max_length=120)
    started_at = models.DateTimeField()
    released_by = models.CharField(max_length=120, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    release_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["place"], condition=Q(released_at__isnull=True), name="doors_lock_down_once_a_place"
            )
        ]


class FireRelease(models.Model):
    """The fire alarm's wire released a door: observed, not done by software; it locks again when a person resets it."""

    point = models.ForeignKey(AccessPoint, on_delete=models.CASCADE, related_name="fire_releases")
    observed_at = models.DateTimeField()
    reset_by = models.CharField(max_length=120, blank=True)
    reset_at = models.DateTimeField(null=True, blank=True)
    reset_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["point"], condition=Q(reset_at__isnull=True), name="doors_fire_release_once"
            )
        ]


class OpenRequest(models.Model):
    """Somebody opened a door from afar, and why. A dwelling's door needs a case and a second person."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for a second person")
        SENT = "sent", _("Sent")
        REFUSED = "refused", _("Refused")
        EXPIRED = "expired", _("Expired")

    point = models.ForeignKey(AccessPoint, on_delete=models.CASCADE, related_name="open_requests")
    case = models.ForeignKey("cases.Case", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    asked_by = models.CharField(max_length=120)
    asked_by_id = models.CharField(max_length=32)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    command = models.ForeignKey("devices.Command", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-id"]
