import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse
from ninja import Schema
from pydantic import Field

from shoufu.kernel.base.errors import Invalid

M = TypeVar("M", bound=Model)
S = TypeVar("S", bound=Schema)

MAXIMUM = 500
COUNT_LIMIT = 10_000
CSV_MAXIMUM = 100_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ListQuery(Schema):
    """What every list takes: `page` from 1, `size` rows, `sort` a field name ("-" in front: descending), `format`."""

    page: int = Field(1, ge=1, le=100_000)
    size: int = Field(50, ge=1, le=MAXIMUM)
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
    start = (query.page - 1) * query.size
    items = list(rows[start : start + query.size])
    # Counting all would read a large table whole, and beyond the limit nobody pages.
    found = rows.order_by()[: COUNT_LIMIT + 1].count()
    count, capped = min(found, COUNT_LIMIT), found > COUNT_LIMIT
    return {"items": items, "count": count, "capped": capped, "page": query.page, "size": query.size}


def cell(value: Any) -> str:
    """A CSV cell; text that a spreadsheet would run as a formula gets a quote in front (OWASP: CSV injection)."""
    if value is None:
        return ""
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text


def csv_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """CSV lines (RFC 4180) with a header from the first row's keys."""
    columns: Sequence[str] = ()
    for row in rows:
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        if not columns:
            columns = tuple(row)
            writer.writerow(columns)
        writer.writerow([cell(row[column]) for column in columns])
        yield buffer.getvalue()


def csv_response(rows: Iterable[Mapping[str, Any]], name: str) -> StreamingHttpResponse:
    """A CSV download in UTF-8 with a byte order mark, so that spreadsheets read Chinese."""

    def chunks() -> Iterator[bytes]:
        yield "\ufeff".encode()
        for line in csv_lines(rows):
            yield line.encode()

    return StreamingHttpResponse(
        chunks(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
