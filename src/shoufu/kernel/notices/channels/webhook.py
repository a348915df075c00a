import base64
import hashlib
import hmac
import time
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from shoufu.kernel.base import keyring
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.notices.channels.errors import NotSent
from shoufu.kernel.notices.channels.http import check_url, post
from shoufu.kernel.notices.models import Endpoint, Notice


def check(address: dict[str, Any]) -> None:
    """`{"url": "https://…"}`"""
    if set(address) != {"url"}:
        raise Invalid.one("address", _("A webhook's address has one field: url."))
    check_url("address.url", str(address["url"]))


def signature(secret: bytes, notice_id: str, timestamp: int, body: bytes) -> str:
    """`v1,<base64>` of HMAC-SHA256 over "id.timestamp.body" (Standard Webhooks 1.0)."""
    signed = f"{notice_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def payload(notice: Notice) -> bytes:
    """The JSON body: what, which case, when."""
    case = notice.case
    body: dict[str, Any] = {
        "type": notice.template,
        "timestamp": notice.created_at.isoformat(),
        "data": {"subject": notice.subject, "body": notice.body},
    }
    if case is not None:
        body["data"]["case"] = {
            "number": case.number,
            "kind": case.kind,
            "severity": case.severity,
            "state": case.state,
            "opened_at": case.opened_at.isoformat(),
        }
    return msgspec.json.encode(body)


def send(notice: Notice, endpoint: Endpoint) -> None:
    """Signed with the endpoint's secret; `webhook-id` is the notice's id, so receivers can drop a repeat."""
    if endpoint.secret is None:
        raise NotSent("this webhook has no secret; add it again with one")
    body, timestamp = payload(notice), int(time.time())
    secret = keyring.ring().decrypt(bytes(endpoint.secret), b"notices.endpoint")
    headers = {
        "content-type": "application/json",
        "webhook-id": str(notice.pk),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, str(notice.pk), timestamp, body),
    }
    post(endpoint.address["url"], body, headers)
