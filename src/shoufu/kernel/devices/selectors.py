import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.devices.models import Command, Device, Shadow

VIEW = "devices.view"
IDENTITY = ("pk", "code", "kind", "place_id", "place__path", "secret_hash", "heartbeat_seconds")


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
        raise NotFound(_("There is no device %(id)s that you may see.") % {"id": device_id})
    return found


def by_code(actor: Actor, code: str) -> Device:
    """One device by its code; NotFound when the actor may not see it."""
    found = visible(actor, retired=True).filter(code=code).first()
    if found is None:
        raise NotFound(_("There is no device %(id)s that you may see.") % {"id": code})
    return found


@dataclass(frozen=True)
class DeviceFilter:
    """What to show of the devices; empty fields do not narrow."""

    path: str = "/"
    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    text: str = ""
    retired: bool = False


def listing(actor: Actor, wanted: DeviceFilter) -> QuerySet[Device]:
    """Visible devices below a place, narrowed."""
    rows = visible(actor, retired=wanted.retired).filter(place__path__startswith=wanted.path)
    if wanted.kinds:
        rows = rows.filter(kind__in=wanted.kinds)
    if wanted.states:
        rows = rows.filter(status__in=wanted.states)
    words = wanted.text.strip()
    if not words:
        return rows
    return rows.filter(Q(name__icontains=words) | Q(name_en__icontains=words) | Q(code__icontains=words))


def shadow(actor: Actor, device_id: int) -> Shadow:
    """What a visible device should be and what it last said it is; empty before it said anything."""
    device = get(actor, device_id)
    return Shadow.objects.filter(device=device).first() or Shadow(device=device)


def commands(actor: Actor, device_id: int) -> QuerySet[Command]:
    """The orders a visible device was given, newest first."""
    return Command.objects.filter(device=get(actor, device_id)).order_by("-id")


@dataclass(frozen=True)
class Health:
    """How many devices of a subtree are in service, by state and by kind and state."""

    total: int
    states: Mapping[str, int]
    kinds: Mapping[str, Mapping[str, int]]

    @property
    def online(self) -> int:
        return self.states.get(Device.Status.ONLINE, 0)


def health(actor: Actor, path: str = "/") -> Health:
    """Counts of the visible devices at and below the place with this path (one query)."""
    rows = policy.limit(Device.objects.all(), actor, VIEW).filter(retired_at__isnull=True, place__path__startswith=path)
    states: Counter[str] = Counter()
    kinds: dict[str, dict[str, int]] = {}
    for kind, status, number in rows.order_by().values_list("kind", "status").annotate(number=Count("pk")):
        states[status] += number
        kinds.setdefault(kind, {})[status] = number
    return Health(sum(states.values()), dict(states), kinds)


@dataclass(frozen=True)
class State:
    """A property of a device as it was, or as it was known: its value, since when, and when that was learned."""

    device_id: int
    property: str
    value: Any
    valid: datetime
    known: datetime


# A lateral descent of the index (device, property, valid desc) a device: reads one row each, not the history.
AS_OF = """
    select d.id, p.property, c.value, c.valid, c.known
    from unnest(%s::bigint[]) as d(id)
    cross join unnest(%s::text[]) as p(property)
    cross join lateral (
        select value, valid, known from devices_change
        where device_id = d.id and property = p.property and valid <= %s and known <= %s
        order by valid desc limit 1
    ) c
"""


def states_as_of(
    actor: Actor,
    path: str,
    at: datetime,
    known: datetime | None = None,
    properties: Sequence[str] = ("state", "status"),
) -> list[State]:
    """The states of all visible devices below a place at the moment `at`, as it was known at `known` (default: `at`).

    With a later `known` it tells what was learned afterwards too. Two queries.
    """
    devices = policy.limit(Device.objects.all(), actor, VIEW).filter(place__path__startswith=path)
    ids = list(devices.order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(AS_OF, [ids, list(properties), at, known or at])
        return [State(row[0], row[1], json.loads(row[2]), row[3], row[4]) for row in cursor.fetchall()]
