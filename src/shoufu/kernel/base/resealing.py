"""Bringing what the key ring itself sealed under its active key. Every app says in its `sealings.py` what that is.

What lies under the key of a person needs none of it: only that key is sealed by the ring.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from django.apps import apps
from django.db import connection, transaction
from django.db.models import F, Model, Q, QuerySet
from django.db.models.functions import Substr

from shoufu.kernel.base import keyring, registry
from shoufu.kernel.base.keyring import CannotDecrypt

CHUNK = 500
PATIENCE = 60.0
"""Seconds to wait for transactions that may still seal with an older key."""


class Sealing(Protocol):
    """Something that the ring sealed: `where` names it ("table.column"), for who reads why a key must stay."""

    @property
    def where(self) -> str: ...

    def reseal(self) -> int:
        """Bring it under the active key; how many values. What cannot be opened stays, and is left."""

    def left(self, numbers: Collection[int]) -> int:
        """How many values only keys of these numbers open."""


@dataclass(frozen=True)
class Column:
    """A column of bytes that the ring seals with a context made of the row's primary key; `only` some rows of it."""

    model: str
    column: str
    context: Callable[[Any], bytes]
    only: Q = field(default_factory=Q)

    @property
    def table(self) -> type[Model]:
        return apps.get_model(self.model)

    @property
    def where(self) -> str:
        return f"{self.table._meta.db_table}.{self.column}"

    def _rows(self) -> QuerySet[Any]:
        return self.table._base_manager.filter(self.only, **{f"{self.column}__isnull": False}).order_by("pk")

    def reseal(self) -> int:
        return sum(self._chunk(ids) for ids in chunks(self._rows()))

    @transaction.atomic
    def _chunk(self, ids: Collection[Any]) -> int:
        ring, done = keyring.ring(), 0
        rows = self._rows().select_for_update(of=("self",)).filter(pk__in=ids).values_list("pk", self.column)
        for pk, value in rows:
            renewed = _renewed(ring, bytes(value), self.context(pk))
            if renewed is not None:
                self.table._base_manager.filter(pk=pk).update(**{self.column: renewed})
                done += 1
        return done

    def left(self, numbers: Collection[int]) -> int:
        heads = {bytes([keyring.FORMAT]) + number.to_bytes(2, "big") for number in numbers}
        found = self._rows().annotate(head=Substr(F(self.column), 1, 3)).values_list("head", flat=True)
        return sum(1 for head in found.iterator() if bytes(head) in heads)


def _renewed(ring: keyring.KeyRing, value: bytes, context: bytes) -> bytes | None:
    """The value under the active key; None where it is under it already, or cannot be opened."""
    try:
        if ring.number_of(value) == ring.active:
            return None
        return ring.encrypt(ring.decrypt(value, context), context)
    except CannotDecrypt:
        return None


def chunks(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """The primary keys of rows, some hundreds at a time."""
    ids: list[Any] = []
    for pk in rows.values_list("pk", flat=True).iterator():
        ids.append(pk)
        if len(ids) == CHUNK:
            yield ids
            ids = []
    if ids:
        yield ids


def sealings() -> list[Sealing]:
    """What every app's `sealings.py` declares."""
    found: list[Sealing] = []
    for app in (*registry.kernel_apps(), *registry.scene_apps()):
        if find_spec(f"{app}.sealings"):
            found += import_module(f"{app}.sealings").sealings
    return found


def reseal() -> dict[str, int]:
    """Bring everything under the active key: where → how many values."""
    return {one.where: one.reseal() for one in sealings()}


def left(numbers: Iterable[int]) -> dict[str, int]:
    """What would be lost with the keys of these numbers: where → how many values."""
    wanted = frozenset(numbers)
    counted = {one.where: one.left(wanted) for one in sealings()}
    return {where: count for where, count in counted.items() if count}


def settled(since: datetime, patience: float = PATIENCE) -> bool:
    """Wait until no transaction runs that began before a moment and may have sealed with an older key."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend' AND xact_start < %s"
    )
    end = time.monotonic() + patience
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, [since])
            if not cursor.fetchone()[0]:
                return True
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
