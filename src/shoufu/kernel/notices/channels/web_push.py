import json
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils.translation import gettext as _
from py_vapid import Vapid01
from py_vapid.utils import b64urlencode
from pywebpush import WebPushException, webpush
from requests import RequestException

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.notices.channels.errors import Gone, NotSent
from shoufu.kernel.notices.channels.http import check_url
from shoufu.kernel.notices.models import Endpoint, Notice


@cache
def _vapid() -> Vapid01:
    """This installation's VAPID key (RFC 8292), made at first use in the keys folder (mode 0600)."""
    path = Path(settings.KEYS_ROOT) / "vapid.pem"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = Vapid01()
        key.generate_keys()
        path.touch(mode=0o600)
        key.save_key(str(path))
    return Vapid01.from_file(str(path))


def public_key() -> str:
    """The application server key that a browser subscribes with: base64url of the uncompressed point."""
    point = _vapid().public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return str(b64urlencode(point))


def check(address: dict[str, Any]) -> None:
    """A PushSubscription as the browser gives it: `{"endpoint": …, "keys": {"p256dh": …, "auth": …}}`."""
    check_url("address.endpoint", str(address.get("endpoint", "")))
    keys = address.get("keys")
    if not isinstance(keys, dict) or not {"p256dh", "auth"} <= set(keys):
        raise Invalid.one("address.keys", _("Send the subscription as the browser gave it."))


def send(notice: Notice, endpoint: Endpoint) -> None:
    """Encrypted for the browser (RFC 8291); a subscription that is gone (404, 410) is removed."""
    message = {"title": notice.subject, "body": notice.body, "url": f"/desk/?case={notice.case_id}"}
    try:
        webpush(
            {"endpoint": endpoint.address["endpoint"], "keys": endpoint.address["keys"]},
            json.dumps(message),
            vapid_private_key=_vapid(),
            vapid_claims={"sub": "mailto:" + settings.DEFAULT_FROM_EMAIL},
            ttl=3600,
            timeout=10,
        )
    except WebPushException as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (404, 410):
            raise Gone(f"the push service answered {status}") from error
        raise NotSent(f"push service: {error}") from error
    except RequestException as error:
        raise NotSent(f"push service: {error}") from error
