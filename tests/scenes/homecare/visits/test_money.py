from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.base import hooks
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.base.hooks import Ending
from shoufu.kernel.booking.models import Booking
from shoufu.kernel.notices.models import Notice
from shoufu.kernel.payments import books
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import Order, Payment, Refund
from shoufu.kernel.payments.providers import Fact
from shoufu.scenes.homecare.register.models import ServiceVersion
from shoufu.scenes.homecare.visits import ordering, returning, services
from shoufu.scenes.homecare.visits.models import Stop, Visit

pytestmark = pytest.mark.django_db


def _soon(bookable: Any, visit: Visit, hours: float) -> None:
    """As if the visit began so soon: its terms are asked by the clock."""
    start = timezone.now() + timedelta(hours=hours)
    Booking.objects.filter(pk=visit.booking_id).update(starts_at=start, ends_at=start + timedelta(minutes=45))


@pytest.mark.parametrize(("hours", "kept", "why"), [(30, 0, "Free"), (5, 8400, "50"), (1, 16800, "100")])
def test_cancelling_says_what_it_costs_and_pays_the_rest_back(bookable: Any, hours: float, kept: int, why: str) -> None:
    visit = bookable.paid(bookable.book(bookable.at(9)))
    _soon(bookable, visit, hours)
    mei = bookable.care.act("mei")
    cost = services.cost(mei, visit.pk, mine=True)
    assert (cost.kept, cost.back) == (kept, 16800 - kept)
    services.cancel(mei, visit.pk, mine=True)
    for _time in range(2):
        assert ordering.follow(visit.pk)
    refunds = Refund.objects.values_list("amount_minor", flat=True)
    assert list(refunds) == ([16800 - kept] if kept < 16800 else [])
    assert bookable.again(visit).money_due_at is None and books.wrong_orders() == []


def test_never_more_goes_back_than_was_paid(bookable: Any) -> None:
    visit = bookable.paid(bookable.book(bookable.at(9)))
    with pytest.raises(Invalid, match="amount"):
        payments.request_refund(SYSTEM, payments.RefundDraft(visit.order_id, 16801, "zu viel"))
    payments.request_refund(SYSTEM, payments.RefundDraft(visit.order_id, 10000, "少做一项"))
    payments.confirm_refund(SYSTEM, Refund.objects.get().pk, "T-1")
    services.cancel(bookable.care.act("gao"), visit.pk, "护士生病")
    ordering.follow(visit.pk)
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == 16800


def test_paid_after_the_hold_ran_out_it_is_placed_again_where_that_goes(bookable: Any) -> None:
    visit = bookable.book(bookable.at(9))
    Booking.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    done = bookable.paid(visit)
    assert (done.state, done.booking.state) == ("booked", "confirmed") and Booking.objects.count() == 2
    assert Stop.objects.get().visit_id == visit.pk and not Refund.objects.exists()


def test_paid_too_late_for_a_time_that_is_gone_the_money_goes_back_and_they_are_told(bookable: Any) -> None:
    visit = bookable.book(bookable.at(9))
    Booking.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    other = bookable.book(bookable.at(9), "gao", patient=bookable.neighbours(1)[0].pk)
    done = bookable.paid(visit)
    assert done.state == "expired" and done.money_due_at is None
    assert Refund.objects.get().amount_minor == 16800
    assert Stop.objects.get().visit_id == other.pk
    assert Notice.objects.filter(template="homecare.late_payment", user=bookable.care.users["mei"]).count() == 1


def test_money_that_came_after_the_order_had_ended_goes_back(bookable: Any) -> None:
    visit = bookable.book(bookable.at(9))
    services.cancel(bookable.care.act("mei"), visit.pk, mine=True)
    ordering.follow(visit.pk)
    order = Order.objects.get()
    assert order.state == "cancelled"
    late = Payment.objects.create(
        order=order, provider="offline", number=f"{order.number}09", amount_minor=16800, created_at=timezone.now()
    )
    from shoufu.kernel.payments.services.applying import credit

    credit(SYSTEM, order, late, timezone.now(), None)
    assert bookable.again(visit).money_due_at is not None
    assert ordering.follow_due() == 1
    assert Refund.objects.get().payment_id == late.pk and books.wrong_orders() == []


def test_a_service_without_a_price_is_booked_at_once(bookable: Any, django_capture_on_commit_callbacks: Any) -> None:
    ServiceVersion.objects.update(price=0)
    with django_capture_on_commit_callbacks(execute=True):
        visit = bookable.book(bookable.at(9))
    assert bookable.again(visit).state == "booked"


def test_it_can_be_paid_when_somebody_comes_where_the_institution_allows_it(bookable: Any) -> None:
    care = bookable.care
    visit = services.pay_at_visit(care.act("mei"), bookable.book(bookable.at(9)).pk, mine=True)
    assert (visit.state, visit.order.state) == ("booked", "pending")
    assert visit.order.expires_at > visit.latest_at
    services.cancel(care.act("mei"), visit.pk, mine=True)
    ordering.follow(visit.pk)
    assert bookable.again(visit).order.state == "cancelled"
    services.set_rules(care.act("gao"), care.office.pk, services.RulesDraft(pay_at_visit=False))
    with pytest.raises(Conflict):
        services.pay_at_visit(care.act("mei"), bookable.book(bookable.at(9)).pk, mine=True)


def test_a_done_visit_names_its_nurse_for_the_settlement_and_a_missed_one_is_paid_back(bookable: Any) -> None:
    care = bookable.care
    first, second = (bookable.paid(bookable.book(bookable.at(hour))) for hour in (9, 14))
    song = care.act("song")
    now = timezone.now()
    services.begin(song, first.pk, now)
    services.finish(song, first.pk, now + timedelta(minutes=2))
    services.miss(song, second.pk, now, "unsafe")
    assert ordering.follow_due() == 2
    assert bookable.again(first).order.performers.get().person == care.people["song"]
    assert Refund.objects.get().payment.order_id == second.order_id and Refund.objects.get().amount_minor == 16800


def test_who_died_is_visited_no_more_and_the_money_goes_back(bookable: Any) -> None:
    care = bookable.care
    paid, held = bookable.paid(bookable.book(bookable.at(9))), bookable.book(bookable.at(14))
    receipts = hooks.end_person(SYSTEM, Ending(care.people["mei"].pk, timezone.now(), "died", "去世"))
    assert {bookable.again(one).state for one in (paid, held)} == {"cancelled"} and not Stop.objects.exists()
    said = [one.what for one in receipts]
    assert sum("168.00" in one for one in said) == 1 and len([one for one in said if "B-" in one]) == 2
    assert ordering.follow_due() == 2
    assert Refund.objects.get().amount_minor == 16800 and bookable.again(held).order.state == "cancelled"


def _fails(refund: Refund) -> None:
    from shoufu.kernel.payments.services.applying import settle_refund

    refund = Refund.objects.select_related("payment__order").get(pk=refund.pk)
    settle_refund(SYSTEM, refund, Fact("refund", refund.payment.number, "failed", "", refund=refund.number))


def test_a_refund_that_failed_is_asked_for_anew_and_a_clerks_part_counts(bookable: Any) -> None:
    visit = bookable.paid(bookable.book(bookable.at(9)))
    services.cancel(bookable.care.act("mei"), visit.pk, mine=True)
    ordering.follow(visit.pk)
    assert bookable.again(visit).money_due_at is None
    _fails(Refund.objects.get())
    assert bookable.again(visit).money_due_at is not None
    assert not ordering.follow(visit.pk) and bookable.again(visit).money_due_at > timezone.now()
    assert ordering.follow_due() == 0 and Refund.objects.count() == 1
    payments.request_refund(SYSTEM, payments.RefundDraft(visit.order_id, 5000, "现金先退"))
    assert ordering.follow(visit.pk) and Refund.objects.count() == 2
    payments.confirm_refund(SYSTEM, Refund.objects.get(state="requested").pk, "T-1")
    Refund.objects.update(requested_at=timezone.now() - timedelta(hours=2))
    for _time in range(2):
        assert ordering.follow(visit.pk)
    assert list(Refund.objects.values_list("state", "amount_minor")) == [
        ("failed", 16800),
        ("succeeded", 5000),
        ("requested", 11800),
    ]


def test_a_refund_that_fails_again_and_again_is_left_to_a_clerk(bookable: Any) -> None:
    visit = bookable.paid(bookable.book(bookable.at(9)))
    services.cancel(bookable.care.act("mei"), visit.pk, mine=True)
    for n in range(1, returning.REFUND_TRIES + 1):
        assert ordering.follow(visit.pk) and Refund.objects.count() == n
        _fails(Refund.objects.get(state="requested"))
        Refund.objects.update(requested_at=timezone.now() - timedelta(days=2))
    assert ordering.follow(visit.pk) and Refund.objects.count() == returning.REFUND_TRIES


def test_one_visit_whose_money_fails_does_not_keep_the_others(bookable: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (bookable.paid(bookable.book(bookable.at(hour))) for hour in (9, 14))
    for one in (first, second):
        services.cancel(bookable.care.act("mei"), one.pk, mine=True)
    follow = ordering.follow

    def broken(visit_id: int) -> bool:
        assert visit_id != first.pk
        return follow(visit_id)

    monkeypatch.setattr(ordering, "follow", broken)
    assert [ordering.follow_due(most=1), ordering.follow_due(most=1)] == [0, 1]
    assert Refund.objects.get().payment.order_id == second.order_id
    assert bookable.again(first).money_due_at > timezone.now()


def test_what_goes_back_does_not_take_place_for_nothing(bookable: Any) -> None:
    visit = bookable.book(bookable.at(9))
    Booking.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    gao = bookable.care.act("gao")
    other = bookable.book(bookable.at(9), "gao", patient=bookable.neighbours(1)[0].pk)
    bookable.paid(visit)
    services.cancel(gao, other.pk, "另约")
    assert ordering.follow(visit.pk)
    assert bookable.again(visit).state == "expired" and Refund.objects.get().amount_minor == 16800
