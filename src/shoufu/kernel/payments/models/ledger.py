from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Account(models.Model):
    """An account of the books. `code` says whose: "receivable", "clearing:wechat", "revenue:7", "payable:person:12".

    A person's account names them by number only, so that erasing the person leaves the books whole.
    """

    class Kind(models.TextChoices):
        ASSET = "asset", _("Asset")
        LIABILITY = "liability", _("Liability")
        INCOME = "income", _("Income")
        EXPENSE = "expense", _("Expense")

    code = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=9, choices=Kind.choices)


class Journal(models.Model):
    """One transaction of the double-entry ledger. `key` ("pay:17") makes a second posting of the same thing impossible.

    Append-only; at commit its entries must be there and sum to zero in each currency (constraint trigger).
    """

    key = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=12)
    order = models.ForeignKey(
        "payments.Order", null=True, blank=True, on_delete=models.PROTECT, related_name="journals"
    )
    at = models.DateTimeField(db_index=True)
    booked_at = models.DateTimeField()
    memo = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["id"]


class LedgerEntry(models.Model):
    """A line of a journal: minor units, debit positive, credit negative. Append-only."""

    journal = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="CNY")

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~Q(amount_minor=0), name="ledger_entry_not_zero")]
