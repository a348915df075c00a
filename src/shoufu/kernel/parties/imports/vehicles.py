"""Registered vehicles, with the household that they belong to."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.imports import cells, undoing
from shoufu.kernel.imports.kinds import (
    CHANGE,
    CREATE,
    SAME,
    CellError,
    Change,
    Field,
    ImportKind,
    Plan,
    Record,
    Written,
)
from shoufu.kernel.parties.imports.columns import ADDRESS, BUILDING, COMPOUND, LAST, NUMBER, SINCE, UNIT
from shoufu.kernel.parties.imports.homes import Homes
from shoufu.kernel.parties.models import Vehicle
from shoufu.kernel.parties.selectors import current, today
from shoufu.kernel.parties.services import VehicleDraft, change_vehicles, register_vehicles
from shoufu.kernel.parties.services.changes import VEHICLE_COLUMNS
from shoufu.kernel.places.models import Place

COLOURS = {
    "蓝": "blue",
    "绿": "green",
    "黄": "yellow",
    "白": "white",
    "黑": "black",
    "蓝牌": "blue",
    "绿牌": "green",
    "黄牌": "yellow",
    "蓝色": "blue",
    "绿色": "green",
    "黄色": "yellow",
    "白色": "white",
    "黑色": "black",
    "blue": "blue",
    "green": "green",
    "yellow": "yellow",
    "white": "white",
    "black": "black",
}
FIELDS = (
    Field(
        "plate",
        "车牌号",
        "Plate",
        cells.plate,
        ("车牌", "号牌", "号牌号码", "车牌号码", "车号", "license plate", "plate number"),
        required=True,
        example="辽A12345",
    ),
    Field("colour", "车牌颜色", "Colour", cells.choice(COLOURS), ("颜色", "color"), example="蓝"),
    COMPOUND,
    BUILDING,
    UNIT,
    NUMBER,
    ADDRESS,
    SINCE,
    LAST,
)


def plan(actor: Actor, target: Place, records: Sequence[Record]) -> Plan:
    """Which vehicles of the file are new at their compound, and whose household, colour or span changes."""
    found, homes = Plan(), Homes(target, create=False)
    rows = Vehicle.objects.filter(current(), place__path__startswith=target.path).order_by("pk")
    there = {(row.plate, row.place_id): row for row in rows}
    seen: dict[tuple[str, int], int] = {}
    drafts: list[VehicleDraft] = []
    wanted: dict[int, dict[str, Any]] = {}
    for record in records:
        place, home = _where(record, homes, found.errors)
        until = record.get("last") + timedelta(days=1) if record.get("last") else None
        if place is None or not _span_holds(record, until, found.errors):
            continue
        key = (record.get("plate"), place)
        if key in seen:
            message = _("The same plate as row %(row)s.") % {"row": seen[key]}
            found.errors.append(CellError(record.row, "plate", message))
            continue
        seen[key] = record.row
        known = there.get(key)
        if known is None:
            drafts.append(VehicleDraft(key[0], place, home, record.get("colour", ""), record.get("since"), until))
            found.changes.append(Change(record.row, CREATE, key[0]))
            continue
        change = _change(record, known, home, until)
        if change:
            wanted[known.pk] = change
        found.changes.append(Change(record.row, CHANGE if change else SAME, key[0], tuple(change)))
    found.write = lambda: _write(actor, drafts, wanted)
    return found


def _where(record: Record, homes: Homes, errors: list[CellError]) -> tuple[int | None, int | None]:
    """The compound that the vehicle may enter, and its household where the row names one."""
    if any(record.get(name) for name in ("building", "number", "address")):
        home = homes.find(record, errors)
        return (homes.addresses.compound_of(home[0]), homes.id_of(home)) if home else (None, None)
    compound = homes.addresses.compound(record, errors)
    return (compound.pk if compound else None), None


def _span_holds(record: Record, until: date | None, errors: list[CellError]) -> bool:
    if until is None or until > max(record.get("since") or date.min, today()):
        return True
    errors.append(CellError(record.row, "last", _("The last day is over, or lies before the first.")))
    return False


def _change(record: Record, known: Vehicle, home: int | None, until: date | None) -> dict[str, Any]:
    change: dict[str, Any] = {}
    if home is not None and home != known.household_id:
        change["household_id"] = home
    if record.get("colour") and record.get("colour") != known.colour:
        change["colour"] = record.get("colour")
    if record.get("since") and record.get("since") != known.since:
        change["since"] = record.get("since")
    if "last" in record.values and until != known.until:
        change["until"] = until
    return change


def _write(actor: Actor, drafts: Sequence[VehicleDraft], wanted: dict[int, dict[str, Any]]) -> Written:
    written = Written()
    written.add(register_vehicles(actor, drafts) if drafts else [])
    if wanted:
        before = list(Vehicle.objects.in_bulk(wanted).values())
        after = {row.pk: row for row in change_vehicles(actor, wanted)}
        written.altered += undoing.altered(before, [after[row.pk] for row in before], VEHICLE_COLUMNS)
    return written


VEHICLES = ImportKind(
    "vehicles",
    "车辆",
    "Vehicles",
    "car",
    FIELDS,
    plan,
    note="写明房号的车属于该户；只写车牌的车属于小区。",
    note_en="A car with an address belongs to that household, one with a plate alone to the compound.",
)
