import json
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from shoufu.kernel.access.models import User
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.audit.verify import verify
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.cases.models import Case, CaseEvent, Evidence
from shoufu.kernel.media import services as media
from shoufu.kernel.media import store
from shoufu.kernel.media.models import MediaObject
from shoufu.kernel.notices.models import Endpoint, Notice
from shoufu.kernel.observations import services as observations
from shoufu.kernel.observations.models import ObservationKind
from shoufu.kernel.parties import selectors as people
from shoufu.kernel.parties import services as parties
from shoufu.kernel.parties.models import Person, Vehicle
from shoufu.kernel.parties.services import HouseholdDraft, PersonDraft, ResidencyDraft, VehicleDraft
from shoufu.kernel.privacy import erasure, proofs, services
from shoufu.kernel.privacy.declarations import Identifier, Sort
from shoufu.kernel.privacy.models import Tombstone
from shoufu.kernel.privacy.services import HoldDraft

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nats_server")]
PLATE = "辽AX77Q3"
JPEG = b"\xff\xd8\xff\xe1" + b"\x00\x20Exif\x00\x00" + "摄于欧阳梅香家门口".encode() + b"\xff\xd9"


@pytest.fixture(autouse=True)
def clean_files() -> None:
    """Files of other tests are none of this story's."""
    import shutil

    for folder in (Path(settings.MEDIA_ROOT), Path(settings.HISTORY_ROOT), Path(settings.DATA_ROOT) / "exports"):
        shutil.rmtree(folder, ignore_errors=True)


def observe(world, kind: str, result: dict, foi: str = "", days_ago: float = 0) -> str:
    observations.sync_kinds(SYSTEM)
    observations.make_partitions(SYSTEM)
    row = str(uuid7())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO obs (id, t, known, batch, ix, kind, device, place, shard, foi, result) "
            "VALUES (%s, %s, now(), 1, 0, %s, %s, %s, 0, %s, %s::jsonb)",
            [
                row,
                datetime.now(UTC) - timedelta(days=days_ago),
                ObservationKind.objects.get(code=kind).pk,
                world.controller.pk,
                world.door.pk,
                foi or None,
                json.dumps(result, ensure_ascii=False),
            ],
        )
    return row


def live_here(story, plate: str = PLATE):
    home = parties.create_households(SYSTEM, [HouseholdDraft(story.world.door.pk, "301")])[0]
    parties.move_in(SYSTEM, [ResidencyDraft(story.mei.pk, home.pk)])
    parties.register_vehicles(SYSTEM, [VehicleDraft(plate, story.world.songshan.pk, home.pk)])
    return home


def case_about(story, text: str, number: str = "C-1", state: str = "closed") -> Case:
    now = timezone.now()
    case = Case.objects.create(
        number=number, kind="manual", title=text, severity="low", severity_rank=3, place=story.world.songshan,
        opened_at=now, known_at=now, last_at=now, acknowledged_at=now, state=state,
    )  # fmt: skip
    CaseEvent.objects.create(case=case, kind="note", at=now, known=now, actor="Alice", text=text)
    return case


def everywhere(story) -> None:
    """Mei's traces in every place that the product has."""
    live_here(story)
    world = story.world
    services.give_consent(story.as_mei, "welfare")
    services.grant(story.as_mei, services.GrantDraft(story.lan.pk, ["data.view"]))
    services.ask_correction(story.as_mei, {"phone": "13811113333"}, "换号了")
    people.look(story.as_chen, story.mei.pk, "送快递")
    parties.correct_person(story.as_chen, story.mei.pk, parties.PersonChange(phone="13811112222"), "核对")
    user = story.mei_user
    User.objects.filter(pk=user.pk).update(email="mei@example.org")
    Endpoint.objects.create(user=user, channel="email", address={"email": "mei.notice@example.org"})
    Notice.objects.create(
        id=uuid7(), template="x", user=user, channel="console", subject="欧阳梅香您好", body="访客已到", once="a"
    )
    Notice.objects.create(
        id=uuid7(), template="x", user=world.chen, channel="console", subject="居民 欧阳梅香 来电",
        body="电话 138-1111-2222，车 辽A·X77Q3", once="b",
    )  # fmt: skip
    case_about(story, "欧阳梅香报修，电话 138 1111 2222")
    picture = media.store(
        SYSTEM, media.StoreMedia("snapshot", "image/jpeg", timezone.now(), place_id=world.door.pk), JPEG
    )
    observe(world, "plate.read", {"plate": PLATE, "score": 0.9, "snapshot": str(picture.pk)}, PLATE)
    observe(world, "plate.read", {"plate": PLATE, "score": 0.9}, PLATE, days_ago=2)
    observe(world, "plate.read", {"plate": "辽A00001", "score": 0.9}, "辽A00001", days_ago=2)
    from shoufu.kernel.rules.rehearsal.archive import archive_day

    archive_day(0, (datetime.now(UTC) - timedelta(days=2)).date())
    logs = Path(settings.DATA_ROOT) / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "web.log").write_text("call from 13811112222 by 欧阳梅香\nsomething else\n", encoding="utf-8")


def test_a_dry_run_lists_and_changes_nothing(story) -> None:
    everywhere(story)
    before = AuditEntry.objects.count()
    listed = erasure.erase(story.as_chen, story.mei.pk, "", dry_run=True)
    tables = {gone.table for gone in listed.tables}
    assert {"parties_residency", "parties_vehicle", "notices_notice", "cases_case", "access_user"} <= tables
    assert (listed.observations, listed.history["rows"], listed.media, listed.logs) == (2, 1, 1, {"web.log": 1})
    assert Person.objects.get(pk=story.mei.pk).name == "欧阳梅香" and AuditEntry.objects.count() == before
    assert listed.backups_until


def test_everything_goes_and_the_proof_finds_nothing(story) -> None:
    everywhere(story)
    assert proofs.prove("songshan-mei").remaining > 10
    with pytest.raises(Invalid, match="reason"):
        erasure.erase(story.as_chen, story.mei.pk, " ")
    erasure.erase(story.as_chen, story.mei.pk, "居民申请删除")
    proof = proofs.prove("songshan-mei")
    assert proof.found == [] and proof.remaining == 0
    assert proof.searched["tables"] > 40 and proof.searched["history"] == 1 and proof.searched["logs"] >= 1
    assert not Vehicle.objects.exists() and not MediaObject.objects.exists()
    stone = Tombstone.objects.get()
    assert "欧阳" not in json.dumps([stone.tokens, stone.receipt], ensure_ascii=False) and stone.remaining == 0
    assert verify().whole
    user = User.objects.get(pk=story.mei_user.pk)
    assert (user.username, user.is_active, user.person_id) == (f"erased-{user.pk}", False, None)
    assert (Path(settings.DATA_ROOT) / "logs/web.log").read_text(encoding="utf-8").endswith("something else\n")
    with pytest.raises(Conflict):
        erasure.erase(story.as_chen, story.mei.pk, "again")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM obs")
        assert cursor.fetchone()[0] == 1


def test_a_guard_of_another_compound_cannot_erase(story) -> None:
    for who in (story.world.bob, story.world.alice):
        with pytest.raises(NotFound):
            erasure.erase(story.act(who), story.mei.pk, "x")


PLANTS = {
    "a notice": lambda s: Notice.objects.create(
        id=uuid7(),
        template="x",
        user=s.world.chen,
        channel="console",
        subject="1 3 8 1 1 1 1 2 2 2 2",
        body="",
        once="z",
    ),
    "a table that no model knows": lambda s: connection.cursor().execute(
        "CREATE TEMPORARY TABLE nothing (x text); CREATE TABLE IF NOT EXISTS leftover (note text); "
        "INSERT INTO leftover VALUES ('见欧阳梅香')"
    ),
    "a compressed file": lambda s: (Path(settings.MEDIA_ROOT) / "old.gz").write_bytes(
        __import__("gzip").compress("欧阳梅香".encode())
    ),
    "the text of a picture": lambda s: (Path(settings.MEDIA_ROOT) / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + _chunk(b"zTXt", b"Author\x00\x00" + zlib.compress("欧阳梅香".encode()))
    ),
    "a picture in another encoding": lambda s: (Path(settings.MEDIA_ROOT) / "b.jpg").write_bytes(
        b"\xff\xd8\xff" + "欧阳梅香".encode("gb18030") + b"\xff\xd9"
    ),
    "the name of a file": lambda s: (Path(settings.MEDIA_ROOT) / "欧阳梅香.jpg").write_bytes(b"x"),
    "an export": lambda s: _zip(Path(settings.MEDIA_ROOT) / "c.zip", "people.csv", "name\n欧阳梅香\n"),
    "a log": lambda s: (Path(settings.DATA_ROOT) / "logs/edge.log").write_text(
        "GET /?q=%E6%AC%A7%E9%98%B3%E6%A2%85%E9%A6%99"
    ),
    "a hash of the phone": lambda s: Person.objects.filter(pk=s.lan.pk).update(
        identity=__import__("shoufu.kernel.base.keyring", fromlist=["ring"]).ring().lookup("+8613811112222", "phone")
    ),
    "an audit entry": lambda s: record(SYSTEM, Act("test", data={"name": "欧阳梅香"})),
}


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def _zip(path: Path, name: str, text: str) -> None:
    import zipfile

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)


@pytest.mark.parametrize("where", PLANTS)
def test_a_planted_remainder_is_found(story, where: str) -> None:
    erasure.erase(story.as_chen, story.mei.pk, "x")
    Path(settings.MEDIA_ROOT).mkdir(parents=True, exist_ok=True)
    (Path(settings.DATA_ROOT) / "logs").mkdir(exist_ok=True)
    assert proofs.prove("songshan-mei").remaining == 0
    try:
        PLANTS[where](story)
        assert proofs.prove("songshan-mei").remaining >= 1
    finally:
        (Path(settings.DATA_ROOT) / "logs/edge.log").unlink(missing_ok=True)
        connection.cursor().execute("DROP TABLE IF EXISTS leftover")


def test_a_namesake_and_a_family_car_stay(story) -> None:
    home = live_here(story)
    parties.move_in(SYSTEM, [ResidencyDraft(story.lan.pk, home.pk)])
    parties.create_people(SYSTEM, [PersonDraft("欧阳梅香", story.world.songshan.pk)])
    case_about(story, "欧阳梅香的车 辽AX77Q3")
    done = erasure.erase(story.as_chen, story.mei.pk, "x")
    assert done.shared == 1 and Vehicle.objects.count() == 1
    assert Case.objects.get().title == "欧阳梅香的车 辽AX77Q3"
    assert proofs.prove("songshan-mei").remaining == 0


def test_a_legal_hold_keeps_its_case_and_says_so(story) -> None:
    held, other = case_about(story, "欧阳梅香被骗", "C-1"), case_about(story, "欧阳梅香报修", "C-2")
    picture = media.store(
        SYSTEM, media.StoreMedia("snapshot", "image/jpeg", timezone.now(), place_id=story.world.door.pk), JPEG
    )
    Evidence.objects.create(case=held, kind="snapshot", media=picture, t=timezone.now(), sha256=picture.sha256, data={})
    until = timezone.now() + timedelta(days=90)
    services.hold(story.as_chen, HoldDraft(held.pk, "皇姑公安分局", "诈骗案", until))
    done = erasure.erase(story.as_chen, story.mei.pk, "x")
    assert any("诈骗案" in one.why for one in done.held) and store.path(picture.key).exists()
    held.refresh_from_db(), other.refresh_from_db()
    assert "欧阳梅香" in held.title and "欧阳梅香" not in other.title
    proof = proofs.prove("songshan-mei")
    assert proof.remaining == 0 and len(proof.kept) >= 2


def test_what_an_app_does_not_know_can_be_named_for_the_proof(story) -> None:
    erasure.erase(story.as_chen, story.mei.pk, "x")
    case_about(story, "那位住三楼的老太太")
    extra = [Identifier(Sort.NAME, "住三楼的老太太", "named")]
    assert proofs.prove("songshan-mei").remaining == 0
    assert proofs.prove("songshan-mei", extra).remaining == 2
    with pytest.raises(NotFound):
        proofs.prove("nobody")
