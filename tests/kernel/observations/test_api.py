from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from shoufu.kernel.access import selectors as access
from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.services import create_token
from shoufu.kernel.devices.models import Device
from shoufu.kernel.observations import summaries
from shoufu.kernel.observations.intake import Row


def test_the_api_shows_the_callers_places_only(
    item: Callable[..., Any], rows: Callable[..., list[Row]], write: Callable[..., Any], district: list[Device]
) -> None:
    write(rows([item("open")]), rows([item("closed")], "door-west"))
    summaries.step()
    user = User.objects.create(username="guard")
    RoleAssignment.objects.create(
        user=user, role="guard", place=district[0].place, since=datetime(2020, 1, 1, tzinfo=UTC)
    )
    token = create_token(access.actor_for_user(user), "test").token
    client = Client(headers={"authorization": f"Bearer {token}"})
    (row,) = client.get("/api/observations").json()
    assert (row["kind"], row["device"], row["result"]) == ("door.state", "door-east", {"state": "open"})
    kinds = {kind["code"]: kind for kind in client.get("/api/observations/kinds").json()}
    assert kinds["door.state"]["schema"]["required"] == ["state"]
    now = datetime.now(UTC)
    span = {"since": (now - timedelta(hours=2)).isoformat(), "until": (now + timedelta(hours=2)).isoformat()}
    assert [hour["count"] for hour in client.get("/api/observations/hourly", span).json()] == [1]
    assert client.get("/api/observations", {"limit": 0}).status_code == 422
    assert Client().get("/api/observations").status_code == 401
