from collections.abc import Callable
from typing import Any

import pytest

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.kernel.doors import selectors, services
from shoufu.kernel.doors.models import Controller, Credential, Receipt
from shoufu.kernel.doors.services import CredentialDraft
from shoufu.kernel.parties import services as parties

pytestmark = pytest.mark.django_db
CARD = "04A1B2C3"


def card(songshan: Any, person: Any, number: str = CARD, **more: Any) -> Credential:
    return services.issue(SYSTEM, CredentialDraft(songshan.compound.pk, "card", number, person.pk, **more)).credential


def test_a_card_opens_the_gate_and_the_own_unit_only(songshan: Any, shown: Callable[..., Any]) -> None:
    card(songshan, songshan.wang)
    assert shown(songshan.gate, "CARD", CARD).granted
    assert shown(songshan.doors[0], "CARD", CARD).granted
    refused = shown(songshan.doors[1], "CARD", CARD)
    assert (refused.granted, refused.reason) == (False, "unknown_credential")


def test_a_revoked_card_is_gone_at_once_and_each_door_owes_a_receipt(
    songshan: Any, shown: Callable[..., Any], rules: Callable[..., Any]
) -> None:
    row = card(songshan, songshan.wang)
    before = rules(songshan.gate).version
    receipts = services.revoke(SYSTEM, [row.pk], "退卡")
    assert {one.controller_id for one in receipts} == set(songshan.controllers[:2])
    assert not shown(songshan.gate, "CARD", CARD).granted and rules(songshan.gate).version == before + 1
    stale = {one.device_id for one in selectors.stale(SYSTEM)}
    assert set(songshan.controllers[:2]) <= stale
    gate = songshan.gate.controller_id
    from shoufu.kernel.doors.models import RuleSet
    from shoufu.kernel.doors.services import rulesets

    newest = RuleSet.objects.filter(controller=gate).order_by("-version").first()
    assert newest is not None
    assert not rulesets.told_held(gate, newest.version, "00" * 32)  # something that the server never gave
    assert Receipt.objects.filter(controller=gate, done_at__isnull=True).count() == 1
    assert rulesets.told_held(gate, newest.version, bytes(newest.sha256).hex())
    assert not Receipt.objects.filter(controller=gate, done_at__isnull=True).exists()
    assert Controller.objects.get(pk=gate).since is None


def test_a_lost_card_is_refused_as_lost_and_can_be_found_again(songshan: Any, shown: Callable[..., Any]) -> None:
    row = card(songshan, songshan.wang)
    services.lose(SYSTEM, [row.pk], "丢失")
    assert shown(songshan.gate, "CARD", CARD).reason == "revoked"
    services.restore(SYSTEM, [row.pk], "找到了")
    assert shown(songshan.gate, "CARD", CARD).granted


def test_a_face_needs_consent_and_is_never_the_only_way(songshan: Any, shown: Callable[..., Any]) -> None:
    face = CredentialDraft(songshan.compound.pk, "face", "template-7", songshan.wang.pk)
    for prepare, words in (
        (lambda: None, "consent"),
        (lambda: parties.give_consent(SYSTEM, songshan.wang.pk, "face", "signed form"), "card"),
    ):
        prepare()
        with pytest.raises(Invalid) as refused:
            services.issue(SYSTEM, face)
        assert refused.value.errors[0].field == "/0/technology", words
    own = card(songshan, songshan.wang)
    row = services.issue(SYSTEM, face).credential
    assert shown(songshan.gate, "FACE", "template-7").granted
    services.revoke(SYSTEM, [own.pk], "退卡")
    row.refresh_from_db()
    assert row.state == "suspended" and not shown(songshan.gate, "FACE", "template-7").granted


def test_the_database_itself_refuses_a_face_without_consent(songshan: Any) -> None:
    from django.db import IntegrityError, transaction
    from django.utils import timezone

    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        Credential.objects.create(
            place=songshan.compound, person=songshan.wang, technology="face", valid_from=now, state_since=now
        )


def test_wrong_values_are_all_named_and_nothing_is_issued(songshan: Any) -> None:
    place = songshan.compound.pk
    drafts = [
        CredentialDraft(place, "card", "xyz", songshan.wang.pk),
        CredentialDraft(place, "pin", "12345678", songshan.wang.pk),
        CredentialDraft(place, "card", "04AA"),
        CredentialDraft(place, "card", "04AB", songshan.wang.pk, lease_days=0),
        CredentialDraft(place, "card", "04AC", songshan.wang.pk, duress=True),
    ]
    with pytest.raises(Invalid) as refused:
        services.issue_many(SYSTEM, drafts)
    fields = {error.field for error in refused.value.errors}
    assert fields == {"/0/value", "/1/value", "/2/holder", "/3/lease_days", "/4/duress"}
    assert not Credential.objects.exists()


def test_one_number_has_one_holder(songshan: Any) -> None:
    card(songshan, songshan.wang)
    with pytest.raises(Invalid) as refused:
        card(songshan, songshan.li, "04:a1:b2:c3")
    assert refused.value.errors[0].field == "/0/value"


def test_a_duress_pin_opens_and_carries_its_flag(songshan: Any, shown: Callable[..., Any]) -> None:
    issued = services.issue(SYSTEM, CredentialDraft(songshan.compound.pk, "pin", "", songshan.wang.pk, duress=True))
    assert len(issued.value) == 8
    decision = shown(songshan.gate, "PIN", issued.value)
    assert decision.granted and decision.duress


def test_many_credentials_cost_as_many_queries_as_one(songshan: Any, django_assert_max_num_queries: Any) -> None:
    drafts = [CredentialDraft(songshan.compound.pk, "card", f"{n:08X}", songshan.wang.pk) for n in range(300)]
    with django_assert_max_num_queries(48):
        rows = [one.credential.pk for one in services.issue_many(SYSTEM, drafts)]
    with django_assert_max_num_queries(40):
        services.revoke(SYSTEM, rows, "换卡")
    assert AuditEntry.objects.filter(action="doors.revoked").count() == 300


def test_the_neighbour_sees_and_does_nothing(songshan: Any, stage: Any) -> None:
    row = card(songshan, songshan.wang)
    world = songshan.world
    boss = world.act(stage._user("Boss", "property_manager", world.changjiang))
    bob = world.act(world.bob)
    assert not selectors.points(boss).exists() and not selectors.credentials(boss).exists()
    assert not selectors.controllers(bob).exists() and selectors.figures(bob).points == 0
    for attempt in (
        lambda: selectors.point(bob, songshan.gate.pk),
        lambda: selectors.credential(bob, row.pk),
        lambda: selectors.doors_for(bob, songshan.wang.pk),
        lambda: services.revoke(boss, [row.pk], "x"),
        lambda: services.ask_open(bob, songshan.gate.pk, "x"),
        lambda: services.lock_down(bob, songshan.compound.pk, "x"),
        lambda: services.end_person(boss, songshan.wang.pk, "x"),
        lambda: services.resident_qr_key(bob, songshan.wang.pk),
    ):
        with pytest.raises(NotFound):
            attempt()
    with pytest.raises(Forbidden):  # the own guard opens doors, but issues no cards
        services.issue(world.act(world.alice), CredentialDraft(songshan.compound.pk, "card", "04AA", songshan.wang.pk))
    row.refresh_from_db()
    assert row.state == "active"


def test_what_is_read_is_stored_sealed(songshan: Any) -> None:
    row = card(songshan, songshan.wang)
    assert CARD.encode() not in bytes(row.secret or b"") and CARD not in str(list(AuditEntry.objects.values()))
    assert list(selectors.find_card(SYSTEM, "04:a1:b2:c3")) == [row]
