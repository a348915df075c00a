import pytest
from django.db import Error, IntegrityError, connection, transaction
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.payments import books, services
from shoufu.kernel.payments.models import Journal, LedgerEntry, Order


def test_cash_in_and_out_stands_in_the_books(order, whole):
    made = order()
    assert (made.state, made.payer_minor, made.insurance_minor) == ("pending", 10_000, 2_000)
    assert books.balance("receivable", made) == 10_000 and books.balance("insurance", made) == 2_000
    services.confirm_offline(SYSTEM, made.pk, 10_000, "收据 17")
    whole()
    assert books.balance("receivable", made) == 0 and books.balance("clearing:offline", made) == 10_000
    half = services.request_refund(SYSTEM, services.RefundDraft(made.pk, 4_000, "少做一次"))
    assert (half.state, half.insurance_minor) == ("requested", 800)
    services.confirm_refund(SYSTEM, half.pk, "退 1")
    rest = services.request_refund(SYSTEM, services.RefundDraft(made.pk, 6_000, "投诉"))
    services.confirm_refund(SYSTEM, rest.pk, "退 2")
    whole()
    made.refresh_from_db()
    assert (made.state, made.refunded_minor, made.insurance_refunded_minor) == ("refunded", 10_000, 2_000)
    assert books.balance("clearing:offline", made) == books.balance("insurance", made) == 0
    assert books.balance(f"refunds:{made.institution_id}") == 12_000


def test_a_journal_that_does_not_sum_to_zero_is_refused(order):
    made = order()
    with pytest.raises(IntegrityError, match="does not sum to zero"), transaction.atomic():
        books.post("test:1", "test", [("bank", 5), ("receivable", -4)], order=made)
        _check_now()
    with pytest.raises(IntegrityError, match="has 1 entries"), transaction.atomic():
        books.post("test:2", "test", [("bank", 5)], order=made)
        _check_now()
    with pytest.raises(IntegrityError, match="has 0 entries"), transaction.atomic():
        Journal.objects.create(key="test:3", kind="test", at=timezone.now(), booked_at=timezone.now())
        _check_now()


def _check_now() -> None:
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")


@pytest.mark.parametrize(
    "act",
    [
        lambda: LedgerEntry.objects.update(amount_minor=1),
        lambda: LedgerEntry.objects.all().delete(),
        lambda: Journal.objects.update(memo="x"),
        lambda: connection.cursor().execute("truncate payments_ledgerentry"),
    ],
)
def test_the_books_are_append_only(order, act):
    order()
    with pytest.raises(Error), transaction.atomic():
        act()
    assert LedgerEntry.objects.count() == 3


def test_the_same_posting_twice_is_impossible(order):
    made = order()
    with pytest.raises(IntegrityError), transaction.atomic():
        books.issued(made)
    assert Journal.objects.filter(order=made).count() == 1


def test_what_ends_unpaid_leaves_nothing(order, whole):
    made = services.cancel(SYSTEM, order().pk, "改期")
    whole()
    assert made.state == Order.State.CANCELLED
    assert books.balance("receivable") == books.balance("insurance") == 0
    assert books.balance(f"revenue:{made.institution_id}") == 0


def test_what_the_insurance_bears_whole_is_paid_at_once(order, whole):
    made = order(lines=[services.LineDraft("宣教", 5_000, insurance_minor=5_000)])
    whole()
    assert (made.state, made.payer_minor) == ("paid", 0)
    assert services.insurance_paid(SYSTEM, made.pk, 5_000, "医保 2026-11") == 0
    whole()
    assert books.balance("bank") == 5_000 and books.balance("insurance") == 0
