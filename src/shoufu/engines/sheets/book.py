import io
import zipfile
from collections.abc import Sequence
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from .sheet import Line, Problem, Sheet

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MOST_BYTES = 256 * 1024 * 1024
MOST_ROWS = 100_000
MOST_COLUMNS = 256


def is_workbook(data: bytes) -> bool:
    """Whether the bytes look like .xlsx (a zip) or the older .xls (OLE)."""
    return data.startswith((ZIP, OLE))


def read_workbook(data: bytes) -> Sheet:
    """The rows of the first visible worksheet with something in it (.xlsx, .xls, .ods); formulas by their last value.

    Every cell of a merged range has the range's value. Problem "locked" for a password, "damaged" for anything that is
    no workbook, "too_large" for one that would unpack to more than 256 MB, "empty" where no worksheet has rows.
    """
    _refuse_bomb(data)
    try:
        book = CalamineWorkbook.from_object(io.BytesIO(data))
        visible = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
        ]
        for name in visible:
            lines = _lines(book.get_sheet_by_name(name))
            if lines:
                others = tuple(other for other in visible if other != name)
                return Sheet(lines, left_out=others)
    except PasswordError as error:
        raise Problem("locked") from error
    except (CalamineError, zipfile.BadZipFile) as error:
        raise Problem("damaged", str(error)) from error
    raise Problem("empty")


def _refuse_bomb(data: bytes) -> None:
    if not data.startswith(ZIP):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise Problem("damaged", str(error)) from error
    if unpacked > MOST_BYTES:
        raise Problem("too_large", f"{unpacked // 1024 // 1024} MB")


def _lines(sheet: Any) -> list[Line]:
    if sheet.total_height > MOST_ROWS:
        raise Problem("too_many_rows", str(MOST_ROWS))
    rows: list[list[Any]] = sheet.to_python(skip_empty_area=False)
    rows = [row[:MOST_COLUMNS] for row in rows]
    _fill(rows, sheet.merged_cell_ranges or ())
    lines = [Line(number, tuple(row)) for number, row in enumerate(rows, 1)]
    return lines if any(not line.empty for line in lines) else []


def _fill(rows: list[list[Any]], ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    for (top, left), (bottom, right) in ranges:
        if top >= len(rows) or left >= len(rows[top]):
            continue
        value = rows[top][left]
        for row in rows[top : bottom + 1]:
            for column in range(left, min(right + 1, len(row))):
                row[column] = value
