"""Which place an address in a file means: 5, 5号楼, 5栋 and 5# are one building, 2 and 2单元 one unit."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from django.utils.translation import gettext as _

from shoufu.kernel.imports.kinds import CellError, Record
from shoufu.kernel.places.models import Place

KINDS = ("district", "block", "compound", "building", "unit", "door")
ADDRESS = re.compile(
    r"(?P<building>[0-9A-Za-z]+)(?:号楼|号|栋|幢|座|楼|#|-|—|/)(?:(?P<unit>[0-9A-Za-z]+)(?:单元|门|-|—|/))?"
    r"(?P<number>[0-9A-Za-z]+)[室号户]?"
)
CHINESE = str.maketrans("一二三四五六七八九", "123456789")


@lru_cache(maxsize=16384)
def key(name: str) -> str:
    """What makes two names of buildings or units the same: 5号楼, 5栋, 第5幢, 五号楼 → "5"; others as they are."""
    text = unicodedata.normalize("NFKC", name).casefold()
    text = re.sub(r"[\s·._#\-]", "", text).removeprefix("第")
    bare = re.sub(r"(号楼|楼|栋|幢|座|号|单元|门|梯)$", "", text)
    if len(bare) == 1:
        bare = bare.translate(CHINESE)
    return bare.lstrip("0") or text


def building_name(text: str) -> str:
    """A building's name as it is written here: a bare number gets 号楼."""
    return f"{int(text)}号楼" if text.isdigit() else text


def unit_name(text: str) -> str:
    """A unit's name as it is written here: a bare number gets 单元."""
    return f"{int(text)}单元" if text.isdigit() else text


def split_address(text: str) -> dict[str, str]:
    """Building, unit and number out of 5-2-301 or 5号楼2单元301室; empty where it is neither."""
    match = ADDRESS.fullmatch(re.sub(r"\s", "", unicodedata.normalize("NFKC", text)))
    return {name: value for name, value in match.groupdict().items() if value} if match else {}


class Addresses:
    """The places at and below a target, read once, found by what a file calls them."""

    def __init__(self, target: Place) -> None:
        self.target = target
        rows = list(
            Place.objects.filter(path__startswith=target.path, kind__in=KINDS, closed_at__isnull=True).order_by("path")
        )
        self._by_code = {place.code: place for place in rows}
        self._by_id = {place.pk: place for place in rows}
        self._children: defaultdict[tuple[str, str], list[Place]] = defaultdict(list)
        self._named: dict[tuple[str, str, str], Place] = {}
        self._around: dict[int, int] = {}
        self._compounds = [place for place in rows if place.kind == Place.Kind.COMPOUND]
        for place in rows:
            parent = self._by_id.get(place.parent_id or 0)
            if parent is not None:
                self._children[parent.code, place.kind].append(place)
                for name in (place.code, key(place.name_en), key(place.name)):
                    self._named[parent.code, place.kind, name] = place

    def has_code(self, code: str) -> bool:
        return code in self._by_code

    def child(self, parent: str, kind: str, name: str) -> Place | None:
        """The place of this kind and name in a parent (its code)."""
        return self._named.get((parent, kind, key(name))) or self._named.get((parent, kind, name)) if name else None

    def compound_of(self, place_id: int) -> int:
        """The compound in which a place lies; the place itself where it lies in none."""
        if place_id not in self._around:
            self._around[place_id] = self._find_compound(place_id)
        return self._around[place_id]

    def _find_compound(self, place_id: int) -> int:
        for step in reversed(self._by_id[place_id].path.strip("/").split("/")):
            place = self._by_id.get(int(step))
            if place is not None and place.kind == Place.Kind.COMPOUND:
                return place.pk
        return place_id

    def compound(self, record: Record, errors: list[CellError]) -> Place | None:
        """The compound of a row: named in it, or the target itself, or the only one there is."""
        name = record.get("compound")
        if not name:
            if self.target.kind == Place.Kind.COMPOUND:
                return self.target
            if len(self._compounds) == 1:
                return self._compounds[0]
            errors.append(CellError(record.row, "compound", _("Say which compound; there are several here.")))
            return None
        wanted = key(name)
        found = [place for place in self._compounds if wanted in (key(place.name), key(place.name_en))]
        found = found or [place for place in self._compounds if place.code == name]
        if len(found) == 1:
            return found[0]
        known = ", ".join(place.label for place in self._compounds[:5])
        message = _("There is no compound “%(name)s” here; known are: %(known)s.") % {"name": name, "known": known}
        errors.append(CellError(record.row, "compound", message))
        return None

    def home(self, record: Record, errors: list[CellError]) -> Place | None:
        """The unit (or the building without units) in which the household of a row lies."""
        compound = self.compound(record, errors)
        if compound is None:
            return None
        building = self.child(compound.code, "building", record.get("building", ""))
        if building is None:
            errors.append(CellError(record.row, "building", self._unknown(compound, "building", record)))
            return None
        units = self._children[building.code, "unit"]
        if not record.get("unit"):
            if len(units) <= 1:
                return units[0] if units else building
            errors.append(CellError(record.row, "unit", _("Say which unit; this building has several.")))
            return None
        unit = self.child(building.code, "unit", record.get("unit"))
        if unit is None:
            errors.append(CellError(record.row, "unit", self._unknown(building, "unit", record)))
        return unit

    def _unknown(self, parent: Place, kind: str, record: Record) -> str:
        known = ", ".join(self._names(parent.code, kind)) or "–"
        words = {"name": record.get(kind, ""), "place": parent.label, "known": known}
        return _("There is no “%(name)s” in %(place)s (known: %(known)s); import the buildings first.") % words

    def _names(self, parent: str, kind: str) -> Iterator[str]:
        for place in self._children[parent, kind][:8]:
            yield place.label
