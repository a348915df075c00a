"""Any sequence of pays, refunds, repetitions and failures keeps the books at zero and equal to the orders."""

import random
from contextlib import suppress
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import TransactionTestCase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.payments import books, money, providers, services
from shoufu.kernel.payments.models import LedgerEntry, Order, Payment, Refund
from shoufu.kernel.payments.providers import Fact
from shoufu.kernel.payments.services.applying import apply_fact

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["pay", "repeat", "other", "wrong", "portal", "ask", "cash", "cancel", "fail", "late"]),
        st.integers(1, 12_000),
    ),
    max_size=14,
)


class Rollback(Exception):
    """Ends an example."""


class Story:
    """One order to which things happen."""

    def __init__(self, order: Any) -> None:
        self.order = order
        self.payments = [
            Payment.objects.create(
                order=order, provider=code, number=f"{order.number}{code}", amount_minor=order.payer_minor,
                created_at=order.created_at,
            )
            for code in ("wechat", "alipay")
        ]  # fmt: skip
        self.n = 0

    def fact(self, payment: Any, amount: int, kind: str = "pay", **more: Any) -> Fact:
        merchant, app = providers.identity(payment.provider)
        return Fact(kind, payment.number, "success", merchant, app, amount, "CNY", f"T{payment.pk}", **more)

    def happen(self, what: str, amount: int) -> None:
        self.n += 1
        first, second = self.payments
        if what in ("pay", "repeat", "late"):
            apply_fact("wechat", self.fact(first, first.amount_minor))
        elif what == "other":
            apply_fact("alipay", self.fact(second, second.amount_minor))
        elif what == "wrong":
            apply_fact("wechat", self.fact(first, amount + first.amount_minor))
        elif what == "portal":
            more = {"refund": f"x{self.n}", "refund_amount": amount}
            apply_fact("wechat", self.fact(first, first.amount_minor, "refund", **more))
            apply_fact("wechat", self.fact(first, first.amount_minor, "refund", **more))
        elif what == "ask":
            services.request_refund(SYSTEM, services.RefundDraft(self.order.pk, amount, "x"))
        elif what == "cash":
            services.confirm_offline(SYSTEM, self.order.pk, self.order.payer_minor, "x")
        elif what == "cancel":
            Payment.objects.filter(order=self.order, state="started").update(state="closed")
            services.cancel(SYSTEM, self.order.pk, "x")
        elif what == "fail":
            refund = Refund.objects.filter(payment__order=self.order, payment__provider="wechat").last()
            if refund is not None:
                failed = {"refund": refund.number, "refund_amount": refund.amount_minor, "state": "failed"}
                known = self.fact(first, first.amount_minor, "refund").as_dict() | failed
                apply_fact("wechat", Fact.from_dict(known))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS)
def test_the_books_stay_whole(order, gateway, whole, events):
    gateway.book.faults.broken = 1.0
    with suppress(Rollback), transaction.atomic():
        made = order()
        story = Story(made)
        for what, amount in events:
            with suppress(Conflict, Invalid):
                story.happen(what, amount)
        whole()
        made.refresh_from_db()
        assert 0 <= made.refunded_minor <= made.paid_minor <= made.payer_minor
        assert sum(LedgerEntry.objects.values_list("amount_minor", flat=True)) == 0
        raise Rollback


@given(amount=st.integers(-(10**12), 10**12), weights=st.lists(st.integers(0, 10_000), min_size=1, max_size=8))
def test_shares_sum_to_the_amount(amount, weights):
    if not sum(weights):
        return
    shares = money.split(amount, weights)
    assert sum(shares) == amount
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - amount * weight / sum(weights)) <= 1


@given(amount=st.integers(-(10**12), 10**12))
def test_amounts_are_written_and_read_alike(amount):
    assert money.minor(money.plain(amount)) == amount


@pytest.mark.parametrize("text", ["", "x", "1.005", "NaN", "inf", "1e99", "--1"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(Invalid):
        money.minor(text)


class TestTogether(TransactionTestCase):
    """Many at once, each with a connection of its own."""

    def setUp(self) -> None:
        from shoufu.kernel.parties.models import Organisation
        from shoufu.kernel.places import services as places
        from shoufu.kernel.places.services import PlaceDraft

        root = places.create(SYSTEM, PlaceDraft("district", "together", "区"))
        clinic = Organisation.objects.create(code="c", kind="medical", name="站", place=root)
        lines = [services.LineDraft("换药", 10_000)]
        self.draft = services.OrderDraft(root.pk, clinic.pk, "换药", lines, key="once")

    def together(self, count: int, act: Any) -> list[Any]:
        """What each of `count` threads got, or the Problem that it met."""
        barrier, results = Barrier(count), []

        def run(number: int) -> None:
            barrier.wait()
            try:
                results.append(act(number))
            except (Conflict, Invalid) as problem:
                results.append(problem)
            finally:
                connections.close_all()

        threads = [Thread(target=run, args=(n,)) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def test_one_key_is_one_order_and_refunds_never_exceed_the_payment(self) -> None:
        orders = self.together(6, lambda _n: services.create_order(SYSTEM, self.draft).pk)
        assert len(set(orders)) == 1 and Order.objects.count() == 1
        order = orders[0]
        paid = self.together(6, lambda _n: services.confirm_offline(SYSTEM, order, 10_000, "x").pk)
        assert sum(isinstance(one, int) for one in paid) == 1
        amounts = [random.Random(n).randint(2_000, 6_000) for n in range(8)]
        draft = services.RefundDraft
        made = self.together(8, lambda n: services.request_refund(SYSTEM, draft(order, amounts[n], "x")))
        kept = [one for one in made if isinstance(one, Refund)]
        assert kept and sum(one.amount_minor for one in kept) <= 10_000
        for one in kept:
            services.confirm_refund(SYSTEM, one.pk, "x")
        assert books.wrong_orders() == [] and Payment.objects.get().refunds_minor <= 10_000

    def test_two_refunds_of_everything_at_once_are_one(self) -> None:
        order = services.create_order(SYSTEM, self.draft)
        services.confirm_offline(SYSTEM, order.pk, 10_000, "x")
        draft = services.RefundDraft(order.pk, 10_000, "x")
        made = self.together(2, lambda _n: services.request_refund(SYSTEM, draft))
        assert sorted(type(one).__name__ for one in made) == ["Invalid", "Refund"]

    def tearDown(self) -> None:
        connection.close()
