"""Who is erased keeps nothing here but what a law demands, and that lies where no page and no program finds it."""

import json
import shutil
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.test import Client
from django.utils import timezone

from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.audit.models import AuditEntry, SubjectKey
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.parties import services as parties
from shoufu.kernel.privacy import declarations, deposits, erasure, proofs
from shoufu.kernel.privacy import services as privacy
from shoufu.kernel.privacy.models import Deposit, DepositPart, Tombstone
from shoufu.runtime.commands.privacy.hand_over import command as hand_over
from shoufu.runtime.commands.privacy.kept import command as kept
from shoufu.runtime.errors import Problem
from shoufu.scenes.homecare.assessment import services as assessment
from shoufu.scenes.homecare.careplans.models import Handover
from shoufu.scenes.homecare.careplans.services import handovers, plans, readings
from shoufu.scenes.homecare.encounters import services
from shoufu.scenes.homecare.encounters.models import Encounter, Photo
from shoufu.scenes.homecare.fhir import services as fhir
from shoufu.scenes.homecare.fhir.models import Stored
from shoufu.scenes.homecare.register.models import Patient, ServiceVersion
from shoufu.scenes.homecare.register.services import common
from shoufu.scenes.homecare.visits import services as visits

pytestmark = pytest.mark.django_db
TERM = timedelta(days=5479)


@pytest.fixture
def cared(visiting: Any) -> Any:
    """Song visited Mei, with a picture; another program wrote about her."""
    phone, visit, picture = visiting.phone, visiting.visit, sys.modules["care_phone"].jpeg()
    phone.send(phone.line(visit, "consent", {"service": True, "photos": True}))
    line = phone.photo(visit, picture)
    phone.send(line)
    services.piece(visiting.care.act("song"), UUID(line.content["media"]), 0, picture)
    subject = {"reference": f"Patient/patient-{visiting.care.mei.pk}"}
    content = {"resourceType": "Observation", "status": "final", "code": {"text": "血糖偏高"}, "subject": subject}
    kept = fhir.create(visiting.care.act("gao"), content, "")
    fhir.update(visiting.care.act("gao"), "Observation", kept.id, content | {"status": "amended"}, "", None)
    visiting.picture = picture
    return visiting


def opened(deposit: Deposit, folder: Path, number: int = 1) -> dict[str, bytes]:
    target = folder / f"handed-{number}.zip"
    deposits.hand_over(SYSTEM, deposit.pk, "卫生健康委", "调查函 7 号", target)
    assert target.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(target) as made:
        return {name: made.read(name) for name in made.namelist()}


def test_records_of_care_are_put_away_when_their_person_is_erased(cared: Any, tmp_path: Path) -> None:
    mei, until = cared.care.people["mei"], timezone.localdate() + TERM
    (told,) = [one for one in erasure.erase(SYSTEM, mei.pk, "", dry_run=True).held if one.what == "居家护理病历"]
    assert told.until == until and "十五年" in told.why and told.count >= 4
    assert not Deposit.objects.exists()
    erasure.erase(SYSTEM, mei.pk, "她的请求")
    for model in (Encounter, Photo, Stored, Patient):
        assert not model.objects.exists()
    deposit = Deposit.objects.get()
    assert (deposit.until, deposit.count, deposit.person) == (until, told.count, mei.pk)
    assert all("欧阳梅".encode() not in bytes(part.content) for part in DepositPart.objects.all())
    assert Tombstone.objects.get().receipt["held"][0]["until"] == until.isoformat()
    found = opened(deposit, tmp_path)
    assert json.loads(found["person.json"])[0]["name"] == "欧阳梅"
    entries = json.loads(found["homecare_encounters_encounter-1.json"])[0]["entries"]
    assert any(one["kind"] == "consent" for one in entries)
    assert cared.picture in found.values()
    assert "血糖偏高" in found["homecare_fhir_stored-1.json"].decode()
    assert '\\"final\\"' in found["homecare_fhir_storedversion-1.json"].decode()
    entry = AuditEntry.objects.get(action="privacy.hand_over")
    assert (entry.subject, entry.reason) == (mei.pk, "卫生健康委: 调查函 7 号")


def test_only_who_answers_for_privacy_there_hands_them_over_and_says_why(cared: Any, tmp_path: Path) -> None:
    erasure.erase(SYSTEM, cared.care.people["mei"].pk, "她的请求")
    deposit, target = Deposit.objects.get(), tmp_path / "x.zip"
    for name in ("gao", "song", "other"):
        actor = cared.care.act(name)
        assert not deposits.deposits(actor).exists()
        with pytest.raises(NotFound):
            deposits.hand_over(actor, deposit.pk, "卫生健康委", "调查函 7 号", target)
    chen = actor_for_user(cared.care.world.chen)
    assert deposits.deposits(chen).get() == deposit
    with pytest.raises(Invalid) as refused:
        deposits.hand_over(chen, deposit.pk, " ", "", target)
    assert [one.field for one in refused.value.errors] == ["authority", "reason"] and not target.exists()


def test_they_outlive_a_change_of_keys_and_end_on_their_day(cared: Any, tmp_path: Path) -> None:
    erasure.erase(SYSTEM, cared.care.people["mei"].pk, "她的请求")
    deposit, old = Deposit.objects.get(), keyring.ring().active
    keyring.rotate()
    parties.reencrypt(SYSTEM)
    keyring.drop(old)
    assert "person.json" in opened(deposit, tmp_path)
    assert deposits.expire(timezone.now() + TERM - timedelta(days=1)) == 0
    assert deposits.expire(timezone.now() + TERM) == 1
    assert not DepositPart.objects.exists()
    assert bytes(SubjectKey.objects.get(subject=deposits.NUMBER - deposit.pk).key) == b""


def test_the_proof_finds_nothing_left_beside_a_deposit(cared: Any) -> None:
    shutil.rmtree(Path(settings.DATA_ROOT) / "exports", ignore_errors=True)  # files of other tests
    code = cared.care.people["mei"].code
    erasure.erase(SYSTEM, cared.care.people["mei"].pk, "她的请求")
    assert Deposit.objects.exists()
    proof = proofs.prove(code)
    assert proof.remaining == 0, proof.found


def test_what_no_law_keeps_any_more_is_erased_whole(cared: Any) -> None:
    Patient.objects.update(ended_at=timezone.now() - TERM)
    outcome = erasure.erase(SYSTEM, cared.care.people["mei"].pk, "她的请求")
    assert not outcome.held and not Deposit.objects.exists() and not Encounter.objects.exists()


def test_mei_reads_what_stays_before_she_asks_and_who_answers_reads_it_too(cared: Any) -> None:
    until = (timezone.localdate() + TERM).isoformat()
    shown = cared.care.client("mei").get("/privacy/correct/").content.decode()
    assert f"依法留存至 {until}" in shown and "自最后一次就诊起保存不少于十五年" in shown
    asked = privacy.ask_erasure(cared.care.act("mei"), "搬走了")
    chen = Client()
    chen.force_login(cared.care.world.chen)
    page = f"/privacy/requests/{asked.pk}/"
    assert until in chen.get(page).content.decode()
    told = chen.post(page, {"done": "1", "text": "已删除"}, follow=True).content.decode()
    assert f"依法留存至 {until}" in told
    assert until in chen.get("/privacy/register/").content.decode()


def test_the_commands_list_deposits_and_hand_one_over(cared: Any, tmp_path: Path) -> None:
    code = cared.care.people["mei"].code
    erasure.erase(SYSTEM, cared.care.people["mei"].pk, "她的请求")
    told = json.loads(CliRunner().invoke(kept, [code, "--json"]).stdout)
    assert told["until"] == (timezone.localdate() + TERM).isoformat() and "Article 29" in told["law"]
    asked = [str(told["deposit"]), str(tmp_path / "a.zip"), "--authority", "卫生健康委", "--reason", "函 7"]
    assert CliRunner().invoke(hand_over, asked).exit_code == 0 and (tmp_path / "a.zip").exists()
    again = CliRunner().invoke(hand_over, asked)
    assert isinstance(again.exception, Problem) and "Name a new file" in str(again.exception)
    nobody = CliRunner().invoke(kept, ["nobody"])
    assert isinstance(nobody.exception, Problem)


def test_every_part_of_the_record_is_put_away(cared: Any, tmp_path: Path) -> None:
    """Prescription, assessment, care plan, reading and letter beside what was written at the visit."""
    care, today = cared.care, timezone.localdate()
    draft = visits.PrescriptionDraft(
        patient=care.mei.pk, service=care.service.pk, issued_on=today, last_day=today, drug="藻酸盐敷料", dose="一片",
        prescriber="王医生", hospital="市医院",
    )  # fmt: skip
    ServiceVersion.objects.update(needs_prescription=True)
    visits.add_prescription(care.act("mei"), draft, mine=True)
    answered = assessment.begin(care.act("gao"), care.mei.pk, care.service.pk).responses.get()
    answers = {"history": 25, "diagnosis": 15, "aid": 0, "infusion": 0, "gait": 10, "insight": 0}
    assessment.answer(care.act("gao"), answered.pk, answers)
    plan = plans.make(care.act("song"), care.mei.pk, plans.PlanDraft("hypertension", "hypertension-primary-2019"))
    reading = readings.ReadingDraft(uuid4(), "glucose", {"glucose": 6.1}, context="fasting")
    readings.add(care.act("song"), care.mei.pk, reading)
    letter = common.sealed(care.people["mei"].pk, {"reason": "血压高", "trend": "上升"}, handovers.LETTER)
    Handover.objects.create(plan=plan, document=letter, sent_at=timezone.now())
    erasure.erase(SYSTEM, care.people["mei"].pk, "她的请求")
    found = opened(Deposit.objects.get(), tmp_path)
    told = "".join(content.decode() for name, content in found.items() if name.endswith(".json"))
    for text in ("藻酸盐敷料", "王医生", '"gait": 10', "高血压", "6.1", "上升", "宋晓燕"):
        assert text in told, text
    declared = {one.table._meta.db_table for one in declarations.holdings() if one.duty and (one.keep or one.export)}
    missing = {name for name in declared if f"{name}-1.json" not in found}
    assert missing <= {"homecare_careplans_done"}, missing
