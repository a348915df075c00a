import hashlib
import hmac
from dataclasses import dataclass

from django.db.models import QuerySet

from shoufu.kernel.access import policy
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.devices.models import Device

VIEW = "devices.view"


@dataclass(frozen=True)
class DeviceIdentity:
    """What a gateway needs to know of a device that proved who it is; `path` is its place's path."""

    id: int
    code: str
    kind: str
    place_id: int
    path: str
    secret_hash: bytes
    heartbeat_seconds: int


def secret_hash(secret: str) -> bytes:
    """SHA-256 of a device secret: the secret is 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


def identities() -> list[DeviceIdentity]:
    """Every device in service that has a secret, for a gateway's cache (one query). For processes, not for people."""
    rows = Device.objects.filter(retired_at__isnull=True, secret_hash__isnull=False).order_by("pk")
    return [_identity(*row) for row in rows.values_list(*IDENTITY)]


IDENTITY = ("pk", "code", "kind", "place_id", "place__path", "secret_hash", "heartbeat_seconds")


def _identity(pk: int, code: str, kind: str, place: int, path: str, digest: bytes, heartbeat: int) -> DeviceIdentity:
    return DeviceIdentity(pk, code, kind, place, path, bytes(digest), heartbeat)


def authenticate(code: str | None, secret: str) -> DeviceIdentity | None:
    """The device in service with this secret, and with this code where one is given; None otherwise (one query).

    The comparison takes the same time whether the code or the secret is wrong.
    """
    digest = secret_hash(secret)
    rows = Device.objects.filter(retired_at__isnull=True, secret_hash__isnull=False)
    row = (rows.filter(secret_hash=digest) if code is None else rows.filter(code=code)).values_list(*IDENTITY).first()
    expected = bytes(row[5]) if row else bytes(32)
    same = hmac.compare_digest(digest, expected)
    return _identity(*row) if row is not None and same else None


def visible(actor: Actor, *, retired: bool = False) -> QuerySet[Device]:
    """Devices in the actor's places; retired ones only when asked for."""
    rows = policy.limit(Device.objects.select_related("place"), actor, VIEW)
    return rows if retired else rows.filter(retired_at__isnull=True)


def get(actor: Actor, device_id: int) -> Device:
    """One device, retired or not; NotFound when the actor may not see it."""
    found = visible(actor, retired=True).filter(pk=device_id).first()
    if found is None:
        raise NotFound(f"device {device_id}")
    return found


def by_code(actor: Actor, code: str) -> Device:
    """One device by its code; NotFound when the actor may not see it."""
    found = visible(actor, retired=True).filter(code=code).first()
    if found is None:
        raise NotFound(f"device {code}")
    return found
