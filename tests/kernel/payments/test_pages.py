import csv
import io
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.payments import services
from shoufu.kernel.payments.models import Order, Refund, Settlement


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def text(response):
    assert response.status_code == 200, response.content[:500]
    return response.content.decode()


def test_from_the_order_to_the_receipt_and_back(world, order):
    made = order()
    keeper = signed_in(world.chen)
    page = f"/payments/{made.pk}"
    assert made.number in text(keeper.get("/payments/")) and "¥100.00" in text(keeper.get(page))
    assert keeper.get(f"{page}/receipt.pdf").status_code == 409
    assert keeper.post(f"{page}/confirm", {"amount": "99", "reference": "17"}).status_code == 422
    assert keeper.post(f"{page}/confirm", {"amount": "一百", "reference": "17"}).status_code == 422
    assert keeper.post(f"{page}/confirm", {"amount": "100", "reference": "17", "version": "1"}).status_code == 409
    assert keeper.post(f"{page}/confirm", {"amount": "100.00", "reference": "收据 17"}).status_code == 302
    assert "clearing:offline" in text(keeper.get(page))
    receipt = keeper.get(f"{page}/receipt.pdf")
    assert receipt.content.startswith(b"%PDF") and receipt["Cache-Control"] == "no-store"
    assert AuditEntry.objects.filter(action="payments.receipt").exists()
    assert keeper.post(f"{page}/refund", {"amount": "100.01", "reason": "x"}).status_code == 422
    assert keeper.post(f"{page}/refund", {"amount": "40", "reason": "少做一次"}).status_code == 302
    refund = Refund.objects.get()
    assert keeper.post(f"{page}/refunded", {"refund": refund.pk, "reference": "退 1"}).status_code == 302
    assert Order.objects.get().state == "partly_refunded" and "部分退款" in text(keeper.get(page))
    rows = list(csv.reader(io.StringIO(keeper.get("/payments/?format=csv").getvalue().decode("utf-8-sig"))))
    assert rows[1][0] == made.number and "40.00" in rows[1]


def test_the_neighbour_sees_and_does_nothing(world, order):
    made = order()
    other = signed_in(world.bob)
    assert other.get(f"/payments/{made.pk}").status_code in (403, 404)
    assert other.post(f"/payments/{made.pk}/cancel", {"reason": "x"}).status_code in (403, 404)
    assert Order.objects.get().state == "pending"


def test_the_qr_code_is_on_the_page_and_a_provider_that_is_away_says_so(world, order, gateway):
    made = order()
    keeper = signed_in(world.chen)
    gateway.book.faults.broken = 1.0
    answer = keeper.post(f"/payments/{made.pk}/pay", {"provider": "wechat"})
    assert answer.status_code == 502 and "支付机构没有应答" in answer.content.decode()
    gateway.book.faults.broken = 0.0
    assert keeper.post(f"/payments/{made.pk}/pay", {"provider": "wechat"}).status_code == 302
    assert "<svg" in text(keeper.get(f"/payments/{made.pk}")) and Order.objects.get().payments.count() == 1


def test_a_difference_is_resolved_on_its_page(world, order, gateway):
    made = order()
    services.start_payment(SYSTEM, made.pk, "wechat")
    from shoufu.kernel.payments.models import Difference
    from shoufu.kernel.payments.services.common import differ

    found = differ("amount", "wechat", "P1", order=made, ours=10_000, theirs=9_999)
    keeper = signed_in(world.chen)
    assert "¥99.99" in text(keeper.get("/payments/differences"))
    page = f"/payments/differences/{found.pk}"
    assert keeper.post(page, {"resolution": "provider", "reason": ""}).status_code == 422
    assert keeper.post(page, {"resolution": "provider", "reason": "已与微信核对"}).status_code == 302
    assert "已与微信核对" in text(keeper.get(page)) and Difference.objects.get().resolved_by == "Chen"
    assert keeper.post("/payments/differences/compare", {"provider": "wechat", "day": "2999-01-01"}).status_code == 422
    assert keeper.post("/payments/differences/compare", {"provider": "wechat", "day": "2026-01-01"}).status_code == 302


def test_a_settlement_by_three_people_ends_as_a_statement(world, clinic, order):
    from shoufu.kernel.parties.models import Person

    nurse = Person.objects.create(code="n1", name="王护士", place=world.songshan)
    today = timezone.localdate()
    shares = [services.Share("performer", 6_667), services.Share("institution", 3_333)]
    services.set_shares(SYSTEM, clinic.pk, today - timedelta(days=1), shares)
    made = order(performer_id=nurse.pk)
    services.confirm_offline(SYSTEM, made.pk, 10_000, "x")
    keeper = signed_in(world.chen)
    assert keeper.post("/payments/settlements", {"institution": "", "since": str(today)}).status_code == 422
    form = {"institution": clinic.pk, "since": str(today), "until": str(today)}
    assert keeper.post("/payments/settlements", form).status_code == 302
    made_batch = Settlement.objects.get()
    shown = text(keeper.get(f"/payments/settlements/{made_batch.pk}"))
    assert "王护士" in shown and "比例" in shown and "66.67" in shown
    statement = keeper.get(f"/payments/settlements/{made_batch.pk}?format=csv").getvalue().decode("utf-8-sig")
    assert "王护士" in statement and "80.00" in statement and "40.00" in statement
    assert keeper.post(f"/payments/settlements/{made_batch.pk}/confirm").status_code == 302
    refused = keeper.post(f"/payments/settlements/{made_batch.pk}/pay", {"reference": "网银 1"})
    assert refused.status_code == 409
    services.pay_out(SYSTEM, made_batch.pk, "网银 1")
    assert made_batch.number in text(keeper.get("/payments/settlements"))


def test_erasing_the_payer_leaves_the_order_and_the_books(world, order, whole):
    from shoufu.kernel.parties.models import Person
    from shoufu.kernel.privacy.declarations import Subject, holdings

    payer = Person.objects.create(code="p1", name="李奶奶", place=world.songshan)
    made = order(payer_id=payer.pk, performer_id=payer.pk)
    services.confirm_offline(SYSTEM, made.pk, 10_000, "x")
    subject = Subject(payer.pk, None, world.songshan.pk, world.songshan.path, "p1")
    for holding in (one for one in holdings() if one.model in ("payments.order", "payments.performer")):
        wanted = holding.rows(subject)
        rows = holding.table.objects.filter(wanted)
        assert [getattr(row, "order", row).pk for row in rows] == [made.pk]
        rows.update(**holding.blank)
    made.refresh_from_db()
    assert made.payer_id is None and made.performers.get().person_id is None and made.paid_minor == 10_000
    whole()
