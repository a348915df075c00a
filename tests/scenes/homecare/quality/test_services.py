from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.base.hooks import Ending, end_person
from shoufu.kernel.notices.models import Notice
from shoufu.kernel.privacy import services as privacy
from shoufu.scenes.homecare.quality import selectors, services
from shoufu.scenes.homecare.quality.models import Bar, Complaint, Incident, Rating
from shoufu.scenes.homecare.quality.services import (
    BarDraft,
    ComplaintDraft,
    IncidentDraft,
    PolicyDraft,
    RatingDraft,
    RefusalDraft,
)
from shoufu.scenes.homecare.register.models import Practitioner

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


def told(care: Any, name: str) -> list[str]:
    return list(Notice.objects.filter(user=care.users[name]).order_by("created_at").values_list("template", flat=True))


def test_a_visit_is_rated_once_and_changed_by_whoever_acts_for_the_patient(staff: Any, visit_of: Make) -> None:
    row = visit_of()
    services.rate(staff.act("mei"), row.pk, RatingDraft(2, ("late",), "来晚了"))
    with pytest.raises(NotFound):
        services.rate(staff.act("lan"), row.pk, RatingDraft(5))
    privacy.grant(staff.act("mei"), privacy.GrantDraft(staff.people["lan"].pk, ["care.act"]))
    services.rate(staff.act("lan"), row.pk, RatingDraft(4, ("kind",), "后来很好"))
    rating = Rating.objects.get()
    assert (rating.stars, rating.made_by, "后来很好".encode() in bytes(rating.words or b"")) == (
        4,
        staff.users["mei"],
        False,
    )
    assert services.own_words(staff.act("mei"), row.pk)[2] == "后来很好"
    assert told(staff, "gao") == told(staff, "dou") == ["care.rating.low"] and told(staff, "other") == []
    _seen, words = services.read_rating(staff.act("gao"), rating.pk)
    assert words == "后来很好" and AuditEntry.objects.filter(action="homecare.rating.look").count() == 1
    for stranger in ("other", "du", "song", "foreign", "mei"):
        with pytest.raises(NotFound):
            services.read_rating(staff.act(stranger), rating.pk)


@pytest.mark.parametrize(
    ("state", "ago", "draft", "wrong"),
    [
        ("booked", timedelta(hours=-3), RatingDraft(5), Conflict),
        ("done", timedelta(days=31), RatingDraft(5), Conflict),
        ("done", timedelta(days=1), RatingDraft(6), Invalid),
        ("done", timedelta(days=1), RatingDraft(0), Invalid),
        ("done", timedelta(days=1), RatingDraft(3, ("rude",)), Invalid),
        ("done", timedelta(days=1), RatingDraft(3, (), "长" * 2001), Invalid),
    ],
)
def test_what_cannot_be_rated(
    staff: Any, visit_of: Make, state: str, ago: timedelta, draft: RatingDraft, wrong: type[Exception]
) -> None:
    row = visit_of(state, ago=ago)
    with pytest.raises(wrong):
        services.rate(staff.act("mei"), row.pk, draft)
    assert not Rating.objects.exists()


def test_a_nurse_sees_an_average_from_enough_ratings_on_and_never_who(staff: Any, visit_of: Make) -> None:
    services.set_policy(staff.act("dou"), staff.office.pk, PolicyDraft(12, 3, 5, 3))
    for n, stars in enumerate((5, 4)):
        services.rate(staff.act("mei"), visit_of(ago=timedelta(days=n + 1)).pk, RatingDraft(stars, ("gentle",)))
    (figures,) = selectors.own_average(staff.act("song"))
    assert (figures["count"], figures["average"], figures["tags"]) == (2, None, {})
    services.rate(staff.act("mei"), visit_of(ago=timedelta(days=5)).pk, RatingDraft(3, ("gentle",)))
    (figures,) = selectors.own_average(staff.act("song"))
    assert (figures["count"], figures["average"], figures["tags"]) == (3, 4.0, {"gentle": 3})
    with pytest.raises(Forbidden):
        services.set_policy(staff.act("gao"), staff.office.pk, PolicyDraft(12, 3, 5, 3))


def test_a_complaint_is_taken_up_answered_and_accepted(staff: Any, visit_of: Make) -> None:
    row = services.complain(staff.act("mei"), staff.mei.pk, ComplaintDraft("manner", "说话难听", "道歉", visit_of().pk))
    assert row.answer_by - row.made_at == timedelta(days=7) and told(staff, "gao") == ["care.complaint.new"]
    for stranger in ("other", "du", "song", "ji"):
        with pytest.raises(NotFound):
            services.read_complaint(staff.act(stranger), row.pk)
    services.acknowledge(staff.act("gao"), row.pk)
    services.answer(staff.act("gao"), row.pk, "已批评教育，向您道歉。")
    shown = services.read_complaint(staff.act("mei"), row.pk, mine=True)
    assert (shown.what, shown.wish) == ("说话难听", "道歉")
    assert [one["kind"] for one in shown.trail] == ["received", "acknowledged", "answered"]
    assert shown.trail[-1]["words"] == "已批评教育，向您道歉。"
    assert told(staff, "mei") == ["care.complaint.step"] * 2
    services.add_words(staff.act("mei"), row.pk, "道歉的人不是他")
    assert Complaint.objects.get().state == "acknowledged"
    services.answer(staff.act("gao"), row.pk, "本人明天登门道歉。")
    services.accept(staff.act("mei"), row.pk)
    assert Complaint.objects.get().state == "closed"
    with pytest.raises(Conflict):
        services.answer(staff.act("gao"), row.pk, "再答")
    assert b"\xe8\xaf\xb4" not in bytes(Complaint.objects.get().what)


def test_a_complaint_that_waits_too_long_or_whose_patient_asks_comes_to_the_regulator(
    staff: Any, visit_of: Make
) -> None:
    first = services.complain(staff.act("mei"), staff.mei.pk, ComplaintDraft("time", "没来"))
    second = services.complain(staff.act("mei"), staff.mei.pk, ComplaintDraft("money", "多收钱"))
    services.acknowledge(staff.act("gao"), second.pk)
    now = timezone.now()
    assert services.escalate_late(now + timedelta(hours=23)) == 0
    assert services.escalate_late(now + timedelta(hours=25)) == 1
    assert services.escalate_late(now + timedelta(hours=25)) == 0
    first.refresh_from_db()
    assert first.escalation == "late_acknowledge" and told(staff, "ji") == ["care.complaint.escalated"]
    with pytest.raises(NotFound):
        services.read_complaint(staff.act("ji"), second.pk)
    services.ask_regulator(staff.act("mei"), second.pk, "不信他们")
    assert services.read_complaint(staff.act("ji"), second.pk).what == "多收钱"
    assert AuditEntry.objects.filter(action="homecare.complaint.look", actor_id=str(staff.users["ji"].pk)).exists()
    with pytest.raises(Forbidden):
        services.answer(staff.act("ji"), second.pk, "x")
    with pytest.raises(Forbidden):
        services.rule(staff.act("gao"), second.pk, "x")
    services.rule(staff.act("ji"), second.pk, "退还差价。")
    assert services.read_complaint(staff.act("mei"), second.pk, mine=True).trail[-1]["words"] == "退还差价。"
    services.answer(staff.act("gao"), first.pk, "车坏了")
    assert services.close_silent(now + timedelta(days=31)) == 0  # the regulator still has it
    third = services.complain(staff.act("mei"), staff.mei.pk, ComplaintDraft("other", "门没关"))
    services.answer(staff.act("gao"), third.pk, "抱歉")
    assert services.close_silent(timezone.now() + timedelta(days=31)) == 1


def test_who_gave_the_care_does_not_answer_for_it(staff: Any, visit_of: Make) -> None:
    row = visit_of()
    stop = row.stops.get()
    Practitioner.objects.filter(pk=stop.practitioner_id).update(person=staff.people["gao"])
    made = services.complain(staff.act("mei"), staff.mei.pk, ComplaintDraft("care", "疼", "", row.pk))
    with pytest.raises(Conflict):
        services.acknowledge(staff.act("gao"), made.pk)
    services.acknowledge(staff.act("dou"), made.pk)


def test_a_complaint_needs_words_and_ones_own_visit(staff: Any, visit_of: Make) -> None:
    for draft in (ComplaintDraft("care", " "), ComplaintDraft("gossip", "x"), ComplaintDraft("care", "x", "", 999999)):
        with pytest.raises(Invalid):
            services.complain(staff.act("mei"), staff.mei.pk, draft)
    with pytest.raises(NotFound):
        services.complain(staff.act("lan"), staff.mei.pk, ComplaintDraft("care", "x"))
    assert not Complaint.objects.exists()


def _event(visit: int | None = None, grade: int = 3, **more: Any) -> IncidentDraft:
    given: dict[str, Any] = {"kind": "needle", "happened_at": timezone.now(), "what": "针刺左手", "visit": visit}
    return IncidentDraft(**given | {"grade": grade} | more)


def test_a_grave_event_is_told_at_once_and_closed_by_somebody_else(staff: Any, visit_of: Make) -> None:
    row = services.report(staff.act("song"), _event(visit_of().pk, 2, immediate="冲洗"))
    assert told(staff, "gao") == told(staff, "dou") == told(staff, "ji") == ["care.incident.serious"]
    with pytest.raises(Forbidden):
        services.close(staff.act("song"), row.pk, "疏忽", "培训")
    services.follow(staff.act("gao"), row.pk, "已抽血检查")
    services.close(staff.act("gao"), row.pk, "未用安全针", "统一采购安全针")
    shown = services.read_incident(staff.act("song"), row.pk)
    assert (shown.what, shown.immediate, shown.cause) == ("针刺左手", "冲洗", "未用安全针")
    assert [one["kind"] for one in shown.trail] == ["reported", "followed", "closed"]
    with pytest.raises(Invalid):
        services.read_incident(staff.act("ji"), row.pk)
    assert services.read_incident(staff.act("ji"), row.pk, "专项检查").what == "针刺左手"
    look = AuditEntry.objects.filter(action="homecare.incident.look").latest("id")
    assert (look.reason, look.subject) == ("专项检查", staff.mei.person_id)
    for stranger in ("other", "du", "foreign", "mei"):
        with pytest.raises(NotFound):
            services.read_incident(staff.act(stranger), row.pk, "x")


def test_who_reported_an_event_does_not_close_it_and_a_worse_grade_is_told(staff: Any, visit_of: Make) -> None:
    row = services.report(staff.act("gao"), _event(visit_of().pk))
    assert told(staff, "ji") == [] and told(staff, "dou") == ["care.incident.new"]
    with pytest.raises(Conflict):
        services.close(staff.act("gao"), row.pk, "x", "y")
    services.regrade(staff.act("dou"), row.pk, 1, "患者昏迷")
    assert told(staff, "ji") == ["care.incident.serious"]
    with pytest.raises(Invalid):
        services.close(staff.act("dou"), row.pk, "", "y")
    services.close(staff.act("dou"), row.pk, "x", "y")
    assert Incident.objects.get().closed_by == staff.users["dou"]


def test_what_is_refused_as_an_event(staff: Any, visit_of: Make) -> None:
    mine = visit_of()
    for draft in (
        _event(mine.pk, 5),
        _event(mine.pk, kind="flood"),
        _event(mine.pk, what=" "),
        _event(mine.pk, happened_at=timezone.now() + timedelta(hours=1)),
        _event(mine.pk, happened_at=timezone.now().replace(tzinfo=None)),
    ):
        with pytest.raises(Invalid):
            services.report(staff.act("song"), draft)
    mine.stops.all().delete()
    with pytest.raises(Forbidden):
        services.report(staff.act("song"), _event(mine.pk))
    alone = services.report(staff.act("song"), _event(kind="traffic"))
    assert alone.subject == staff.people["song"] and alone.patient is None


def test_whoever_refused_is_not_sent_until_they_take_it_back(staff: Any, visit_of: Make) -> None:
    assert selectors.refused_people(staff.mei) == frozenset()
    visit_of("booked", ago=timedelta(hours=-5))
    row = services.refuse_patient(staff.act("song"), staff.mei.pk, RefusalDraft("harassment", "言语骚扰"))
    assert selectors.refused_people(staff.mei) == {staff.song.pk} and told(staff, "gao") == ["care.refusal.new"]
    assert "1" in Notice.objects.get(user=staff.users["gao"]).body
    with pytest.raises(Conflict):
        services.refuse_patient(staff.act("song"), staff.mei.pk, RefusalDraft("unsafe"))
    assert services.read_refusal(staff.act("gao"), row.pk)[1] == "言语骚扰"
    with pytest.raises(Forbidden):
        services.take_back(staff.act("gao"), row.pk)
    services.take_back(staff.act("song"), row.pk)
    own = services.refuse_practitioner(
        staff.act("mei"), staff.mei.pk, staff.song.pk, RefusalDraft("conflict", "太粗鲁")
    )
    with pytest.raises(NotFound):  # whom it concerns does not learn of it
        services.read_refusal(staff.act("song"), own.pk)
    assert selectors.refused_people(staff.mei) == {staff.song.pk}
    services.take_back(staff.act("mei"), own.pk, mine=True)
    assert selectors.refused_people(staff.mei) == frozenset()
    with pytest.raises(Invalid):
        services.refuse_practitioner(staff.act("mei"), staff.mei.pk, 999999, RefusalDraft("other"))


def test_one_visit_alone_can_be_refused(staff: Any, visit_of: Make) -> None:
    one, two = visit_of("booked", ago=timedelta(hours=-5)), visit_of("booked", ago=timedelta(hours=-9))
    services.refuse_patient(staff.act("song"), staff.mei.pk, RefusalDraft("not_fit", "", one.pk, True))
    assert selectors.refused_people(staff.mei, one) == {staff.song.pk}
    assert selectors.refused_people(staff.mei, two) == selectors.refused_people(staff.mei) == frozenset()


def proposed(care: Any, days: int = 30) -> Bar:
    """Song refused Mei, and Gao proposes an entry that rests on it."""
    ground = services.refuse_patient(care.act("song"), care.mei.pk, RefusalDraft("harassment", "动手"))
    draft = BarDraft("harassment", "多次对护士动手动脚", days, refusals=[ground.pk])
    return services.propose(care.act("gao"), care.mei.pk, draft)


def test_an_entry_takes_two_people_a_ground_and_a_time(staff: Any) -> None:
    for draft in (
        BarDraft("violence", "打人", 30),
        BarDraft("violence", "打人", 30, incidents=[999999]),
        BarDraft("violence", "", 30),
        BarDraft("rudeness", "打人", 30),
        BarDraft("violence", "打人", 3),
        BarDraft("violence", "打人", 400),
    ):
        with pytest.raises(Invalid):
            services.propose(staff.act("gao"), staff.mei.pk, draft)
    row = proposed(staff)
    assert selectors.barred(staff.mei) == "" and told(staff, "mei") == []
    with pytest.raises(Forbidden):
        services.decide(staff.act("gao"), row.pk, True)
    with pytest.raises(NotFound):
        services.decide(staff.act("du"), row.pk, True)
    services.decide(staff.act("dou"), row.pk, True)
    said = selectors.barred(staff.mei)
    row.refresh_from_db()
    assert row.last_day is not None and row.last_day.isoformat() in said
    assert selectors.barred(staff.mei, emergency=True) == ""
    shown = services.read_bar(staff.act("mei"), row.pk, mine=True)
    assert shown.reason == "多次对护士动手动脚" and told(staff, "mei") == ["care.bar.patient"]
    with pytest.raises(Invalid):
        services.read_bar(staff.act("ji"), row.pk)
    with pytest.raises(Conflict):
        services.propose(
            staff.act("gao"), staff.mei.pk, BarDraft("other", "又", 9, refusals=[staff.mei.refusals.get().pk])
        )


def test_who_proposes_does_not_decide_even_with_both_rights(staff: Any) -> None:
    ground = services.refuse_patient(staff.act("song"), staff.mei.pk, RefusalDraft("unsafe", "狗咬"))
    row = services.propose(staff.act("dou"), staff.mei.pk, BarDraft("unsafe", "拒不拴狗", 30, refusals=[ground.pk]))
    with pytest.raises(Conflict):
        services.decide(staff.act("dou"), row.pk, True)
    assert Bar.objects.get().state == "proposed"


def test_an_appeal_is_judged_by_somebody_else_and_can_pause_the_entry(staff: Any) -> None:
    row = proposed(staff)
    services.decide(staff.act("dou"), row.pk, True)
    appeal = services.appeal_bar(staff.act("mei"), row.pk, "是误会，监控可查")
    with pytest.raises(Conflict):
        services.appeal_bar(staff.act("mei"), row.pk, "再说一次")
    for who in ("gao", "dou"):
        with pytest.raises((Conflict, Forbidden)):
            services.judge(staff.act(who), appeal.pk, True, "x")
    with pytest.raises(Conflict):
        services.pause(staff.act("dou"), row.pk, True)
    services.pause(staff.act("ji"), row.pk, True)
    assert selectors.barred(staff.mei) == ""
    services.judge(staff.act("ji"), appeal.pk, False, "监控显示属实")
    assert selectors.barred(staff.mei) != ""
    again = services.appeal_bar(staff.act("mei"), row.pk, "已道歉")
    services.judge(staff.act("ji"), again.pk, True, "同意解除")
    assert selectors.barred(staff.mei) == "" and Bar.objects.get().state == "lifted"
    shown = services.read_bar(staff.act("mei"), row.pk, mine=True)
    assert [one["answer"] for one in shown.appeals] == ["同意解除", "监控显示属实"]


def test_an_entry_expires_after_its_last_day_and_is_reviewed_before(staff: Any) -> None:
    row = proposed(staff, 10)
    services.decide(staff.act("dou"), row.pk, True)
    now = timezone.now()
    assert (services.remind(now + timedelta(days=4)), services.remind(now + timedelta(days=5, hours=1))) == (0, 1)
    before = Notice.objects.filter(template="care.bar.review").count()
    services.remind(now + timedelta(days=6))
    assert Notice.objects.filter(template="care.bar.review").count() == before
    assert services.expire(now + timedelta(days=9)) == 0
    assert selectors.barred(staff.mei, moment=now + timedelta(days=11)) == ""
    assert services.expire(now + timedelta(days=11)) == 1
    assert Bar.objects.get().state == "expired"


def test_a_sanction_suspends_and_a_granted_appeal_lets_the_nurse_go_again(staff: Any) -> None:
    until = timezone.localdate() + timedelta(days=20)
    row = services.sanction(staff.act("gao"), staff.song.pk, "未核对身份", until)
    staff.song.refresh_from_db()
    assert staff.song.suspended_at is not None and told(staff, "song") == ["care.sanction"]
    appeal = services.appeal_sanction(staff.act("song"), row.pk, "已核对，有照片")
    with pytest.raises(Forbidden):
        services.judge(staff.act("gao"), appeal.pk, False, "x")
    services.judge(staff.act("dou"), appeal.pk, True, "照片属实")
    staff.song.refresh_from_db()
    assert staff.song.suspended_at is None
    mine = services.sanction(staff.act("dou"), staff.song.pk, "迟到", until)
    with pytest.raises(Conflict):
        services.judge(staff.act("dou"), services.appeal_sanction(staff.act("song"), mine.pk, "堵车").pk, False, "x")
    assert services.expire_sanctions(timezone.now() + timedelta(days=22)) == 1
    staff.song.refresh_from_db()
    assert staff.song.suspended_at is None


def test_an_appeal_without_an_answer_is_told_to_the_regulator_once(staff: Any) -> None:
    row = proposed(staff)
    services.decide(staff.act("dou"), row.pk, True)
    services.appeal_bar(staff.act("mei"), row.pk, "冤枉")
    later = timezone.now() + timedelta(days=11)
    assert (services.late_appeals(later), services.late_appeals(later)) == (1, 0)
    assert told(staff, "ji") == ["care.appeal.new", "care.appeal.late"]


def test_what_ends_with_a_person_and_what_is_forgotten(staff: Any, visit_of: Make) -> None:
    row = proposed(staff)
    services.decide(staff.act("dou"), row.pk, True)
    services.rate(staff.act("mei"), visit_of().pk, RatingDraft(5))
    end_person(SYSTEM, Ending(staff.mei.person_id, timezone.now(), "died", "去世"))
    assert Bar.objects.get().state == "lifted" and selectors.refused_people(staff.mei) == frozenset()
    assert services.forget(timezone.now() + timedelta(days=1090)) == 0
    assert services.forget(timezone.now() + timedelta(days=1100)) > 0 and not Bar.objects.exists()
    services.forget(timezone.now() + timedelta(days=1830))
    assert not Rating.objects.exists()
