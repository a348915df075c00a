import random
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.payments import providers, services
from shoufu.kernel.payments.models import Difference, Order, Payment, Reconciliation

BOTH = pytest.mark.parametrize("provider", ["wechat", "alipay"])


def today():
    return timezone.localdate(timezone.now(), ZoneInfo("Asia/Shanghai"))


def paid(order, shop, provider, *, tell=True):
    made = order()
    payment = services.start_payment(SYSTEM, made.pk, provider)
    trade = shop.pay(payment.number)
    if tell:
        assert shop.post(trade).status_code == 200
    return made, payment, trade


def compare(provider):
    return services.compare_day(SYSTEM, provider, today(), providers.adapter(provider).bill(today()))


@BOTH
def test_a_day_without_differences(order, shop, whole, provider):
    made, _payment, _trade = paid(order, shop, provider)
    services.request_refund(SYSTEM, services.RefundDraft(made.pk, 2_500, "少做一次"))
    done = compare(provider)
    assert (done.lines, done.ours_minor, done.theirs_minor) == (2, 7_500, 7_500)
    assert not Difference.objects.exists()
    whole()


@BOTH
def test_a_lost_callback_is_made_good_by_asking(order, shop, whole, provider):
    made, _payment, _trade = paid(order, shop, provider, tell=False)
    assert compare(provider).ours_minor == 10_000
    assert Order.objects.get(pk=made.pk).state == "paid" and not Difference.objects.exists()
    whole()


@BOTH
def test_what_one_side_alone_knows_is_a_difference_until_it_agrees(order, shop, gateway, provider):
    made, payment, trade = paid(order, shop, provider)
    del gateway.book.trades[payment.number]
    stray = gateway.book.open(type(trade)(provider, "P20261129stray", "别人的", 300, "CNY", "", "42009"))
    gateway.book.pay(stray.number)
    compare(provider)
    compare(provider)
    found = {one.kind: one for one in Difference.objects.all()}
    assert set(found) == {"missing_there", "missing_here"}
    assert found["missing_there"].order_id == made.pk and found["missing_here"].theirs_minor == 300
    gateway.book.trades[payment.number] = trade
    compare(provider)
    found["missing_there"].refresh_from_db()
    assert found["missing_there"].resolution == "corrected" and found["missing_there"].resolved_by == "system"
    assert Reconciliation.objects.count() == 1


def test_other_amounts_and_other_states_are_differences(order, shop, gateway):
    made, payment, trade = paid(order, shop, "wechat")
    gateway.book.faults.slow_refunds = True
    refund = services.request_refund(SYSTEM, services.RefundDraft(made.pk, 1_000, "x"))
    trade.returns[refund.number].state = "success"
    bill = providers.adapter("wechat").bill(today())
    trade.returns[refund.number].state = "processing"
    trade.amount = 10_001
    bill = [type(one)("pay", payment.number, 10_001, "success") if one.kind == "pay" else one for one in bill]
    services.compare_day(SYSTEM, "wechat", today(), bill)
    assert {one.kind for one in Difference.objects.all()} == {"amount", "state"}


def test_a_person_resolves_a_difference_with_a_reason(world, clinic, order, shop):
    made, payment, trade = paid(order, shop, "wechat")
    services.compare_day(SYSTEM, "wechat", today(), [])
    found = Difference.objects.get()
    keeper, guard = world.act(world.chen), world.act(world.bob)
    with pytest.raises(Invalid):
        services.resolve(keeper, found.pk, "explained", " ")
    with pytest.raises(Exception, match="no difference|没有"):
        services.resolve(guard, found.pk, "explained", "x")
    services.resolve(keeper, found.pk, "explained", "次日账单")
    with pytest.raises(Conflict):
        services.resolve(keeper, found.pk, "explained", "again")


def test_a_bill_of_today_is_not_there_yet(world, gateway):
    with pytest.raises(Invalid):
        services.reconcile(SYSTEM, "wechat", today())
    assert services.reconcile(SYSTEM, "wechat", today() - timedelta(days=1)).lines == 0


def test_what_was_not_answered_is_asked_after(order, shop, gateway, whole):
    made, payment, trade = paid(order, shop, "wechat", tell=False)
    Payment.objects.update(asked_at=timezone.now() - timedelta(minutes=2))
    assert services.follow() == 1 and Order.objects.get(pk=made.pk).state == "paid"
    gateway.book.faults.broken = 1.0
    refund = services.request_refund(SYSTEM, services.RefundDraft(made.pk, 4_000, "x"))
    assert refund.state == "requested"
    gateway.book.faults.broken = 0.0
    type(refund).objects.update(asked_at=None)
    assert services.follow() == 1
    whole()
    assert Order.objects.get(pk=made.pk).refunded_minor == 4_000 and trade.refunded == 4_000


def test_what_is_paid_elsewhere_can_be_paid_no_more(order, shop, gateway, whole):
    made, payment, _trade = paid(order, shop, "alipay", tell=False)
    other = services.start_payment(SYSTEM, made.pk, "wechat")
    shop.post(gateway.book.trades[payment.number])
    Payment.objects.update(asked_at=None)
    services.follow()
    other.refresh_from_db()
    assert other.state == "closed" and gateway.book.trades[other.number].state == "closed"
    whole()


def test_many_orders_agree_to_the_fen(order, shop, whole):
    chance = random.Random(7)
    for n in range(12):
        provider = chance.choice(["wechat", "alipay"])
        made, _payment, _trade = paid(order, shop, provider, tell=chance.random() < 0.7)
        if Order.objects.get(pk=made.pk).state == "paid" and n % 2:
            services.request_refund(SYSTEM, services.RefundDraft(made.pk, chance.randint(1, 10_000), "x"))
    for provider in ("wechat", "alipay"):
        done = compare(provider)
        assert done.ours_minor == done.theirs_minor
    assert not Difference.objects.exists()
    whole()
