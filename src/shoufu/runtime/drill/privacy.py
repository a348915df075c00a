"""``shoufu drill privacy``: people with traces everywhere, erased, and looked for."""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from shoufu.runtime.bench import stage

if TYPE_CHECKING:
    from shoufu.kernel.places.models import Place
    from shoufu.kernel.privacy.models import Tombstone

log = structlog.get_logger("drill")
SURNAMES = ["欧阳", "上官", "司马", "诸葛", "夏侯", "皇甫", "东方", "尉迟", "公孙", "慕容"]
GIVEN = "梅兰竹菊松柏桐槿荷莲芷若薇茜蓉棠杏枫榆桂"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True)
class Figures:
    """`persons` were erased of twice as many; `remaining` of them was found. `others_whole`: the others stand."""

    persons: int
    remaining: int
    found_before: int
    planted: int
    planted_found: int
    others_whole: bool
    erase_seconds: float
    prove_seconds: float
    searched: dict[str, Any]


@dataclass(frozen=True)
class Body:
    """A made-up person of the drill and all their identifiers."""

    code: str
    name: str
    phone: str
    identity: str
    plate: str
    account: str
    email: str
    pk: int = 0
    user: int = 0


def bodies(count: int) -> list[Body]:
    """Made-up people, all different. Identity numbers have a true check character and the area code of no county."""
    dice, found = random.Random(20261124), []
    names: set[str] = set()
    while len(names) < count:
        names.add(dice.choice(SURNAMES) + "".join(dice.sample(GIVEN, 2)))
    for number, name in enumerate(sorted(names)):
        head = f"999999{1940 + number % 60}0{1 + number % 9}1{number % 9}{number % 1000:03d}"
        check = "10X98765432"[sum(int(d) * w for d, w in zip(head, WEIGHTS, strict=True)) % 11]
        found.append(
            Body(
                code=f"drill-person-{number:04d}x",
                name=name,
                phone=f"199{70000000 + number * 7919 % 9999999:08d}",
                identity=head + check,
                plate=f"辽A{'ABCDEFGH'[number % 8]}{number:03d}Z",
                account=f"drill.user{number:04d}",
                email=f"drill{number:04d}@mail.example",
            )
        )
    return found


def run(persons: int) -> Figures:
    """Make the district with twice as many people, erase `persons` of them, prove, plant, and look again."""
    with stage.stage() as place:
        from shoufu.kernel.base.actor import SYSTEM
        from shoufu.kernel.privacy import erasure, proofs
        from shoufu.kernel.privacy.models import Tombstone

        _settle()
        people = _load(bodies(2 * persons), place.mqtt_port)
        gone, others = people[:persons], people[persons:]
        before = sum(proofs.prove(one.code).remaining for one in gone[:2]) // min(2, len(gone)) * len(gone)
        stood = proofs.prove(others[0].code).remaining
        begun = time.perf_counter()
        for one in gone:
            erasure.erase(SYSTEM, one.pk, "drill")
        erased = time.perf_counter()
        stones = list(Tombstone.objects.all())
        proof = proofs.prove_erased(stones)
        ended = time.perf_counter()
        for line in proof.found[:20]:
            log.error("remaining", **line)
        whole = proofs.prove(others[0].code).remaining == stood
        planted = _plant(gone[0])
        found = _planted_found(stones, proof.remaining)
        return Figures(
            persons, proof.remaining, before, planted, found, whole,
            round(erased - begun, 2), round(ended - erased, 2), proof.searched,
        )  # fmt: skip


def _settle() -> None:
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.observations import services as observations

    observations.sync_kinds(SYSTEM)
    observations.make_partitions(SYSTEM)


def _load(people: Sequence[Body], mqtt_port: int) -> list[Body]:
    """Everybody with a home, car, account, consents, requests, notices, cases, pictures, observations and log lines."""
    from dataclasses import replace

    from shoufu.kernel.access.models import User
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.parties import services as parties
    from shoufu.kernel.parties.services import HouseholdDraft, PersonDraft, ResidencyDraft, VehicleDraft

    sender = stage.senders(1, 1)[0]
    place = _place(sender.place)
    made = parties.create_people(
        SYSTEM, [PersonDraft(one.name, place.pk, one.phone, one.identity, code=one.code) for one in people]
    )
    homes = parties.create_households(SYSTEM, [HouseholdDraft(place.pk, str(1000 + n)) for n in range(len(people))])
    parties.move_in(SYSTEM, [ResidencyDraft(p.pk, h.pk) for p, h in zip(made, homes, strict=True)])
    parties.register_vehicles(
        SYSTEM, [VehicleDraft(one.plate, place.pk, home.pk) for one, home in zip(people, homes, strict=True)]
    )
    users = User.objects.bulk_create(
        [
            User(username=one.account, display_name=one.name, email=one.email, person_id=person.pk, password="!")
            for one, person in zip(people, made, strict=True)
        ]
    )
    known = [replace(one, pk=p.pk, user=u.pk) for one, p, u in zip(people, made, users, strict=True)]
    for one in known:
        _acts(one, place)
    _observe(known, sender, mqtt_port)
    _archive()
    _log_lines(known)
    return known


def _place(place_id: int) -> Place:
    from shoufu.kernel.places.models import Place

    return Place.objects.get(pk=place_id)


def _acts(one: Body, place: Place) -> None:
    """What the person and the staff did: each leaves its traces in tables and in the audit log."""
    from django.utils import timezone

    from shoufu.kernel.access.models import RoleAssignment, User
    from shoufu.kernel.access.selectors import actor_for_user
    from shoufu.kernel.access.services import create_token, signed_in
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.base.ids import uuid7
    from shoufu.kernel.cases import services as cases
    from shoufu.kernel.media import services as media
    from shoufu.kernel.notices.models import Endpoint, Notice
    from shoufu.kernel.parties import selectors, services
    from shoufu.kernel.privacy import services as privacy

    user = User.objects.get(pk=one.user)
    RoleAssignment.objects.create(user=user, role="resident", place=place, since=timezone.now() - timedelta(days=1))
    actor = actor_for_user(user)
    signed_in(user, "password")
    create_token(actor, f"{one.name}的手机")
    privacy.give_consent(actor, "welfare")
    privacy.ask_correction(actor, {"name": one.name + "儿"}, f"我是{one.name}")
    selectors.look(SYSTEM, one.pk, "drill")
    services.correct_person(SYSTEM, one.pk, services.PersonChange(phone=one.phone), "drill")
    case = cases.report(
        SYSTEM,
        cases.CaseReport(place.pk, f"{one.name}报修", text=f"电话 {one.phone[:3]} {one.phone[3:7]} {one.phone[7:]}"),
    )
    cases.note(SYSTEM, case.pk, f"车 {one.plate[:2]}·{one.plate[2:]}，身份证 {one.identity}")
    Endpoint.objects.create(user=user, channel="email", address={"email": one.email})
    Notice.objects.create(
        id=uuid7(), template="drill", user=user, case=case, channel="console", subject=f"{one.name}您好",
        body=f"您的车 {one.plate}", once=one.code,
    )  # fmt: skip
    picture = b"\xff\xd8\xff\xe1\x00\x40Exif\x00\x00" + f"Artist={one.name} {one.plate}".encode() + b"\xff\xd9"
    media.store(SYSTEM, media.StoreMedia("snapshot", "image/jpeg", timezone.now(), place_id=place.pk), picture)
    media.store(
        SYSTEM, media.StoreMedia("snapshot", "image/png", timezone.now(), place_id=place.pk, data={"plate": one.plate}),
        b"\x89PNG\r\n\x1a\n" + one.name.encode("utf-16-le") + b"IEND\xaeB`\x82",
    )  # fmt: skip


def _observe(people: Sequence[Body], sender: stage.Sender, mqtt_port: int) -> None:
    """Plates read today, through the real broker and edge, and the day before yesterday, for the archive."""
    import msgspec
    import paho.mqtt.client as mqtt
    from django.db import connection
    from paho.mqtt.enums import CallbackAPIVersion

    from shoufu.kernel.base.ids import uuid7
    from shoufu.kernel.devices.models import Device
    from shoufu.kernel.observations.models import ObservationKind

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=sender.code)
    client.username_pw_set(sender.code, sender.secret)
    client.connect("127.0.0.1", mqtt_port)
    client.loop_start()
    now = datetime.now(UTC)
    for one in people:
        body = {"kind": "plate.read", "phenomenonTime": now.isoformat(), "featureOfInterest": one.plate,
                "result": {"plate": one.plate, "score": 0.97}}  # fmt: skip
        client.publish(f"obs/{sender.code}", msgspec.json.encode(body), qos=1).wait_for_publish(10)
    client.loop_stop()
    client.disconnect()
    kind, device = ObservationKind.objects.get(code="plate.read"), Device.objects.get(code=sender.code)
    with connection.cursor() as cursor:
        for one in people:
            cursor.execute(
                "INSERT INTO obs (id, t, known, batch, ix, kind, device, place, shard, foi, result) "
                "VALUES (%s, %s, now(), 1, 0, %s, %s, %s, 0, %s, jsonb_build_object('plate', %s::text, 'score', 0.9))",
                [uuid7(), now - timedelta(days=2), kind.pk, device.pk, sender.place, one.plate, one.plate],
            )
        _wait_for(cursor, len(people) * 2)


def _wait_for(cursor: Any, rows: int) -> None:
    for _turn in range(100):
        cursor.execute("SELECT count(*) FROM obs")
        if cursor.fetchone()[0] >= rows:
            return
        time.sleep(0.1)
    cursor.execute("SELECT count(*) FROM obs")
    log.warning("observations missing", there=cursor.fetchone()[0], wanted=rows)


def _archive() -> None:
    from shoufu.kernel.rules.rehearsal.archive import archive_day

    archive_day(0, (datetime.now(UTC) - timedelta(days=2)).date())


def _log_lines(people: Sequence[Body]) -> None:
    from shoufu.runtime import data

    folder = data.layout().logs
    text = "".join(f"GET /people?q={one.name} by {one.account} phone {one.phone}\n" for one in people)
    (folder / "web.log").write_text(text, encoding="utf-8")
    (folder / "web.log.1.gz").write_bytes(gzip.compress(text.encode()))


def _plant(one: Body) -> int:
    """A trace in each kind of place, as a fault would leave it; how many."""
    from django.conf import settings
    from django.db import connection

    from shoufu.kernel.base.ids import uuid7
    from shoufu.kernel.notices.models import Notice
    from shoufu.runtime import data

    layout = data.layout()
    Notice.objects.create(id=uuid7(), template="x", channel="console", subject=one.name, body="", once="planted")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE forgotten (note text)")
        cursor.execute("INSERT INTO forgotten VALUES (%s)", [f"tel {one.phone[:3]}-{one.phone[3:7]}-{one.phone[7:]}"])
    (settings.MEDIA_ROOT / "planted.jpg").write_bytes(b"\xff\xd8\xff" + one.name.encode("gb18030") + b"\xff\xd9")
    (layout.logs / "planted.log").write_text(f"x {one.plate}\n", encoding="utf-8")
    (layout.nats / "planted.blk").write_bytes(b"\x00\x01" + one.identity.encode() + b"\x00")
    settings.HISTORY_ROOT.mkdir(exist_ok=True)
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"foi": [one.plate]}), settings.HISTORY_ROOT / "planted.parquet")
    return 6


def _planted_found(stones: Sequence[Tombstone], already: int) -> int:
    from shoufu.kernel.privacy import proofs

    found = proofs.prove_erased(stones).found
    wanted = ("notices_notice", "forgotten", "planted.jpg", "planted.log", "planted.blk", "planted.parquet")
    return sum(any(line["where"].endswith(name) for line in found) for name in wanted)
