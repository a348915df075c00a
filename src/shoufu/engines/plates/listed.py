"""Plates or readings out of files as people have them: one a line, a table with a heading, or JSON."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

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
    "plate_number",
    "number",
)
DELIMITERS = ",\t;|"


def listed(lines: Sequence[str], names: Sequence[str] = NAMES) -> Iterator[str]:
    """The plates of a file's lines, in order; empty lines are none.

    Taken are: a plate a line; delimited text with a heading (the first column that is called by one of `names`, else
    the first); JSON lines or one JSON array, of strings or of objects with one of `names`. Raises ValueError, which
    names the line, for JSON without a plate.
    """
    numbered = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip().strip("\ufeff")]
    if not numbered:
        return iter(())
    first = numbered[0][1].lstrip("\ufeff")
    if first[0] in '{["':
        return _from_json(numbered, names)
    return _from_table([line for _number, line in numbered], names)


def _from_json(numbered: Sequence[tuple[int, str]], names: Sequence[str]) -> Iterator[str]:
    if numbered[0][1].lstrip("\ufeff").startswith("["):
        text = "\n".join(line for _number, line in numbered).lstrip("\ufeff")
        items = list(enumerate(_loaded(text, "the array"), 1))
    else:
        items = [(number, _loaded(line.lstrip("\ufeff"), f"line {number}")) for number, line in numbered]
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


def _from_table(lines: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    head = lines[0].lstrip("\ufeff")
    delimiter = next((sign for sign in DELIMITERS if sign in head), "")
    heads = [cell.strip().strip('"').casefold() for cell in (head.split(delimiter) if delimiter else [head])]
    column = next((heads.index(name) for name in names if name in heads), None)
    for line in lines if column is None else lines[1:]:
        cells = line.lstrip("\ufeff").split(delimiter) if delimiter else [line.lstrip("\ufeff")]
        text = cells[min(column or 0, len(cells) - 1)].strip().strip('"')
        if text:
            yield text
