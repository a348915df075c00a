"""Tables as people send them: Excel workbooks and delimited text, whatever their encoding, as rows of plain values.

`read(data)` gives a `Sheet`: the rows of the first visible worksheet, merged cells filled, each with the number that a
spreadsheet program shows beside it.
"""

from .book import is_workbook, read_workbook
from .sheet import Line, Note, Problem, Sheet, Value, cell_name
from .text import Decoded, decode, read_text

__all__ = [
    "Decoded",
    "Line",
    "Note",
    "Problem",
    "Sheet",
    "Value",
    "cell_name",
    "decode",
    "is_workbook",
    "read",
    "read_text",
    "read_workbook",
]


def read(data: bytes) -> Sheet:
    """The rows of a workbook or a delimited text; Problem (a code, no sentence) where nothing can be read."""
    return read_workbook(data) if is_workbook(data) else read_text(data)
