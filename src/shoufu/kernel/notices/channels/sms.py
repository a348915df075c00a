import base64
import re
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.notices.channels.errors import NotSent
from shoufu.kernel.notices.channels.http import post
from shoufu.kernel.notices.models import Endpoint, Notice

NUMBER = re.compile(r"\+?\d{5,15}$")


def check(address: dict[str, Any]) -> None:
    """`{"number": "+8613800000000"}` (E.164)"""
    if not NUMBER.match(str(address.get("number", ""))):
        raise Invalid.one("address.number", _("Give a phone number such as +8613800000000."))


def send(notice: Notice, endpoint: Endpoint) -> None:
    """POST `{"to", "text", "id"}` as JSON to SHOUFU_SMS_URL; a user and password in it go as HTTP basic credentials.

    Providers with another form are reached through a small adapter of the installer's own at that address.
    """
    if not settings.SMS_URL:
        raise NotSent("no SMS service is set; set SHOUFU_SMS_URL")
    parts = urlsplit(settings.SMS_URL)
    url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    headers = {"content-type": "application/json", "idempotency-key": str(notice.pk)}
    if parts.username:
        basic = base64.b64encode(f"{parts.username}:{parts.password or ''}".encode()).decode()
        headers["authorization"] = f"Basic {basic}"
    text = f"{notice.subject} {notice.body}"
    post(url, msgspec.json.encode({"to": endpoint.address["number"], "text": text, "id": str(notice.pk)}), headers)
