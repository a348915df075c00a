from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.parties import services as parties
from shoufu.scenes.homecare.assessment import services as assessment
from shoufu.scenes.homecare.register import selectors, services
from shoufu.scenes.homecare.register.models import Patient, Practitioner, ServiceVersion


def test_a_version_in_use_is_never_changed_a_new_one_begins_on_its_day(care: Any) -> None:
    gao, today = care.act("gao"), timezone.localdate()
    story = __import__("care_story")
    with pytest.raises(Invalid, match="since"):
        services.publish(gao, care.service.pk, replace(story.WOUND, price=1))
    made = services.publish(gao, care.service.pk, replace(story.WOUND, price=19800, since=today + timedelta(days=7)))
    assert made.number == 2
    held = selectors.version_on(care.service.pk, today + timedelta(days=6))
    later = selectors.version_on(care.service.pk, today + timedelta(days=7))
    assert held is not None and later is not None
    assert (held.price, later.price) == (16800, 19800)
    assert selectors.version_on(care.service.pk, today - timedelta(days=1)) is None
    services.close_service(gao, care.service.pk, "不再提供")
    assert selectors.version_on(care.service.pk, today) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"duration_minutes": 0}, "duration_minutes"),
        ({"insurance_share": 101}, "insurance_share"),
        ({"contraindications": ("gout",)}, "contraindications"),
        ({"instruments": ("unknown",)}, "instruments"),
        ({"second": "simultaneous"}, "performers"),
        ({"gap_most": 5}, "gap_most"),
        ({"materials": [{"name": "纱布", "quantity": -1}]}, "materials"),
        ({"performers": [services.PerformerDraft(("plumber",))]}, "professions"),
    ],
)
def test_what_is_wrong_with_a_version_is_named_and_nothing_is_written(
    care: Any, change: dict[str, Any], field: str
) -> None:
    story = __import__("care_story")
    draft = replace(story.WOUND, since=timezone.localdate() + timedelta(days=1), **change)
    with pytest.raises(Invalid) as refused:
        services.publish(care.act("gao"), care.service.pk, draft)
    assert [error.field for error in refused.value.errors] == [field]
    assert ServiceVersion.objects.count() == 1


def test_the_database_refuses_a_gap_between_people_who_come_together(care: Any) -> None:
    version = ServiceVersion.objects.get()
    version.pk, version.number, version.since = None, 9, version.since + timedelta(days=9)
    version.second, version.gap_most = "simultaneous", 10
    with pytest.raises(IntegrityError), transaction.atomic():
        version.save()


def test_the_licence_ends_at_midnight_in_the_places_zone(care: Any) -> None:
    last = timezone.localdate()
    services.change_practitioner(care.act("gao"), care.song.pk, services.PracticeChange(licence_last_day=last))
    services.verify(care.act("gao"), care.song.pk, "国家注册系统")
    zone = ZoneInfo("Asia/Shanghai")
    midnight = datetime.combine(last + timedelta(days=1), time(), zone)
    before = assessment.who_may(care.act("gao"), care.mei.pk, care.service.pk, midnight - timedelta(seconds=1))
    after = assessment.who_may(care.act("gao"), care.mei.pk, care.service.pk, midnight)
    assert [r.code for r in before.candidates[0].reasons] == ["assessment_missing"]
    assert [r.code for r in after.candidates[0].reasons] == ["assessment_missing", "licence_ended"]


def test_what_the_national_register_shows_is_verified_anew_when_it_changes(care: Any) -> None:
    gao = care.act("gao")
    services.change_practitioner(gao, care.song.pk, services.PracticeChange(skills=["wound", "stoma"], radius=3000))
    assert Practitioner.objects.get(pk=care.song.pk).verified_at is not None
    services.change_practitioner(gao, care.song.pk, services.PracticeChange(rank=4))
    row = Practitioner.objects.get(pk=care.song.pk)
    assert (row.verified_at, row.verified_source, row.rank, row.radius) == (None, "", 4, 3000)
    with pytest.raises(Invalid, match="source"):
        services.verify(gao, care.song.pk, " ")


def test_nobody_verifies_their_own_licence(care: Any) -> None:
    story = __import__("care_story")
    own = services.add_practitioner(care.act("gao"), care.office.pk, story.nurse("高雅琴"))
    with pytest.raises(Conflict):
        services.verify(care.act("gao"), own.pk, "国家注册系统")
    with pytest.raises(Forbidden):
        services.verify(care.act("song"), own.pk, "国家注册系统")


def test_shifts_and_absences_are_the_kernels(care: Any) -> None:
    gao = care.act("gao")
    services.add_shift(gao, care.song.pk, services.ShiftDraft("FREQ=WEEKLY;BYDAY=MO,TU", time(8), time(12)))
    row = Practitioner.objects.get(pk=care.song.pk)
    assert row.resource is not None and row.resource.kind == "person" and row.resource.rules.count() == 1
    now = timezone.now()
    assert services.add_absence(gao, care.song.pk, now, now + timedelta(days=1)) == 0
    with pytest.raises(Invalid, match="recurrence"):
        services.add_shift(gao, care.song.pk, services.ShiftDraft("sometimes", time(8), time(12)))
    services.remove_shift(gao, care.song.pk, row.resource.rules.get().pk)
    assert row.resource.rules.count() == 0
    services.depart(gao, care.song.pk, "退休")
    row.refresh_from_db()
    assert row.left_at is not None and row.resource is not None and row.resource.retired_at is not None
    with pytest.raises(Conflict):
        services.suspend(gao, care.song.pk, "x")


def test_one_institution_does_not_see_the_other_of_the_same_compound(care: Any) -> None:
    other = care.act("other")
    assert [row.pk for row in selectors.institutions(other)] == [care.other_office.pk]
    assert not selectors.patients(other).exists()
    assert not selectors.practitioners(other).exists()
    assert not selectors.services(other).exists()
    for call in (
        lambda: services.look(other, care.mei.pk, "x"),
        lambda: services.verify(other, care.song.pk, "x"),
        lambda: services.add_patient(other, care.office.pk, services.PatientDraft("欧阳兰", "13811110004")),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_nurse_sees_the_patients_of_their_institution_and_a_foreign_one_nobody(care: Any) -> None:
    assert [row.pk for row in selectors.patients(care.act("song"))] == [care.mei.pk]
    assert not selectors.patients(care.act("foreign")).exists()
    assert not selectors.patients(care.act("manager")).exists()
    services.depart(care.act("gao"), care.song.pk, "离职")
    assert not selectors.patients(care.act("song")).exists()


def test_health_and_the_way_in_are_encrypted_and_a_look_is_read_by_the_patient(care: Any) -> None:
    row = Patient.objects.get()
    assert row.health is not None and row.access is not None
    assert "糖尿病".encode() not in bytes(row.health) and "门铃".encode() not in bytes(row.access)
    with pytest.raises(Invalid, match="reason"):
        services.look(care.act("song"), care.mei.pk, " ")
    found = services.look(care.act("song"), care.mei.pk, "明天上门")
    assert (found.access, found.health.conditions) == ("门铃坏了", "糖尿病")
    entry = AuditEntry.objects.get(action="homecare.patient.look")
    assert (entry.subject, entry.reason) == (care.people["mei"].pk, "明天上门")
    services.change_patient(care.act("song"), care.mei.pk, services.PatientChange(flags=["bleeding"]))
    assert services.look(care.act("gao"), care.mei.pk, "核对").health.flags == ("bleeding",)
    assert "bleeding" not in str(AuditEntry.objects.filter(action="homecare.patient.change").values_list("data"))


def test_who_registers_a_patient_must_know_name_and_phone(care: Any) -> None:
    gao, wanted = care.act("gao"), services.PatientDraft("欧阳兰", "13811110009")
    with pytest.raises(Invalid, match="phone"):
        services.add_patient(gao, care.office.pk, wanted)
    assert services.add_patient(gao, care.office.pk, replace(wanted, phone="138 1111 0004")).household is None
    with pytest.raises(Conflict):
        services.add_patient(gao, care.office.pk, replace(wanted, phone="13811110004"))
    with pytest.raises(Forbidden):
        services.add_patient(care.act("song"), care.office.pk, replace(wanted, phone="13811110004"))


def test_a_death_ends_the_care_and_what_is_open_in_it(care: Any) -> None:
    opened = assessment.begin(care.act("gao"), care.mei.pk, care.service.pk)
    departure = parties.died(SYSTEM, care.people["mei"].pk, timezone.localdate())
    row = Patient.objects.get()
    assert (row.end_cause, row.ended_at is None) == ("died", False)
    opened.refresh_from_db()
    assert opened.state == "cancelled"
    assert any("护理" in line["what"] or "Home care" in line["what"] for line in departure.lines)
    with pytest.raises(Conflict):
        assessment.begin(care.act("gao"), care.mei.pk, care.service.pk)
    story_reasons = assessment.who_may(care.act("gao"), care.mei.pk, care.service.pk).candidates[0].reasons
    assert "patient_ended" in [reason.code for reason in story_reasons]


def test_a_nurse_who_left_the_register_is_sent_nowhere(care: Any) -> None:
    services.assign(care.act("gao"), care.mei.pk, [care.song.pk])
    parties.died(SYSTEM, care.people["song"].pk, timezone.localdate())
    row = Practitioner.objects.get(pk=care.song.pk)
    assert row.left_at is not None and row.resource is not None and row.resource.retired_at is not None
    assert not care.mei.nurses.exists()


def test_erasing_a_patient_leaves_nothing_to_read(care: Any) -> None:
    from shoufu.kernel.privacy.erasure.run import erase

    assessment.begin(care.act("gao"), care.mei.pk, care.service.pk)
    erase(SYSTEM, care.people["mei"].pk, "本人要求")
    assert not Patient.objects.exists()


def test_what_is_past_its_retention_goes(care: Any) -> None:
    services.end_patient(care.act("gao"), care.mei.pk, "康复")
    assert services.forget(timezone.now()) == 0
    assert services.forget(timezone.now() + timedelta(days=Patient.RETENTION_DAYS + 1)) >= 1
    assert not Patient.objects.exists()
