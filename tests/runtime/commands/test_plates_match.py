import json
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner

from shoufu.runtime.commands.plates.match import command


def _matched(registered: Path, reads: Path) -> list[tuple[str, str, str | None]]:
    answer = CliRunner().invoke(command, ["--registered", str(registered), "--reads", str(reads), "--json"])
    assert answer.exit_code == 0, answer.output
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    return [(row["read"], row["class"], row["plate"]) for row in rows]


def _file(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize(
    "registered",
    [
        "辽A12345\n辽AD12346\n".encode("gb18030"),
        "\ufeff车牌号,户主\r\n辽A·12345,王\r\n辽AD12346,李\r\n".encode(),
        "1\t辽Ａ１２３４５\n2\t辽a d12346\n".encode(),
        '[{"plate": "辽A12345"}, {"plate": "辽AD12346"}]'.encode(),
        "﻿辽A12345\n\n辽AD12346".encode("utf-16"),
    ],
)
def test_files_as_people_have_them(tmp_path: Path, registered: bytes) -> None:
    reads = _file(tmp_path, "reads.csv", "id,read\n1,辽a12345\n2,\n3,辽A1234S\n4,苏E99999\n".encode())
    found = _matched(_file(tmp_path, "registered.csv", registered), reads)
    assert [kind for _read, kind, _plate in found] == ["exact", "none", "fuzzy", "none"]
    assert [read for read, _kind, _plate in found] == ["辽a12345", "", "辽A1234S", "苏E99999"]


def test_a_workbook_is_taken_too(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["序号", "车牌"], [1, "辽A12345"], [2, None], [3, "辽AD12346"]):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(tmp_path / "registered.xlsx")
    reads = _file(tmp_path, "reads.txt", "辽AD12346".encode())
    assert _matched(tmp_path / "registered.xlsx", reads) == [("辽AD12346", "exact", "辽AD12346")]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "has no plates"),
        (b"\xff\xff\xff\xff\n", "line 1 is neither UTF-8 nor GB18030"),
        (b"PK\x03\x04x", "damaged"),
    ],
)
def test_a_register_that_cannot_be_read_says_why(tmp_path: Path, data: bytes, says: str) -> None:
    registered = _file(tmp_path, "registered.csv", data)
    reads = _file(tmp_path, "reads.txt", b"A12345")
    answer = CliRunner().invoke(command, ["--registered", str(registered), "--reads", str(reads), "--json"])
    assert answer.exit_code == 1
    assert says in answer.output
    assert "registered.csv" in answer.output
