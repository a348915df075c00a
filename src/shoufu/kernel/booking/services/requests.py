"""Requests that may arrive twice: the key, what was asked, and what came of it, in the transaction of the act."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.booking.models import Booking, Request

LONGEST_KEY = 200


@dataclass(frozen=True)
class Once:
    """An Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) with the SHA-256 of the request.

    A refused request is not kept: nothing was done, so it may be tried again under the same key.
    """

    key: str
    fingerprint: bytes

    @classmethod
    def of(cls, key: str, operation: str, body: Mapping[str, Any]) -> "Once | None":
        """The key with what was asked; None without a key. Invalid for one that is too long or not printable."""
        if not key:
            return None
        if len(key) > LONGEST_KEY or not key.isprintable():
            said = _("Use at most %(most)s printable characters.") % {"most": LONGEST_KEY}
            raise Invalid.one("Idempotency-Key", said)
        asked = json.dumps([operation, body], sort_keys=True, default=str)
        return cls(key, hashlib.sha256(asked.encode()).digest())


def begin(actor: Actor, once: Once | None) -> Booking | None:
    """Take the key in the caller's transaction; the booking of the earlier request where it is taken.

    Somebody who sends the same key at the same time waits here until the first has committed or failed.
    """
    if once is None:
        return None
    scope = f"{actor.kind}:{actor.id}"
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into booking_request (scope, key, user_id, fingerprint, made_at) values (%s, %s, %s, %s, %s) "
            "on conflict (scope, key) do nothing",
            [scope, once.key, actor.user_id, once.fingerprint, timezone.now()],
        )
        if cursor.rowcount == 1:
            return None
    earlier = Request.objects.select_related("booking__offering", "booking__terms", "booking__place").get(
        scope=scope, key=once.key
    )
    if bytes(earlier.fingerprint) != once.fingerprint:
        said = _("This key was used for another request; use a new one for each thing that you ask.")
        raise Invalid.one("Idempotency-Key", said)
    return earlier.booking


def end(actor: Actor, once: Once | None, booking: Booking) -> None:
    """Note what came of the request."""
    if once is not None:
        Request.objects.filter(scope=f"{actor.kind}:{actor.id}", key=once.key).update(booking=booking)
