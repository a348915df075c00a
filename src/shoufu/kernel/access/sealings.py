"""Secrets of one-time codes and recovery codes, in base64 inside the data of their authenticators."""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Collection
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from shoufu.kernel.access.adapter import TOTP
from shoufu.kernel.base import keyring
from shoufu.kernel.base.keyring import CannotDecrypt


class Authenticators:
    """Every text in an authenticator's data that the ring sealed."""

    where = "mfa_authenticator.data"

    @transaction.atomic
    def reseal(self) -> int:
        done = 0
        for row in Authenticator.objects.select_for_update():
            data = {name: _renewed(value) for name, value in row.data.items()}
            if data != row.data:
                row.data, done = data, done + 1
                row.save(update_fields=["data"])
        return done

    def left(self, numbers: Collection[int]) -> int:
        rows = Authenticator.objects.values_list("data", flat=True)
        return sum(
            1 for data in rows if any(_number(text) in numbers for value in data.values() for text in _texts(value))
        )


def _texts(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _number(text: str) -> int | None:
    try:
        return keyring.KeyRing.number_of(b64decode(text, validate=True))
    except (Error, ValueError):
        return None


def _renewed(value: Any) -> Any:
    if isinstance(value, list):
        return [_renewed(one) for one in value]
    if not isinstance(value, str) or _number(value) is None:
        return value
    ring = keyring.ring()
    try:
        plain = ring.decrypt(b64decode(value), TOTP)
    except CannotDecrypt:
        return value
    return value if _number(value) == ring.active else b64encode(ring.encrypt(plain, TOTP)).decode()


sealings = (Authenticators(),)
