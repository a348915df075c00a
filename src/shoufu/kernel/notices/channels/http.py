import ipaddress
import socket
from urllib.parse import urlsplit

import httpx
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.notices.channels.errors import Gone, NotSent

TIMEOUT = httpx.Timeout(10, connect=5)


def check_url(field: str, text: str) -> None:
    """Only http and https addresses with a host, and none with a password in it."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.password:
        raise Invalid.one(field, _("Give an address that begins with https:// (or http:// on your own network)."))


def _refuse_metadata(url: str) -> None:
    """Link-local and multicast addresses are no receivers: a webhook must not reach a cloud's metadata service."""
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None)
    except OSError as error:
        raise NotSent(f"{host}: {error}") from error
    for item in found:
        address = ipaddress.ip_address(item[4][0])
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            raise NotSent(f"{host} is not an address that notices may go to")


def post(url: str, body: bytes, headers: dict[str, str]) -> None:
    """POST and be content with any 2xx; 410 means the receiver is gone. Redirects are not followed."""
    _refuse_metadata(url)
    try:
        answer = httpx.post(url, content=body, headers=headers, timeout=TIMEOUT, follow_redirects=False)
    except httpx.HTTPError as error:
        raise NotSent(f"{type(error).__name__}: {error}") from error
    if answer.status_code == 410:
        raise Gone("the receiver answered 410 Gone")
    if not answer.is_success:
        raise NotSent(f"the receiver answered {answer.status_code}")
