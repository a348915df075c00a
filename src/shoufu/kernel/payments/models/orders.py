from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

PURPOSE = "accounting"
RETENTION_DAYS = 10_950
"""Thirty years: vouchers and books by the Measures for the Administration of Accounting Archives (2015, annex 1)."""

CODE_LIFE = timedelta(minutes=110)
"""The code_url of WeChat Pay is valid for two hours (Native ordering, API v3); a margin for scanning and typing."""


class Provider(models.TextChoices):
    WECHAT = "wechat", _("WeChat Pay")
    ALIPAY = "alipay", _("Alipay")
    OFFLINE = "offline", _("Cash or transfer")


UNSETTLED = Q(state__in=("paid", "partly_refunded", "refunded")) & ~Q(
    settled_minor=F("total_minor") - F("refunded_minor") - F("insurance_refunded_minor")
)


class Order(models.Model):
    """Something that an institution sells to a payer: what it costs, who bears which part, and what was paid.

    All amounts are whole minor units (fen for CNY). total = gross − discount; payer = total − insurance. `payer` is
    unlinked when the person is erased. Without `expires_at` it waits until it is paid or cancelled. `source` names what
    it is for ("booking:17"); `request_key` makes asking twice one order, `request_hash` tells the same question from
    another one. Purpose: accounting; retention: thirty years.
    """

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PENDING = "pending", _("To be paid")
        PAID = "paid", _("Paid")
        PARTLY_REFUNDED = "partly_refunded", _("Partly refunded")
        REFUNDED = "refunded", _("Refunded")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")

    SETTLED = (State.PAID, State.PARTLY_REFUNDED, State.REFUNDED)
    OPEN = (State.DRAFT, State.PENDING)
    UNSETTLED = UNSETTLED
    """Something of it stands in no settlement yet."""

    number = models.CharField(max_length=24, unique=True)
    place = models.ForeignKey("places.Place", on_delete=models.PROTECT, related_name="orders")
    institution = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="orders")
    payer = models.ForeignKey("parties.Person", null=True, blank=True, on_delete=models.SET_NULL, related_name="orders")
    title = models.CharField(max_length=120)
    source = models.CharField(max_length=64, blank=True, db_index=True)
    currency = models.CharField(max_length=3, default="CNY")
    state = models.CharField(max_length=16, choices=State.choices, default=State.DRAFT)
    gross_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField()
    insurance_minor = models.BigIntegerField(default=0)
    payer_minor = models.BigIntegerField()
    paid_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    insurance_refunded_minor = models.BigIntegerField(default=0)
    settled_minor = models.BigIntegerField(default=0)
    request_key = models.CharField(max_length=64, null=True, blank=True, unique=True)
    request_hash = models.CharField(max_length=64, blank=True)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["institution", "state", "-created_at"], name="order_of_institution"),
            models.Index(fields=["expires_at"], name="order_to_expire", condition=Q(state="pending")),
            models.Index(fields=["institution"], name="order_unsettled", condition=UNSETTLED),
            models.Index(fields=["institution", "paid_at"], name="order_paid_when", condition=Q(paid_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(total_minor=F("gross_minor") - F("discount_minor"))
                & Q(payer_minor=F("total_minor") - F("insurance_minor")),
                name="order_sums",
            ),
            models.CheckConstraint(
                condition=Q(discount_minor__gte=0) & Q(insurance_minor__gte=0) & Q(payer_minor__gte=0),
                name="order_amounts",
            ),
            models.CheckConstraint(
                condition=Q(paid_minor=0) | Q(paid_minor=F("payer_minor")), name="order_paid_whole_or_not"
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0) & Q(refunded_minor__lte=F("paid_minor")),
                name="order_refunds_at_most_paid",
            ),
            models.CheckConstraint(
                condition=Q(insurance_refunded_minor__gte=0) & Q(insurance_refunded_minor__lte=F("insurance_minor")),
                name="order_insurance_refunds",
            ),
        ]

    @property
    def without_payer(self) -> bool:
        """It counts as paid and nothing was left for a payer: the insurance bears all of it, or the discount does."""
        return self.state == self.State.PAID and self.payer_minor == 0

    @property
    def net_minor(self) -> int:
        """What the institution earned of it after refunds; 0 until it is paid."""
        if self.state not in self.SETTLED:
            return 0
        return self.total_minor - self.refunded_minor - self.insurance_refunded_minor


class Performer(models.Model):
    """Who did the work of an order, for the settlement: several share what the rules give to the performer equally.

    `person` is unlinked when they are erased; `account`, theirs in the books, stays.
    """

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="performers")
    position = models.PositiveSmallIntegerField()
    person = models.ForeignKey(
        "parties.Person", null=True, blank=True, on_delete=models.SET_NULL, related_name="performed"
    )
    account = models.CharField(max_length=64)

    class Meta:
        ordering = ["order", "position"]
        constraints = [models.UniqueConstraint(fields=["order", "account"], name="performer_once")]


class OrderLine(models.Model):
    """One item: quantity × unit price − discount; `insurance_minor` of it is borne by the insurance. `item` is a code
    of what it is ("charge": for something that did not take place)."""

    PURPOSE = PURPOSE

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    item = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=120)
    quantity = models.PositiveIntegerField()
    unit_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField(default=0)
    insurance_minor = models.BigIntegerField(default=0)
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position"),
            models.CheckConstraint(
                condition=Q(amount_minor=F("quantity") * F("unit_minor") - F("discount_minor"))
                & Q(amount_minor__gte=F("insurance_minor"))
                & Q(quantity__gte=1, unit_minor__gte=0, discount_minor__gte=0, insurance_minor__gte=0),
                name="order_line_amount",
            ),
        ]


class Payment(models.Model):
    """One attempt to pay an order with one provider; `number` is what the provider calls out_trade_no.

    `code_url` is the address behind the QR code, given at `code_at`. `received_minor` is 0 until the money came. Money
    that came although nothing was due any more (paid twice, or after the order had ended) is a surplus: it stands in
    the books as owed, never as income. `refunds_minor` are refunds asked for and not failed, `refunded_minor` those
    that went out.
    """

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    class State(models.TextChoices):
        STARTED = "started", _("Started")
        PAID = "paid", _("Paid")
        SURPLUS = "surplus", _("Paid, but nothing was due")
        CLOSED = "closed", _("Closed unpaid")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    provider = models.CharField(max_length=8, choices=Provider.choices)
    number = models.CharField(max_length=32, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="CNY")
    state = models.CharField(max_length=8, choices=State.choices, default=State.STARTED)
    code_url = models.CharField(max_length=512, blank=True)
    code_at = models.DateTimeField(null=True, blank=True)
    trade_no = models.CharField(max_length=64, null=True, blank=True)
    received_minor = models.BigIntegerField(default=0)
    refunds_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    reference = models.CharField(max_length=120, blank=True)
    confirmed_by = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["asked_at"], name="payment_to_ask", condition=Q(state="started"))]
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=Q(state="paid"), name="order_paid_once"),
            models.UniqueConstraint(fields=["provider", "trade_no"], name="payment_trade_once"),
            models.UniqueConstraint(
                fields=["order", "provider"], condition=Q(state="started"), name="payment_started_once"
            ),
            models.CheckConstraint(
                condition=Q(received_minor=0, state__in=["started", "closed"])
                | Q(received_minor=F("amount_minor"), state__in=["paid", "surplus"]),
                name="payment_received_whole_or_not",
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0)
                & Q(refunded_minor__lte=F("refunds_minor"))
                & Q(refunds_minor__lte=F("received_minor")),
                name="payment_refunds_at_most_received",
            ),
        ]

    @property
    def code_valid(self) -> bool:
        """Whether the QR code can still be paid; after `CODE_LIFE` it must be asked for again."""
        return bool(self.code_url) and self.code_at is not None and self.code_at > timezone.now() - CODE_LIFE


class Refund(models.Model):
    """Money back from a payment; `number` is what the provider calls out_refund_no (out_request_no).

    `insurance_minor` is the part of the insurance's share that is claimed no longer. `by_provider` were made in the
    provider's own portal. `accepted_at` is when the provider took it in: the day of its bill.
    """

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    class State(models.TextChoices):
        REQUESTED = "requested", _("Asked for")
        PROCESSING = "processing", _("Being paid back")
        SUCCEEDED = "succeeded", _("Paid back")
        FAILED = "failed", _("Failed")

    UNDER_WAY = (State.REQUESTED, State.PROCESSING)

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    number = models.CharField(max_length=64, unique=True)
    amount_minor = models.BigIntegerField()
    insurance_minor = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=State.choices, default=State.REQUESTED)
    refund_no = models.CharField(max_length=64, blank=True)
    by_provider = models.BooleanField(default=False)
    reference = models.CharField(max_length=120, blank=True)
    error = models.CharField(max_length=200, blank=True)
    request_key = models.CharField(max_length=64, null=True, blank=True, unique=True)
    request_hash = models.CharField(max_length=64, blank=True)
    requested_by = models.CharField(max_length=120)
    requested_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True, db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["asked_at"], name="refund_under_way", condition=Q(state__in=["requested", "processing"])
            )
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0) & Q(insurance_minor__gte=0), name="refund_amounts")
        ]


class OrderEvent(models.Model):
    """A line on an order's timeline: what happened, who did it, and the amount where there is one."""

    PURPOSE = PURPOSE
    RETENTION_DAYS = RETENTION_DAYS

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=16)
    by = models.CharField(max_length=120)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    amount_minor = models.BigIntegerField(null=True, blank=True)
    text = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
