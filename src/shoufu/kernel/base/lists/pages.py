from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists.paging import MOST_PAGES, MOST_ROWS, Paged, paged
from shoufu.kernel.base.lists.sheets import CSV_MAXIMUM, csv_response
from shoufu.kernel.base.pages import PageRequest

SIZES = (25, 50, 100, 200)


@dataclass(frozen=True)
class Column:
    """A column: its heading, the order behind its sort link (empty: not sortable), and its cell in CSV."""

    code: str
    label: str
    sort: str = ""
    csv: Callable[[Any], Any] | None = None
    css: str = ""


@dataclass(frozen=True)
class Filter:
    """A filter in the address: a choice when it has `choices` (value, label), else a text; `apply` narrows the rows."""

    code: str
    label: str
    apply: Callable[[Any, str], Any]
    choices: Sequence[tuple[str, Any]] = ()


@dataclass(frozen=True)
class Bulk:
    """Something that can be done with the picked rows: posts their `ids` to `url`; `ask` is a text that it needs."""

    label: str
    url: str
    icon: str = "check"
    ask: str = ""
    ask_name: str = "reason"


@dataclass(frozen=True)
class ListPage:
    """One kind of list: filters in the address, sort, page, CSV, act on many. `row` is the template of a row's cells.

    `sorts` maps public names to orders where a column's name alone does not say it. `empty` says what will appear
    here and how to make it so. `wide`: a row joins many tables, so that the ids of a page are asked for first.
    """

    title: str
    columns: Sequence[Column]
    row: str
    filters: Sequence[Filter] = ()
    default_sort: str = ""
    empty: str = ""
    name: str = "list"
    bulk: Sequence[Bulk] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    template: str = "shell/list.html"
    wide: bool = False


@dataclass(frozen=True)
class View:
    """What the template of a list reads."""

    page: ListPage
    paged: Paged
    sort: str
    values: Mapping[str, str]

    @property
    def rows(self) -> list[Any]:
        return self.paged.rows

    @property
    def count(self) -> int:
        return self.paged.count

    @property
    def capped(self) -> bool:
        return self.paged.capped

    @property
    def number(self) -> int:
        return self.paged.number

    @property
    def size(self) -> int:
        return self.paged.size

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // self.size))

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1 if self.count else 0

    @property
    def last(self) -> int:
        return (self.number - 1) * self.size + len(self.rows)

    @property
    def has_more(self) -> bool:
        return self.number < self.pages or (self.capped and len(self.rows) == self.size)

    @property
    def filtered(self) -> bool:
        return any(self.values.values())

    @property
    def heads(self) -> list[tuple[Column, str, str]]:
        """Each column with the sort that its heading leads to, and the present direction ("asc", "desc" or "")."""
        found = []
        for column in self.page.columns:
            if not column.sort:
                found.append((column, "", ""))
                continue
            now = {column.code: "asc", f"-{column.code}": "desc"}.get(self.sort, "")
            found.append((column, f"-{column.code}" if now == "asc" else column.code, now))
        return found

    @property
    def filters(self) -> list[tuple[Filter, str]]:
        return [(item, self.values.get(item.code, "")) for item in self.page.filters]


def _number(request: PageRequest, name: str, default: int, most: int) -> int:
    text = request.GET.get(name, "")
    if not text:
        return default
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise Invalid.one(name, _("Must be a number from 1 to %(most)s.") % {"most": most})
    return int(text)


def _sorted(page: ListPage, rows: Any, sort: str) -> Any:
    if not sort:
        return rows
    column = next((item for item in page.columns if item.sort and item.code == sort.removeprefix("-")), None)
    if column is None:
        names = ", ".join(item.code for item in page.columns if item.sort)
        raise Invalid.one("sort", _("Sort by one of: %(names)s.") % {"names": names})
    orders = [name.strip() for name in column.sort.split(",")]
    if sort.startswith("-"):
        orders = [name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in orders]
    return rows.order_by(*orders, "-pk" if sort.startswith("-") else "pk")


def read(request: PageRequest, page: ListPage, rows: Any) -> View:
    """The page of rows that the address asks for (two or three queries). Invalid names a wrong parameter."""
    values = {item.code: request.GET.get(item.code, "").strip() for item in page.filters}
    for item in page.filters:
        if values[item.code]:
            rows = item.apply(rows, values[item.code])
    sort = request.GET.get("sort", page.default_sort)
    size = _number(request, "size", SIZES[1], MOST_ROWS)
    number = _number(request, "page", 1, MOST_PAGES)
    return View(page, paged(_sorted(page, rows, sort), number, size, wide=page.wide), sort, values)


def _csv(page: ListPage, rows: Iterable[Any]) -> StreamingHttpResponse:
    columns = [column for column in page.columns if column.csv is not None]
    lines = ({column.label: column.csv(row) for column in columns if column.csv} for row in rows)
    return csv_response(lines, page.name)


def answer(request: PageRequest, page: ListPage, rows: Any, **context: Any) -> HttpResponse | StreamingHttpResponse:
    """The list as a page, or all its rows as CSV with `?format=csv`."""
    if request.GET.get("format") == "csv":
        for item in page.filters:
            if value := request.GET.get(item.code, "").strip():
                rows = item.apply(rows, value)
        return _csv(page, _sorted(page, rows, request.GET.get("sort", page.default_sort))[:CSV_MAXIMUM])
    view = read(request, page, rows)
    return render(request, page.template, {"list": view, **page.extra, **context})
