from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shoufu.kernel.payments.models.orders import RETENTION_DAYS, Order, Provider


class ProviderEvent(models.Model):
    """A genuine callback of a provider; the same number again is answered and not done twice.

    `fact` holds what it says about the trade, without the payer's id at the provider. `digest` is the SHA-256 of what
    was said: the same number with other words is refused. Kept a year (providers repeat for a day or two).
    """

    RETENTION_DAYS = 365

    class Outcome(models.TextChoices):
        APPLIED = "applied", _("Booked")
        REPEATED = "repeated", _("Known already")
        NOTED = "noted", _("Nothing to book")
        WAITING = "waiting", _("Waits for the payment")
        UNKNOWN_ORDER = "unknown_order", _("Unknown order")
        MISMATCH = "mismatch", _("Does not agree with the order")

    FINAL = (Outcome.APPLIED, Outcome.REPEATED, Outcome.NOTED)

    provider = models.CharField(max_length=8, choices=Provider.choices)
    identifier = models.CharField(max_length=128)
    digest = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    signed_at = models.DateTimeField()
    trade = models.CharField(max_length=64, db_index=True)
    fact = models.JSONField()
    outcome = models.CharField(max_length=13, choices=Outcome.choices)
    times = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["provider", "identifier"], name="provider_event_once")]


class Reconciliation(models.Model):
    """A day of a provider's bill compared with our books; totals are receipts less refunds, in minor units."""

    provider = models.CharField(max_length=8, choices=Provider.choices)
    day = models.DateField()
    at = models.DateTimeField()
    lines = models.PositiveIntegerField()
    ours_minor = models.BigIntegerField()
    theirs_minor = models.BigIntegerField()

    class Meta:
        ordering = ["-day", "provider"]
        constraints = [models.UniqueConstraint(fields=["provider", "day"], name="reconciliation_once")]


class Difference(models.Model):
    """Something between our books and a provider's word that a person must look at. `day` is the bill's day, or the
    day of the callback. Amounts are minor units; None where that side knows nothing."""

    PURPOSE = "accounting"
    RETENTION_DAYS = RETENTION_DAYS

    class Kind(models.TextChoices):
        MISSING_HERE = "missing_here", _("On the bill, not here")
        MISSING_THERE = "missing_there", _("Here, not on the bill")
        AMOUNT = "amount", _("Amounts differ")
        STATE = "state", _("States differ")
        UNKNOWN_ORDER = "unknown_order", _("Callback for an unknown order")
        SURPLUS = "surplus", _("Paid although nothing was due")
        MERCHANT = "merchant", _("For another merchant")
        REFUND_FAILED = "refund_failed", _("A refund failed")

    class Resolution(models.TextChoices):
        EXPLAINED = "explained", _("Explained, nothing to do")
        PROVIDER = "provider", _("Settled with the provider")
        REFUNDED = "refunded", _("Paid back to the payer")
        CORRECTED = "corrected", _("Booked afterwards")

    provider = models.CharField(max_length=8, choices=Provider.choices)
    kind = models.CharField(max_length=13, choices=Kind.choices)
    day = models.DateField()
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="+")
    order = models.ForeignKey(Order, null=True, blank=True, on_delete=models.PROTECT, related_name="differences")
    trade = models.CharField(max_length=64)
    refund = models.CharField(max_length=64, blank=True)
    ours_minor = models.BigIntegerField(null=True, blank=True)
    theirs_minor = models.BigIntegerField(null=True, blank=True)
    text = models.CharField(max_length=200, blank=True)
    found_at = models.DateTimeField()
    resolution = models.CharField(max_length=9, choices=Resolution.choices, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    resolved_by = models.CharField(max_length=120, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "kind", "trade", "refund"],
                condition=Q(resolved_at__isnull=True),
                name="difference_open_once",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True) | (~Q(reason="") & ~Q(resolution="")),
                name="difference_resolved_with_reason",
            ),
        ]
