from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid
from shoufu.kernel.parties.models import Person
from shoufu.kernel.payments import books, services
from shoufu.kernel.payments.models import Order


def insured(order, **changes):
    return order(lines=[services.LineDraft("宣教", 5_000, insurance_minor=5_000)], **changes)


def settled(clinic):
    today = timezone.localdate()
    draft = services.draft_settlement(SYSTEM, clinic.pk, today, today + timedelta(days=1))
    return services.confirm_settlement(SYSTEM, draft.pk)


def test_what_the_insurance_bears_whole_can_be_undone(world, order, whole):
    made = insured(order)
    client = Client()
    client.force_login(world.chen)
    page = f"/payments/{made.pk}"
    assert f"{page}/cancel" in client.get(page).content.decode()
    assert client.post(f"{page}/cancel", {"reason": "没有做"}).status_code == 302
    whole()
    made.refresh_from_db()
    assert (made.state, made.paid_at) == ("cancelled", None)
    assert books.balance("insurance") == books.balance(f"revenue:{made.institution_id}") == 0
    with pytest.raises(Conflict):
        services.cancel(SYSTEM, made.pk, "again")


def test_what_a_discount_bears_whole_can_be_undone(order, whole):
    made = order(lines=[services.LineDraft("体验", 5_000, discount_minor=5_000)])
    assert services.cancel(SYSTEM, made.pk, "没有做").state == "cancelled"
    whole()


def test_only_who_may_refund_undoes_what_counts_as_paid(world, order):
    world.alice.person = Person.objects.create(code="p1", name="李奶奶", place=world.songshan)
    world.alice.save()
    made = insured(order, payer_id=world.alice.person.pk)
    with pytest.raises(Forbidden):
        services.cancel(world.act(world.alice), made.pk, "x")
    assert Order.objects.get(pk=made.pk).state == "paid"


def test_undone_after_its_settlement_it_is_taken_back_from_the_payee(clinic, order, whole):
    made, own = insured(order), f"payable:organisation:{clinic.pk}"
    settled(clinic)
    assert books.balance(own) == -5_000
    assert services.cancel(SYSTEM, made.pk, "没有做").state == "refunded"
    settled(clinic)
    whole()
    made.refresh_from_db()
    assert (books.balance(own), books.balance("insurance"), made.net_minor) == (0, 0, 0)


def test_undone_after_the_insurance_paid_it_gets_its_money_back(order, whole):
    made = insured(order)
    assert services.insurance_paid(SYSTEM, made.pk, 3_000, "医保 1") == 2_000
    services.cancel(SYSTEM, made.pk, "没有做")
    whole()
    assert books.balance("insurance", made) == -3_000
    assert services.insurance_returned(SYSTEM, made.pk, 3_000, "退医保 1") == 0
    whole()
    assert books.balance("bank") == books.balance("insurance") == 0


def test_a_refund_after_the_insurance_paid_is_owed_back_to_it(world, order, whole):
    made = order()
    services.confirm_offline(SYSTEM, made.pk, 10_000, "x")
    services.insurance_paid(SYSTEM, made.pk, 2_000, "医保 1")
    asked = services.request_refund(SYSTEM, services.RefundDraft(made.pk, 5_000, "少做一次"))
    services.confirm_refund(SYSTEM, asked.pk, "退")
    with pytest.raises(Invalid, match="10.00"):
        services.insurance_returned(SYSTEM, made.pk, 1_001, "退医保 1")
    assert services.insurance_returned(SYSTEM, made.pk, 400, "退医保 1") == 600
    with pytest.raises(Invalid, match="booked already|已入账"):
        services.insurance_returned(SYSTEM, made.pk, 400, "退医保 1")
    client = Client()
    client.force_login(world.chen)
    body = {"amount_minor": 600, "reference": "退医保 2"}
    path = f"/api/payments/orders/{made.pk}/insurance-return"
    answer = client.post(path, body, content_type="application/json")
    assert answer.status_code == 200 and answer.json() == {"left_minor": 0}, answer.content
    whole()
    assert books.balance("insurance") == 0 and books.balance("bank") == 1_000


def test_a_receipt_of_the_insurance_is_booked_once_and_long_ones_are_kept_apart(order, whole):
    made = insured(order)
    long = "医疗保险基金结算支付凭证" * 7
    services.insurance_paid(SYSTEM, made.pk, 1_000, long + "甲")
    services.insurance_paid(SYSTEM, made.pk, 1_000, long + "乙")
    with pytest.raises(Invalid, match="booked already|已入账"):
        services.insurance_paid(SYSTEM, made.pk, 1_000, long + "乙")
    whole()
    assert books.balance("insurance", made) == 3_000


def test_the_insurance_does_not_pay_for_what_may_still_expire(order):
    made = order()
    with pytest.raises(Conflict):
        services.insurance_paid(SYSTEM, made.pk, 2_000, "医保 1")
    assert books.balance("insurance", made) == 2_000
