"""Who cancels late owes by the terms what a paid visit would have kept, though nothing was paid yet."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.booking.models import Booking
from shoufu.kernel.notices.models import Notice
from shoufu.kernel.payments import books
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import LedgerEntry, Order, Refund
from shoufu.scenes.homecare.register.models import ServiceVersion
from shoufu.scenes.homecare.visits import ordering, services
from shoufu.scenes.homecare.visits.models import Visit

pytestmark = pytest.mark.django_db
V = "/homecare/visits/"


def _later(bookable: Any, hours: float) -> Visit:
    """Booked, to be paid when somebody comes, so many hours from now."""
    visit = services.pay_at_visit(bookable.care.act("mei"), bookable.book(bookable.at(9)).pk, mine=True)
    start = timezone.now() + timedelta(hours=hours)
    Booking.objects.filter(pk=visit.booking_id).update(starts_at=start, ends_at=start + timedelta(minutes=45))
    Visit.objects.filter(pk=visit.pk).update(starts_at=start, latest_at=start + timedelta(minutes=30))
    return bookable.again(visit)


def _followed(bookable: Any, visit: Visit) -> Visit:
    for _time in range(3):
        assert ordering.follow(visit.pk)
    assert books.wrong_orders() == [] and sum(LedgerEntry.objects.values_list("amount_minor", flat=True)) == 0
    return bookable.again(visit)


@pytest.mark.parametrize(("hours", "owed"), [(30, 0), (5, 8400), (1, 16800)])
def test_an_unpaid_visit_costs_what_a_paid_one_would(bookable: Any, hours: float, owed: int) -> None:
    visit, mei = _later(bookable, hours), bookable.care.act("mei")
    first = visit.order
    cost = services.cost(mei, visit.pk, mine=True)
    assert (cost.owed, cost.kept, cost.back) == (owed, 0, 0)
    services.cancel(mei, visit.pk, mine=True)
    done = _followed(bookable, visit)
    first.refresh_from_db()
    assert first.state == "cancelled" and Order.objects.count() == (2 if owed else 1)
    if not owed:
        assert done.order == first
        return
    assert (done.order.state, done.order.payer_minor, done.order.expires_at) == ("pending", owed, None)
    (line,) = done.order.lines.all()
    assert line.item == "charge" and line.insurance_minor == 0 and f"{round(owed / 168)}%" in line.title
    assert "取消" in line.title and "取消" in done.order.title
    told = Notice.objects.get(template="homecare.cancel_charged", user=bookable.care.users["mei"])
    assert f"{owed / 100:.2f}" in told.body
    payments.confirm_offline(bookable.care.act("clerk"), done.order_id, owed, "R-9")
    assert _followed(bookable, visit).order.state == "paid" and not Refund.objects.exists()


def test_it_is_said_before_and_can_be_paid_afterwards(bookable: Any) -> None:
    care, visit = bookable.care, _later(bookable, 5)
    mei, address = care.client("mei"), f"{V}mine/{visit.pk}/"
    page = mei.get(address).content.decode()
    assert "还没有付款：取消后需付 ¥84.00" in page and "不收费" not in page
    assert "按条款收 ¥84.00" in care.client("gao").get(f"{V}{visit.pk}/").content.decode()
    assert mei.get(f"/api/homecare/visits/visits/{visit.pk}/cost?mine=true").json()["owed"] == 8400
    assert mei.post(address, {"act": "cancel"}).status_code == 302
    _followed(bookable, visit)
    page = mei.get(address).content.decode()
    assert "按条款收费" in page and "84.00" in page and f"{address}pay/" in page
    assert "84.00" in mei.get(f"{address}pay/").content.decode()
    assert visit.number in care.client("gao").get(f"{V}?mark=unpaid").content.decode()
    care.users["mei"].language = "en"
    care.users["mei"].save()
    assert "It was cancelled late" in mei.get(address).content.decode()


def test_the_institution_charges_nothing_for_its_own_cancelling(bookable: Any) -> None:
    visit = _later(bookable, 1)
    services.cancel(bookable.care.act("gao"), visit.pk, "护士生病")
    done = _followed(bookable, visit)
    assert Order.objects.count() == 1 and done.order.state == "cancelled"
    assert not Notice.objects.filter(template="homecare.cancel_charged").exists()


def test_at_the_patients_wish_by_phone_it_is_charged_and_a_clerk_may_waive_it(bookable: Any) -> None:
    visit = _later(bookable, 1)
    services.cancel(bookable.care.act("gao"), visit.pk, "患者来电", by_patient=True)
    owing = _followed(bookable, visit)
    assert owing.order.payer_minor == 16800
    payments.cancel(bookable.care.act("clerk"), owing.order_id, "情况特殊")
    assert _followed(bookable, visit).order.state == "cancelled" and Order.objects.count() == 2


def test_what_was_only_held_and_what_the_insurance_bears_are_not_charged(bookable: Any) -> None:
    held = bookable.book(bookable.at(9))
    start = timezone.now() + timedelta(hours=1)
    Booking.objects.filter(pk=held.booking_id).update(starts_at=start, ends_at=start + timedelta(minutes=45))
    assert services.cost(bookable.care.act("mei"), held.pk, mine=True).owed == 0
    services.cancel(bookable.care.act("mei"), held.pk, mine=True)
    assert _followed(bookable, held).order.state == "cancelled" and Order.objects.count() == 1
    ServiceVersion.objects.update(insurance_share=50)
    visit = _later(bookable, 1)
    services.cancel(bookable.care.act("mei"), visit.pk, mine=True)
    owing = _followed(bookable, visit).order
    assert (owing.payer_minor, owing.insurance_minor) == (8400, 0)
