import threading
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.base.hooks import Ending, end_person, restore_person
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases.models import Case
from shoufu.kernel.notices.models import Notice
from shoufu.kernel.parties import services as parties
from shoufu.kernel.privacy import services as privacy
from shoufu.scenes.homecare.careplans import guidelines, selectors
from shoufu.scenes.homecare.careplans.models import CarePlan, Done, Finding, Goal, Handover, Reading, Revision
from shoufu.scenes.homecare.careplans.services import (
    findings,
    follow_ups,
    handovers,
    looks,
    plans,
    readings,
    reminding,
    retention,
)
from shoufu.scenes.homecare.register import services as register

BP = plans.PlanDraft("hypertension", "hypertension-clinical-2022")
SUGAR = plans.PlanDraft("diabetes", "diabetes-primary-2022")


def made(care: Any, draft: plans.PlanDraft = BP) -> CarePlan:
    return plans.make(care.act("song"), care.mei.pk, draft)


def bp(systolic: float, diastolic: float = 70, days: float = 0, **more: Any) -> readings.ReadingDraft:
    values = {"systolic": systolic, "diastolic": diastolic}
    return readings.ReadingDraft(uuid4(), "blood_pressure", values, timezone.now() - timedelta(days=days), **more)


def add(care: Any, draft: readings.ReadingDraft, who: str = "mei") -> readings.Added:
    return readings.add(care.act(who), care.mei.pk, draft, mine=who in ("mei", "lan"))


def test_every_guideline_names_its_source_and_speaks_both_languages() -> None:
    for found in guidelines.newest().values():
        assert found.citation and found.rules and found.tasks
        assert {rule.severity for rule in found.rules} >= {"critical", "medium"}
        for rule in found.rules:
            assert rule.text and rule.text_en and rule.advice and rule.advice_en and rule.clause
    bounds = {
        (code, one.target.quantity, one.target.high)
        for code, found in guidelines.newest().items()
        for one in found.targets
    }
    assert ("hypertension-primary-2019", "systolic", 140) in bounds
    assert ("hypertension-clinical-2022", "systolic", 130) in bounds


def test_a_plan_takes_goals_and_tasks_of_its_guideline_and_keeps_every_version(care: Any) -> None:
    row = made(care, plans.PlanDraft("hypertension", "hypertension-primary-2019", note="每周测体重"))
    assert row.author == care.song and row.next_day == timezone.localdate() + timedelta(days=14)
    high = {one.quantity: one.high for one in selectors.goals(row)}
    assert high == {"systolic": Decimal(150), "diastolic": Decimal(90)}, "born 1950: 65 and more"
    assert {one.code for one in selectors.tasks(row)} == {"measure_bp", "weigh", "lifestyle"}
    assert row.note is not None and "体重".encode() not in bytes(row.note)
    with pytest.raises(Conflict):
        made(care)
    goals = [plans.GoalDraft("systolic", high=Decimal(140), strict=True)]
    draft = plans.PlanDraft("hypertension", row.guideline, goals, plans.task_drafts(selectors.tasks(row)), "收紧")
    changed = plans.change(care.act("song"), row.pk, 1, draft)
    assert changed.version == 2 and [one.high for one in selectors.goals(row)] == [Decimal(140)]
    assert Goal.objects.filter(plan=row, ended_at__isnull=False).count() == 2
    assert Revision.objects.filter(plan=row).count() == 2
    with pytest.raises(Conflict, match="有人改过"):
        plans.change(care.act("song"), row.pk, 1, draft)
    assert looks.look(care.act("mei"), row.pk, mine=True).note == "收紧"
    with pytest.raises(Invalid, match="reason"):
        plans.end(care.act("song"), row.pk, " ")
    plans.end(care.act("song"), row.pk, "转上级医院")
    with pytest.raises(Conflict):
        plans.change(care.act("song"), row.pk, 3, draft)
    made(care)


def test_wrong_plans_are_refused_field_by_field(care: Any) -> None:
    for draft, field in (
        (plans.PlanDraft("gout", "x"), "condition"),
        (plans.PlanDraft("hypertension", "diabetes-primary-2022"), "guideline"),
        (plans.PlanDraft("hypertension", BP.guideline, goals=[]), "goals"),
        (plans.PlanDraft("hypertension", BP.guideline, [plans.GoalDraft("systolic")]), "/goals/0/high"),
        (
            plans.PlanDraft("hypertension", BP.guideline, [plans.GoalDraft("systolic", high=Decimal(900))]),
            "/goals/0/high",
        ),
        (plans.PlanDraft("hypertension", BP.guideline, tasks=[plans.TaskDraft("x", "x", unit="h")]), "/tasks/0/unit"),
        (plans.PlanDraft("hypertension", BP.guideline, follow_up_days=0), "follow_up_days"),
    ):
        with pytest.raises(Invalid) as refused:
            made(care, draft)
        assert refused.value.errors[0].field == field
    assert not CarePlan.objects.exists()


def test_only_a_verified_practitioner_of_the_institution_writes(care: Any) -> None:
    with pytest.raises(Forbidden):
        plans.make(care.act("gao"), care.mei.pk, BP)
    for stranger in ("other", "foreign", "manager", "lan", "mei"):
        with pytest.raises((NotFound, Forbidden)):
            plans.make(care.act(stranger), care.mei.pk, BP)
    row = made(care)
    for stranger in ("other", "foreign", "manager"):
        with pytest.raises(NotFound):
            looks.look(care.act(stranger), row.pk)
        assert not selectors.readings(care.act(stranger)).exists()
    register.suspend(care.act("gao"), care.song.pk, "调查中")
    with pytest.raises(Conflict):
        add(care, bp(120), "song")


def test_a_reading_is_kept_once_encrypted_and_refused_where_it_cannot_be(care: Any) -> None:
    row = made(care)
    draft = bp(128.4, 76)
    first, again = add(care, draft), add(care, draft)
    assert first.fresh and not again.fresh and Reading.objects.count() == 1
    kept = Reading.objects.get()
    assert kept.source == "patient" and b"128" not in bytes(kept.values)
    (clear,) = looks.readings(care.act("mei"), care.mei.pk, mine=True)
    assert dict(clear.values) == {"systolic": 128, "diastolic": 76}
    with pytest.raises(Conflict):
        add(care, readings.ReadingDraft(draft.id, "weight", {"weight": 60}))
    for wrong, field in (
        (bp(1280), "systolic"),
        (bp(70, 120), "diastolic"),
        (readings.ReadingDraft(uuid4(), "glucose", {"glucose": 6}), "context"),
        (readings.ReadingDraft(uuid4(), "glucose", {"glucose": 600}, context="fasting"), "glucose"),
        (readings.ReadingDraft(uuid4(), "blood_pressure", {"systolic": 120}), "diastolic"),
        (bp(120, days=-1), "at"),
        (bp(120, days=400), "at"),
        (readings.ReadingDraft(uuid4(), "mood", {"mood": 3}), "kind"),
    ):
        with pytest.raises(Invalid) as refused:
            add(care, wrong)
        assert [error.field for error in refused.value.errors] == [field]
    assert "300" in str(pytest.raises(Invalid, add, care, bp(1280)).value)
    assert Reading.objects.count() == 1
    row.refresh_from_db()
    assert row.control == "in" and row.last_reading_at is not None


def test_the_family_enters_within_what_was_granted(care: Any) -> None:
    made(care)
    with pytest.raises(NotFound):
        add(care, bp(120), "lan")
    privacy.grant(care.act("mei"), privacy.GrantDraft(care.people["lan"].pk, ["care.act"]))
    assert add(care, bp(120), "lan").row.source == "family"


def test_three_days_out_of_target_become_one_case_that_care_staff_see_and_close(care: Any) -> None:
    row = made(care)
    for day in (4, 2, 1):
        assert not Finding.objects.exists()
        add(care, bp(136, days=day))
    finding = Finding.objects.get()
    assert (finding.rule, finding.severity, finding.plan_id) == ("bp_out_of_target", "medium", row.pk)
    (told,) = looks.look(care.act("song"), row.pk).findings
    assert (told.value, told.bound, len(told.readings)) == (136, 130, 3) and "130/80" in (told.rule.clause or "")
    assert finding.told is not None and b"136" not in bytes(finding.told)
    case = Case.objects.get()
    assert case.kind == "homecare.chronic" and "欧阳梅" not in case.title + case.title_en
    assert case.events.get(kind="raised").text and "136" not in case.events.get(kind="raised").text
    assert not cases.visible(care.act("manager")).filter(pk=case.pk).exists(), "no health data for the property office"
    assert {one.user_id for one in Notice.objects.filter(template="chronic.finding")} == {
        care.users["song"].pk,
        care.users["gao"].pk,
    }
    add(care, bp(138))
    finding.refresh_from_db()
    assert finding.occurrences == 2 and Case.objects.count() == 1
    with pytest.raises(NotFound):
        findings.close(care.act("other"), finding.pk, "x")
    with pytest.raises(Invalid, match="answer"):
        findings.close(care.act("song"), finding.pk, "")
    findings.take_up(care.act("song"), finding.pk)
    with pytest.raises(Conflict):
        findings.take_up(care.act("gao"), finding.pk)
    findings.close(care.act("song"), finding.pk, "已调整服药时间")
    case.refresh_from_db()
    assert case.state == "closed"
    add(care, bp(139))
    assert Finding.objects.count() == 1, "what was dealt with is not found again by one more day"
    assert looks.look(care.act("mei"), row.pk, mine=True).findings[0].answer == "已调整服药时间"


def test_danger_is_told_at_once_with_what_to_do(care: Any) -> None:
    made(care)
    made(care, SUGAR)
    found = add(care, bp(186, 112)).findings
    assert [one.rule for one in found] == ["bp_danger"], "two plans name the rule: one finding"
    assert "180" in selectors.rule_of(found[0]).clause  # type: ignore[union-attr]
    low = readings.ReadingDraft(uuid4(), "glucose", {"glucose": 2.8}, context="random")
    added = add(care, low)
    assert [(one.rule, one.severity) for one in added.findings] == [("glucose_very_low", "critical")]
    ((severity, _text, advice),) = readings.advice(added.findings)
    assert severity == "critical" and "120" in advice
    assert Case.objects.count() == 2


def test_a_wrong_reading_counts_no_more(care: Any) -> None:
    row = made(care)
    first = add(care, bp(170)).row
    row.refresh_from_db()
    assert row.control == "out"
    with pytest.raises(Invalid):
        readings.void(care.act("mei"), first.pk, "", mine=True)
    readings.void(care.act("mei"), first.pk, "量的是别人", mine=True)
    row.refresh_from_db()
    assert (row.control, row.last_reading_at) == ("", None)
    nurse = add(care, bp(120), "song").row
    with pytest.raises(Conflict):
        readings.void(care.act("mei"), nurse.pk, "不对", mine=True)


@pytest.mark.django_db(transaction=True)
def test_two_phones_send_the_same_reading_at_once(care: Any) -> None:
    made(care)
    draft, answers = bp(185, 100), []

    def send() -> None:
        try:
            answers.append(add(care, draft).fresh)
        except Conflict:
            answers.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(answers) == [False, False, False, True]
    assert (Reading.objects.count(), Finding.objects.count(), Case.objects.count()) == (1, 1, 1)


def test_tasks_stand_by_readings_and_by_what_is_said(care: Any) -> None:
    row = made(care, SUGAR)
    shown = {one.task.code: one for one in selectors.standings(selectors.tasks(row), care.mei)}
    assert shown["measure_fasting"].open and shown["foot_check"].open
    add(care, readings.ReadingDraft(uuid4(), "glucose", {"glucose": 9}, context="after_meal"))
    task, id = shown["foot_check"].task, uuid4()
    for _time in range(2):
        readings.done(care.act("mei"), task.pk, id, mine=True)
    assert Done.objects.count() == 1
    with pytest.raises(Conflict):
        readings.done(care.act("mei"), shown["measure_fasting"].task.pk, uuid4(), mine=True)
    with pytest.raises(NotFound):
        readings.done(care.act("lan"), task.pk, uuid4(), mine=True)
    shown = {one.task.code: one for one in selectors.standings(selectors.tasks(row), care.mei)}
    assert shown["measure_fasting"].open and not shown["foot_check"].open
    add(care, readings.ReadingDraft(uuid4(), "glucose", {"glucose": 6}, context="fasting"))
    shown = {one.task.code: one for one in selectors.standings(selectors.tasks(row), care.mei)}
    assert not shown["measure_fasting"].open
    in_ten_days = selectors.standings(selectors.tasks(row), care.mei, timezone.localdate() + timedelta(days=10))
    assert {one.task.code: one.standing.missed for one in in_ten_days if one.standing}["measure_fasting"] == 9


def test_one_plan_that_cannot_be_reminded_of_keeps_no_other_waiting(
    care: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = made(care), made(care, SUGAR)
    step = findings.missed

    def broken(plan: CarePlan, patient: Any) -> int:
        if plan.pk == bad.pk:
            raise RuntimeError("kaputt")
        return step(plan, patient)

    now, rows = timezone.now(), CarePlan.objects.filter(pk__in=(bad.pk, good.pk)).select_related("patient__place")
    with monkeypatch.context() as patch:
        patch.setattr(findings, "missed", broken)
        assert reminding.remind(rows, now) == 1
    assert [one.levelname for one in caplog.records if f"plan {bad.pk} failed" in one.message] == ["ERROR"]
    assert reminding.remind(rows, now) == 2


def test_reminders_come_at_their_hour_once_and_stop_with_the_care(care: Any) -> None:
    made(care)
    privacy.grant(care.act("mei"), privacy.GrantDraft(care.people["lan"].pk, ["care.act"]))
    zone = selectors.zone_of(care.mei)
    today = timezone.now().astimezone(zone)
    evening, morning = today.replace(hour=18, minute=5), today.replace(hour=8, minute=5) + timedelta(days=15)
    assert reminding.hour(today.replace(hour=11)) == 0
    for _time in range(2):
        reminding.hour(evening)
    told = Notice.objects.filter(template="chronic.remind")
    assert {one.user_id for one in told} == {care.users["mei"].pk, care.users["lan"].pk} and told.count() == 2
    assert "测量血压" in told.first().body  # type: ignore[union-attr]
    reminding.hour(morning)
    assert Notice.objects.filter(template="chronic.due").count() == 2, "nobody is assigned: nurse and coordinator"
    Notice.objects.all().delete()
    end_person(SYSTEM, Ending(care.people["mei"].pk, timezone.now(), "died", "去世"))
    row = CarePlan.objects.get()
    assert (row.state, row.end_cause) == ("ended", "died")
    reminding.hour(evening + timedelta(days=1))
    assert not Notice.objects.exists()
    with pytest.raises((Conflict, NotFound)):
        add(care, bp(120), "song")
    restore_person(SYSTEM, Ending(care.people["mei"].pk, row.ended_at - timedelta(seconds=1), "died", "误报"))  # type: ignore[operator]
    assert CarePlan.objects.get().state == "active"


def test_a_follow_up_says_when_the_next_is_due_by_the_guideline(care: Any) -> None:
    row = made(care)
    add(care, bp(150))
    draft = follow_ups.FollowUpDraft("phone", "sometimes", "漏服晚间药", "设闹钟")
    first = follow_ups.add(care.act("song"), row.pk, draft)
    assert first.row.next_day == timezone.localdate() + timedelta(days=14) and not first.needs_doctor
    assert follow_ups.add(care.act("song"), row.pk, draft).needs_doctor, "twice in a row out of target"
    for wrong, field in (
        (follow_ups.FollowUpDraft("letter", "regular", "x"), "way"),
        (follow_ups.FollowUpDraft("phone", "often", "x"), "adherence"),
        (follow_ups.FollowUpDraft("phone", "regular", " "), "found"),
        (follow_ups.FollowUpDraft("phone", "regular", "x", next_day=date(2020, 1, 1)), "next_day"),
    ):
        with pytest.raises(Invalid) as refused:
            follow_ups.add(care.act("song"), row.pk, wrong)
        assert [error.field for error in refused.value.errors] == [field]
    shown = looks.look(care.act("song"), row.pk).follow_ups
    assert [one.found for one in shown] == ["漏服晚间药", "漏服晚间药"]


def doctor(care: Any, name: str = "唐明德", phone: str = "13811110009") -> Any:
    (person,) = parties.create_people(SYSTEM, [parties.PersonDraft(name, care.office.place_id, phone)])
    today = timezone.localdate()
    draft = register.PractitionerDraft(
        name, phone, "physician", 3, f"D-{phone}", today + timedelta(days=60), date(2010, 1, 1)
    )
    made_one = register.add_practitioner(care.act("gao"), care.office.pk, draft)
    register.verify(care.act("gao"), made_one.pk, "医师执业注册信息查询")
    parties.add_members(
        SYSTEM, [parties.MembershipDraft(person.pk, care.office.organisation_id, "全科", date(2020, 1, 1))]
    )
    user = User.objects.create(username=phone, display_name=name, person=person)
    since = timezone.now() - timedelta(days=1)
    RoleAssignment.objects.create(user=user, role="care_physician", place=care.office.place, since=since)
    care.users[phone] = user
    return made_one


def test_a_patient_is_handed_over_to_a_doctor_who_answers(care: Any) -> None:
    row = made(care)
    for day in (5, 3, 1):
        add(care, bp(150, days=day))
    draft = handovers.HandoverDraft("两次随访血压未达标", urgent=True)
    with pytest.raises(Conflict, match="医生"):
        handovers.send(care.act("song"), row.pk, draft)
    tang = doctor(care)
    with pytest.raises(Invalid, match="to"):
        handovers.send(care.act("song"), row.pk, handovers.HandoverDraft("x", care.song.pk))
    sent = handovers.send(care.act("song"), row.pk, draft)
    with pytest.raises(Conflict):
        handovers.send(care.act("song"), row.pk, draft)
    assert Notice.objects.get(template="chronic.handover").user == care.users["13811110009"]
    add(care, bp(120))
    letter = handovers.look(care.act("13811110009"), sent.pk)
    assert letter.document["reason"] == "两次随访血压未达标" and len(letter.document["readings"]) == 3
    assert {one["quantity"] for one in letter.document["trends"]} == {"systolic", "diastolic"}
    with pytest.raises(Conflict):
        handovers.accept(care.act("song"), sent.pk)
    with pytest.raises(NotFound):
        handovers.look(care.act("other"), sent.pk)
    taken = handovers.accept(care.act("13811110009"), sent.pk, sent.version)
    assert taken.doctor == tang
    with pytest.raises(Conflict):
        handovers.accept(care.act("13811110009"), sent.pk)
    with pytest.raises(Invalid):
        handovers.answer(care.act("13811110009"), sent.pk, "")
    handovers.answer(care.act("13811110009"), sent.pk, "加用氨氯地平 5 mg，2 周后复查")
    assert Notice.objects.get(template="chronic.answered").user == care.users["song"]
    assert handovers.shown(Handover.objects.select_related("plan__patient").get()).answer.startswith("加用")
    trail = AuditEntry.objects.filter(action__startswith="homecare.handover").values_list("action", flat=True)
    assert {one.rpartition(".")[2] for one in trail} == {"send", "look", "accept", "answer"}


def test_a_letter_can_come_back_and_be_withdrawn(care: Any) -> None:
    row, _tang = made(care), doctor(care)
    first = handovers.send(care.act("song"), row.pk, handovers.HandoverDraft("血压高"))
    assert handovers.answer(care.act("13811110009"), first.pk, "先规律服药", refuse=True).state == "refused"
    second = handovers.send(care.act("song"), row.pk, handovers.HandoverDraft("血压高"))
    assert handovers.withdraw(care.act("song"), second.pk).state == "withdrawn"
    with pytest.raises(Conflict):
        handovers.accept(care.act("13811110009"), second.pk)


def test_looks_and_exports_are_recorded_once_each(care: Any) -> None:
    row = made(care)
    for day in range(5):
        add(care, bp(120, days=day))
    song = care.act("song")
    before = AuditEntry.objects.count()
    looks.look(song, row.pk)
    looks.look(care.act("mei"), row.pk, mine=True)
    assert AuditEntry.objects.count() == before + 1
    found = looks.export(song, "上报区域平台")
    assert len(found.readings) == 5 and AuditEntry.objects.count() == before + 2
    entry = AuditEntry.objects.get(action="homecare.plan.export")
    assert entry.subject == care.people["mei"].pk and "120" not in str(entry.data)
    assert not looks.export(care.act("other"), "x").readings


def test_what_is_past_its_retention_goes(care: Any) -> None:
    row = made(care)
    add(care, bp(120))
    later = timezone.now() + timedelta(days=CarePlan.RETENTION_DAYS + 400)
    assert retention.forget(later) == 0, "a plan still runs"
    plans.end(care.act("song"), row.pk, "康复")
    assert retention.forget(later) > 1
    assert not CarePlan.objects.exists() and not Reading.objects.exists()
