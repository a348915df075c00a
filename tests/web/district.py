"""A small district for the tests of the pages: a compound, its devices, cases, people and some observations."""

import hashlib
import json
import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import cv2
import numpy as np
from django.db import connection
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.cases.lifecycle import RANK, case_kind, limits
from shoufu.kernel.cases.models import Case, CaseEvent, Evidence
from shoufu.kernel.devices.models import Change, Device, Shadow
from shoufu.kernel.media.services import StoreMedia, store
from shoufu.kernel.observations import partitions
from shoufu.kernel.observations.kinds import KERNEL_KINDS
from shoufu.kernel.observations.models import HourlyCount, ObservationKind
from shoufu.kernel.parties.models import Household, Person, Residency, Vehicle
from shoufu.kernel.places.models import Place
from shoufu.kernel.places.services import PlaceDraft, create_many
from shoufu.kernel.rules.models import Firing, Rule, RuleVersion

LONGITUDE, LATITUDE = 123.4120, 41.8290
PASSWORD = "a long enough password"


def at(x: float, y: float) -> list[float]:
    """Degrees of a point `x` metres east and `y` metres north of the compound's south-west corner."""
    return [LONGITUDE + x / (111_320 * math.cos(math.radians(LATITUDE))), LATITUDE + y / 110_900]


def box(x: float, y: float, width: float, height: float) -> dict[str, object]:
    ring = [at(x, y), at(x + width, y), at(x + width, y + height), at(x, y + height), at(x, y)]
    return {"type": "Polygon", "coordinates": [ring]}


def picture(seed: int) -> bytes:
    """A JPEG of a yard with some figures: made here, so that tests need no footage."""
    generator = np.random.default_rng(seed)
    image = np.full((540, 960, 3), (96, 110, 104), np.uint8)
    cv2.rectangle(image, (0, 300), (960, 540), (70, 96, 78), -1)
    cv2.fillPoly(image, [np.array([[0, 420], [960, 250], [960, 360], [0, 540]])], (150, 152, 150))
    for _ in range(4):
        x, y = int(generator.integers(120, 800)), int(generator.integers(200, 360))
        cv2.rectangle(image, (x, y), (x + 26, y + 70), (40, 40, 46), -1)
        cv2.circle(image, (x + 13, y - 10), 11, (90, 110, 150), -1)
    noise = generator.integers(-10, 10, image.shape)
    done, data = cv2.imencode(".jpg", np.clip(image.astype(int) + noise, 0, 255).astype(np.uint8))
    assert done
    return data.tobytes()


@dataclass
class District:
    places: dict[str, Place]
    devices: dict[str, Device]
    users: dict[str, User]
    cases: list[Case]
    rule: Rule


def load(*, now: datetime | None = None, pictures: bool = True) -> District:
    now = now or timezone.now()
    places = _places()
    devices = _devices(places, now)
    users = _users(places)
    _people(places)
    rule = _rule(places)
    cases = _cases(places, devices, users, rule, now, pictures)
    _observations(places, devices, now)
    return District(places, devices, users, cases, rule)


def _places() -> dict[str, Place]:
    drafts = [
        PlaceDraft("district", "huanggu", "皇姑区", name_en="Huanggu", geometry=box(-900, -900, 2200, 2200)),
        PlaceDraft("block", "centre", "中部创新发展区", "huanggu", "Centre", geometry=box(-500, -500, 1400, 1400)),
        PlaceDraft("compound", "songshan", "松山小区", "centre", "Songshan", geometry=box(0, 0, 150, 156)),
        PlaceDraft("compound", "changjiang", "长江小区", "centre", "Changjiang", geometry=box(300, 40, 120, 120)),
        PlaceDraft("gate", "songshan-south", "南门", "songshan", "South gate", geometry=box(65, -2, 20, 5)),
        PlaceDraft("road", "songshan-axis", "中轴路", "songshan", "Axis road", geometry=box(71, 0, 8, 156)),
    ]
    for row in range(4):
        drafts.append(
            PlaceDraft(
                "area",
                f"yard-{row}",
                f"{row * 2 + 1} 号楼北侧",
                "songshan",
                f"North of {row * 2 + 1}",
                geometry=box(5, 147 - row * 34, 140, 6),
            )
        )
        for column in range(2):
            number = row * 2 + column + 1
            x, y = 8 + column * 73, 133 - row * 34
            code = f"songshan-{number}"
            drafts.append(
                PlaceDraft(
                    "building",
                    code,
                    f"{number} 号楼",
                    "songshan",
                    f"Building {number}",
                    number,
                    geometry=box(x, y, 62, 13),
                )
            )
            for unit in range(4):
                place = f"{code}-{unit + 1}"
                drafts.append(PlaceDraft("unit", place, f"{unit + 1} 单元", code, f"Unit {unit + 1}", unit))
                spot = at(x + 8 + unit * 15.5, y - 1)
                drafts.append(
                    PlaceDraft(
                        "door", f"{place}-door", "单元门", place, "Unit door", longitude=spot[0], latitude=spot[1]
                    )
                )
    return {place.code: place for place in create_many(SYSTEM, drafts)}


CAMERAS = (
    ("北院-01", 145, 151, 215),
    ("北院-02", 75, 121, 240),
    ("中院-01", 75, 86, 120),
    ("南院-01", 75, 18, 330),
    ("西南角", 4, 3, 35),
    ("地库-04", 30, 60, 90),
)


def _devices(places: dict[str, Place], now: datetime) -> dict[str, Device]:
    compound = places["songshan"]
    rows: list[Device] = []
    for index, (name, x, y, heading) in enumerate(CAMERAS):
        spot = at(x, y)
        down = index == 5
        rows.append(
            Device(
                code=f"cam-{index + 1}",
                kind="camera",
                name=name,
                name_en=f"Camera {index + 1}",
                place=compound,
                longitude=spot[0],
                latitude=spot[1],
                heading=heading,
                protocol="rtsp",
                status="offline" if down else "online",
                status_since=now - timedelta(minutes=41),
                last_seen=now - timedelta(minutes=41 if down else 0),
            )
        )
    for place in places.values():
        if place.kind != "door":
            continue
        rows.append(
            Device(
                code=f"ctl-{place.code}",
                kind="door_controller",
                name=f"{place.parent.parent.name}{place.parent.name}门禁",
                name_en=f"Door {place.code}",
                place=place,
                longitude=place.longitude,
                latitude=place.latitude,
                status="online",
                status_since=now - timedelta(days=2),
                last_seen=now,
            )
        )
    made = Device.objects.bulk_create(rows)
    doors = [device for device in made if device.kind == "door_controller"]
    Shadow.objects.bulk_create(
        [Shadow(device=device, reported={"state": "closed"}, reported_at=now) for device in doors]
    )
    generator = random.Random(7)
    changes = []
    for device in doors:
        moment = now - timedelta(hours=8)
        state = "closed"
        while moment < now - timedelta(minutes=2):
            changes.append(Change(device=device, property="state", value=state, valid=moment, known=moment))
            state = "open" if state == "closed" else "closed"
            moment += timedelta(seconds=generator.uniform(8, 40) if state == "closed" else generator.uniform(600, 4000))
    Change.objects.bulk_create(changes)
    return {device.code: device for device in made}


def _users(places: dict[str, Place]) -> dict[str, User]:
    users = {}
    for name, label, role, place in (
        ("operator", "值班员", "operator", "huanggu"),
        ("admin", "管理员", "administrator", "huanggu"),
        ("manager", "周经理", "property_manager", "songshan"),
        ("guard", "保安一", "guard", "songshan"),
        ("auditor", "审计员", "auditor", "huanggu"),
        ("stranger", "长江物业", "property_manager", "changjiang"),
    ):
        # Hashing a password costs half a second; whoever needs one sets it.
        user = User.objects.create(username=name, password="!", display_name=label)
        RoleAssignment.objects.create(user=user, role=role, place=places[place], since=timezone.now())
        users[name] = user
    return users


def _people(places: dict[str, Place]) -> None:
    names = "赵钱孙李周吴郑王冯陈褚卫"
    for index, name in enumerate(names):
        unit = places[f"songshan-{index % 8 + 1}-{index % 4 + 1}"]
        household = Household.objects.create(code=f"h-{index}", place=unit, number=str(101 + index))
        person = Person.objects.create(code=f"p-{index}", name=f"{name}某", place=unit)
        Residency.objects.create(person=person, household=household, kind="owner", since=timezone.localdate())
        Vehicle.objects.create(
            plate=f"辽A·{7000 + index}K", household=household, place=places["songshan"], since=timezone.localdate()
        )


SPEC = {
    "kinds": ["zone.dwell"],
    "where": "result.object == 'person' && result.seconds > 180.0",
    "key": "device",
    "schedule": {"days": [1, 2, 3, 4, 5, 6, 7], "from": "22:00", "to": "05:30"},
    "pattern": {"type": "match"},
    "cooldown": 900,
    "severity": "high",
    "case": {"kind": "yard.after_hours"},
    "notify": ["guard"],
}


def _rule(places: dict[str, Place]) -> Rule:
    rule = Rule.objects.create(
        code="songshan-yard", name="夜间区域停留", name_en="Dwell at night", place=places["songshan"]
    )
    RuleVersion.objects.create(
        rule=rule, number=1, spec=SPEC, state="live", author="周经理", live_from=timezone.now(), from_batch=0
    )
    return rule


CASES = (
    ("door.forced", "单元门被强行打开", "critical", "songshan-5-2", None, 0.6),
    ("yard.after_hours", "夜间院内人员徘徊", "high", "yard-1", "cam-2", 1.2),
    ("vehicle.unknown", "消防通道被占", "high", "songshan-south", "cam-5", 2.6),
    ("door.held_open", "门长时间未关", "high", "songshan-1-1", None, 4.1),
    ("device.offline", "独居关怀：今早未见活动", "medium", "songshan-8", None, 22.0),
    ("vehicle.unknown", "未登记车辆入场", "medium", "songshan-south", None, 26.5),
    ("camera.offline", "相机离线", "low", "songshan", "cam-6", 41.0),
)


def _cases(
    places: dict[str, Place],
    devices: dict[str, Device],
    users: dict[str, User],
    rule: Rule,
    now: datetime,
    pictures: bool,
) -> list[Case]:
    version = rule.versions.get()
    made = []
    for index, (kind, title, severity, place, device, minutes) in enumerate(CASES, start=1):
        opened = now - timedelta(minutes=minutes)
        acknowledge_by, resolve_by = limits(case_kind(kind), severity, opened)
        firing = None
        if kind == "yard.after_hours":
            firing = Firing.objects.create(
                version=version,
                key="cam-2",
                t=opened,
                place=places[place],
                device=devices["cam-2"],
                batch=1,
                why=[
                    {
                        "field": "/where",
                        "text": "result.seconds > 180.0",
                        "value": True,
                        "decisive": True,
                        "leaves": [{"path": "result.seconds", "value": 252.0}],
                    }
                ],
            )
        case = Case.objects.create(
            number=f"C-{timezone.localtime(opened):%Y%m%d}-{140 + index:04d}",
            kind=kind,
            title=title,
            severity=severity,
            title_en=case_kind(kind).name_en,
            severity_rank=RANK[severity],
            place=places[place],
            device=devices.get(device or ""),
            opened_at=opened,
            known_at=opened,
            last_at=opened,
            firing=firing,
            rule_version=version if firing else None,
            acknowledge_by=acknowledge_by,
            resolve_by=resolve_by,
            due_at=acknowledge_by,
            role=case_kind(kind).role,
        )
        CaseEvent.objects.create(case=case, kind="raised", at=opened, known=opened, actor="system")
        made.append(case)
    for days in range(1, 6):
        past = now - timedelta(days=days)
        ended = Case.objects.create(
            number=f"C-{timezone.localtime(past):%Y%m%d}-0009",
            kind="yard.after_hours",
            title="夜间院内人员徘徊",
            title_en="Person in the yard after hours",
            severity="high",
            severity_rank=1,
            place=places["yard-1"],
            state="false_alarm" if days < 5 else "resolved",
            opened_at=past,
            known_at=past,
            last_at=past,
            acknowledged_at=past + timedelta(minutes=1),
            acknowledge_by=past + timedelta(minutes=5),
            rule_version=version,
            outcome="等车居民",
        )
        for event, minutes in (("raised", 0), ("acknowledged", 1), (ended.state, 2)):
            moment = past + timedelta(minutes=minutes)
            CaseEvent.objects.create(case=ended, kind=event, at=moment, known=moment, actor="保安一")
    if pictures:
        for code in ("cam-1", "cam-2", "cam-3", "cam-4", "cam-5"):
            data = picture(int(code[-1]))
            media = store(
                SYSTEM,
                StoreMedia("snapshot", "image/jpeg", now - timedelta(minutes=1), device_id=devices[code].pk),
                data,
            )
            if code == "cam-2":
                Evidence.objects.create(
                    case=made[1],
                    kind="snapshot",
                    media=media,
                    t=media.t,
                    sha256=hashlib.sha256(data).digest(),
                    data={"box": [0.24, 0.3, 0.05, 0.16], "label": "人 0.93"},
                )
    return made


def _observations(places: dict[str, Place], devices: dict[str, Device], now: datetime) -> None:
    if not ObservationKind.objects.exists():
        ObservationKind.objects.bulk_create(
            [
                ObservationKind(code=k.code, name=k.name, name_en=k.name_en, schema=k.schema, personal=k.personal)
                for k in KERNEL_KINDS
            ]
        )
    kinds = {kind.code: kind for kind in ObservationKind.objects.all()}
    partitions.make_for([(now - timedelta(days=1)).date(), now.date()])
    generator = random.Random(3)
    doors = [device for device in devices.values() if device.kind == "door_controller"]
    rows = []
    for index in range(40):
        t = now - timedelta(minutes=12 * index + 1)
        result = {"zone": "院内", "object": "person", "seconds": 120.0 + 10 * (index % 30)}
        camera = devices["cam-2"]
        rows.append(
            (
                1,
                t,
                1000 + index,
                uuid7(int(t.timestamp() * 1000)),
                t,
                kinds["zone.dwell"].pk,
                camera.pk,
                camera.place_id,
                0,
                f"track:{index}",
                json.dumps(result),
            )
        )
    counts: dict[tuple[int, int, datetime], int] = {}
    for index in range(900):
        t = now - timedelta(seconds=generator.uniform(1, 8 * 3600))
        device = generator.choice(doors) if index % 3 else devices["cam-2"]
        code = generator.choice(["door.state", "door.access"]) if index % 3 else "object.count"
        result = {
            "door.state": {"state": generator.choice(["open", "closed"])},
            "door.access": {"granted": index % 7 != 0, "credential": "card", "direction": "in"},
            "object.count": {"persons": index % 5, "vehicles": index % 2},
        }[code]
        rows.append(
            (
                1,
                t,
                index,
                uuid7(int(t.timestamp() * 1000)),
                t,
                kinds[code].pk,
                device.pk,
                device.place_id,
                0,
                None,
                json.dumps(result),
            )
        )
        hour = t.replace(minute=0, second=0, microsecond=0)
        key = (device.place_id, kinds[code].pk, hour)
        counts[key] = counts.get(key, 0) + 1
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into obs (batch, known, ix, id, t, kind, device, place, shard, foi, result)"
            " values (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)",
            rows,
        )
        cursor.execute(
            "insert into batch_log (number, key, known, count) values (1, 1, %s, %s) on conflict do nothing",
            [now, len(rows)],
        )
    HourlyCount.objects.bulk_create(
        [HourlyCount(place_id=p, kind_id=k, hour=h, count=n) for (p, k, h), n in counts.items()]
    )
