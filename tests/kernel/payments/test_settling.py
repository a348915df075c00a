from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.parties.models import Person
from shoufu.kernel.payments import books, services
from shoufu.kernel.payments.models import Journal, Performer, SettlementLine


@pytest.fixture
def nurse(world):
    return Person.objects.create(code="n1", name="王护士", place=world.songshan)


def share(clinic, performer, days=1):
    since = timezone.localdate() - timedelta(days=days)
    shares = [services.Share("performer", performer), services.Share("institution", 10_000 - performer)]
    services.set_shares(SYSTEM, clinic.pk, since, shares)


def paid(order, **changes):
    made = order(**changes)
    services.confirm_offline(SYSTEM, made.pk, made.payer_minor, "x")
    return made


def back(made, amount):
    asked = services.request_refund(SYSTEM, services.RefundDraft(made.pk, amount, "少做一次"))
    return services.confirm_refund(SYSTEM, asked.pk, "退")


def settled(clinic, actor=SYSTEM):
    today = timezone.localdate()
    draft = services.draft_settlement(SYSTEM, clinic.pk, today, today + timedelta(days=1))
    return services.confirm_settlement(actor, draft.pk)


def amounts(batch):
    return {line.account: line.amount_minor for line in SettlementLine.objects.filter(settlement=batch)}


def test_who_confirmed_does_not_pay_under_another_name(stage, world, clinic, order, nurse):
    paid(order, performer_id=nurse.pk)
    keeper = world.act(world.chen)
    batch = settled(clinic, keeper)
    with pytest.raises(Conflict):
        services.pay_out(replace(keeper, label="Another name"), batch.pk, "网银 1")
    assert not Journal.objects.filter(kind="payout").exists()
    namesake = replace(world.act(stage._user("Chen2", "property_manager", world.songshan)), label=keeper.label)
    assert services.pay_out(namesake, batch.pk, "网银 1").state == "paid"


def test_a_refund_takes_back_from_who_got_it_whatever_changed_since(world, clinic, order, nurse, whole):
    share(clinic, 6_667, days=3)
    made = paid(order, performer_id=nurse.pk)
    person, own = f"payable:person:{nurse.pk}", f"payable:organisation:{clinic.pk}"
    assert amounts(settled(clinic)) == {person: 8_000, own: 4_000}
    share(clinic, 1_000, days=1)
    Performer.objects.filter(order=made).update(person=None)
    SettlementLine.objects.update(person=None)
    for amount in (3_333, 3_334):
        back(made, amount)
        settled(clinic)
    back(made, 3_333)
    settled(clinic)
    whole()
    assert books.balance(person) == books.balance(own) == 0
    made.refresh_from_db()
    assert (made.net_minor, made.settled_minor) == (0, 0)


def test_an_erased_performer_keeps_their_share_of_what_is_not_settled_yet(world, clinic, order, nurse):
    share(clinic, 5_000)
    made = paid(order, performer_id=nurse.pk)
    Performer.objects.filter(order=made).update(person=None)
    assert amounts(settled(clinic))[f"payable:person:{nurse.pk}"] == 6_000


def test_a_debt_is_no_receipt_and_is_paid_off_by_what_is_earned_next(world, clinic, order, nurse, whole):
    share(clinic, 10_000 - 1)
    person = f"payable:person:{nurse.pk}"
    first = paid(order, performer_id=nurse.pk)
    services.pay_out(SYSTEM, settled(clinic).pk, "网银 1")
    bank = books.balance("bank")
    back(first, 5_000)
    services.pay_out(SYSTEM, settled(clinic).pk, "网银 2")
    assert books.balance("bank") == bank and books.balance(person) > 0
    debt = books.balance(person)
    second = paid(order, performer_id=nurse.pk)
    batch = settled(clinic)
    earned = amounts(batch)[person]
    services.pay_out(SYSTEM, batch.pk, "网银 3")
    whole()
    assert books.balance(person) == 0 and books.was_paid_out(batch.pk, person) == earned - debt
    assert second.pk != first.pk


def test_two_who_did_it_share_equally_and_give_back_equally(world, clinic, order, nurse, whole):
    share(clinic, 6_667)
    second = Person.objects.create(code="n2", name="李护士", place=world.songshan)
    made = paid(order)
    services.set_performers(SYSTEM, made.pk, [nurse.pk, second.pk, nurse.pk])
    first, other, own = (
        f"payable:person:{nurse.pk}",
        f"payable:person:{second.pk}",
        f"payable:organisation:{clinic.pk}",
    )
    batch = settled(clinic)
    assert amounts(batch) == {first: 4_001, other: 4_000, own: 3_999}
    assert sum(line.points for line in batch.lines.all()) == 10_000
    with pytest.raises(Conflict):
        services.set_performers(SYSTEM, made.pk, [second.pk])
    back(made, 10_000)
    settled(clinic)
    whole()
    assert books.balance(first) == books.balance(other) == books.balance(own) == 0


def test_the_insurance_bears_nothing_of_what_did_not_take_place(clinic, order, whole):
    made = paid(order)
    batch = settled(clinic)
    assert batch.total_minor == 12_000
    assert services.drop_insurance(SYSTEM, made.pk, "没有服务") == 2_000
    assert services.drop_insurance(SYSTEM, made.pk, "没有服务") == 0
    whole()
    assert books.balance(books.INSURANCE, made) == 0
    assert settled(clinic).total_minor == -2_000
    half = back(made, 5_000)
    assert half.insurance_minor == 0
    back(made, 5_000)
    whole()
    made.refresh_from_db()
    assert (made.state, made.net_minor, made.insurance_refunded_minor) == ("refunded", 0, 2_000)


def test_a_refund_under_way_keeps_its_part_of_the_insurance(order, whole):
    made = paid(order)
    asked = services.request_refund(SYSTEM, services.RefundDraft(made.pk, 5_000, "少做一次"))
    assert asked.insurance_minor == 1_000
    assert services.drop_insurance(SYSTEM, made.pk, "没有服务") == 1_000
    services.confirm_refund(SYSTEM, asked.pk, "退")
    made.refresh_from_db()
    assert made.insurance_refunded_minor == 2_000 and services.drop_insurance(SYSTEM, made.pk, "没有服务") == 0
    whole()


def test_what_is_owed_for_a_service_that_was_given_does_not_lapse(order):
    made = order()
    services.prolong(SYSTEM, made.pk, None)
    assert services.prolong(SYSTEM, made.pk, timezone.now() + timedelta(days=1)).expires_at is None
    assert services.expire_due() == 0
    open_one = order(minutes=None)
    assert open_one.expires_at is None and open_one.state == "pending"
