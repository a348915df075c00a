from datetime import date, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shoufu.kernel.payments.models.orders import PURPOSE, RETENTION_DAYS, Order


class ShareRule(models.Model):
    """How an institution's income is shared, from a day on: `shares` is a list of {"payee", "points"}.

    A payee is "performer" (who did the work), "institution", or "organisation:ID"; points are hundredths of a per cent
    and sum to 10,000. A later rule of the same institution replaces it from its own day on.
    """

    institution = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="share_rules")
    since = models.DateField()
    shares = models.JSONField()
    author = models.CharField(max_length=120)

    class Meta:
        ordering = ["-since"]
        constraints = [models.UniqueConstraint(fields=["institution", "since"], name="share_rule_once_a_day")]


class Settlement(models.Model):
    """A batch of what an institution's orders of some days earn for whom; `until` is the first day after.

    `confirmer` is who confirmed it and must not pay it out; `confirmed_by` is the name that was shown then.
    """

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        CONFIRMED = "confirmed", _("Confirmed")
        PAID = "paid", _("Paid out")
        DROPPED = "dropped", _("Dropped")

    BOOKED = (State.CONFIRMED, State.PAID)

    number = models.CharField(max_length=24, unique=True)
    institution = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="settlements")
    since = models.DateField()
    until = models.DateField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.DRAFT)
    currency = models.CharField(max_length=3, default="CNY")
    total_minor = models.BigIntegerField(default=0)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    confirmer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    confirmed_by = models.CharField(max_length=120, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    paid_by = models.CharField(max_length=120, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    reference = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("since")), name="settlement_span"),
            models.UniqueConstraint(fields=["institution"], condition=Q(state="draft"), name="settlement_one_draft"),
        ]

    @property
    def last(self) -> date:
        """The last day of it."""
        return self.until - timedelta(days=1)


class SettlementLine(models.Model):
    """What one payee gets of one order: `amount_minor` of `base_minor`; below zero where a refund came after an earlier
    settlement. `account` is the payee's account in the books and stays when the person is erased.
    """

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    settlement = models.ForeignKey(Settlement, on_delete=models.CASCADE, related_name="lines")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="settlement_lines")
    account = models.CharField(max_length=64)
    organisation = models.ForeignKey(
        "parties.Organisation", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    person = models.ForeignKey("parties.Person", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    base_minor = models.BigIntegerField()
    points = models.PositiveIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["settlement", "order", "account"], name="settlement_line_once")]
