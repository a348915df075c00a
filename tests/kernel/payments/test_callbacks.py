import json

import pytest
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.payments import books, services
from shoufu.kernel.payments.models import Difference, Journal, Order, Payment, ProviderEvent, Refund

BOTH = pytest.mark.parametrize("provider", ["wechat", "alipay"])


def started(order, provider):
    made = order()
    return made, services.start_payment(SYSTEM, made.pk, provider)


def taken(response):
    return response.status_code == 200 and (b"success" in response.content or b"SUCCESS" in response.content)


@BOTH
def test_a_payment_is_booked_once_however_often_it_is_told(order, shop, whole, provider):
    made, payment = started(order, provider)
    assert payment.code_url and services.start_payment(SYSTEM, made.pk, provider).pk == payment.pk
    trade = shop.pay(payment.number)
    assert all(taken(shop.post(trade)) for _ in range(3))
    whole()
    made.refresh_from_db()
    assert (made.state, made.paid_minor) == ("paid", 10_000)
    assert books.balance(f"clearing:{provider}", made) == 10_000
    assert ProviderEvent.objects.get().times == 3 and Journal.objects.filter(kind="pay").count() == 1


@BOTH
@pytest.mark.parametrize(
    ("how", "status"), [({"ago": 301}, 401), ({"ago": 86_400}, 401), ({"ago": -301}, 401), ({"stranger": True}, 401)]
)
def test_what_is_old_or_not_theirs_is_refused(order, shop, provider, how, status):
    made, payment = started(order, provider)
    trade = shop.pay(payment.number)
    response = shop.post(trade, **how)
    assert response.status_code == status and not taken(response)
    assert not ProviderEvent.objects.exists() and Order.objects.get(pk=made.pk).paid_minor == 0
    assert taken(shop.post(trade))


@pytest.mark.parametrize(
    ("provider", "changes"),
    [
        ("wechat", {"amount": {"total": 9_999, "currency": "CNY"}}),
        ("wechat", {"amount": {"total": 10_000, "currency": "USD"}}),
        ("wechat", {"mchid": "1900000999"}),
        ("wechat", {"appid": "wx0000000000000000"}),
        ("alipay", {"total_amount": "100.01"}),
        ("alipay", {"seller_id": "2088999999999999"}),
        ("alipay", {"app_id": "2021999999999999"}),
    ],
)
def test_what_does_not_agree_with_the_order_is_noted_and_not_booked(order, shop, whole, provider, changes):
    made, payment = started(order, provider)
    response = shop.post(shop.pay(payment.number), **changes)
    assert response.status_code == 409 and not taken(response)
    whole()
    assert Order.objects.get(pk=made.pk).state == "pending"
    assert Difference.objects.get().order_id == made.pk and ProviderEvent.objects.get().outcome == "mismatch"


@BOTH
def test_an_unknown_order_is_answered_and_kept_for_the_reconciliation(order, shop, whole, provider):
    _made, payment = started(order, provider)
    trade = shop.pay(payment.number)
    response = shop.post(trade, out_trade_no="P20261129unknown01")
    assert response.status_code == 404 and not taken(response)
    assert shop.post(trade, out_trade_no="P20261129unknown01").status_code == 404
    found = Difference.objects.get()
    assert (found.kind, found.trade, found.theirs_minor) == ("unknown_order", "P20261129unknown01", 10_000)
    whole()


def test_the_same_number_with_other_words_is_refused(order, shop):
    _made, payment = started(order, "wechat")
    trade = shop.pay(payment.number)
    assert taken(shop.post(trade))
    assert shop.post(trade, transaction_id="4200000000").status_code == 409
    assert ProviderEvent.objects.get().outcome == "applied"


def test_an_envelope_that_does_not_open_is_refused(order, shop, client):
    for body in (b"", b"{}", b"[]", b'{"id":"x","event_type":"TRANSACTION.SUCCESS","resource":{}}', b"\xff"):
        assert client.post("/payments/callback/wechat", body, content_type="application/json").status_code == 401
        assert client.post("/payments/callback/alipay", body, content_type="text/plain").status_code == 401
    assert client.post("/payments/callback/cash", b"{}", content_type="application/json").status_code == 404
    large = b"x" * 70_000
    assert client.post("/payments/callback/wechat", large, content_type="application/json").status_code == 422


@BOTH
def test_a_refund_told_before_its_payment_waits_for_it(order, shop, gateway, whole, provider):
    made, payment = started(order, provider)
    trade = shop.pay(payment.number)
    _trade, part, _new = gateway.book.give_back(provider, payment.number, "portal-1", 4_000)
    assert taken(shop.post(trade, part))
    whole()
    assert ProviderEvent.objects.get().outcome == "waiting" and Order.objects.get(pk=made.pk).paid_minor == 0
    assert taken(shop.post(trade))
    whole()
    made.refresh_from_db()
    assert (made.state, made.paid_minor, made.refunded_minor) == ("partly_refunded", 10_000, 4_000)
    assert Refund.objects.get().by_provider
    assert taken(shop.post(trade, part))
    whole()
    assert Order.objects.get(pk=made.pk).refunded_minor == 4_000


@BOTH
def test_a_refund_asked_for_here_ends_by_answer_or_callback_once(order, shop, gateway, whole, provider):
    made, payment = started(order, provider)
    trade = shop.pay(payment.number)
    shop.post(trade)
    gateway.book.faults.slow_refunds = provider == "wechat"
    refund = services.request_refund(SYSTEM, services.RefundDraft(made.pk, 3_000, "少做一次", key="k1"))
    same = services.request_refund(SYSTEM, services.RefundDraft(made.pk, 3_000, "少做一次", key="k1"))
    assert same.pk == refund.pk and refund.state == ("processing" if provider == "wechat" else "succeeded")
    part = trade.returns[refund.number]
    part.state = "success"
    assert taken(shop.post(trade, part)) and taken(shop.post(trade, part))
    whole()
    made.refresh_from_db()
    assert (made.state, made.refunded_minor, made.insurance_refunded_minor) == ("partly_refunded", 3_000, 600)
    with pytest.raises(Conflict):
        services.request_refund(SYSTEM, services.RefundDraft(made.pk, 2_000, "x", key="k1"))
    with pytest.raises(Invalid, match="70.00"):
        services.request_refund(SYSTEM, services.RefundDraft(made.pk, 7_001, "太多"))


def test_a_refund_that_fails_gives_its_money_back_to_the_next(order, shop, gateway, whole):
    made, payment = started(order, "wechat")
    trade = shop.pay(payment.number)
    shop.post(trade)
    gateway.book.faults.slow_refunds = True
    refund = services.request_refund(SYSTEM, services.RefundDraft(made.pk, 10_000, "取消"))
    part = trade.returns[refund.number]
    part.state = "abnormal"
    assert taken(shop.post(trade, part))
    whole()
    refund.refresh_from_db()
    assert refund.state == "failed" and Difference.objects.get().kind == "refund_failed"
    assert Payment.objects.get().refunds_minor == 0 and Order.objects.get(pk=made.pk).state == "paid"
    gateway.book.faults.slow_refunds = False
    again = services.request_refund(SYSTEM, services.RefundDraft(made.pk, 10_000, "再退"))
    assert again.state == "succeeded"
    whole()


def test_paid_twice_is_owed_back_and_never_income(order, shop, whole):
    made, first = started(order, "wechat")
    second = services.start_payment(SYSTEM, made.pk, "alipay")
    for payment in (first, second):
        assert taken(shop.post(shop.pay(payment.number)))
    whole()
    made.refresh_from_db()
    second.refresh_from_db()
    assert (made.state, made.paid_minor, second.state) == ("paid", 10_000, "surplus")
    assert books.balance("surplus") == -10_000 and Difference.objects.get().kind == "surplus"
    back = services.request_refund(SYSTEM, services.RefundDraft(made.pk, 10_000, "重复付款", second.pk))
    whole()
    assert back.state == "succeeded" and books.balance("surplus") == 0
    assert Order.objects.get(pk=made.pk).state == "paid"


def test_the_provider_is_asked_before_an_order_expires(order, shop, whole):
    late, payment = started(order, "wechat")
    lost, other = started(order, "alipay")
    shop.pay(other.number)
    past = timezone.now() - timezone.timedelta(minutes=1)
    Order.objects.update(expires_at=past)
    assert services.expire_due() == 1
    whole()
    late.refresh_from_db()
    lost.refresh_from_db()
    assert (late.state, lost.state) == ("expired", "paid")
    assert shop.gateway.book.trades[payment.number].state == "closed"


def test_an_order_whose_provider_is_away_does_not_expire(order, shop, gateway):
    made, _payment = started(order, "wechat")
    gateway.book.faults.broken = 1.0
    Order.objects.update(expires_at=timezone.now())
    assert services.expire_due() == 0 and Order.objects.get(pk=made.pk).state == "pending"


def test_no_secret_and_no_payer_is_kept(order, shop):
    _made, payment = started(order, "wechat")
    shop.post(shop.pay(payment.number))
    kept = json.dumps(ProviderEvent.objects.get().fact)
    assert "openid" not in kept and "oUpF8u" not in kept
