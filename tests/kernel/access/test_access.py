from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from shoufu.kernel.access import demo, selectors, services
from shoufu.kernel.access.models import ApiToken, RoleAssignment, User
from shoufu.kernel.access.services import Preferences, RoleDraft, UserDraft
from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.devices import demo as devices
from shoufu.kernel.parties import demo as parties
from shoufu.kernel.parties.models import Organisation, Person
from shoufu.kernel.places import demo as places
from shoufu.kernel.places import selectors as place_selectors

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world: Any, stage: Any) -> Any:
    """The administrator of Songshan only."""
    return world.act(stage._user("Ada", "administrator", world.songshan))


def test_a_role_counts_in_its_subtree_from_and_until(world: Any) -> None:
    alice = world.act(world.alice)
    assert alice.may("cases.handle", world.door.path) and not alice.may("cases.handle", world.changjiang.path)
    assert not alice.may("cases.handle", world.district.path) and not alice.may("places.manage", world.door.path)
    row = RoleAssignment.objects.get(user=world.alice)
    row.until = timezone.now()
    row.save()
    assert world.act(world.alice).grants == ()
    row.until, row.since = None, timezone.now() + timedelta(hours=1)
    row.save()
    assert world.act(world.alice).grants == ()


def test_a_prefix_of_a_number_is_no_subtree(world: Any) -> None:
    """Rights at /1/2/ say nothing about /1/20/."""
    alice = world.act(world.alice)
    assert not alice.may("cases.view", world.songshan.path.rstrip("/") + "0/")


def test_the_actor_costs_one_query(world: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        selectors.actor_for_user(world.alice)


def test_nobody_gives_more_than_they_have(world: Any, ada: Any) -> None:
    chen = world.act(world.chen)
    with pytest.raises(Forbidden):
        services.give_role(chen, RoleDraft(world.alice.pk, "guard", world.songshan.pk))
    eve = services.create_user(ada, UserDraft("eve"))
    given = services.give_role(ada, RoleDraft(eve.pk, "guard", world.songshan.pk))
    assert world.act(eve).may("cases.view", world.door.path)
    services.give_role(ada, RoleDraft(eve.pk, "resident", world.songshan.pk))
    assert AuditEntry.objects.filter(action="access.give_role", object_id=given.pk).exists()
    with pytest.raises(Invalid):  # elsewhere she sees nothing
        services.give_role(ada, RoleDraft(world.bob.pk, "guard", world.changjiang.pk))
    with pytest.raises(Conflict):
        services.give_role(ada, RoleDraft(eve.pk, "guard", world.songshan.pk))
    with pytest.raises(Invalid, match="role"):
        services.give_role(ada, RoleDraft(eve.pk, "emperor", world.songshan.pk))


def test_one_who_may_only_manage_access_cannot_give_other_rights(world: Any, monkeypatch: Any) -> None:
    from shoufu.kernel.base.actor import Actor, Grant

    clerk = Actor(
        "user", str(world.dan.pk), "Dan", (Grant("clerk", world.songshan.path, frozenset({"access.manage"})),)
    )
    with pytest.raises(Forbidden, match="cases.view"):
        services.give_role(clerk, RoleDraft(world.alice.pk, "guard", world.songshan.pk))


def test_taking_a_role_away_signs_the_user_out_at_once(world: Any, ada: Any, client: Client) -> None:
    client.force_login(world.alice)
    assert client.get("/api/access/me").json()["label"] == "Alice"
    row = RoleAssignment.objects.get(user=world.alice)
    with pytest.raises(Invalid):
        services.end_role(ada, row.pk, " ")
    services.end_role(ada, row.pk, "离职")
    assert client.get("/api/access/me").status_code == 401
    with pytest.raises(Conflict):
        services.end_role(ada, row.pk, "离职")
    with pytest.raises(NotFound):
        services.end_role(ada, RoleAssignment.objects.get(user=world.bob).pk, "x")


def test_closing_an_account_ends_everything(world: Any, ada: Any) -> None:
    made = services.create_token(world.act(world.alice), "脚本")
    services.deactivate(ada, world.alice.pk, "离职")
    assert selectors.actor_for_token(made.token) is None and world.act(User.objects.get(pk=world.alice.pk)).grants == ()
    with pytest.raises(Forbidden):  # Dan's role reaches beyond what Ada manages
        services.give_role(SYSTEM, RoleDraft(world.dan.pk, "guard", world.songshan.pk))
        services.deactivate(ada, world.dan.pk, "x")


def test_a_token_is_shown_once_hashed_narrowed_and_revocable(world: Any) -> None:
    chen = world.act(world.chen)
    made = services.create_token(chen, "看板", ["devices.view"])
    assert made.token not in str(list(ApiToken.objects.values())) and made.token.startswith(made.row.prefix)
    actor = selectors.actor_for_token(made.token)
    assert actor is not None and actor.may("devices.view", world.door.path)
    assert not actor.may("places.view", world.door.path)
    with pytest.raises(Invalid):
        services.create_token(actor, "更宽", ["places.view"])
    wider = services.create_token(actor, "一样宽")
    assert wider.row.permissions == ["devices.view"]
    services.revoke_token(chen, made.row.pk)
    assert selectors.actor_for_token(made.token) is None and selectors.actor_for_token("sft_x") is None
    with pytest.raises(NotFound):
        services.revoke_token(world.act(world.bob), wider.row.pk)


def test_an_expired_token_is_refused(world: Any) -> None:
    chen = world.act(world.chen)
    with pytest.raises(Invalid):
        services.create_token(chen, "旧", expires_at=timezone.now())
    made = services.create_token(chen, "短", expires_at=timezone.now() + timedelta(hours=1))
    ApiToken.objects.filter(pk=made.row.pk).update(expires_at=timezone.now())
    assert selectors.actor_for_token(made.token) is None


def test_a_token_works_over_http_without_a_session(world: Any, client: Client) -> None:
    made = services.create_token(world.act(world.chen), "脚本", ["places.view"])
    headers = {"Authorization": f"Bearer {made.token}"}
    listed = client.get("/api/places?sort=-name&size=2", headers=headers).json()
    assert listed["count"] == 3 and len(listed["items"]) == 2
    assert client.get("/api/places", headers={"Authorization": "Bearer sft_wrong"}).status_code == 401
    problem = client.get("/api/places?sort=colour", headers=headers)
    assert problem.status_code == 422 and problem["Content-Type"] == "application/problem+json"
    assert problem.json()["errors"][0]["field"] == "sort"
    csv = b"".join(client.get("/api/places?format=csv", headers=headers).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert csv.splitlines()[0].startswith("id,parent,kind,code") and len(csv.splitlines()) == 4


def test_accounts_are_made_by_administrators_only(world: Any, ada: Any) -> None:
    with pytest.raises(Forbidden):
        services.create_user(world.act(world.chen), UserDraft("eve"))
    with pytest.raises(Invalid) as refused:
        services.create_user(ada, UserDraft("e e", password="123", language="fr"))
    assert {error.field for error in refused.value.errors} == {"/0/username", "/0/password", "/0/language"}
    eve = services.create_user(ada, UserDraft("eve", password="correct horse battery"))
    assert world.act(eve).grants == ()
    with pytest.raises(Conflict):
        services.create_user(ada, UserDraft("eve"))


def test_preferences_are_ones_own(world: Any) -> None:
    user = services.set_preferences(world.act(world.alice), Preferences(language="en", large_print=True))
    assert (user.language, user.large_print) == ("en", True)
    with pytest.raises(Invalid, match="theme"):
        services.set_preferences(world.act(world.alice), Preferences(theme="pink"))
    with pytest.raises(Forbidden):
        services.set_preferences(SYSTEM, Preferences(theme="dark"))


def test_holders_are_found_at_and_above_a_place(world: Any) -> None:
    assert list(selectors.holders("guard", world.door.path)) == [world.alice]
    assert list(selectors.holders("alarm_officer", world.door.path)) == [world.dan]
    assert not selectors.holders("guard", world.district.path)


def test_the_demo_has_an_account_a_role(settings: Any, tmp_path: Any) -> None:
    settings.DATA_ROOT = tmp_path
    for app in (places, parties, devices, demo) * 2:
        app.load(SYSTEM)
    seen = {user.username: selectors.actor_for_user(user) for user in User.objects.all()}
    assert {name for name, *_ in demo.ACCOUNTS} == set(seen)
    assert [place.code for place in place_selectors.roots(seen["guard"])] == ["songshan"]
    assert place_selectors.visible(seen["operator"]).count() > 150 and not place_selectors.visible(seen["resident"])
    entries = devices.read()
    assert devices.path().stat().st_mode & 0o777 == 0o600
    kinds = [entry["kind"] for entry in entries]
    assert kinds.count("door_controller") == 35 and kinds.count("camera") == 4
    from shoufu.kernel.devices.selectors import authenticate

    assert all(authenticate(entry["code"], entry["secret"]) for entry in entries)
    devices.path().unlink()
    devices.load(SYSTEM)  # the file was lost: every device gets another secret
    assert len(devices.read()) == len(entries) and authenticate(entries[0]["code"], entries[0]["secret"]) is None


def test_nobody_draws_an_account_or_a_person_of_elsewhere_to_themselves(world: Any, ada: Any) -> None:
    """By giving Bob of Changjiang a role here, or an account to a person there, one would read who they are."""
    with pytest.raises(Invalid, match="user_id"):
        services.give_role(ada, RoleDraft(world.bob.pk, "guard", world.songshan.pk))
    there = Person.objects.create(code="there", name="长江居民", place=world.changjiang)
    with pytest.raises(Invalid, match="person_id"):
        services.create_user(ada, UserDraft("mallory", person_id=there.pk))
    office = Organisation.objects.create(code="o", kind="property", name="长江物业", place=world.changjiang)
    with pytest.raises(Invalid, match="organisation_id"):
        services.give_role(ada, RoleDraft(world.alice.pk, "resident", world.songshan.pk, organisation_id=office.pk))


def test_an_account_without_a_role_for_a_year_loses_its_name(world: Any) -> None:
    long_ago = timezone.now() - timedelta(days=800)
    User.objects.update(date_joined=long_ago)
    RoleAssignment.objects.filter(user=world.alice).update(since=long_ago, until=long_ago + timedelta(days=10))
    RoleAssignment.objects.filter(user=world.chen).update(since=long_ago, until=timezone.now() - timedelta(days=30))
    assert services.purge_accounts(SYSTEM) == 1
    world.alice.refresh_from_db()
    assert world.alice.label == f"gone-{world.alice.pk}" and not world.alice.is_active
    assert not RoleAssignment.objects.filter(user=world.alice).exists()
    assert User.objects.filter(username="chen", is_active=True).exists()  # his year is not over
    assert services.purge_accounts(SYSTEM) == 0
    with pytest.raises(Forbidden):
        services.purge_accounts(world.act(world.bob))
