from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.privacy import services as privacy
from shoufu.scenes.homecare.assessment import selectors, services
from shoufu.scenes.homecare.assessment.models import Assessment, Response
from shoufu.scenes.homecare.register import services as register

SAFE = {"history": 0, "diagnosis": 15, "aid": 0, "infusion": 0, "gait": 10, "insight": 0}
FIT = services.DecisionDraft("fit")


def begun(care: Any, who: str = "gao", **more: Any) -> tuple[Assessment, Response]:
    row = services.begin(care.act(who), care.mei.pk, care.service.pk, **more)
    return row, row.responses.get()


def test_from_the_first_question_to_a_decision_that_holds_for_its_days(care: Any) -> None:
    row, response = begun(care)
    song, now = care.act("song"), timezone.now()
    with pytest.raises(Invalid, match="decision"):
        services.decide(song, row.pk, FIT)
    services.answer(song, response.pk, {"gait": 10})
    assert not Response.objects.get().complete
    services.answer(song, response.pk, SAFE)
    shown = services.look(song, row.pk)
    assert (shown.filled[0].score.total, shown.filled[0].score.band.code) == (25, "moderate")
    assert selectors.valid_assessment(care.mei, care.service.pk, now) is None
    done = services.decide(song, row.pk, FIT)
    assert done.last_day == timezone.localdate() + timedelta(days=30)
    later = timezone.now()
    assert selectors.valid_assessment(care.mei, care.service.pk, later) == done
    assert selectors.valid_assessment(care.mei, care.service.pk, later + timedelta(days=31)) is None
    assert selectors.standing(care.mei, care.service.pk, later + timedelta(days=31)) == "lapsed"
    found = services.who_may(care.act("gao"), care.mei.pk, care.service.pk)
    assert [(one.practitioner.pk, list(one.reasons)) for one in found.candidates] == [(care.song.pk, [])]
    with pytest.raises(Conflict):
        services.answer(song, response.pk, SAFE)
    with pytest.raises(Conflict):
        services.decide(song, row.pk, FIT)


def test_a_later_unfit_takes_the_earlier_fit_away(care: Any) -> None:
    song = care.act("song")
    row, response = begun(care)
    services.answer(song, response.pk, SAFE)
    services.decide(song, row.pk, FIT)
    again, _response = begun(care)
    with pytest.raises(Invalid) as refused:
        services.decide(song, again.pk, services.DecisionDraft("unfit"))
    assert [error.field for error in refused.value.errors] == ["reason", "elsewhere"]
    services.decide(song, again.pk, services.DecisionDraft("unfit", "伤口感染加重", "外科门诊"))
    assert selectors.valid_assessment(care.mei, care.service.pk, timezone.now()) is None
    assert selectors.standing(care.mei, care.service.pk, timezone.now()) == "unfit"
    kept = Assessment.objects.get(pk=again.pk)
    assert kept.reason is not None and "伤口".encode() not in bytes(kept.reason)
    assert services.look(care.act("mei"), again.pk, mine=True).elsewhere == "外科门诊"


def test_a_contraindication_stands_against_fit_and_against_whoever_comes(care: Any) -> None:
    song = care.act("song")
    row, response = begun(care)
    services.answer(song, response.pk, SAFE)
    register.change_patient(song, care.mei.pk, register.PatientChange(flags=["bleeding"]))
    with pytest.raises(Invalid, match="decision"):
        services.decide(song, row.pk, FIT)
    services.decide(song, row.pk, services.DecisionDraft("visit", "需上门查看"))
    codes = [r.code for r in services.who_may(song, care.mei.pk, care.service.pk).candidates[0].reasons]
    assert codes == ["contraindicated", "assessment_needs_visit"]


def test_only_a_verified_practitioner_of_the_institution_decides(care: Any) -> None:
    row, response = begun(care)
    services.answer(care.act("song"), response.pk, SAFE)
    with pytest.raises(Forbidden):
        services.decide(care.act("gao"), row.pk, FIT)
    register.suspend(care.act("gao"), care.song.pk, "调查中")
    with pytest.raises(Conflict):
        services.decide(care.act("song"), row.pk, FIT)
    with pytest.raises(NotFound):
        services.look(care.act("other"), row.pk)
    with pytest.raises(NotFound):
        services.answer(care.act("foreign"), response.pk, SAFE)


def test_wrong_answers_are_named_and_nothing_is_kept(care: Any) -> None:
    _row, response = begun(care)
    for answers, field in (({"gait": 11}, "gait"), ({"nothing": 1}, "nothing")):
        with pytest.raises(Invalid) as refused:
            services.answer(care.act("song"), response.pk, answers)
        assert refused.value.errors[0].field == field
    assert Response.objects.get().answers is None


def test_the_patient_fills_it_in_and_so_does_who_may_act_for_them(care: Any) -> None:
    row, response = begun(care, "mei", mine=True)
    with pytest.raises(Conflict):
        begun(care, "gao")
    with pytest.raises(NotFound):
        services.answer(care.act("lan"), response.pk, SAFE, mine=True)
    privacy.grant(care.act("mei"), privacy.GrantDraft(care.people["lan"].pk, ["care.act"]))
    services.answer(care.act("lan"), response.pk, SAFE, mine=True)
    kept = Response.objects.get()
    assert kept.complete and kept.answered_by == care.users["lan"]
    assert kept.answers is not None and b"gait" not in bytes(kept.answers)
    entry = AuditEntry.objects.get(action="homecare.assessment.answer")
    assert entry.subject == care.people["mei"].pk and "15" not in str(entry.data)
    with pytest.raises(NotFound):
        services.begin(care.act("lan"), 999_999, care.service.pk, mine=True)


def test_each_look_of_staff_is_recorded_the_patients_own_is_not(care: Any) -> None:
    row, _response = begun(care)
    services.look(care.act("song"), row.pk)
    services.look(care.act("mei"), row.pk, mine=True)
    assert AuditEntry.objects.filter(action="homecare.assessment.look").count() == 1


def test_cancelling_makes_room_for_another(care: Any) -> None:
    row, _response = begun(care)
    services.cancel(care.act("gao"), row.pk, "改约")
    begun(care)
    with pytest.raises(Conflict):
        services.cancel(care.act("gao"), row.pk, "再次")


def test_what_is_past_its_retention_goes(care: Any) -> None:
    row, _response = begun(care)
    services.cancel(care.act("gao"), row.pk, "改约")
    assert services.forget(timezone.now() + timedelta(days=Assessment.RETENTION_DAYS + 1)) == 2
