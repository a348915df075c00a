"""Empty files to fill in, with the columns that a kind knows and an example row."""

import io

import openpyxl
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from shoufu.kernel.imports.kinds import ImportKind
from shoufu.kernel.imports.reading import label

TEXT_FORMAT = "@"
PREPARED_ROWS = 2_000


def workbook(kind: ImportKind) -> bytes:
    """An .xlsx with headings, one example row, and every cell as text: so Excel leaves long numbers whole."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = label(kind)[:31]
    sheet.append([label(item) + ("*" if item.required else "") for item in kind.fields])
    sheet.append([item.example for item in kind.fields])
    for number, item in enumerate(kind.fields, 1):
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = max(14, len(item.example) + 6)
        sheet.cell(1, number).font = Font(bold=True)
        sheet.cell(1, number).alignment = Alignment(wrap_text=True)
        for row in range(2, PREPARED_ROWS):
            sheet.cell(row, number).number_format = TEXT_FORMAT
    sheet.freeze_panes = "A2"
    output = io.BytesIO()
    book.save(output)
    return output.getvalue()
