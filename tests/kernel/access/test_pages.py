from typing import Any

import pytest
from django.test import Client

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ada(world: Any, stage: Any) -> User:
    """The administrator of Songshan only."""
    found: User = stage._user("Ada", "administrator", world.songshan)
    return found


def test_an_account_is_made_given_a_role_and_closed(world: Any, ada: User) -> None:
    client = _signed_in(ada)
    refused = client.post("/access/new", {"username": "eve", "role": "guard", "place": "", "until": "soon"})
    assert refused.status_code == 422 and not User.objects.filter(username="eve").exists()
    form = {"username": "eve", "display_name": "夜班保安", "role": "guard", "place": world.songshan.pk}
    assert client.post("/access/new", form | {"password": "short"}).status_code == 422
    assert client.post("/access/new", form).status_code == 302
    eve = User.objects.get(username="eve")
    listed = client.get("/access/").content.decode()
    assert "夜班保安" in listed and "Bob" not in listed  # Bob guards Changjiang
    row = RoleAssignment.objects.get(user=eve)
    assert client.post(f"/access/{eve.pk}/end", {"assignment": row.pk, "reason": ""}).status_code == 422
    assert client.post(f"/access/{eve.pk}/give", {"role": "resident", "place": world.songshan.pk}).status_code == 302
    before = eve.session_epoch
    assert client.post(f"/access/{eve.pk}/sign-out", {"reason": "手机丢失"}).status_code == 302
    eve.refresh_from_db()
    assert eve.session_epoch == before + 1
    assert client.post(f"/access/{eve.pk}/end", {"assignment": row.pk, "reason": "离职"}).status_code == 302
    assert client.post(f"/access/{eve.pk}/close", {"reason": "离职"}).status_code == 302
    eve.refresh_from_db()
    assert not eve.is_active and AuditEntry.objects.filter(action="access.end_sessions").exists()


def test_access_beyond_ones_places_is_out_of_reach(world: Any, ada: User) -> None:
    client = _signed_in(ada)
    assert client.get(f"/access/{world.bob.pk}").status_code == 404
    assert client.post(f"/access/{world.bob.pk}/close", {"reason": "x"}).status_code == 404
    form = {"username": "mallory", "role": "guard", "place": world.changjiang.pk}
    assert client.post("/access/new", form).status_code == 422
    assert not User.objects.filter(username="mallory").exists()
    # Dan of the alarm centre is seen at no place of hers; a manager reads the list and changes nothing.
    assert _signed_in(world.chen).get("/access/").status_code == 200
    assert _signed_in(world.chen).get("/access/new").status_code == 403
    assert _signed_in(world.alice).get("/access/").status_code == 403
