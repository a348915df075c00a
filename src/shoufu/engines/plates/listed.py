"""Plates or readings out of files as people have them: one a line, a table with or without a heading, or JSON."""

import csv
import json
from collections.abc import Iterator, Sequence
from typing import Any

from .grammar import PROVINCES
from .match import normalised

NAMES = (
    "plate",
    "read",
    "text",
    "车牌",
    "车牌号",
    "车牌号码",
    "号牌",
    "号牌号码",
    "license_plate",
    "license plate",
    "plate_number",
    "plate number",
    "plate_no",
    "number",
)
READ_NAMES = ("read", "reading", "ocr", "识别结果", "识别车牌", "识别号牌", *NAMES)
DELIMITERS = ",\t;|，"
PROBED = 200
LONGEST = 9
Rows = Sequence[Sequence[str]]


def listed(lines: Sequence[str], names: Sequence[str] = NAMES) -> Iterator[str]:
    """The plates of a file's lines, in order; empty lines are none, an empty cell of a table is an empty text.

    Taken are: a plate a line; delimited text (see `columned`); JSON lines or one JSON array, of strings or of objects
    with one of `names`. Raises ValueError, which names the line, for JSON without a plate.
    """
    numbered = [(number, line.strip().lstrip("\ufeff")) for number, line in enumerate(lines, 1)]
    numbered = [(number, line) for number, line in numbered if line.strip()]
    if not numbered:
        return iter(())
    if numbered[0][1][0] in '{["' and _is_json(numbered[0][1]):
        return _from_json(numbered, names)
    texts = [line for _number, line in numbered]
    delimiter = _delimiter(texts)
    return columned(list(csv.reader(texts, delimiter=delimiter)) if delimiter else [[text] for text in texts], names)


def columned(rows: Rows, names: Sequence[str] = NAMES) -> Iterator[str]:
    """The plates of a table: of the first column that is called by one of `names`, else of the one that holds most
    texts like plates. A first row without a digit is a heading where others have some."""
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        return
    heads = [cell.strip().strip("\ufeff").casefold() for cell in rows[0]]
    column = next((heads.index(name) for name in names if name in heads), None)
    body = rows[1:] if column is not None else rows
    if column is None:
        column = _likeliest(rows)
        body = rows[1:] if _is_heading(column, rows) else rows
    for row in body:
        yield row[column].strip().strip('"') if column < len(row) else ""


def _likeliest(rows: Rows) -> int:
    probed = rows[:PROBED]
    scores = [0.0] * max(len(row) for row in probed)
    for row in probed:
        for place, cell in enumerate(row):
            scores[place] += _like_a_plate(cell)
    return scores.index(max(scores))


def _like_a_plate(cell: str) -> float:
    """1 for a province with a plate's number of characters behind it, less for what may be one badly read."""
    text = normalised(cell)
    if not 4 <= len(text) <= LONGEST:
        return 0.0
    if text[0] in PROVINCES:
        return 1.0
    return 0.4 if any(c.isdigit() for c in text) and any(c.isalpha() for c in text) else 0.0


def _is_heading(column: int, rows: Rows) -> bool:
    cells = [row[column] for row in rows[:PROBED] if column < len(row)]
    first = cells[0] if cells and column < len(rows[0]) else ""
    wordy = any(c.isalpha() for c in first) and not any(c.isdigit() for c in first)
    return wordy and not _like_a_plate(first) and any(c.isdigit() for cell in cells[1:] for c in cell)


def _delimiter(texts: Sequence[str]) -> str:
    """The sign that stands in most of the first lines; none where they are one plate each."""
    counts = {sign: sum(sign in text for text in texts[:PROBED]) for sign in DELIMITERS}
    best = max(DELIMITERS, key=lambda sign: counts[sign])
    return best if counts[best] * 2 > min(len(texts), PROBED) else ""


def _is_json(text: str) -> bool:
    """Whether a line begins JSON: quotes alone may as well be a quoted cell."""
    if text[0] != '"':
        return True
    try:
        return isinstance(json.loads(text), str)
    except ValueError:
        return False


def _from_json(numbered: Sequence[tuple[int, str]], names: Sequence[str]) -> Iterator[str]:
    if numbered[0][1].startswith("["):
        text = "\n".join(line for _number, line in numbered)
        items = list(enumerate(_loaded(text, "the array"), 1))
    else:
        items = [(number, _loaded(line, f"line {number}")) for number, line in numbered]
    for number, item in items:
        yield _named(item, names, number)


def _loaded(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{where} is no JSON: {error}") from error


def _named(item: Any, names: Sequence[str], number: int) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        folded = {str(key).casefold(): value for key, value in item.items()}
        for name in names:
            if isinstance(folded.get(name), str):
                return str(folded[name])
    raise ValueError(f"entry {number} has no plate: give a text, or an object with “{names[0]}”")
