"""A workbook of made-up residents, for measuring imports."""

from __future__ import annotations

import io
import random
from datetime import date, timedelta

import openpyxl

HEADINGS = ("楼", "单元", "房号", "姓名", "身份", "身份证号", "手机号", "入住日期", "租期至")
BUILDINGS, UNITS, FLOORS, FLATS = 24, 3, 12, 4
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"


def workbook(rows: int) -> bytes:
    """An .xlsx of `rows` people in a compound of 24 buildings: three a household, every second of a tenant."""
    dice = random.Random(7)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("居民")
    sheet.append(HEADINGS)
    for n in range(rows):
        sheet.append(_row(dice, n))
    output = io.BytesIO()
    book.save(output)
    return output.getvalue()


def _row(dice: random.Random, n: int) -> list[object]:
    home = n // 3
    flat, home = home % FLATS + 1, home // FLATS
    floor, home = home % FLOORS + 1, home // FLOORS
    unit, home = home % UNITS + 1, home // UNITS
    tenant = (n // 3) % 2 == 1
    since = date(2019, 1, 1) + timedelta(days=dice.randrange(2000))
    return [
        f"{home + 1}号楼",
        unit,
        f"{floor}{flat:02d}",
        dice.choice(SURNAMES) + "".join(dice.sample(GIVEN, 2)),
        "租户" if tenant else ("业主" if n % 3 == 0 else "家属"),
        _identity(dice, n),
        f"13{n:09d}",
        since,
        date(2030, 6, 30) if tenant else None,
    ]


def _identity(dice: random.Random, n: int) -> str:
    """Numbers with a right check digit in a region code that is not given out (990000)."""
    born = date(1940, 1, 1) + timedelta(days=dice.randrange(25_000))
    head = f"990000{born:%Y%m%d}{n % 1000:03d}"
    # The birthday alone does not keep ten thousand apart, so the region's last digits count the thousands.
    head = f"99{n // 1000:04d}{head[6:]}"
    return head + "10X98765432"[sum(int(d) * w for d, w in zip(head, WEIGHTS, strict=True)) % 11]
