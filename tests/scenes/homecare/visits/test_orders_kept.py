"""Whoever keeps the books of a place learns nothing of the care that its people get at home."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.payments import selectors as payments
from shoufu.kernel.payments import services as paying
from shoufu.kernel.payments.services import LineDraft, OrderDraft, RefundDraft
from shoufu.scenes.homecare.visits.orders import OWED, SOURCE, chain

pytestmark = pytest.mark.django_db


def _with(bookable: Any, role: str) -> Actor:
    user = User.objects.create(username=role, display_name=role)
    since = timezone.now() - timedelta(days=1)
    RoleAssignment.objects.create(user=user, role=role, place=bookable.care.world.songshan, since=since)
    return actor_for_user(user)


def _parking(bookable: Any) -> Any:
    office = bookable.care.office
    draft = OrderDraft(office.place_id, office.organisation_id, "停车费", [LineDraft("停车费", 500)])
    return paying.create_order(SYSTEM, draft)


@pytest.mark.parametrize("role", ["accountant", "property_manager"])
def test_who_keeps_a_places_books_sees_its_orders_but_none_of_home_care(bookable: Any, role: str) -> None:
    visit, parking = bookable.paid(bookable.book(bookable.at(9))), _parking(bookable)
    payment = visit.order.payments.get()
    refund = paying.request_refund(SYSTEM, RefundDraft(visit.order_id, 100, "改价", payment.pk))
    clerk = _with(bookable, role)
    assert list(payments.orders(clerk)) == [parking]
    assert not payments.refunds(clerk).exists() and not payments.journals(clerk, visit.order)
    with pytest.raises(NotFound):
        payments.order(clerk, visit.order_id)
    with pytest.raises(NotFound):
        paying.cancel(clerk, visit.order_id, "x")
    with pytest.raises(NotFound):
        paying.confirm_refund(clerk, refund.pk, "R-9")


def test_the_care_institutions_accountant_sees_and_refunds_them(bookable: Any) -> None:
    visit, parking = bookable.paid(bookable.book(bookable.at(9))), _parking(bookable)
    clerk = _with(bookable, "care_accountant")
    assert set(payments.orders(clerk)) == {visit.order, parking}
    assert payments.order(clerk, visit.order_id) == visit.order
    assert paying.request_refund(clerk, RefundDraft(visit.order_id, 100, "改价")) in payments.refunds(clerk)


def test_who_pays_sees_their_own(bookable: Any) -> None:
    visit = bookable.book(bookable.at(9))
    assert list(payments.own(bookable.care.act("mei"))) == [visit.order]


def test_nobody_outside_makes_an_order_or_refund_that_counts_as_a_visits(bookable: Any, client: Any) -> None:
    visit = bookable.paid(bookable.book(bookable.at(9)))
    clerk = User.objects.get(pk=_with(bookable, "care_accountant").user_id)
    client.force_login(clerk)
    body = {
        "place": bookable.care.office.place_id, "institution": bookable.care.office.organisation_id, "title": "x",
        "lines": [{"title": "x", "unit_minor": 5}],
    }  # fmt: skip
    ask = {"content_type": "application/json", "HTTP_IDEMPOTENCY_KEY": f"{OWED}{visit.pk}:1"}
    assert client.post("/api/payments/orders", body, **ask).status_code == 201
    assert chain(visit) == [visit.order]
    refused = client.post("/api/payments/orders", body | {"source": f"{SOURCE}{visit.pk}"}, **ask)
    assert refused.status_code == 422 and "source" in str(refused.json())


def test_two_callers_may_choose_the_same_key(bookable: Any) -> None:
    one, other = _with(bookable, "care_accountant"), _with(bookable, "accountant")
    assert paying.key_of(one, "k-1") == paying.key_of(one, "k-1") != paying.key_of(other, "k-1")
    assert len(paying.key_of(one, "k" * 64)) == 64 and paying.key_of(one, "") == ""
