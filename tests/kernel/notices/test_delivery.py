import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.cases.services import RaisedCase, raise_cases
from shoufu.kernel.notices import selectors, services
from shoufu.kernel.notices.channels.webhook import signature
from shoufu.kernel.notices.models import Endpoint, Notice
from shoufu.kernel.notices.wording import BUILT_IN


class Receiver(HTTPServer):
    """A webhook receiver on loopback that answers what the test tells it to and keeps what it got."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def raise_one(stage, world):
    return raise_cases(
        SYSTEM, [RaisedCase(stage.firing(world), kind="door.forced", severity="high", notify=("guard",))]
    )


def hook(world, receiver: Receiver) -> Endpoint:
    return services.add_endpoint(world.act(world.alice), "webhook", {"url": receiver.url}, "a shared secret")


def test_a_webhook_is_signed_and_delivered_once(stage, world, receiver):
    hook(world, receiver)
    raise_one(stage, world)
    assert services.deliver_due() == 1
    assert services.deliver_due() == 0
    headers, body = receiver.got[0]
    headers = {name.lower(): value for name, value in headers.items()}
    expected = signature(b"a shared secret", headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    assert headers["webhook-signature"] == expected
    assert Notice.objects.get(channel="webhook").state == "delivered"


def test_a_failing_receiver_is_tried_again_later_and_then_given_up(stage, world, receiver):
    receiver.status = 500
    endpoint = hook(world, receiver)
    raise_one(stage, world)
    moment = timezone.now()
    for _ in range(services.ATTEMPTS):
        services.deliver_due(moment)
        moment += timedelta(days=1)
    notice = Notice.objects.get(channel="webhook")
    assert (notice.state, notice.attempts) == ("failed", services.ATTEMPTS)
    assert "500" in notice.error
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None


def test_a_receiver_that_is_gone_is_removed(stage, world, receiver):
    receiver.status = 410
    hook(world, receiver)
    raise_one(stage, world)
    services.deliver_due()
    assert not Endpoint.objects.exists()
    assert Notice.objects.get(channel="webhook").state == "cancelled"


def test_each_recipient_reads_in_their_own_language(stage, world):
    world.alice.language = "en"
    world.alice.save()
    raise_one(stage, world)
    assert selectors.inbox(world.act(world.alice)).get().subject == "New case: Door forced"


def test_reading_the_inbox_empties_the_badge_of_nobody_else(stage, world):
    raise_one(stage, world)
    assert services.mark_read(world.act(world.bob)) == 0
    assert selectors.unread(world.act(world.alice)) == 1
    assert services.mark_read(world.act(world.alice)) == 1
    assert selectors.unread(world.act(world.alice)) == 0


@pytest.mark.parametrize(
    ("channel", "address", "field"),
    [
        ("email", {"to": "nobody"}, "address.to"),
        ("webhook", {"url": "ftp://example.org"}, "address.url"),
        ("sms", {"number": "call me"}, "address.number"),
        ("web_push", {"endpoint": "https://push.example.org"}, "address.keys"),
        ("pigeon", {}, "channel"),
    ],
)
def test_a_bad_address_is_refused_with_the_field(world, channel, address, field):
    with pytest.raises(Invalid) as refused:
        services.add_endpoint(world.act(world.alice), channel, address, "s")
    assert refused.value.errors[0].field == field


def test_a_secret_is_not_stored_in_clear(world, receiver):
    assert b"a shared secret" not in bytes(hook(world, receiver).secret)


def test_every_template_has_words_in_both_languages():
    codes = {code for code, _ in BUILT_IN}
    assert {(code, language) for code in codes for language in ("zh-hans", "en")} == set(BUILT_IN)
