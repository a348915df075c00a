"""Receipts and statements as PDF. A receipt proves a payment; it is no tax invoice (fapiao)."""

from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.base.pdf import Document
from shoufu.kernel.payments.models import Order, Payment
from shoufu.kernel.payments.money import shown


def receipt(actor: Actor, order: Order) -> bytes:
    """The PDF receipt of a paid order in the reader's language; Conflict where nothing was paid. The look is noted."""
    if order.state not in Order.SETTLED:
        raise Conflict(_("There is a receipt once the order is paid."))
    made = Document(_("Receipt for a payment"), f"{order.number} · {timezone.localtime():%Y-%m-%d %H:%M}")
    made.paragraph(_("A receipt for a payment. It is not a tax invoice (fapiao) and gives no right to deduct tax."))
    made.table(("", ""), _facts(order), (1, 3))
    made.heading(_("Services"))
    made.table(
        (_("Service"), _("Quantity"), _("Price"), _("Discount"), _("Insurance"), _("Amount")),
        [
            (
                one.title,
                one.quantity,
                shown(one.unit_minor, order.currency),
                shown(one.discount_minor, order.currency),
                shown(one.insurance_minor, order.currency),
                shown(one.amount_minor, order.currency),
            )
            for one in order.lines.all()
        ],
        (4, 1.2, 1.8, 1.6, 1.8, 1.8),
    )
    made.heading(_("Sums"))
    made.table(("", ""), _sums(order), (3, 1))
    made.heading(_("Payments and refunds"))
    made.table((_("When"), _("What"), _("Number"), _("Amount")), _money(order), (2, 2, 4, 1.5))
    record(actor, Act("payments.receipt", order, order.place_id, data={"number": order.number}))
    return made.render()


def _facts(order: Order) -> list[tuple[str, str]]:
    return [
        (_("Order number"), order.number),
        (_("Issued by"), order.institution.name),
        (_("Paid by"), order.payer.name if order.payer else "—"),
        (_("For"), order.title),
        (_("State"), str(order.get_state_display())),
    ]


def _sums(order: Order) -> list[tuple[str, str]]:
    rows = [
        (_("Before discount"), order.gross_minor),
        (_("Discount"), -order.discount_minor),
        (_("Borne by the insurance"), -order.insurance_minor),
        (_("Paid by the payer"), order.paid_minor),
        (_("Paid back"), -order.refunded_minor),
    ]
    return [(name, shown(amount, order.currency)) for name, amount in rows]


def _money(order: Order) -> list[tuple[str, str, str, str]]:
    rows = []
    for payment in order.payments.all():
        if payment.state != Payment.State.PAID:
            continue
        name = str(payment.get_provider_display())
        rows.append((_when(payment.paid_at), name, payment.trade_no or payment.reference, payment.received_minor))
        rows += [
            (_when(one.ended_at), _("Refund"), one.refund_no or one.number, -one.amount_minor)
            for one in payment.refunds.all()
            if one.state == one.State.SUCCEEDED
        ]
    return [(when, what, number, shown(amount, order.currency)) for when, what, number, amount in rows]


def _when(moment: object) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""  # type: ignore[arg-type]
