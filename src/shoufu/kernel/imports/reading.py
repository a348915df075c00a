"""From a file's bytes to records: which row is the heading, which column means what, what each cell says."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.utils.translation import gettext as _

from shoufu.engines import sheets
from shoufu.engines.sheets import Line, Sheet, Value
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.imports.kinds import CellError, Field, ImportKind, Record

HEAD_ROWS = 15
SHORTEST = 5
MOST_BYTES = 32 * 1024 * 1024
MOST_ROWS = 50_000


@dataclass(frozen=True)
class Column:
    """A column of the file: its place from 0, its letter and heading, and the first value below."""

    index: int
    letter: str
    heading: str
    sample: str = ""


@dataclass
class Reading:
    """What a file says: its columns, which field each is taken for, the records and what is wrong with the cells."""

    columns: list[Column]
    mapping: dict[str, int]
    head: int
    records: list[Record] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)


def read(kind: ImportKind, data: bytes, mapping: Mapping[str, int] | None = None) -> Reading:
    """Read a file for a kind; `mapping` (field → column) overrides what the headings say. Invalid for no table."""
    sheet = _sheet(data)
    head = _head(kind, sheet.lines)
    columns = _columns(sheet.lines, head)
    found = dict(mapping) if mapping is not None else guess(kind, [column.heading for column in columns])
    reading = Reading(columns, found, sheet.lines[head].number, notes=list(_notes(sheet)))
    _refuse_missing(kind, reading)
    _fill(kind, reading, sheet.lines[head + 1 :])
    reading.errors += [CellError(row, "", _undecodable()) for row, code, _d in _odd(sheet) if code == "undecodable"]
    return reading


def _sheet(data: bytes) -> Sheet:
    if len(data) > MOST_BYTES:
        raise Invalid.one("file", _("At most %(n)d MB; split the file.") % {"n": MOST_BYTES // 1024 // 1024})
    try:
        sheet = sheets.read(data)
    except sheets.Problem as problem:
        raise Invalid.one("file", _refusal(problem.code)) from problem
    if len(sheet.lines) > MOST_ROWS + HEAD_ROWS:
        raise Invalid.one("file", _("At most %(n)d rows; split the file.") % {"n": MOST_ROWS})
    return sheet


def _refusal(code: str) -> str:
    return {
        "empty": _("The file holds no rows."),
        "locked": _("The workbook is protected by a password; save it without one."),
        "too_large": _("The workbook unpacks to too much; save only the sheet that is needed."),
        "too_many_rows": _("At most %(n)d rows; split the file.") % {"n": MOST_ROWS},
        "not_text": _("This is neither an Excel workbook nor text; save it as .xlsx or .csv."),
    }.get(code, _("The file is damaged; open it, save it anew as .xlsx and send that."))


def _undecodable() -> str:
    return _("This line is neither UTF-8 nor GB18030; save the file anew as UTF-8.")


def _odd(sheet: Sheet) -> list[tuple[int, str, str]]:
    return [(note.row, note.code, note.detail) for note in sheet.notes]


def _notes(sheet: Sheet) -> Iterator[tuple[int, str]]:
    for row, code, detail in _odd(sheet):
        if code == "encoding":
            words = {"one": detail.upper(), "other": sheet.encoding.upper()}
            yield row, _("This line is %(one)s in a file of %(other)s; check that its words are right.") % words
    if sheet.left_out:
        yield 0, _("Only the first sheet is read; left out: %(names)s.") % {"names": ", ".join(sheet.left_out)}


@lru_cache(maxsize=4096)
def folded(heading: str) -> str:
    """A heading without what does not matter: width, case, blanks, marks, and what stands in brackets."""
    text = unicodedata.normalize("NFKC", heading).casefold()
    return re.sub(r"\(.*?\)|（.*?）|\[.*?\]|[\s*:：_\-./·]", "", text)


def names(field: Field) -> list[str]:
    """What a field's column may be called, folded."""
    return [folded(name) for name in (field.name, field.name_en, field.code, *field.synonyms)]


def guess(kind: ImportKind, headings: Sequence[str]) -> dict[str, int]:
    """Field → column by the headings: the same name first, then a heading that contains one (longest name first)."""
    plain = [folded(heading) for heading in headings]
    mapping: dict[str, int] = {}
    for item in kind.fields:
        for name in names(item):
            if name in plain and plain.index(name) not in mapping.values():
                mapping[item.code] = plain.index(name)
                break
    pairs = sorted(
        ((name, item.code) for item in kind.fields if item.code not in mapping for name in names(item)),
        key=lambda pair: -len(pair[0]),
    )
    for name, code in pairs:
        if len(name) < (SHORTEST if name.isascii() else 2):
            continue  # "end" is in "gender"
        free = [n for n, text in enumerate(plain) if name in text and n not in mapping.values()]
        if code not in mapping and free:
            mapping[code] = free[0]
    return mapping


def _head(kind: ImportKind, lines: Sequence[Line]) -> int:
    """The index of the heading row: of the first rows the one that names most fields."""
    best, most = 0, 0
    for number, line in enumerate(lines[:HEAD_ROWS]):
        texts = [str(value or "") for value in line.values]
        # A merged title stands in every column that it covers; each name counts once.
        found = len(guess(kind, [text if texts.index(text) == n else "" for n, text in enumerate(texts)]))
        if found > most:
            best, most = number, found
    if most == 0:
        best = next((number for number, line in enumerate(lines) if not line.empty), 0)
    return best


def _columns(lines: Sequence[Line], head: int) -> list[Column]:
    below = next((line.values for line in lines[head + 1 :] if not line.empty), ())
    return [
        Column(
            number,
            sheets.cell_name(number, 0)[:-1],
            str(value if value is not None else "").strip(),
            str(below[number])[:40] if number < len(below) and below[number] is not None else "",
        )
        for number, value in enumerate(lines[head].values)
    ]


def _refuse_missing(kind: ImportKind, reading: Reading) -> None:
    for item in kind.fields:
        if item.required and item.code not in reading.mapping:
            message = _("No column is called “%(name)s”; choose which one it is.") % {"name": label(item)}
            reading.errors.append(CellError(reading.head, item.code, message))


def label(item: Field | ImportKind) -> str:
    """A field's or kind's name in the reader's language."""
    from django.utils.translation import get_language

    return item.name_en if (get_language() or "").startswith("en") else item.name


def _fill(kind: ImportKind, reading: Reading, lines: Sequence[Line]) -> None:
    wanted = [(item, reading.mapping[item.code]) for item in kind.fields if item.code in reading.mapping]
    for line in lines:
        if line.empty:
            continue
        values = line.values
        record: dict[str, object] = {}
        for item, column in wanted:
            value: Value = values[column] if column < len(values) else None
            if value is None or value == "" or (isinstance(value, str) and not value.strip()):
                if item.required:
                    reading.errors.append(CellError(line.number, item.code, _("Must not be empty.")))
                continue
            try:
                record[item.code] = item.parse(value)
            except ValueError as error:
                reading.errors.append(CellError(line.number, item.code, str(error)))
        reading.records.append(Record(line.number, record))


def where(reading: Reading, error: CellError) -> str:
    """The name of the cell that an error is about ("F17"), or of its row."""
    column = reading.mapping.get(error.field)
    return sheets.cell_name(column, error.row) if column is not None else str(error.row)
