from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

Value = str | float | int | bool | date | datetime | time | timedelta | None


class Problem(ValueError):
    """A file that cannot be read. `code` is one of: empty, damaged, locked, too_large, not_text, too_many_rows."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Line:
    """A row: `number` as the spreadsheet program shows it (from 1; of text the line it begins on), and its values."""

    number: int
    values: tuple[Value, ...]

    @property
    def empty(self) -> bool:
        return all(value is None or (isinstance(value, str) and not value.strip()) for value in self.values)


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell about a row that was read all the same. `code` is "encoding" or "undecodable" (text shown with
    replacement characters); `detail` the encoding."""

    row: int
    code: str
    detail: str = ""


@dataclass(frozen=True)
class Sheet:
    """What was read: `encoding` of the text ("" for a workbook), the other worksheets that were left out by name."""

    lines: list[Line]
    encoding: str = ""
    notes: list[Note] = field(default_factory=list)
    left_out: tuple[str, ...] = ()


def cell_name(column: int, row: int) -> str:
    """The name of a cell as spreadsheets write it: column 0 of row 17 is "A17"."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
