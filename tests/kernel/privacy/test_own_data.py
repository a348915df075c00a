from datetime import timedelta

import pytest
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.cases.models import Case
from shoufu.kernel.parties import selectors as parties
from shoufu.kernel.privacy import selectors, services
from shoufu.kernel.privacy.services import GrantDraft, SecrecyDraft

pytestmark = pytest.mark.django_db


def test_a_daughter_acts_within_what_her_mother_granted(story) -> None:
    assert not selectors.may_act_for(story.as_lan, story.mei.pk, "visitors.invite")
    granted = services.grant(story.as_mei, GrantDraft(story.lan.pk, ["visitors.invite", "looks.view"]))
    assert selectors.may_act_for(story.as_lan, story.mei.pk, "visitors.invite")
    assert not selectors.may_act_for(story.as_lan, story.mei.pk, "data.view")
    assert [p.pk for p in selectors.acts_for(story.as_lan, "visitors.invite")] == [story.lan.pk, story.mei.pk]
    with pytest.raises(NotFound):
        selectors.consents(story.as_lan, story.mei.pk)
    with pytest.raises(Conflict):
        services.grant(story.as_mei, GrantDraft(story.lan.pk, ["data.view"]))
    services.withdraw(story.as_mei, granted.pk)
    assert not selectors.may_act_for(story.as_lan, story.mei.pk, "visitors.invite")
    assert AuditEntry.objects.filter(action="privacy.withdraw_delegation", subject=story.mei.pk).exists()


def test_a_grant_ends_by_itself_and_names_known_scopes(story) -> None:
    with pytest.raises(Invalid, match="scopes"):
        services.grant(story.as_mei, GrantDraft(story.lan.pk, ["everything"]))
    with pytest.raises(Invalid, match="basis"):
        services.grant(story.as_mei, GrantDraft(story.lan.pk, ["data.view"], basis="guardian"))
    row = services.grant(story.as_mei, GrantDraft(story.lan.pk, ["data.view"], timezone.now() + timedelta(days=1)))
    assert selectors.may_act_for(story.as_lan, story.mei.pk, "data.view")
    then = timezone.now() - timedelta(hours=1)
    type(row).objects.filter(pk=row.pk).update(since=then - timedelta(days=1), until=then)
    assert not selectors.may_act_for(story.as_lan, story.mei.pk, "data.view")
    services.grant(story.as_mei, GrantDraft(story.lan.pk, ["data.view"]))


def test_a_guard_cannot_grant_for_a_resident(story) -> None:
    with pytest.raises(NotFound):
        services.grant(
            story.act(story.world.alice), GrantDraft(story.lan.pk, ["data.view"], person=story.mei.pk, reason="x")
        )


def test_consent_is_withdrawn_as_easily_as_given(story) -> None:
    services.give_consent(story.as_mei, "face")
    assert parties.has_consent(story.mei.pk, "face")
    assert [a.given for a in selectors.consents(story.as_mei) if a.purpose.code == "face"] == [True]
    services.withdraw_consent(story.as_mei, "face")
    assert not parties.has_consent(story.mei.pk, "face")
    with pytest.raises(Invalid):
        services.give_consent(story.as_mei, "selling my data")


def test_a_daughter_gives_consent_only_when_allowed_to(story) -> None:
    with pytest.raises(NotFound):
        services.give_consent(story.as_lan, "welfare", story.mei.pk)
    services.grant(story.as_mei, GrantDraft(story.lan.pk, ["consents.manage"]))
    services.give_consent(story.as_lan, "welfare", story.mei.pk)
    entry = AuditEntry.objects.get(action="parties.give_consent", subject=story.mei.pk)
    assert entry.actor_id == str(story.lan_user.pk)


def test_who_looked_shows_the_office_and_the_reason_and_no_name(story) -> None:
    parties.look(story.as_chen, story.mei.pk, "快递送错")
    line = selectors.looks(story.as_mei)[0]
    assert (line.reason, line.kind, line.mine) == ("快递送错", "look", False)
    assert "Chen" not in line.who and line.office == story.world.songshan.name


def test_a_lawful_secret_is_kept_back_and_told_after_its_end(story) -> None:
    now = timezone.now()
    kept = services.keep_back(
        story.as_chen, SecrecyDraft(story.mei.pk, "皇姑公安分局", "文 2026-17", now + timedelta(days=30))
    )
    parties.look(story.as_chen, story.mei.pk, "协助调查")
    assert "协助调查" not in [line.reason for line in selectors.looks(story.as_mei)]
    type(kept).objects.filter(pk=kept.pk).update(since=now - timedelta(days=2), until=timezone.now())
    line = next(line for line in selectors.looks(story.as_mei) if line.reason == "协助调查")
    assert line.late
    with pytest.raises(Invalid, match="until"):
        services.keep_back(story.as_chen, SecrecyDraft(story.mei.pk, "x", "y", now + timedelta(days=800)))


def test_one_tap_objects_and_the_manager_answers_in_time(story) -> None:
    parties.look(story.as_chen, story.mei.pk, "好奇")
    line = selectors.looks(story.as_mei)[0]
    asked = services.object_to(story.as_mei, line.id)
    with pytest.raises(Conflict):
        services.object_to(story.as_mei, line.id)
    assert Case.objects.filter(kind="privacy.request", place=story.world.songshan).count() == 1
    assert [r.pk for r in selectors.requests(story.as_chen)] == [asked.pk]
    assert not selectors.requests(story.act(story.world.bob)).exists()
    assert (asked.due_at - asked.asked_at).days >= 19
    services.answer(story.as_chen, asked.pk, done=True, text="已提醒当事人")
    assert selectors.looks(story.as_mei)[-1].objected or any(x.objected for x in selectors.looks(story.as_mei))


def test_a_correction_is_applied_by_the_answer(story) -> None:
    asked = services.ask_correction(story.as_mei, {"phone": "138 1111 9999"}, "号码换了")
    with pytest.raises(Invalid):
        services.ask_correction(story.as_mei, {"phone": "12"})
    services.answer(story.as_chen, asked.pk, done=True, text="已更正")
    assert parties.phones([story.mei.pk])[story.mei.pk] == "+8613811119999"


def test_staff_without_a_row_have_no_data_page(story) -> None:
    with pytest.raises(NotFound):
        selectors.looks(story.as_chen)
