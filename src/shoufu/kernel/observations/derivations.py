from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from importlib import import_module
from typing import Any

import msgspec
import psycopg
from django.db import connection, transaction

from shoufu.kernel.base import registry
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.base.scene import Derived
from shoufu.kernel.observations import reader
from shoufu.kernel.observations.models import Consumer, ObservationKind
from shoufu.kernel.observations.schema import Validator, compile_schema
from shoufu.kernel.observations.wire import BatchRow

NAME = "derivations"
AT_ONCE = 50

Derive = Callable[[Sequence[BatchRow]], Iterable[Derived]]


@dataclass(frozen=True)
class _Found:
    source: BatchRow
    derived: Derived
    result: bytes


@cache
def _functions() -> Mapping[str, tuple[Derive, ...]]:
    """Kind code → the functions that want its rows, in the scenes' order."""
    found: dict[str, list[Derive]] = {}
    for scene in registry.scenes():
        for derivation in scene.derivations:
            module, _, name = derivation.function.rpartition(".")
            function = getattr(import_module(module), name)
            for kind in derivation.kinds:
                found.setdefault(kind, []).append(function)
    return {kind: tuple(functions) for kind, functions in found.items()}


def _derive(rows: Sequence[BatchRow], validators: Mapping[str, Validator]) -> Iterator[_Found]:
    by_id = {row.id: row for row in rows}
    for function in dict.fromkeys(one for row in rows for one in _functions()[row.kind]):
        wanted = [row for row in rows if function in _functions()[row.kind]]
        for derived in function(wanted):
            result = msgspec.json.encode(derived.result, order="sorted")
            validators[derived.kind].decode(result)
            yield _Found(by_id[derived.source], derived, result)


def step(at_once: int = AT_ONCE) -> int:
    """Read the next batches and log what the scenes derive from them; how many batches were read.

    The derived rows, their batch number and the reader's place are one transaction: killed at any moment, nothing is
    derived twice or left out. A derived row takes time, device and place of its source, and an id made from it.
    """
    if not _functions():
        return 0
    with transaction.atomic():
        consumer, _ = Consumer.objects.select_for_update().get_or_create(name=NAME)
        batches = reader.batches(_raw(), consumer.last_batch, at_once)
        if not batches:
            return 0
        rows = [row for batch in batches for row in batch.rows if row.kind in _functions()]
        if rows:
            _log(rows)
        consumer.last_batch = batches[-1].number
        consumer.save()
    return len(batches)


def _raw() -> "psycopg.Connection[Any]":
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return raw


INSERT = """
INSERT INTO obs (id, t, known, batch, ix, kind, device, place, shard, foi, result)
VALUES (%s, %s, clock_timestamp(), %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


def _log(rows: Sequence[BatchRow]) -> None:
    kinds = {kind.code: kind for kind in ObservationKind.objects.all()}
    found = list(_derive(rows, {code: compile_schema(kind.schema) for code, kind in kinds.items()}))
    if not found:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('batch_key')")
        key = cursor.fetchone()[0]
        values = [_values(item, key, ix, kinds[item.derived.kind].pk) for ix, item in enumerate(found)]
        cursor.executemany(INSERT, values)
        # The lock on the numbers is held until the commit, so it is taken last.
        cursor.execute("SELECT number FROM log_batch(%s, %s)", [key, len(found)])


def _values(item: _Found, key: int, ix: int, kind: int) -> list[Any]:
    source, derived = item.source, item.derived
    random = blake2b(source.id.bytes + derived.kind.encode() + item.result, digest_size=10).digest()
    return [
        uuid7(int(source.t * 1000), random),
        datetime.fromtimestamp(source.t, UTC),
        key,
        ix,
        kind,
        source.device_id,
        source.place_id,
        source.shard,
        derived.feature,
        item.result.decode(),
    ]
