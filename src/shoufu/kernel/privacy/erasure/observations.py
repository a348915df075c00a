"""Erasure in the log: rows of personal kinds that name the person go; the pictures that they name go with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from shoufu.kernel.observations.models import ObservationKind

# The same row may lie in a partition of any day, so the parent is asked.
NAMING = """
SELECT o.id::text, o.t, o.result ->> 'snapshot', o.result ->> 'clip' FROM obs o
WHERE (o.foi = ANY(%s) OR (%s <> '' AND (o.foi ~* %s OR o.result::text ~* %s)))
  AND (o.kind = ANY(%s) OR o.foi = ANY(%s)) AND NOT (o.id = ANY(%s::uuid[]))
"""


@dataclass(frozen=True)
class Named:
    """Observations of personal kinds that name the person, and the media that they name."""

    ids: tuple[str, ...]
    media: tuple[UUID, ...]


def naming(wanted: str, features: Sequence[str], kept: Sequence[str]) -> Named:
    """The rows by which the log names the person; `features` are exact features of interest."""
    kinds = list(ObservationKind.objects.filter(personal=True).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(NAMING, [list(features), wanted, wanted, wanted, kinds, list(features), list(kept)])
        rows = cursor.fetchall()
    media = {found for row in rows for text in row[2:] if (found := _uuid(text)) is not None}
    return Named(tuple(row[0] for row in rows), tuple(sorted(media)))


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def delete(ids: Sequence[str]) -> int:
    """Take rows out of the log, as retention does; the batch log's counts stay as they were."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM obs WHERE id = ANY(%s::uuid[])", [list(ids)])
        return int(cursor.rowcount)
