from django.db import models
from django.db.models import Q


class Controller(models.Model):
    """The doors' side of a door controller (`device`): which rule set it should hold and which it holds.

    `trusted_at` empty: it gets no rule set. `needed` is the newest version that it must
    hold, `held` the one that it last said it holds. `since` is when the two came apart.
    """

    device = models.OneToOneField(
        "devices.Device", on_delete=models.CASCADE, primary_key=True, related_name="door_controller"
    )
    trusted_at = models.DateTimeField(null=True, blank=True)
    distrusted_at = models.DateTimeField(null=True, blank=True)
    needed = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    held_at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    last_sync = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    clock = models.CharField(max_length=12, blank=True)
    sequence = models.BigIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    software = models.CharField(max_length=40, blank=True)


class RuleSet(models.Model):
    """What a controller decides by: signed, versioned, minimal. `blob` is the whole, `delta` leads from the one before.

    Purpose and retention: as Credential; all but the newest three of a controller are removed by the nightly task.
    """

    PURPOSE = "deciding at the door who may pass, without the network"
    RETENTION_DAYS = 30

    controller = models.ForeignKey(Controller, on_delete=models.CASCADE, related_name="rule_sets")
    version = models.PositiveIntegerField()
    blob = models.BinaryField()
    delta = models.BinaryField(null=True, blank=True)
    sha256 = models.BinaryField(max_length=32)
    credentials = models.PositiveIntegerField(default=0)
    issued_at = models.DateTimeField()
    reason = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["controller", "version"], name="doors_rule_set_once")]


class Receipt(models.Model):
    """A controller must forget somebody's credentials, and when it said that it has: one line a controller and ending.

    `version` is the rule set without them. Purpose and retention: proof for the person; kept as long as consents are.
    """

    PURPOSE = "proof that a door no longer knows somebody"
    RETENTION_DAYS = 1095

    person = models.ForeignKey(
        "parties.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="door_receipts"
    )
    credential = models.ForeignKey(
        "doors.Credential", null=True, blank=True, on_delete=models.SET_NULL, related_name="receipts"
    )
    controller = models.ForeignKey(Controller, on_delete=models.CASCADE, related_name="receipts")
    version = models.PositiveIntegerField()
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-asked_at", "id"]
        indexes = [
            models.Index(fields=["controller", "version"], name="doors_receipt_open", condition=Q(done_at__isnull=True))
        ]
