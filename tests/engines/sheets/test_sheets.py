import io
from datetime import date

import openpyxl
import pytest

from shoufu.engines.sheets import Problem, cell_name, read


def book(*rows: tuple[object, ...], merge: str = "", title: str = "") -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    if title:
        workbook.create_sheet("第二张").append(["x"])
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()


def test_a_merged_cell_stands_in_every_row_that_it_covers() -> None:
    sheet = read(book(("楼", "户"), ("5号楼", "101"), (None, "102"), (None, "103"), merge="A2:A4"))
    assert [line.values for line in sheet.lines[1:]] == [("5号楼", "101"), ("5号楼", "102"), ("5号楼", "103")]


def test_numbers_and_dates_keep_their_kind() -> None:
    sheet = read(book((210105199001011234, date(2024, 3, 1), 301)))
    assert sheet.lines[0].values == (2.101051990010112e17, date(2024, 3, 1), 301.0)


def test_other_worksheets_are_told_of() -> None:
    assert read(book(("a",), title="more")).left_out == ("第二张",)


def test_lines_of_two_encodings_are_both_read_and_the_odd_one_is_noted() -> None:
    data = "姓名,楼\n王伟,5\n李芳,6\n".encode() + "张敏,7\n".encode("gb18030")
    sheet = read(data)
    assert [line.values[0] for line in sheet.lines if not line.empty] == ["姓名", "王伟", "李芳", "张敏"]
    assert [(note.row, note.detail) for note in sheet.notes] == [(4, "gb18030")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_usual_encoding_is_read(encoding: str) -> None:
    sheet = read("姓名,楼\r\n联通,5\r\n𠮷田,6\r\n".encode(encoding))
    assert [line.values for line in sheet.lines if not line.empty] == [("姓名", "楼"), ("联通", "5"), ("𠮷田", "6")]


def test_a_quoted_line_break_does_not_shift_the_numbers() -> None:
    sheet = read('姓名,注\n王伟,"一\n二"\n李芳,x\n'.encode())
    assert [(line.number, line.values[0]) for line in sheet.lines if not line.empty] == [
        (1, "姓名"),
        (2, "王伟"),
        (4, "李芳"),
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "empty"), (b" \n\n", "empty"), (b"PK\x03\x04broken", "damaged"), (b"a\0b", "not_text")],
)
def test_what_cannot_be_read_says_why(data: bytes, code: str) -> None:
    with pytest.raises(Problem) as refusal:
        read(data)
    assert refusal.value.code == code


def test_cells_are_named_as_in_a_spreadsheet() -> None:
    assert [cell_name(0, 1), cell_name(25, 2), cell_name(26, 17), cell_name(701, 3)] == ["A1", "Z2", "AA17", "ZZ3"]
