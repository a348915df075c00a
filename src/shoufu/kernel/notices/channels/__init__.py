from collections.abc import Mapping
from typing import Any, Protocol

from shoufu.kernel.notices.channels import email, sms, web_push, webhook
from shoufu.kernel.notices.channels.errors import Gone, NotSent
from shoufu.kernel.notices.models import Channel, Endpoint, Notice

__all__ = ["DRIVERS", "Gone", "NotSent", "send"]


class Driver(Protocol):
    """A channel's module: `check` refuses a bad address (Invalid), `send` delivers or raises NotSent or Gone."""

    def check(self, address: dict[str, Any]) -> None: ...

    def send(self, notice: Notice, endpoint: Endpoint) -> None: ...


DRIVERS: Mapping[str, Driver] = {
    Channel.EMAIL: email,
    Channel.WEB_PUSH: web_push,
    Channel.WEBHOOK: webhook,
    Channel.SMS: sms,
}


def send(notice: Notice, endpoint: Endpoint) -> None:
    """Deliver by the endpoint's channel."""
    DRIVERS[endpoint.channel].send(notice, endpoint)
