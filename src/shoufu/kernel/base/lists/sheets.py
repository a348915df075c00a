import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.http import StreamingHttpResponse

CSV_MAXIMUM = 100_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
