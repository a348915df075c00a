from typing import Any

import pytest
from django.test import Client

from shoufu.scenes.community.patrols import services
from shoufu.scenes.community.patrols.models import CheckPoint, Round


@pytest.fixture
def route(world: Any) -> Any:
    from django.utils import timezone

    draft = services.RouteDraft(world.songshan.pk, "夜巡", ["22:00"], ["南门", "车库"])
    found = services.save_route(world.act(world.chen), draft)
    Round.objects.create(route=found, due_at=timezone.now())
    return found


def client(user: Any) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.mark.parametrize("path", ["", "routes/", "shift/", "report/", "report/?format=pdf", "?format=csv"])
def test_the_manager_reads_every_page(world: Any, route: Any, path: str) -> None:
    assert client(world.chen).get(f"/community/patrols/{path}").status_code == 200


def test_the_codes_are_printed_for_the_manager_only(world: Any, route: Any) -> None:
    address = f"/community/patrols/routes/{route.pk}/codes/"
    assert "<svg" in client(world.chen).get(address).content.decode()
    assert client(world.alice).get(address).status_code == 403


def test_a_guard_confirms_the_scanned_point(world: Any, route: Any) -> None:
    code = CheckPoint.objects.filter(route=route).order_by("position").first().code  # type: ignore[union-attr]
    guard = client(world.alice)
    assert "南门" in guard.get(f"/community/patrols/point/{code}/").content.decode()
    answer = guard.post(f"/community/patrols/point/{code}/", {"note": "正常"}, follow=True)
    assert "1/2" in answer.content.decode()


def test_a_wrong_route_keeps_what_was_typed(world: Any) -> None:
    sent = {"place": world.songshan.pk, "name": "夜巡", "times": "25:99", "points": "南门"}
    answer = client(world.chen).post("/community/patrols/routes/new/", sent)
    assert answer.status_code == 422 and "南门" in answer.content.decode()
