"""The wall: figures as on the desk, the worst doors and rules, live pictures for those who may see them."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.pages import Scope
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases.models import Case
from shoufu.web import wall

SignIn = Callable[[str], Client]


def test_doors_and_rules_are_ranked_by_what_their_cases_say(district: Any) -> None:
    path, now = district.places["huanggu"].path, timezone.now()
    doors = [device for device in district.devices.values() if device.kind == "door_controller"]
    rows = list(Case.objects.order_by("pk")[:4])
    for case, door in zip(rows, (doors[0], doors[0], doors[1], doors[2]), strict=True):
        case.device, case.opened_at = door, now - timedelta(days=1)
        case.state, case.acknowledged_at = Case.State.FALSE_ALARM, now
        case.rule_version = district.rule.versions.get()
        case.save()
    ranked = wall.worst_doors(SYSTEM, path, now)
    assert (ranked[0].id, ranked[0].total) == (doors[0].pk, 2)
    assert wall.worst_doors(SYSTEM, path, now - timedelta(days=30)) == []
    rules = wall.false_alarms(SYSTEM, path, now)
    found = next(one for one in rules if one.id == district.rule.pk)
    assert found.false_alarms >= 4 and found.judged >= found.false_alarms
    assert found.share == found.false_alarms / found.judged


def test_a_compound_shows_its_buildings_and_a_district_its_compounds(district: Any) -> None:
    def kinds(code: str) -> set[str]:
        place = district.places[code]
        return {row.kind for row in wall.sites(SYSTEM, Scope(place.path, place))}

    assert kinds("huanggu") == {"compound"}
    assert {"building", "gate"} <= kinds("songshan")
    assert kinds("changjiang") == {"compound"}, "without buildings it shows itself"


def test_figures_are_those_of_the_desk(sign_in: SignIn, district: Any) -> None:
    client = sign_in("operator")
    page = client.get("/wall/?lang=en").content.decode()
    place = district.places["huanggu"].path
    counts = cases.queue_counts(SYSTEM, place)
    waiting = wall.waiting(SYSTEM, place)
    assert waiting.critical + waiting.high + waiting.other == counts.open
    numbers = re.findall(r"<dd>(\d+)</dd>", page)
    assert numbers[1] == str(counts.open)


def test_live_pictures_for_those_who_may_see_them(sign_in: SignIn, district: Any) -> None:
    camera = district.devices["cam-1"]
    for address in ("/wall/", "/wall/cameras"):
        page = sign_in("operator").get(address).content.decode()
        assert f'data-live="/media/devices/{camera.pk}/latest.jpg"' in page
        assert f"/media/devices/{district.devices['cam-6'].pk}/latest.jpg" not in page, "it is offline"
    assert sign_in("operator").get("/wall/cameras").content.decode().count('<a class="picture"') == 6
    stranger = sign_in("stranger").get("/wall/cameras")
    assert stranger.status_code in (200, 403)
    assert camera.name not in stranger.content.decode()
    assert f"/{camera.pk}/latest.jpg" not in stranger.content.decode()
