from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.payments import services
from shoufu.runtime.paygateway.state import Book, Trade

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("provider", ["wechat", "alipay"])
def test_the_code_opens_the_payers_page_and_its_button_pays(order: Any, gateway: Any, provider: str) -> None:
    payment = services.start_payment(SYSTEM, order().pk, provider)
    with httpx.Client(trust_env=False, follow_redirects=True) as payer:
        page = payer.get(payment.code_url)
        assert page.status_code == 200 and "100.00" in page.text and payment.number in page.text
        url = str(page.url.join("/payer/pay"))
        paid = payer.post(url, data={"number": payment.number})
        assert str(paid.url) == payment.code_url and "已支付" in paid.text
        assert gateway.book.trades[payment.number].state == "paid"
        assert payer.post(url, data={"number": payment.number}).status_code == 409
        assert payer.post(url, data={"number": "P404"}).status_code == 409
        assert payer.get(page.url.join("/payer/404")).status_code == 404
        assert "<script>" not in payer.get(page.url.join("/payer/<script>")).text
        assert payment.number in payer.get(page.url.join("/")).text


def test_trades_and_refunds_are_there_after_a_new_start(tmp_path: Path) -> None:
    book = Book(tmp_path / "trades.json")
    until = datetime.now(UTC) + timedelta(minutes=5)
    book.open(Trade("wechat", "P1", "换药", 10_000, "CNY", "", book.serial("4200"), until))
    book.open(Trade("alipay", "P2", "针灸", 500, "CNY", "", book.serial("2026")))
    book.pay("P1")
    book.faults.slow_refunds = True
    book.give_back("wechat", "P1", "R1", 2_500)
    book.finish("P1", "R1", "success")
    book.close("alipay", "P2")
    again = Book(tmp_path / "trades.json")
    assert again.trades == book.trades
    assert (again.trades["P1"].refunded, again.trades["P1"].returns["R1"].state) == (2_500, "success")
    numbers = {one.trade_no for one in book.trades.values()} | {"R1"}
    assert again.serial("4200") not in numbers and again.serial("2026") not in numbers
