import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.places.models import Place
from shoufu.kernel.places.services import PlaceDraft, create_many

DISTRICT = "huanggu"
SONGSHAN = "songshan"
METRES_A_DEGREE = 111_320.0


@dataclass(frozen=True)
class Compound:
    """A compound of the model: rows of buildings around a spine road, in metres about a WGS-84 centre."""

    code: str
    name: str
    name_en: str
    block: str
    longitude: float
    latitude: float
    rows: int
    units: int
    doors: bool = False
    columns: int = 2
    length: float = 62.0
    depth: float = 13.0
    pitch: float = 34.0
    spine: float = 10.0
    margin: float = 9.0

    @property
    def half_width(self) -> float:
        return (self.columns * self.length + (self.columns - 1) * self.spine) / 2 + self.margin

    @property
    def half_height(self) -> float:
        return self.rows * self.pitch / 2 + self.margin

    def at(self, east: float, north: float) -> tuple[float, float]:
        """Longitude and latitude of a point given in metres from the centre."""
        return offset(self.longitude, self.latitude, east, north)

    def box(self, west: float, south: float, east: float, north: float) -> dict[str, Any]:
        """A rectangle in metres from the centre, as GeoJSON."""
        return polygon([self.at(x, y) for x, y in ((west, south), (east, south), (east, north), (west, north))])

    def building(self, number: int) -> tuple[float, float]:
        """West and south edge of building `number` (from 1, by rows from the north-west), in metres."""
        row, column = divmod(number - 1, self.columns)
        west = -self.half_width + self.margin + column * (self.length + self.spine)
        return west, self.half_height - self.margin - row * self.pitch - 10.0 - self.depth


COMPOUNDS = (
    Compound(SONGSHAN, "松山小区", "Songshan Compound", "centre", 123.4200, 41.8400, rows=4, units=4, doors=True),
    Compound("qishanli", "岐山里小区", "Qishanli Compound", "centre", 123.4296, 41.8454, rows=3, units=3),
    Compound("tawan", "塔湾小区", "Tawan Compound", "south", 123.4052, 41.8262, rows=3, units=3),
    Compound("beihang", "北行家园", "Beihang Gardens", "south", 123.4262, 41.8233, rows=2, units=2, length=48.0),
    Compound("lingdong", "陵东新村", "Lingdong New Village", "north", 123.4353, 41.8584, rows=3, units=2, length=50.0),
)

BLOCKS = (
    ("north", "北部潮玩运动区", "Northern Sport and Play Block", 41.8510, 41.8662),
    ("centre", "中部创新发展区", "Central Innovation Block", 41.8335, 41.8510),
    ("south", "南部休闲商业区", "Southern Leisure and Commerce Block", 41.8150, 41.8335),
)
WEST, EAST = 123.3860, 123.4520

ROADS = (
    ("huanghe", "黄河北大街", "Huanghe North Street", [(123.4213, 41.8155), (123.4212, 41.8405), (123.4218, 41.8658)]),
    ("changjiang", "长江街", "Changjiang Street", [(123.4132, 41.8155), (123.4128, 41.8420), (123.4136, 41.8655)]),
    ("tingjiang", "汀江街", "Tingjiang Street", [(123.4325, 41.8156), (123.4328, 41.8402), (123.4331, 41.8560)]),
    ("minglian", "明廉路", "Minglian Road", [(123.4012, 41.8152), (123.4016, 41.8655)]),
    ("yalujiang", "鸭绿江街", "Yalujiang Street", [(123.4430, 41.8158), (123.4434, 41.8652)]),
    ("chongshan", "崇山路", "Chongshan Road", [(123.3870, 41.8376), (123.4196, 41.8379), (123.4512, 41.8377)]),
    ("taishan", "泰山路", "Taishan Road", [(123.3872, 41.8478), (123.4210, 41.8482), (123.4510, 41.8479)]),
    ("kunshan", "昆山路", "Kunshan Road", [(123.3868, 41.8246), (123.4205, 41.8249), (123.4514, 41.8243)]),
    ("lingdong-road", "陵东街", "Lingdong Street", [(123.3875, 41.8562), (123.4205, 41.8566), (123.4508, 41.8560)]),
)


def offset(longitude: float, latitude: float, east: float, north: float) -> tuple[float, float]:
    """The position so many metres east and north; good to a centimetre over a compound."""
    scale = METRES_A_DEGREE * math.cos(math.radians(latitude))
    return round(longitude + east / scale, 7), round(latitude + north / METRES_A_DEGREE, 7)


def polygon(corners: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """A GeoJSON polygon from its corners."""
    ring = [list(corner) for corner in [*corners, corners[0]]]
    return {"type": "Polygon", "coordinates": [ring]}


def _district() -> Iterator[PlaceDraft]:
    south, north = BLOCKS[-1][3], BLOCKS[0][4]
    outline = [
        (WEST, south),
        (EAST, south),
        (EAST + 0.002, 41.8400),
        (EAST, north),
        (WEST, north),
        (WEST - 0.002, 41.8400),
    ]
    yield PlaceDraft(
        "district", DISTRICT, "皇姑区首府核心片区", name_en="Huanggu Core District", geometry=polygon(outline)
    )
    for sort, (code, name, name_en, low, high) in enumerate(BLOCKS):
        shape = polygon([(WEST, low), (EAST, low), (EAST, high), (WEST, high)])
        yield PlaceDraft("block", code, name, DISTRICT, name_en, sort, shape)
    for sort, (code, name, name_en, line) in enumerate(ROADS):
        shape = {"type": "LineString", "coordinates": [list(point) for point in line]}
        yield PlaceDraft("road", f"road-{code}", name, DISTRICT, name_en, sort, shape)
    yield _square("plaza", "首府广场", "Shoufu Plaza", "centre", 123.4246, 41.8428, 70, 55)
    yield _square("skate", "滑板广场", "Skate Plaza", "north", 123.4168, 41.8602, 45, 35)
    yield _square("market", "北行夜市", "Beihang Night Market", "south", 123.4222, 41.8226, 30, 80)


def _square(
    code: str, name: str, name_en: str, block: str, longitude: float, latitude: float, width: float, height: float
) -> PlaceDraft:
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    shape = polygon([offset(longitude, latitude, x * width / 2, y * height / 2) for x, y in corners])
    return PlaceDraft("area", code, name, block, name_en, geometry=shape)


def compound_drafts(place: Compound) -> Iterator[PlaceDraft]:
    """A compound with its buildings, units and gates; with doors, their doors and its areas too."""
    width, height = place.half_width, place.half_height
    outline = place.box(-width, -height, width, height)
    yield PlaceDraft("compound", place.code, place.name, place.block, place.name_en, geometry=outline)
    for number in range(1, place.rows * place.columns + 1):
        yield from _building(place, number)
    yield _gate(place, "south", "南门", "South Gate", 0.0, -height)
    if not place.doors:
        return
    yield _gate(place, "north", "北门", "North Gate", 0.0, height)
    yield _gate(place, "east", "东门", "East Gate", width, -4.0)
    areas = (
        ("yard", "院内", "Yard", (-width + 1, -height + 1, width - 1, height - 1)),
        ("north-yard", "北院", "North Yard", (-66.0, height - 50.0, -6.0, height - 35.0)),
        ("garden", "中心花园", "Central Garden", (8.0, -14.0, 64.0, -2.0)),
        ("bicycles", "车棚", "Bicycle Shed", (-66.0, -height + 2, -40.0, -height + 7)),
        ("garage", "地下车库", "Underground Garage", (-30.0, -20.0, 30.0, 20.0)),
        ("fire-lane", "消防通道", "Fire Lane", (-4.0, -height + 1, 4.0, height - 1)),
    )
    for sort, (code, name, name_en, box) in enumerate(areas):
        yield PlaceDraft("area", f"{place.code}-{code}", name, place.code, name_en, sort, place.box(*box))


def _gate(place: Compound, code: str, name: str, name_en: str, east: float, north: float) -> PlaceDraft:
    longitude, latitude = place.at(east, north)
    full = f"{place.code}-gate-{code}"
    return PlaceDraft("gate", full, name, place.code, name_en, 100, longitude=longitude, latitude=latitude)


def _building(place: Compound, number: int) -> Iterator[PlaceDraft]:
    west, south = place.building(number)
    code = f"{place.code}-b{number}"
    box = place.box(west, south, west + place.length, south + place.depth)
    yield PlaceDraft("building", code, f"{number}号楼", place.code, f"Building {number}", number, box)
    width = place.length / place.units
    for unit in range(1, place.units + 1):
        left = west + (unit - 1) * width
        box = place.box(left, south, left + width, south + place.depth)
        yield PlaceDraft("unit", f"{code}-u{unit}", f"{unit}单元", code, f"Unit {unit}", unit, box)
        if place.doors:
            longitude, latitude = place.at(left + width / 2, south - 1.0)
            yield PlaceDraft(
                "door", f"{code}-u{unit}-door", "单元门", f"{code}-u{unit}", "Unit Door", 0, None, longitude, latitude
            )


def drafts() -> list[PlaceDraft]:
    """The model district: three blocks, five compounds (Songshan to the last door), roads and squares."""
    return [*_district(), *(draft for compound in COMPOUNDS for draft in compound_drafts(compound))]


def load(actor: Actor) -> None:
    """Make what is missing of the model district's places; a second call changes nothing."""
    wanted = drafts()
    there = set(Place.objects.filter(code__in=[draft.code for draft in wanted]).values_list("code", flat=True))
    create_many(actor, [draft for draft in wanted if draft.code not in there])
