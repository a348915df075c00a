import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from django.utils import timezone

from shoufu.engines.evidence import verify
from shoufu.engines.evidence.age import decrypt
from shoufu.kernel.access.models import RoleAssignment
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM, Actor, Grant
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.cases.evidence import Exhibit, attach_many
from shoufu.kernel.cases.models import Case, Evidence
from shoufu.kernel.cases.services import RaisedCase, raise_cases
from shoufu.kernel.devices.models import Device
from shoufu.kernel.evidence import keys, selectors, services
from shoufu.kernel.evidence.making import run
from shoufu.kernel.evidence.models import Export
from shoufu.kernel.evidence.services import ExportDraft
from shoufu.kernel.media import services as media
from shoufu.kernel.media import store
from shoufu.kernel.privacy.models import LegalHold


def picture() -> bytes:
    noise = np.random.default_rng(3).integers(0, 255, (180, 320, 3)).astype(np.uint8)
    return cv2.imencode(".jpg", cv2.GaussianBlur(noise, (9, 9), 0))[1].tobytes()


@pytest.fixture
def case(stage: Any, world: Any, settings: Any, tmp_path: Path) -> Case:
    settings.MEDIA_ROOT, settings.DATA_ROOT, settings.KEYS_ROOT = tmp_path / "m", tmp_path, tmp_path / "keys"
    camera = Device.objects.create(code="cam-1", kind="camera", name="北院-01", place=world.door)
    made = raise_cases(SYSTEM, [RaisedCase(stage.firing(world), kind="door.forced", severity="high", notify=())])[0]
    now = timezone.now()
    shot = media.store(SYSTEM, media.StoreMedia("snapshot", "image/jpeg", now, device_id=camera.pk), picture())
    attach_many([(made, Exhibit("snapshot", now, media=shot.pk))])
    return made


@pytest.fixture
def no_people(monkeypatch: Any) -> None:
    """A detector that finds nobody, where the model is not installed; what it finds is tested in engines/blur."""
    from shoufu.engines.vision import Detections
    from shoufu.kernel.evidence.making import pictures

    class Nobody:
        def detect(self, image: Any) -> Detections:
            return Detections.empty()

    monkeypatch.setattr(pictures.Copier, "_find", lambda self: Nobody())


pytestmark = pytest.mark.usefixtures("no_people")


def ask(world: Any, case: Case, **more: Any) -> Export:
    draft = ExportDraft(case.pk, "松山派出所", "立案侦查", **more)
    return services.request_export(world.act(world.chen), draft)


def made(world: Any, case: Case, **more: Any) -> Export:
    export = ask(world, case, **more)
    run(export.pk)
    export.refresh_from_db()
    assert export.state == "done", export.error
    return export


def test_a_manager_hands_a_bundle_over_that_verifies_anywhere(world, case):
    export = made(world, case)
    path = services.path_of(export)
    report = verify(path, keys.own_fingerprint())
    assert report.ok and report.trusted
    manifest = report.manifest
    assert (manifest.export, manifest.recipient, manifest.exporter) == (export.number, "松山派出所", "Chen")
    assert manifest.case["number"] == case.number
    given = next(file for file in manifest.files if file.role == "given")
    assert given.original_sha256 == bytes(case.evidence.get(kind="snapshot").sha256).hex()
    assert given.sha256 != given.original_sha256
    with zipfile.ZipFile(path) as archive:
        page = archive.read("index.html").decode()
        custody = json.loads(archive.read("data/custody.json"))
    assert "松山派出所" in page and "http" not in page.replace("http-equiv", "")
    assert "evidence.export" in {entry["action"] for entry in custody}


def test_the_command_line_checks_a_bundle_and_fails_on_a_changed_one(world, case, tmp_path):
    from shoufu.runtime.commands.evidence.verify import command

    export = made(world, case)
    copy = tmp_path / "copy.zip"
    copy.write_bytes(services.path_of(export).read_bytes())
    done = CliRunner().invoke(command, [str(copy), "--json", "--key", keys.own_fingerprint()])
    assert (done.exit_code, json.loads(done.output)["ok"]) == (0, True)
    broken = bytearray(copy.read_bytes())
    broken[len(broken) // 2] ^= 4
    copy.write_bytes(broken)
    done = CliRunner().invoke(command, [str(copy), "--json"])
    assert (done.exit_code, json.loads(done.output)["ok"]) == (1, False)
    assert CliRunner().invoke(command, [str(copy)]).exit_code == 1


def test_originals_are_sealed_to_the_recipient_and_not_kept_in_clear(world, case, tmp_path):
    from shoufu.runtime.commands.evidence.open import command

    export = made(world, case, passphrase="correct horse battery")
    assert export.secret is None
    path = services.path_of(export)
    with zipfile.ZipFile(path) as archive, archive.open("sealed/originals.zip.age") as source:
        plain = b"".join(decrypt(source, passphrase="correct horse battery"))
    assert picture() in plain
    (tmp_path / "word").write_text("correct horse battery")
    done = CliRunner().invoke(command, [str(path), str(tmp_path / "out"), "--passphrase-file", str(tmp_path / "word")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "001.jpg").read_bytes() == picture()
    (tmp_path / "word").write_text("wrong")
    done = CliRunner().invoke(command, [str(path), str(tmp_path / "out"), "--passphrase-file", str(tmp_path / "word")])
    assert done.exit_code == 1 and "does not open" in done.output
    # Without a passphrase the original stays here, and the manifest says so.
    assert any("stay with the issuer" in note for note in verify(services.path_of(made(world, case))).manifest.notes)


def test_faces_stay_blurred_unless_right_and_reason_say_otherwise(world, case):
    with pytest.raises(Invalid, match="sharp_reason"):
        ask(world, case, sharp="all")
    with pytest.raises(Forbidden):
        ask(world, case, sharp="all", sharp_reason="嫌疑人辨认")
    RoleAssignment.objects.create(user=world.chen, role="operator", place=world.district, since=timezone.now())
    export = made(world, case, sharp="all", sharp_reason="嫌疑人辨认")
    original = next(file for file in verify(services.path_of(export)).manifest.files if file.role == "original")
    assert original.sha256 == original.original_sha256


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"recipient": " "}, "recipient"),
        ({"reason": ""}, "reason"),
        ({"passphrase": "short"}, "passphrase"),
        ({"recipient_key": "age1nonsense"}, "recipient_key"),
        ({"days": 0}, "days"),
        ({"sharp": "some"}, "sharp"),
    ],
)
def test_what_is_missing_is_named_by_field(world, case, change, field):
    draft = {"case_id": case.pk, "recipient": "a", "reason": "b"} | change
    with pytest.raises(Invalid) as refusal:
        services.request_export(world.act(world.chen), ExportDraft(**draft))
    assert field in {error.field for error in refusal.value.errors}


def test_who_may_not_export_does_not_and_neighbours_see_nothing(world, case):
    with pytest.raises(Forbidden):
        services.request_export(world.act(world.alice), ExportDraft(case.pk, "a", "b"))
    with pytest.raises(NotFound):
        services.request_export(world.act(world.bob), ExportDraft(case.pk, "a", "b"))
    export = made(world, case)
    far = Actor("user", "999", "x", (Grant("x", world.changjiang.path, frozenset({"evidence.export"})),))
    with pytest.raises(NotFound):
        services.download(far, export.pk)


def test_a_picture_that_was_changed_on_the_disk_gets_no_signature(world, case):
    item = case.evidence.get(kind="snapshot").media
    store.path(item.key).write_bytes(picture() + b"x")
    export = ask(world, case)
    run(export.pk)
    export.refresh_from_db()
    assert export.state == "failed" and export.secret is None
    store.path(item.key).unlink()
    again = ask(world, case)
    run(again.pk)
    again.refresh_from_db()
    assert again.state == "failed"


def test_downloads_are_counted_and_the_bundle_goes_when_its_time_is_over(world, case):
    export = made(world, case, days=1)
    chen = world.act(world.chen)
    _, path = services.download(chen, export.pk)
    services.download(chen, export.pk)
    export.refresh_from_db()
    assert export.downloads == 2
    assert [entry.action for entry in selectors.custody(chen, export)].count("evidence.download") == 2
    assert services.expire(timezone.now() + timedelta(hours=23)) == 0
    assert path.is_file()


@pytest.mark.django_db(transaction=True)
def test_an_expired_bundle_is_deleted_from_the_disk(world, case):
    export = made(world, case, days=1)
    path = services.path_of(export)
    assert services.expire(timezone.now() + timedelta(hours=25)) == 1
    assert not path.exists()
    with pytest.raises(Conflict):
        services.download(world.act(world.chen), export.pk)
    assert AuditEntry.objects.filter(action="evidence.expire").count() == 1


def test_a_hold_keeps_what_the_retention_would_let_go(world, case):
    Case.objects.filter(pk=case.pk).update(
        state="closed", acknowledged_at=timezone.now(), closed_at=timezone.now() - timedelta(days=400)
    )
    chen = world.act(world.chen)
    services.place_hold(chen, case.pk, "法院调取", timezone.localdate() + timedelta(days=90))
    with pytest.raises(Conflict):
        services.place_hold(chen, case.pk, "法院调取", timezone.localdate() + timedelta(days=90))
    assert services.release_old() == 0
    services.lift_hold(chen, case.pk, "案件审结")
    assert services.release_old() == 1
    kept = Evidence.objects.get(case=case, kind="snapshot")
    assert kept.media is None and bytes(kept.sha256)
    assert media.expire(timezone.now() + timedelta(minutes=1)) == 1


def test_an_authority_s_hold_keeps_it_too_until_it_ends(world, case):
    now = timezone.now()
    Case.objects.filter(pk=case.pk).update(state="closed", acknowledged_at=now, closed_at=now - timedelta(days=400))
    hold = LegalHold.objects.create(
        case=case, authority="法院", reason="调取", since=now - timedelta(days=9), until=now + timedelta(days=9)
    )
    assert services.release_old() == 0
    LegalHold.objects.filter(pk=hold.pk).update(until=now - timedelta(days=1))
    assert services.release_old() == 1
