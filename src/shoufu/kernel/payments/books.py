"""Postings to the double-entry ledger: debit positive, credit negative, every journal sums to zero.

An order that is to be paid is a claim and income; money that comes turns the claim into the provider's debt to us.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Sum
from django.utils import timezone

from shoufu.kernel.payments.models import Account, Journal, LedgerEntry, Order, Payment, Refund, SettlementLine

RECEIVABLE, INSURANCE, SURPLUS, BANK = "receivable", "insurance", "surplus", "bank"
KINDS: Mapping[str, str] = {
    RECEIVABLE: Account.Kind.ASSET,
    INSURANCE: Account.Kind.ASSET,
    "clearing": Account.Kind.ASSET,
    BANK: Account.Kind.ASSET,
    SURPLUS: Account.Kind.LIABILITY,
    "payable": Account.Kind.LIABILITY,
    "revenue": Account.Kind.INCOME,
    "refunds": Account.Kind.EXPENSE,
    "shares": Account.Kind.EXPENSE,
}
Posting = tuple[str, int]


def account(code: str) -> Account:
    """The account with this code, opened at its first use; its kind follows from the code's first word."""
    kind = KINDS[code.partition(":")[0]]
    return Account.objects.get_or_create(code=code, defaults={"kind": kind})[0]


def accounts(codes: Iterable[str]) -> dict[str, Account]:
    """Several of them by their codes, in one query."""
    wanted = set(codes)
    found = {row.code: row for row in Account.objects.filter(code__in=wanted)}
    return found | {code: account(code) for code in sorted(wanted - found.keys())}


def person_account(person_id: int | None) -> str:
    """The code of a person's account; empty where there is no person."""
    return f"payable:person:{person_id}" if person_id is not None else ""


def post(
    key: str,
    kind: str,
    postings: Sequence[Posting],
    *,
    order: Order | None,
    at: datetime | None = None,
    currency: str = "CNY",
    memo: str = "",
) -> Journal | None:
    """Write a journal; postings of zero are left out, and nothing is written where none is left.

    IntegrityError where the key was posted before, or at commit where the sum is not zero.
    """
    wanted = [(code, amount) for code, amount in postings if amount]
    if not wanted:
        return None
    now = timezone.now()
    made = Journal.objects.create(key=key, kind=kind, order=order, at=at or now, booked_at=now, memo=memo[:120])
    into = accounts(code for code, _amount in wanted)
    LedgerEntry.objects.bulk_create(
        [LedgerEntry(journal=made, account=into[code], amount_minor=n, currency=currency) for code, n in wanted]
    )
    return made


def issued(order: Order) -> None:
    """The order is to be paid: claims on the payer and the insurance against income."""
    _issue(order, "issue", 1)


def voided(order: Order) -> None:
    """The order ended unpaid: the claims are taken back."""
    _issue(order, "void", -1)


def _issue(order: Order, kind: str, sign: int) -> None:
    postings = [
        (RECEIVABLE, sign * order.payer_minor),
        (INSURANCE, sign * order.insurance_minor),
        (f"revenue:{order.institution_id}", -sign * order.total_minor),
    ]
    post(f"{kind}:{order.pk}", kind, postings, order=order, currency=order.currency)


def received(payment: Payment, *, due: bool) -> None:
    """Money came: it settles the claim where it was due, else it is owed back."""
    against = RECEIVABLE if due else SURPLUS
    amount = payment.received_minor
    post(
        f"pay:{payment.pk}",
        "pay" if due else "surplus",
        [(f"clearing:{payment.provider}", amount), (against, -amount)],
        order=payment.order,
        at=payment.paid_at,
        currency=payment.currency,
    )


def refunded(refund: Refund) -> None:
    """Money went back: less income, or, of a surplus, a debt settled."""
    payment, order = refund.payment, refund.payment.order
    surplus = payment.state == Payment.State.SURPLUS
    against = SURPLUS if surplus else f"refunds:{order.institution_id}"
    postings = [
        (against, refund.amount_minor + (0 if surplus else refund.insurance_minor)),
        (f"clearing:{payment.provider}", -refund.amount_minor),
        (INSURANCE, 0 if surplus else -refund.insurance_minor),
    ]
    post(f"refund:{refund.pk}", "refund", postings, order=order, at=refund.ended_at, currency=payment.currency)


def insurance_dropped(order: Order, amount: int) -> None:
    """What an order is for did not take place: less income, and the insurance owes so much less for it."""
    postings = [(f"refunds:{order.institution_id}", amount), (INSURANCE, -amount)]
    before = Journal.objects.filter(order=order, kind="undo").count()
    key = f"undo:{order.pk}" + (f":{before}" if before else "")
    post(key, "undo", postings, order=order, currency=order.currency)


def insurance_paid(order: Order, amount: int, reference: str) -> None:
    """The insurance paid its share, or a part, to the bank; below zero it got that much back."""
    kind = _insurance_kind(amount)
    # The hash keeps long references apart: a key holds 64 characters.
    hashed = hashlib.sha256(reference.encode()).hexdigest()[:24]
    postings = [(BANK, amount), (INSURANCE, -amount)]
    key = f"{kind}:{order.pk}:{hashed}"
    post(key, kind, postings, order=order, currency=order.currency, memo=reference)


def insurance_booked(order: Order, amount: int, reference: str) -> bool:
    """Whether a receipt of the insurance, or of what it got back (below zero), is in the books of the order already."""
    kind = _insurance_kind(amount)
    return Journal.objects.filter(order=order, kind=kind, memo=reference[:120]).exists()


def _insurance_kind(amount: int) -> str:
    return "insurance" if amount > 0 else "insreturn"


def shared(line: SettlementLine) -> None:
    """A payee's share of an order is owed to them."""
    code = f"shares:{line.settlement.institution_id}"
    post(
        f"share:{line.pk}",
        "share",
        [(code, line.amount_minor), (line.account, -line.amount_minor)],
        order=line.order,
        currency=line.settlement.currency,
    )


def to_pay(payee: str, amount: int) -> int:
    """What a payee gets now of an amount that a settlement gives them: no more than they are owed in all.

    Where refunds took back more than they earned, the debt stays on their account and later settlements pay it off.
    """
    return max(0, min(amount, -balance(payee)))


def paid_out(settlement_id: int, payee: str, amount: int, currency: str, reference: str) -> None:
    """A payee was paid from the bank, what `to_pay` says of the amount; the account is locked meanwhile."""
    # No key lock: postings to the account, whose foreign keys hold it, need not wait.
    Account.objects.select_for_update(no_key=True).get(pk=account(payee).pk)
    paid = to_pay(payee, amount)
    key = _payout_key(settlement_id, payee)
    post(key, "payout", [(payee, paid), (BANK, -paid)], order=None, currency=currency, memo=reference)


def was_paid_out(settlement_id: int, payee: str) -> int:
    """What a payee was paid of a settlement."""
    rows = LedgerEntry.objects.filter(journal__key=_payout_key(settlement_id, payee), account__code=payee)
    return int(rows.aggregate(sum=Sum("amount_minor"))["sum"] or 0)


def _payout_key(settlement_id: int, payee: str) -> str:
    return f"payout:{settlement_id}:{payee}"


def balance(code: str, order: Order | None = None, until: datetime | None = None) -> int:
    """The balance of an account in minor units, of one order's entries if given."""
    rows = LedgerEntry.objects.filter(account__code=code)
    if order is not None:
        rows = rows.filter(journal__order=order)
    if until is not None:
        rows = rows.filter(journal__at__lt=until)
    return int(rows.aggregate(sum=Sum("amount_minor"))["sum"] or 0)


def wrong_orders() -> list[str]:
    """Numbers of orders that do not agree with their own entries in the books; empty where all is well."""
    return [order.number for order in Order.objects.order_by("pk").iterator() if _wrong(order)]


def _wrong(order: Order) -> bool:
    issued = order.state not in (Order.State.DRAFT,)
    ended = order.state in (Order.State.CANCELLED, Order.State.EXPIRED)
    claim = order.payer_minor - order.paid_minor if issued and not ended else 0
    net = order.refunded_minor + order.insurance_refunded_minor
    money = sum(one.received_minor - one.refunded_minor for one in order.payments.all())
    surplus = sum(one.received_minor - one.refunded_minor for one in order.payments.filter(state=Payment.State.SURPLUS))
    rows = LedgerEntry.objects.filter(journal__order=order)
    cleared = rows.filter(account__code__startswith="clearing:").aggregate(sum=Sum("amount_minor"))["sum"] or 0
    back = balance(f"refunds:{order.institution_id}", order)
    return bool(
        balance(RECEIVABLE, order) != claim
        or cleared != money
        or balance(SURPLUS, order) != -surplus
        or back != net
        or (order.state not in Order.SETTLED and order.paid_minor)
    )
