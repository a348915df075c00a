"""Buildings, units and doors of a compound from a file: a row for each lowest place, what is missing above it too."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.imports import cells
from shoufu.kernel.imports.addresses import Addresses, building_name, key, unit_name
from shoufu.kernel.imports.kinds import CREATE, SAME, CellError, Change, Field, ImportKind, Plan, Record, Written
from shoufu.kernel.places import services
from shoufu.kernel.places.models import Place
from shoufu.kernel.places.services import PlaceDraft

FIELDS = (
    Field("compound", "小区", "Compound", cells.text(80), ("小区名称", "小区名", "estate"), example="松山小区"),
    Field(
        "building",
        "楼",
        "Building",
        cells.text(80),
        ("楼号", "楼栋", "楼栋号", "楼宇", "栋", "栋号", "幢", "幢号", "楼名"),
        required=True,
        example="5号楼",
    ),
    Field("unit", "单元", "Unit", cells.text(80), ("单元号", "单元名称", "梯", "entrance"), example="2单元"),
    Field("door", "门", "Door", cells.text(80), ("门名称", "单元门", "出入口"), example="单元门"),
    Field("longitude", "经度", "Longitude", cells.number(-180, 180), ("lng", "lon", "x"), example="123.41"),
    Field("latitude", "纬度", "Latitude", cells.number(-90, 90), ("lat", "y"), example="41.83"),
    Field(
        "datum",
        "坐标系",
        "Datum",
        cells.choice({"WGS-84": "WGS-84", "GCJ-02": "GCJ-02", "BD-09": "BD-09", "高德": "GCJ-02", "百度": "BD-09"}),
        ("坐标", "crs"),
        example="GCJ-02",
    ),
)


@dataclass
class _Draft:
    """The places to make, by code, with the rows that ask for them."""

    addresses: Addresses
    drafts: dict[str, PlaceDraft] = field(default_factory=dict)
    codes: dict[tuple[str, str, str], str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def place(self, kind: str, parent: str, name: str, record: Record, *, last: bool) -> tuple[str, bool]:
        """The code of the place of this name in a parent, and whether it is new with this row."""
        there = self.addresses.child(parent, kind, name)
        if there is not None:
            return there.code, False
        place = (parent, kind, key(name))
        if place in self.codes:
            return self.codes[place], False
        code = self._code(parent, kind, name)
        self.codes[place] = code
        at = record if last else Record(record.row, {})
        self.drafts[code] = PlaceDraft(
            kind,
            code,
            name,
            parent=parent,
            sort=int(match.group()) if (match := re.search(r"\d+", name)) else 0,
            longitude=at.get("longitude"),
            latitude=at.get("latitude"),
            datum=at.get("datum", "WGS-84"),
        )
        return code, True

    def _code(self, parent: str, kind: str, name: str) -> str:
        digits = re.search(r"[0-9a-zA-Z]+", name)
        step = {"building": "b", "unit": "u", "door": "door"}[kind]
        tail = f"{step}{digits.group().lower()}" if digits else step
        code, number = f"{parent}-{tail}"[:60], 1
        while code in self.taken or self.addresses.has_code(code):
            number += 1
            code = f"{parent}-{tail}"[:56] + f"-{number}"
        self.taken.add(code)
        return code


def plan(actor: Actor, target: Place, records: Sequence[Record]) -> Plan:
    """Which buildings, units and doors of the file are missing; two reads however many rows."""
    found = Plan()
    made = _Draft(Addresses(target))
    seen: dict[str, int] = {}
    for record in records:
        compound = made.addresses.compound(record, found.errors)
        if compound is None:
            continue
        if (record.get("longitude") is None) != (record.get("latitude") is None):
            found.errors.append(CellError(record.row, "latitude", _("Give longitude and latitude, or neither.")))
            continue
        steps = [("building", building_name(record.get("building")))]
        if record.get("unit"):
            steps.append(("unit", unit_name(record.get("unit"))))
        if record.get("door"):
            steps.append(("door", record.get("door")))
        code, new, label = compound.code, False, compound.label
        for n, (kind, name) in enumerate(steps, 1):
            code, fresh = made.place(kind, code, name, record, last=n == len(steps))
            new, label = new or fresh, f"{label} {name}"
        if code in seen and not new:
            message = _("The same as row %(row)s.") % {"row": seen[code]}
            found.errors.append(CellError(record.row, "", message))
            continue
        seen[code] = record.row
        found.changes.append(Change(record.row, CREATE if new else SAME, label))
    drafts = list(made.drafts.values())

    def write() -> Written:
        written = Written()
        written.add(services.create_many(actor, drafts))
        return written

    found.write = write
    return found


kinds = (
    ImportKind(
        "places",
        "楼、单元和门",
        "Buildings, units and doors",
        "building-community",
        FIELDS,
        plan,
        note="每行写一个最低一级的地点；上面缺少的楼和单元会一起建立。",
        note_en="One row for each lowest place; the building and unit above it are made with it.",
        permissions=("parties.manage", "places.manage"),
    ),
)
