from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, TypeVar

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse
from ninja import Schema
from pydantic import Field

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists.paging import MOST_PAGES, MOST_ROWS, paged
from shoufu.kernel.base.lists.sheets import CSV_MAXIMUM, csv_response

M = TypeVar("M", bound=Model)
S = TypeVar("S", bound=Schema)


class ListQuery(Schema):
    """What every list takes: `page` from 1, `size` rows, `sort` a field name ("-" in front: descending), `format`."""

    page: int = Field(1, ge=1, le=MOST_PAGES)
    size: int = Field(50, ge=1, le=MOST_ROWS)
    sort: str = ""
    format: Literal["json", "csv"] = "json"


class Page(Schema, Generic[S]):
    """One page of a list: `count` rows in all; `capped` when there are more and nobody counted them."""

    items: list[S]
    count: int
    capped: bool
    page: int
    size: int


def sorted_rows(rows: QuerySet[M], sort: str, sortable: Mapping[str, str]) -> QuerySet[M]:
    """The rows by a field of `sortable` (public name → column); ties go by primary key, so pages do not overlap."""
    if not sort:
        return rows
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    column = sortable.get(name)
    if column is None:
        raise Invalid.one("sort", f"Sort by one of: {', '.join(sorted(sortable))}.")
    return rows.order_by(f"-{column}" if descending else column, "pk")


def answer(
    rows: QuerySet[M], query: ListQuery, sortable: Mapping[str, str], row: Callable[[M], S], name: str
) -> dict[str, Any] | StreamingHttpResponse:
    """One page for a response of type `Page[S]` (two queries), or all rows as the CSV file `name`.csv."""
    rows = sorted_rows(rows, query.sort, sortable)
    if query.format == "csv":
        return csv_response((row(item).model_dump() for item in rows[:CSV_MAXIMUM]), name)
    found = paged(rows, query.page, query.size)
    return {
        "items": found.rows,
        "count": found.count,
        "capped": found.capped,
        "page": found.number,
        "size": found.size,
    }
