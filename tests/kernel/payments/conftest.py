import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client


@pytest.fixture
def clinic(world: Any) -> Any:
    """A medical institution of the district; Chen keeps its books."""
    from shoufu.kernel.parties.models import Organisation

    return Organisation.objects.create(
        code="clinic", kind="medical", name="松山护理站", name_en="Songshan nursing", place=world.songshan
    )


@pytest.fixture
def order(world: Any, clinic: Any) -> Callable[..., Any]:
    """Makes an order of a wound dressing for 120.00, of which the insurance bears 20.00, with changes."""
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.payments import services

    def make(**changes: Any) -> Any:
        lines = changes.pop("lines", [services.LineDraft("伤口换药", 12_000, insurance_minor=2_000)])
        values = {"place_id": world.songshan.pk, "institution_id": clinic.pk, "title": "上门换药", "lines": lines}
        return services.create_order(SYSTEM, services.OrderDraft(**values | changes))

    return make


@pytest.fixture
def whole() -> Callable[[], None]:
    """Checks the deferred constraints now, and that every order agrees with the books."""

    def check() -> None:
        from shoufu.kernel.payments import books

        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            cursor.execute("set constraints all deferred")
        assert books.wrong_orders() == []

    return check


@pytest.fixture(scope="session")
def gateway_keys(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from shoufu.runtime.paygateway import keys

    folder = tmp_path_factory.mktemp("gateway")
    keys.make(folder, "http://127.0.0.1:1", "http://127.0.0.1:1")
    return folder


@pytest.fixture
def gateway(gateway_keys: Any, settings: Any) -> Iterator[Any]:
    """The test gateway as a real HTTP server; its callbacks go nowhere until a test sends them."""
    from shoufu.runtime.paygateway.server import Gateway

    (gateway_keys / "trades.json").unlink(missing_ok=True)
    server = Gateway(gateway_keys, 0, waits=(0.2,) * 20)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    settings.WECHATPAY, settings.WECHATPAY_URL = str(gateway_keys / "wechat.toml"), origin
    settings.ALIPAY, settings.ALIPAY_URL = str(gateway_keys / "alipay.toml"), f"{origin}/gateway.do"
    yield server
    server.shutdown()
    server.server_close()


class Shop:
    """Lets payers pay and posts callbacks to the pages by Django's client."""

    def __init__(self, gateway: Any) -> None:
        self.gateway = gateway

    def pay(self, number: str) -> Any:
        return self.gateway.book.pay(number)

    def post(self, trade: Any, part: Any = None, *, ago: float = 0, stranger: bool = False, **changes: Any) -> Any:
        """Post the callback of a trade (or of a part of it, paid back), signed so many seconds ago."""
        from shoufu.runtime.paygateway.state import now

        message = self.gateway.side(trade.provider).message(trade, part)
        body, headers = message.seal({**message.said, **changes}, now() - timedelta(seconds=ago), stranger)
        kind = headers.pop("Content-Type")
        return Client().post(f"/payments/callback/{trade.provider}", body, content_type=kind, headers=headers)


@pytest.fixture
def shop(gateway: Any) -> Shop:
    return Shop(gateway)
