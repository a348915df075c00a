from datetime import date, timedelta

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from shoufu.kernel.base import hooks
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.payments import services, tasks
from shoufu.kernel.payments.models import Order, Payment, Reconciliation, Refund
from shoufu.kernel.payments.providers.wechat import WechatPay
from shoufu.kernel.payments.services import refunds


def test_a_double_click_pays_back_once(world, order):
    made = order()
    services.confirm_offline(SYSTEM, made.pk, 10_000, "x")
    client = Client()
    client.force_login(world.chen)
    page = client.get(f"/payments/{made.pk}").content.decode()
    key = page.split('name="key" value="')[1].split('"')[0]
    form = {"amount": "30", "reason": "少做一次", "key": key}
    for _ in range(2):
        assert client.post(f"/payments/{made.pk}/refund", form).status_code == 302
    assert Refund.objects.get().amount_minor == 3_000
    assert client.post(f"/payments/{made.pk}/refund", form | {"amount": "31"}).status_code == 409
    assert f'value="{key}"' not in client.get(f"/payments/{made.pk}").content.decode()


def test_a_key_taken_at_the_same_time_never_gives_a_foreign_refund(order, monkeypatch):
    made, other = order(), order()
    for one in (made, other):
        services.confirm_offline(SYSTEM, one.pk, 10_000, "x")
    services.request_refund(SYSTEM, services.RefundDraft(other.pk, 100, "x", key="k"))

    def taken(*_args):
        raise IntegrityError

    monkeypatch.setattr(refunds, "_reserve", taken)
    with pytest.raises(Conflict):
        services.request_refund(SYSTEM, services.RefundDraft(made.pk, 100, "x", key="k"))
    with pytest.raises(IntegrityError):
        services.request_refund(SYSTEM, services.RefundDraft(made.pk, 100, "x", key="other"))


def test_an_order_is_not_cancelled_while_money_for_it_is_under_way(order, shop, whole):
    made = order()
    payment = services.start_payment(SYSTEM, made.pk, "wechat")
    shop.pay(payment.number).amount = 9_999
    with pytest.raises(Conflict):
        services.cancel(SYSTEM, made.pk, "改期")
    Order.objects.update(expires_at=timezone.now())
    assert services.expire_due() == 0
    assert Order.objects.get(pk=made.pk).state == "pending"
    whole()


def test_what_ends_while_its_code_is_asked_for_is_closed_at_the_provider(order, shop, monkeypatch, whole):
    made, start = order(), WechatPay.start

    def slow(self, trade):
        code = start(self, trade)
        Payment.objects.update(state="closed")
        services.cancel(SYSTEM, made.pk, "改期")
        return code

    monkeypatch.setattr(WechatPay, "start", slow)
    with pytest.raises(Conflict):
        services.start_payment(SYSTEM, made.pk, "wechat")
    payment = Payment.objects.get()
    assert (payment.state, payment.code_url) == ("closed", "")
    assert shop.gateway.book.trades[payment.number].state == "closed"
    whole()


def test_a_code_is_asked_for_again_before_it_runs_out(order, shop, monkeypatch):
    made, asked, start = order(minutes=600), [], WechatPay.start
    monkeypatch.setattr(WechatPay, "start", lambda self, trade: asked.append(trade.number) or start(self, trade))
    first = services.start_payment(SYSTEM, made.pk, "wechat")
    assert services.start_payment(SYSTEM, made.pk, "wechat").pk == first.pk and len(asked) == 1
    Payment.objects.update(code_at=timezone.now() - timedelta(minutes=111))
    again = services.start_payment(SYSTEM, made.pk, "wechat")
    assert again.pk == first.pk and again.code_valid and asked == [first.number] * 2
    assert Payment.objects.get().code_valid


def test_foreign_currency_is_not_asked_for_as_yuan(order, shop):
    made = order(currency="USD")
    for provider in ("wechat", "alipay"):
        with pytest.raises(Invalid, match="CNY|人民币"):
            services.start_payment(SYSTEM, made.pk, provider)
    assert not Payment.objects.exists() and not shop.gateway.book.trades


@pytest.mark.parametrize("path", ["", "/srv/secrets/wechat.toml"])
def test_nobody_outside_learns_about_the_servers_files(order, settings, client, path):
    settings.WECHATPAY = path
    answer = client.post("/payments/callback/wechat", b"{}", content_type="application/json")
    assert answer.status_code == 404
    assert "secrets" not in answer.content.decode() and "SHOUFU" not in answer.content.decode()
    with pytest.raises(Conflict) as refused:
        services.start_payment(SYSTEM, order().pk, "wechat")
    assert "secrets" not in str(refused.value.detail) and "SHOUFU" not in str(refused.value.detail)


def test_days_without_a_comparison_are_made_good(db, gateway, monkeypatch):
    asked: list[tuple[str, date]] = []
    monkeypatch.setattr(services, "reconcile", lambda _actor, provider, day: asked.append((provider, day)))
    yesterday = timezone.localdate() - timedelta(days=1)
    Reconciliation.objects.create(
        provider="wechat", day=yesterday - timedelta(days=2), at=timezone.now(), lines=0, ours_minor=0, theirs_minor=0
    )
    assert tasks.reconcile(timestamp=0) == 13
    days = [day for provider, day in asked if provider == "wechat"]
    assert len(days) == 6 and yesterday in days and yesterday - timedelta(days=2) not in days
    assert len([day for provider, day in asked if provider == "alipay"]) == 7


def test_a_silent_provider_keeps_nobody_elses_order_open(order, shop, gateway):
    stuck = order()
    services.start_payment(SYSTEM, stuck.pk, "wechat")
    gateway.book.faults.broken = 1.0
    other = order()
    Order.objects.filter(pk=stuck.pk).update(expires_at=timezone.now() - timedelta(hours=2))
    Order.objects.filter(pk=other.pk).update(expires_at=timezone.now() - timedelta(hours=1))
    assert services.expire_due(most=1) == 1
    assert Order.objects.get(pk=other.pk).state == "expired" and Order.objects.get(pk=stuck.pk).state == "pending"


def test_an_app_that_fails_at_the_news_loses_no_money(order, monkeypatch, whole):
    told = []

    def fails(_actor, change):
        Order.objects.filter(pk=change.order).update(title="half-written")
        raise Conflict("no")

    listeners = {"order_changed": (fails, lambda _actor, change: told.append(change.kind))}
    monkeypatch.setattr(hooks, "named", lambda name: listeners.get(name, ()))
    made = order()
    services.confirm_offline(SYSTEM, made.pk, 10_000, "x")
    whole()
    made.refresh_from_db()
    assert (made.state, made.title, told) == ("paid", "上门换药", ["issued", "paid"])
