"""Paying back, in part or whole: never more than came, however many ask at once."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.payments import money, providers
from shoufu.kernel.payments.models import Payment, Provider, Refund
from shoufu.kernel.payments.providers import Fact, Refused, Return, Unreachable
from shoufu.kernel.payments.services.applying import insurance_part, reserve, settle_refund
from shoufu.kernel.payments.services.common import CONFIRM, REFUND, lock, lock_for, say, seen
from shoufu.kernel.payments.services.orders import digest

PASSING_REFUSALS = ("NOT_ENOUGH", "ACQ.SELLER_BALANCE_NOT_ENOUGH")
"""Refusals that may end by themselves (money comes in): such a refund is asked for again."""


@dataclass(frozen=True)
class RefundDraft:
    """How much to pay back (minor units) and why; `payment_id` picks a surplus payment, else the order's own.

    `key` makes asking again the same refund.
    """

    order_id: int
    amount_minor: int
    reason: str
    payment_id: int | None = None
    key: str = ""

    def digest(self) -> str:
        return digest([self.order_id, self.amount_minor, self.payment_id])


def request_refund(actor: Actor, draft: RefundDraft) -> Refund:
    """Ask the provider to pay back. Invalid where it is more than is left; Conflict where nothing was paid.

    The money is kept aside first, in its own transaction; then the provider is asked. Where it does not answer, the
    refund stays asked for and `follow` asks again under the same number.
    """
    return send_refund(reserve_refund(actor, draft))


def reserve_refund(actor: Actor, draft: RefundDraft) -> Refund:
    """The first half of `request_refund`: keep the money aside, in the caller's transaction where it decides under the
    order's lock whether it is paid back at all. `send_refund` must follow once that has committed."""
    try:
        return _reserve(actor, draft)
    except IntegrityError as error:
        # The lock on the order keeps its own keys apart: somebody else's order took this one at the same time.
        if draft.key and Refund.objects.filter(request_key=draft.key).exists():
            raise Conflict(_("This key was used for another refund.")) from error
        raise


def send_refund(refund: Refund) -> Refund:
    """The second half: ask the provider, outside of transactions. One that went out, or is cash, stays as it is."""
    if refund.state != Refund.State.REQUESTED or refund.payment.provider == Provider.OFFLINE:
        return refund
    try:
        return ask_refund(refund)
    except Unreachable:
        return refund


@transaction.atomic
def _reserve(actor: Actor, draft: RefundDraft) -> Refund:
    order = lock_for(actor, draft.order_id, REFUND)
    known = Refund.objects.select_related("payment").filter(request_key=draft.key).first() if draft.key else None
    if known is not None:
        if known.request_hash != draft.digest():
            raise Conflict(_("This key was used for another refund."), number=known.number)
        return known
    payment = _payment(draft)
    payment.order = order
    left = payment.received_minor - payment.refunds_minor
    if not draft.reason.strip():
        raise Invalid.one("reason", _("Say why it is paid back."))
    if not 0 < draft.amount_minor <= left:
        words = {"left": money.shown(left, payment.currency)}
        raise Invalid.one("amount", _("More than zero and at most %(left)s, which is left of the payment.") % words)
    made = Refund.objects.create(
        payment=payment,
        number=f"{payment.number}R{payment.refunds.count() + 1:02d}",
        amount_minor=draft.amount_minor,
        insurance_minor=insurance_part(order, payment, draft.amount_minor),
        reason=draft.reason.strip()[:80],
        request_key=draft.key or None,
        request_hash=draft.digest(),
        requested_by=actor.label[:120],
        requested_at=timezone.now(),
        asked_at=timezone.now(),
    )
    reserve(payment, made.amount_minor)
    say(order, actor, "refund_asked", amount=made.amount_minor, text=made.reason)
    data = {"number": made.number, "amount": made.amount_minor}
    record(actor, Act("payments.refund", made, order.place_id, made.reason, data))
    return made


def _payment(draft: RefundDraft) -> Payment:
    rows = Payment.objects.select_for_update().filter(order=draft.order_id)
    if draft.payment_id is not None:
        found = rows.filter(pk=draft.payment_id, state__in=["paid", "surplus"]).first()
    else:
        found = rows.filter(state=Payment.State.PAID).first()
    if found is None:
        raise Conflict(_("Nothing was paid that could be paid back."))
    return found


def ask_refund(refund: Refund) -> Refund:
    """Ask the provider for a refund under its number, and book the answer. A final refusal ends it as failed."""
    payment = refund.payment
    adapter = providers.adapter(payment.provider)
    wanted = Return(
        payment.number, refund.number, refund.amount_minor, payment.amount_minor, payment.currency, refund.reason
    )
    try:
        fact = adapter.refund(wanted)
        error = ""
    except Refused as refusal:
        error = refusal.detail
        state = "pending" if refusal.code in PASSING_REFUSALS else "failed"
        fact = Fact("refund", payment.number, state, "", refund=refund.number)  # type: ignore[arg-type]
    return _book(SYSTEM, refund.pk, fact, error)


@transaction.atomic
def _book(actor: Actor, refund_id: int, fact: Fact, error: str = "") -> Refund:
    order = lock(Payment.objects.values_list("order_id", flat=True).get(refunds=refund_id))
    refund = Refund.objects.select_for_update(of=("self",)).get(pk=refund_id)
    refund.payment = Payment.objects.select_for_update(of=("self",)).get(pk=refund.payment_id)
    refund.payment.order = order
    refund.error, refund.asked_at = error[:200], timezone.now()
    if error and fact.state == "pending":
        refund.save(update_fields=["error", "asked_at"])
        return refund
    settle_refund(actor, refund, fact)
    Refund.objects.filter(pk=refund.pk).update(asked_at=timezone.now())
    return refund


def follow_refund(refund: Refund) -> Refund:
    """Ask what became of a refund; one that the provider does not know yet is asked for again."""
    fact = providers.adapter(refund.payment.provider).query_refund(refund.payment.number, refund.number)
    if fact is None:
        return ask_refund(refund)
    return _book(SYSTEM, refund.pk, fact)


@transaction.atomic
def confirm_refund(actor: Actor, refund_id: int, reference: str) -> Refund:
    """A person says that the money of a refund in cash or by transfer went out."""
    rows = seen(Refund.objects.all(), actor, "payment__order__")
    found = rows.filter(pk=refund_id).values_list("payment__order_id", flat=True).first()
    if found is None:
        raise NotFound(_("There is no refund %(id)s that you may see.") % {"id": refund_id})
    order = lock(found)
    require(actor, CONFIRM, order.place)
    refund = Refund.objects.select_for_update().get(pk=refund_id)
    refund.payment = Payment.objects.select_for_update().get(pk=refund.payment_id)
    refund.payment.order = order
    if refund.payment.provider != Provider.OFFLINE or refund.state not in Refund.UNDER_WAY:
        raise Conflict(_("Only an open refund in cash or by transfer is confirmed by hand."))
    if not reference.strip():
        raise Invalid.one("reference", _("Write the number of the receipt or of the transfer."))
    refund.reference = reference.strip()[:120]
    fact = Fact("refund", refund.payment.number, "success", "", refund=refund.number, at=timezone.now())
    settle_refund(actor, refund, fact)
    data = {"number": refund.number, "reference": refund.reference}
    record(actor, Act("payments.confirm_refund", refund, order.place_id, data=data))
    return refund
