from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models.query import ModelIterable

COUNT_LIMIT = 10_000
MOST_ROWS = 500
MOST_PAGES = 100_000


@dataclass(frozen=True)
class Paged:
    """One page of a list: `count` rows in all; `capped` when there are more and nobody counted them."""

    rows: list[Any]
    count: int
    capped: bool
    number: int
    size: int


def paged(rows: QuerySet[Any] | Sequence[Any], number: int, size: int, *, wide: bool = False) -> Paged:
    """Page `number` (from 1) of `size` rows: a query for the count and one or two for the rows. `wide`: a row joins so
    much that the ids are asked for first on the first page too."""
    count, capped = counted(rows)
    start = (number - 1) * size
    return Paged(_cut(rows, start, start + size, wide=wide), count, capped, number, size)


def counted(rows: QuerySet[Any] | Sequence[Any]) -> tuple[int, bool]:
    """Exact up to a limit: counting all would read a large table whole, and beyond the limit nobody pages."""
    if not isinstance(rows, QuerySet):
        return len(rows), False
    found = rows.order_by()[: COUNT_LIMIT + 1].count()
    return min(found, COUNT_LIMIT), found > COUNT_LIMIT


def _cut(rows: QuerySet[Any] | Sequence[Any], start: int, stop: int, *, wide: bool) -> list[Any]:
    if (start == 0 and not wide) or not isinstance(rows, QuerySet) or not _by_id(rows):
        return list(rows[start:stop])
    # A far page must sort all rows before it: the ids alone, not the rows with everything that is joined to them.
    ids = list(rows.values_list("pk", flat=True)[start:stop])
    return list(rows.filter(pk__in=ids)) if ids else []


def _by_id(rows: QuerySet[Any]) -> bool:
    """Whether the rows are whole models that can be asked for by their ids."""
    query = rows.query
    whole = issubclass(rows._iterable_class, ModelIterable)  # type: ignore[attr-defined]
    return bool(whole and not query.combinator and not query.is_sliced and not query.distinct)
