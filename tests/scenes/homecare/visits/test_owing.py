"""What a visit owes by the way it ended, whatever was paid before, and whoever spoke first."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.base import hooks
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.base.hooks import Ending
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import Booking
from shoufu.kernel.notices.models import Notice
from shoufu.kernel.payments import books
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import LedgerEntry, Order, Payment, Refund
from shoufu.kernel.payments.services.applying import credit
from shoufu.scenes.homecare.register.models import ServiceVersion
from shoufu.scenes.homecare.visits import ordering, services
from shoufu.scenes.homecare.visits.models import Visit, default_policy

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
V = "/homecare/visits/"


def _half(bookable: Any, percent: int = 50) -> None:
    """The terms ask half of the price of who is not at home."""
    care = bookable.care
    policy = default_policy() | {"no_show_percent": percent}
    services.set_rules(care.act("gao"), care.office.pk, services.RulesDraft(policy=policy))


def _later(bookable: Any) -> Visit:
    """Booked, to be paid when somebody comes."""
    visit = bookable.book(bookable.at(9))
    return services.pay_at_visit(bookable.care.act("mei"), visit.pk, mine=True)


def _ago(visit: Visit, ago: timedelta) -> None:
    """As if it was promised for so long ago."""
    start = timezone.now() - ago
    Booking.objects.filter(pk=visit.booking_id).update(starts_at=start, ends_at=start + timedelta(minutes=45))
    Visit.objects.filter(pk=visit.pk).update(starts_at=start, latest_at=start + timedelta(minutes=30), day=start.date())


def _nobody_home(bookable: Any, visit: Visit, ago: timedelta = HOUR) -> Visit:
    _ago(visit, ago)
    services.miss(bookable.care.act("song"), visit.pk, timezone.now() - ago + timedelta(minutes=20), "nobody_home")
    return _followed(bookable, visit)


def _followed(bookable: Any, visit: Visit) -> Visit:
    for _time in range(3):
        assert ordering.follow(visit.pk)
    assert books.wrong_orders() == [] and sum(LedgerEntry.objects.values_list("amount_minor", flat=True)) == 0
    return bookable.again(visit)


def _back() -> int:
    return sum(Refund.objects.exclude(state="failed").values_list("amount_minor", flat=True))


@pytest.mark.parametrize(("percent", "owed"), [(50, 8400), (100, 16800), (0, 0)])
def test_who_was_not_at_home_and_did_not_pay_yet_owes_the_charge(bookable: Any, percent: int, owed: int) -> None:
    _half(bookable, percent)
    visit = _later(bookable)
    first = visit.order
    done = _nobody_home(bookable, visit)
    first.refresh_from_db()
    assert first.state == "cancelled" and Order.objects.count() == (2 if owed else 1)
    if not owed:
        assert done.order == first
        return
    assert (done.order.state, done.order.payer_minor, done.order.expires_at) == ("pending", owed, None)
    assert done.first_order == first and done.order.payer_id == first.payer_id
    (line,) = done.order.lines.all()
    assert line.item == "charge" and f"{percent}%" in line.title and line.insurance_minor == 0
    assert Notice.objects.filter(template="homecare.charged", user=bookable.care.users["mei"]).count() == 1


def test_the_charge_is_seen_and_paid_by_both_ways(bookable: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _half(bookable)
    visit = _nobody_home(bookable, _later(bookable))
    care = bookable.care
    mine = care.client("mei").get(f"{V}mine/{visit.pk}/").content.decode()
    assert "84.00" in mine and "按条款收费" in mine and f"{V}mine/{visit.pk}/pay/" in mine
    assert "84.00" in care.client("mei").get(f"{V}mine/{visit.pk}/pay/").content.decode()
    gao = care.client("gao")
    desk = gao.get(f"{V}{visit.pk}/").content.decode()
    assert "84.00" in desk and "按条款收费" in desk and visit.first_order.number in desk
    assert visit.number in gao.get(f"{V}?mark=unpaid").content.decode()
    assert gao.post(f"{V}{visit.pk}/", {"act": "cash", "reference": "R-7"}).status_code == 302
    paid = _followed(bookable, visit)
    assert (paid.order.state, paid.order.paid_minor, _back()) == ("paid", 8400, 0)
    assert care.client("mei").get(f"{V}mine/{visit.pk}/receipt/").content[:5] == b"%PDF-"


def test_money_for_the_old_order_that_comes_late_goes_back_and_the_charge_stays(bookable: Any) -> None:
    _half(bookable)
    visit = _later(bookable)
    first = visit.order
    late = Payment.objects.create(
        order=first, provider="offline", number=f"{first.number}09", amount_minor=16800, created_at=timezone.now()
    )
    visit = _nobody_home(bookable, visit)
    first.refresh_from_db()
    credit(SYSTEM, first, late, timezone.now(), None)
    assert bookable.again(visit).money_due_at is not None and ordering.follow_due() == 1
    done = _followed(bookable, visit)
    refund = Refund.objects.get()
    assert (refund.payment_id, refund.amount_minor) == (late.pk, 16800)
    assert (done.order.state, done.order.payer_minor) == ("pending", 8400)
    assert Notice.objects.filter(template="homecare.surplus").count() == 1


def test_a_surplus_whose_refund_failed_is_asked_back_anew(bookable: Any) -> None:
    from shoufu.kernel.payments.providers import Fact
    from shoufu.kernel.payments.services.applying import settle_refund

    visit = bookable.paid(bookable.book(bookable.at(9)))
    twice = Payment.objects.create(
        order=visit.order, provider="offline", number=f"{visit.order.number}09", amount_minor=16800,
        created_at=timezone.now(),
    )  # fmt: skip
    credit(SYSTEM, visit.order, twice, timezone.now(), None)
    assert ordering.follow(visit.pk)
    failed = Refund.objects.select_related("payment__order").get()
    settle_refund(SYSTEM, failed, Fact("refund", twice.number, "failed", "", refund=failed.number))
    assert not ordering.follow(visit.pk)
    Refund.objects.update(requested_at=timezone.now() - 2 * HOUR)
    _followed(bookable, visit)
    assert list(Refund.objects.values_list("state", "amount_minor")) == [("failed", 16800), ("requested", 16800)]


def test_paid_at_the_moment_of_the_no_show_the_rest_goes_back_and_nothing_is_asked(
    bookable: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _half(bookable)
    visit = _later(bookable)
    cancel = payments.cancel

    def paid_first(actor: Any, order_id: int, reason: str, version: int | None = None) -> Order:
        payments.confirm_offline(SYSTEM, order_id, 16800, "R-1")
        return cancel(actor, order_id, reason, version)

    monkeypatch.setattr(payments, "cancel", paid_first)
    _ago(visit, HOUR)
    services.miss(bookable.care.act("song"), visit.pk, timezone.now(), "nobody_home")
    done = _followed(bookable, visit)
    assert done.order_id == visit.order_id and Order.objects.count() == 1 and _back() == 8400


def test_what_a_clerk_waived_is_not_asked_for_again(bookable: Any) -> None:
    _half(bookable)
    waived = _nobody_home(bookable, _later(bookable))
    payments.cancel(bookable.care.act("clerk"), waived.order_id, "情况特殊")
    assert _followed(bookable, waived).order.state == "cancelled" and Order.objects.count() == 2
    paid = bookable.paid(bookable.book(bookable.at(14)))
    _nobody_home(bookable, paid)
    payments.confirm_refund(SYSTEM, Refund.objects.get().pk, "T-1")
    payments.request_refund(SYSTEM, payments.RefundDraft(paid.order_id, 8400, "情况特殊"))
    assert _followed(bookable, paid).order_id == paid.order_id and Order.objects.count() == 3


def test_nobody_lets_themselves_off(bookable: Any) -> None:
    _half(bookable)
    mei, song = bookable.care.act("mei"), bookable.care.act("song")
    given = _later(bookable)
    payments.cancel(mei, given.order_id, "不想付")
    services.begin(song, given.pk, timezone.now())
    services.finish(song, given.pk, timezone.now())
    owed = _followed(bookable, given).order
    assert (owed.state, owed.payer_minor) == ("pending", 16800)
    with pytest.raises(Conflict):
        payments.cancel(mei, owed.pk, "不想付")
    bookable.paid(bookable.again(given))


def test_the_office_takes_a_no_show_back_and_nothing_is_charged(bookable: Any) -> None:
    _half(bookable)
    owing, paid = _later(bookable), bookable.paid(bookable.book(bookable.at(14)))
    for visit in (owing, paid):
        visit = _nobody_home(bookable, visit)
        if visit.order.state == "partly_refunded" or Refund.objects.exists():
            payments.confirm_refund(SYSTEM, Refund.objects.get().pk, "T-1")
        booking.complete(SYSTEM, visit.booking_id)
        assert bookable.again(visit).money_due_at is not None
        _followed(bookable, visit)
    assert bookable.again(owing).order.state == "cancelled" and _back() == 16800


def test_a_no_show_that_a_phone_tells_after_the_clock_closed_the_booking_costs_by_the_terms(bookable: Any) -> None:
    _half(bookable)
    visit = bookable.paid(bookable.book(bookable.at(9)))
    _ago(visit, 2 * DAY)
    assert booking.complete_past() == 1
    done = _nobody_home(bookable, visit, 2 * DAY)
    assert (done.booking.state, done.booking.charge, _back()) == ("no_show", 8400, 8400)


def test_a_no_show_that_is_told_after_everything_was_paid_back_is_asked_for(bookable: Any) -> None:
    _half(bookable)
    visit = bookable.paid(bookable.book(bookable.at(9)))
    _ago(visit, 5 * DAY)
    booking.complete_past()
    assert services.close_past() == 1
    assert _followed(bookable, visit).end_cause == "nobody_came" and _back() == 16800
    done = _nobody_home(bookable, visit, 5 * DAY)
    assert (done.state, done.end_cause, done.booking.state) == ("missed", "nobody_home", "no_show")
    assert (done.order.state, done.order.payer_minor, done.first_order) == ("pending", 8400, visit.order)
    assert _back() == 16800


def test_a_visit_that_is_told_as_done_after_the_clock_closed_it_is_owed_whole(bookable: Any) -> None:
    ServiceVersion.objects.update(insurance_share=25)
    visit = bookable.paid(bookable.book(bookable.at(9)))
    _ago(visit, 5 * DAY)
    services.close_past()
    _followed(bookable, visit)
    refund = Refund.objects.get()
    payments.confirm_refund(SYSTEM, refund.pk, "T-1")
    song, then = bookable.care.act("song"), timezone.now() - 5 * DAY
    services.begin(song, visit.pk, then)
    services.finish(song, visit.pk, then + HOUR)
    done = _followed(bookable, visit)
    assert (done.state, done.end_cause, done.order.state) == ("done", "", "pending")
    assert (done.order.payer_minor, done.order.insurance_minor) == (12600, 4200)
    assert done.order.performers.get().person == bookable.care.people["song"]
    bookable.paid(done)
    _followed(bookable, visit)
    assert books.balance(books.INSURANCE) == 4200


def test_a_done_visit_is_no_no_show_whoever_says_so(bookable: Any) -> None:
    _half(bookable)
    visit = bookable.paid(bookable.book(bookable.at(9)))
    song = bookable.care.act("song")
    services.begin(song, visit.pk, timezone.now())
    _ago(visit, 2 * DAY)
    with pytest.raises(Conflict):
        booking.no_show(SYSTEM, visit.booking_id)
    assert booking.complete_past() == 1
    services.finish(song, visit.pk, timezone.now())
    with pytest.raises(Conflict):
        booking.no_show(SYSTEM, visit.booking_id)
    with pytest.raises(Conflict):
        services.miss(song, visit.pk, timezone.now(), "nobody_home")
    assert _followed(bookable, visit).booking.state == "completed" and _back() == 0


def test_who_was_too_early_met_no_no_show(bookable: Any) -> None:
    _half(bookable)
    visit = bookable.paid(bookable.book(bookable.at(9)))
    _ago(visit, HOUR)
    services.miss(bookable.care.act("song"), visit.pk, timezone.now() - HOUR - timedelta(minutes=10), "nobody_home")
    assert _followed(bookable, visit).booking.charge == 0 and _back() == 16800


def test_what_was_given_stays_owed_though_its_order_ran_out(bookable: Any) -> None:
    care, now = bookable.care, timezone.now()
    due, lapsed = _later(bookable), bookable.book(bookable.at(14))
    services.pay_at_visit(care.act("mei"), lapsed.pk, mine=True)
    Order.objects.filter(pk=lapsed.order_id).update(expires_at=now - HOUR)
    assert payments.expire_due() == 1
    for visit in (due, lapsed):
        services.begin(care.act("song"), visit.pk, now)
        services.finish(care.act("song"), visit.pk, now)
    kept, anew = _followed(bookable, due), _followed(bookable, lapsed)
    assert kept.order == due.order and kept.order.expires_at is None
    assert anew.order_id != lapsed.order_id and (anew.order.state, anew.order.payer_minor) == ("pending", 16800)
    assert "168.00" in care.client("mei").get(f"{V}mine/{anew.pk}/pay/").content.decode()


def test_the_insurance_pays_for_no_visit_that_did_not_take_place(bookable: Any) -> None:
    ServiceVersion.objects.update(insurance_share=25)
    _half(bookable)
    paid = bookable.paid(bookable.book(bookable.at(9)))
    assert books.balance(books.INSURANCE) == 4200
    _nobody_home(bookable, paid)
    assert _back() == 6300 and books.balance(books.INSURANCE) == 0
    owing = bookable.book(bookable.at(14))
    owing = services.pay_at_visit(bookable.care.act("mei"), owing.pk, mine=True)
    assert _nobody_home(bookable, owing).order.payer_minor == 6300
    assert books.balance(books.INSURANCE) == 0


def test_whoever_died_that_day_is_charged_nothing(bookable: Any) -> None:
    _half(bookable)
    owing, paid = _later(bookable), bookable.paid(bookable.book(bookable.at(14)))
    for visit in (owing, paid):
        _nobody_home(bookable, visit)
    payments.confirm_refund(SYSTEM, Refund.objects.get().pk, "T-1")
    mei = bookable.care.people["mei"]
    mei.died_on = bookable.again(paid).day
    mei.save(update_fields=["died_on"])
    hooks.end_person(SYSTEM, Ending(mei.pk, timezone.now(), "died", "去世"))
    assert ordering.follow_due() == 2
    assert _followed(bookable, owing).order.state == "cancelled"
    _followed(bookable, paid)
    assert _back() == 16800
