"""From tables to rule sets: what each controller must hold, read in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from shoufu.engines import doors as engine
from shoufu.engines.doors import Flag
from shoufu.kernel.doors import keys
from shoufu.kernel.doors.models import (
    CLONABLE,
    AccessPoint,
    Assignment,
    Credential,
    DoorGroup,
    HashKey,
    LevelDoor,
    Pass,
    Reader,
    Schedule,
    SpecialDay,
    Technology,
)
from shoufu.kernel.doors.spans import DAYS, minutes
from shoufu.kernel.places.models import Place

HOLIDAY = 7
KEEP_REVOKED = timedelta(days=30)
"""So long a withdrawn card is refused as withdrawn; later it is just unknown."""
HOLDERS = 1 << 23
"""Indexes from here on are credentials without a person; below, people."""
TECHNOLOGIES: dict[str, engine.Technology] = {
    Technology.CARD: engine.Technology.CARD,
    Technology.SECURE_CARD: engine.Technology.CARD,
    Technology.PIN: engine.Technology.PIN,
    Technology.QR: engine.Technology.QR,
    Technology.FACE: engine.Technology.FACE,
    Technology.PLATE: engine.Technology.PLATE,
}


def flags_of(row: Credential) -> Flag:
    """A credential's flags in a record."""
    flags = Flag(0)
    for wanted, flag in (
        (row.extended, Flag.EXTENDED),
        (row.duress, Flag.DURESS),
        (row.passback_exempt, Flag.FREE_ROAM),
        (row.first_person, Flag.FIRST_PERSON),
        (row.emergency, Flag.EMERGENCY),
        (row.technology in CLONABLE, Flag.CLONABLE),
        (row.state != Credential.State.ACTIVE, Flag.REVOKED),
    ):
        if wanted:
            flags |= flag
    return flags


def index_of(person: int | None, credential: int) -> int:
    """The number (24 bits) by which a controller knows a holder, for anti-passback."""
    return person % HOLDERS if person is not None else HOLDERS + credential % HOLDERS


@dataclass
class Material:
    """All that the rule sets of some controllers are made of."""

    now: datetime
    points: Mapping[int, list[AccessPoint]]
    """Controller's device id → its points."""
    readers: Mapping[int, list[Reader]]
    levels: Mapping[int, list[LevelDoor]]
    """Point id → the levels with it."""
    assignments: Mapping[int, list[Assignment]]
    """Level id → who has it."""
    by_person: Mapping[int, list[Credential]]
    by_id: Mapping[int, Credential]
    passes: Mapping[int, list[Pass]]
    """Point id → passes."""
    neighbours: Mapping[int, list[int]]
    """Point id → points of other controllers that share its bit in visitors' codes."""
    schedules: Mapping[int, Schedule]
    special_days: Sequence[SpecialDay]
    groups: Mapping[int, DoorGroup]
    hash_epoch: int
    areas: dict[tuple[int, str], int] = field(default_factory=dict)
    flags: dict[int, Flag] = field(default_factory=dict)
    """Credential → its flags, worked out once for all controllers."""

    def area(self, group: int, name: str) -> int:
        """Number of an anti-passback area, the same at all doors of a compound; 0 for none."""
        if not name:
            return 0
        return self.areas[(group, name)]


def _groups(rows: Iterable[Any], key: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, key)].append(row)
    return found


def compound_of(path: str, compounds: Mapping[str, int]) -> int | None:
    """The compound around a place's path, by the compounds' paths."""
    steps = path.strip("/").split("/")
    around = ("/" + "/".join(steps[:end]) + "/" for end in range(len(steps), 0, -1))
    return next((compounds[one] for one in around if one in compounds), None)


def read(controllers: Sequence[int], now: datetime) -> Material:
    """Read what the rule sets of these controllers (device ids) are made of; eleven queries however many."""
    rows = AccessPoint.objects.filter(controller__in=controllers, retired_at__isnull=True)
    points = list(rows.select_related("place").order_by("controller_id", "output"))
    ids = [point.pk for point in points]
    levels = list(LevelDoor.objects.filter(point__in=ids).order_by("pk"))
    still = Q(until__isnull=True) | Q(until__gt=now)
    assignments = list(
        Assignment.objects.filter(still, level__in={row.level_id for row in levels})
        .order_by("pk")
        .only("level_id", "person_id", "credential_id", "since", "until")
    )
    credentials = _credentials(assignments, now)
    compounds = dict(Place.objects.filter(kind=Place.Kind.COMPOUND).values_list("path", "pk"))
    neighbours = sharing(points, compounds)
    passes = _passes([*ids, *{pk for found in neighbours.values() for pk in found}], now)
    groups = {group.place_id: group for group in DoorGroup.objects.select_related("place")}
    hash_key = HashKey.objects.first()
    by_point = {}
    for point in points:
        home = compound_of(point.place.path, compounds)
        if home in groups:
            by_point[point.pk] = groups[home]
    schedules = {row.schedule_id for row in levels} | {point.unlock_schedule_id for point in points}
    material = Material(
        now=now,
        points=_groups(points, "controller_id"),
        readers=_groups(Reader.objects.filter(point__in=ids).order_by("number"), "point_id"),
        levels=_groups(levels, "point_id"),
        assignments=_groups(assignments, "level_id"),
        by_person=_groups((row for row in credentials if row.person_id), "person_id"),
        by_id={row.pk: row for row in credentials},
        passes=passes,
        neighbours=neighbours,
        schedules=Schedule.objects.in_bulk({pk for pk in schedules if pk is not None}),
        special_days=list(SpecialDay.objects.filter(day__gte=(now - timedelta(days=1)).date()).order_by("day")),
        groups=by_point,
        hash_epoch=hash_key.epoch if hash_key else 1,
    )
    _number_areas(material, points)
    return material


def _credentials(assignments: Sequence[Assignment], now: datetime) -> list[Credential]:
    people = {row.person_id for row in assignments if row.person_id}
    own = {row.credential_id for row in assignments if row.credential_id}
    state = Credential.State
    fresh = Q(state__in=[state.SUSPENDED, state.LOST], state_since__gt=now - KEEP_REVOKED)
    rows = Credential.objects.filter(Q(person__in=people) | Q(pk__in=own), Q(state=state.ACTIVE) | fresh)
    lasting = rows.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now), key__isnull=False)
    return list(lasting.defer("secret", "lookup", "label", "holder").order_by("pk"))


def sharing(points: Sequence[AccessPoint], compounds: Mapping[str, int]) -> dict[int, list[int]]:
    """Point id → points of other controllers in its compound with the same bit (one query)."""
    bits = {point.group_bit for point in points if point.group_bit >= 0}
    rows = AccessPoint.objects.filter(group_bit__in=bits, retired_at__isnull=True).order_by("pk")
    by_bit: dict[tuple[int | None, int], list[tuple[int, int]]] = defaultdict(list)
    for pk, bit, controller, path in rows.values_list("pk", "group_bit", "controller_id", "place__path"):
        by_bit[(compound_of(path, compounds), bit)].append((pk, controller))
    return {
        point.pk: [
            pk
            for pk, controller in by_bit[(compound_of(point.place.path, compounds), point.group_bit)]
            if controller != point.controller_id
        ]
        for point in points
        if point.group_bit >= 0
    }


def _passes(points: Sequence[int], now: datetime) -> dict[int, list[Pass]]:
    through = Pass.points.through.objects.filter(accesspoint__in=points, pass__credential__valid_until__gt=now)
    found: dict[int, list[Pass]] = defaultdict(list)
    for row in through.select_related("pass__credential").order_by("pass__credential_id"):
        found[row.accesspoint_id].append(getattr(row, "pass"))
    return found


def _number_areas(material: Material, points: Sequence[AccessPoint]) -> None:
    """Areas are numbered by name, so that two controllers of a compound mean the same one."""
    from zlib import crc32

    for point in points:
        group = material.groups.get(point.pk)
        for name in (point.area_in, point.area_out):
            if name:
                material.areas[(group.pk if group else 0, name)] = crc32(name.encode()) % 0xFFFF + 1


def compiled(material: Material, controller: int, code: str, version: int) -> engine.RuleSet:
    """The rule set of one controller (device id and code)."""
    return _Compiler(material, material.points.get(controller, [])).rule_set(code, version)


class _Compiler:
    def __init__(self, material: Material, points: list[AccessPoint]) -> None:
        self._m = material
        self._points = points
        used = {row.schedule_id for point in points for row in material.levels.get(point.pk, ())}
        used |= {point.unlock_schedule_id for point in points}
        listed = sorted(pk for pk in used if pk is not None)
        self._schedules = {pk: number for number, pk in enumerate(listed, start=1)}
        self._group = next((material.groups[point.pk] for point in points if point.pk in material.groups), None)

    def rule_set(self, code: str, version: int) -> engine.RuleSet:
        issued = int(self._m.now.timestamp())
        return engine.RuleSet(
            version=version, issued_at=issued, settings=self._settings(code), credentials=self._records()
        )

    def _settings(self, code: str) -> engine.Settings:
        group = self._group
        takes_codes = any(reader.technology == Technology.QR for reader in self._readers())
        return engine.Settings(
            controller=code,
            zone=self._points[0].place.time_zone if self._points else "Asia/Shanghai",
            hash_key=keys.hash_key(self._m.hash_epoch),
            qr_key=keys.qr_key(group.place.code, group.epoch) if group and takes_codes else b"",
            group=group.number if group else 0,
            doors=tuple(self._door(point) for point in self._points),
            readers=tuple(self._reader_list()),
            schedules=tuple(self._schedule(self._m.schedules[pk], number) for pk, number in self._schedules.items()),
            special_days=tuple(self._special_days()),
        )

    def _readers(self) -> list[Reader]:
        return [reader for point in self._points for reader in self._m.readers.get(point.pk, ())]

    def _door(self, point: AccessPoint) -> engine.Door:
        others = [other for other in self._points if other.pk != point.pk and other.interlock == point.interlock]
        return engine.Door(
            number=point.output - 1,
            code=point.code,
            name=point.name,
            group_bit=point.group_bit,
            pulse=float(point.release_seconds),
            extended_pulse=float(point.extended_seconds),
            held=float(point.held_seconds),
            extended_held=float(point.held_seconds * 2),
            warning=float(point.warn_seconds),
            unlock_schedule=self._schedules.get(point.unlock_schedule_id or 0, engine.NEVER),
            first_person=point.first_person_in,
            interlock=tuple(other.output - 1 for other in others) if point.interlock else (),
            tailgating=point.counter_id is not None,
            contact=point.has_contact,
            bolt=point.has_bolt,
            fire_zone=point.fire_zone,
        )

    def _reader_list(self) -> Iterable[engine.Reader]:
        """Readers are numbered over the controller: output × 8 + the reader's own number."""
        for point in self._points:
            group = self._m.groups.get(point.pk)
            inside, outside = (
                self._m.area(group.pk if group else 0, name) if point.passback != AccessPoint.Passback.OFF else 0
                for name in (point.area_in, point.area_out)
            )
            for reader in self._m.readers.get(point.pk, ()):
                leads_in = reader.side == Reader.Side.IN
                yield engine.Reader(
                    number=reader_number(point.output, reader.number),
                    door=point.output - 1,
                    side=engine.Side(reader.side),
                    area_from=outside if leads_in else inside,
                    area_to=inside if leads_in else outside,
                )

    def _schedule(self, schedule: Schedule, number: int) -> engine.Schedule:
        spans = []
        for span in schedule.spans:
            start, end = minutes(span["from"]) or 0, minutes(span["to"]) or 0
            spans += [(DAYS.index(day), start, end) for day in span["days"]]
        return engine.Schedule(number=number, name=schedule.name, spans=tuple(spans), special=(HOLIDAY,))

    def _special_days(self) -> Iterable[engine.SpecialDay]:
        if not self._points:
            return
        path = self._points[0].place.path
        around = {int(step) for step in path.strip("/").split("/")}
        found: dict[str, engine.SpecialDay] = {}
        # A row of a place comes before one that holds everywhere.
        for row in sorted(self._m.special_days, key=lambda row: row.place_id is not None):
            if row.place_id is None or row.place_id in around:
                kind = HOLIDAY if row.kind == SpecialDay.Kind.HOLIDAY else (row.stands_for or 1) - 1
                found[row.day.isoformat()] = engine.SpecialDay(row.day.isoformat(), kind)
        yield from (found[day] for day in sorted(found))

    def _records(self) -> list[engine.Credential]:
        masks: dict[tuple[int, int, int | None, int], int] = defaultdict(int)
        for point in self._points:
            bit = 1 << point.output - 1
            for door in self._m.levels.get(point.pk, ()):
                number = self._schedules.get(door.schedule_id, engine.ALWAYS) if door.schedule_id else engine.ALWAYS
                for credential, since, until in self._holders(door.level_id):
                    masks[(credential.pk, since, until, number)] |= bit
        records = [
            self._record(self._m.by_id[pk], since, until, number, mask)
            for (pk, since, until, number), mask in masks.items()
        ]
        return records + list(self._withdrawn_passes())

    def _holders(self, level: int) -> Iterable[tuple[Credential, int, int | None]]:
        for row in self._m.assignments.get(level, ()):
            if row.person_id is None:
                own = self._m.by_id.get(row.credential_id or 0)
                found = [own] if own is not None else []
            else:
                found = self._m.by_person.get(row.person_id, [])
            for credential in found:
                since = max(credential.valid_from, row.since)
                ends = [end for end in (credential.valid_until, row.until) if end is not None]
                yield credential, int(since.timestamp()), int(min(ends).timestamp()) if ends else None

    def _record(self, row: Credential, since: int, until: int | None, number: int, mask: int) -> engine.Credential:
        flags = self._m.flags.get(row.pk)
        if flags is None:
            flags = self._m.flags[row.pk] = flags_of(row)
        return engine.Credential(
            key=bytes(row.key or b""),
            technology=TECHNOLOGIES[row.technology],
            valid_from=since,
            valid_until=until,
            schedule=number,
            doors=mask,
            person=index_of(row.person_id, row.pk),
            flags=flags,
            lease_days=row.lease_days,
        )

    def _withdrawn_passes(self) -> Iterable[engine.Credential]:
        """A pass carries its own rights; a controller holds a record of it only to refuse it: because it was withdrawn,
        or is for a door that shares its bit."""
        seen = set()
        wanted = {visit.pk for point in self._points for visit in self._m.passes.get(point.pk, ())}
        for point in self._points:
            foreign = [
                visit for other in self._m.neighbours.get(point.pk, ()) for visit in self._m.passes.get(other, ())
            ]
            for visit in (*self._m.passes.get(point.pk, ()), *foreign):
                row = visit.credential
                welcome = row.state == Credential.State.ACTIVE and visit.pk in wanted
                if visit.windows or welcome or row.pk in seen or row.key is None:
                    continue
                seen.add(row.pk)
                yield withdrawn_pass(row)


def withdrawn_pass(row: Credential) -> engine.Credential:
    """The record by which a door refuses a pass."""
    return engine.Credential(
        key=bytes(row.key or b""),
        technology=engine.Technology.VISITOR,
        valid_from=int(row.valid_from.timestamp()),
        valid_until=int(row.valid_until.timestamp()) if row.valid_until else None,
        person=index_of(None, row.pk),
        flags=Flag.REVOKED,
        lease_days=0,
    )


def reader_number(output: int, number: int) -> int:
    """A reader's number on its controller from its point's output and its own number there."""
    return output * 8 + number
