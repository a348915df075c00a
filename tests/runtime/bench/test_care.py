"""The measurement of home care, on a small district: its rows fit the tables, its questions are answered."""

from typing import Any

import pytest
from django.db.models import Count
from django.test import Client

from shoufu.kernel.access.models import User
from shoufu.runtime.bench.care import coming, district, past
from shoufu.runtime.bench.care.measure import Ask, timed
from shoufu.runtime.errors import Problem
from shoufu.scenes.homecare.encounters.models import Encounter
from shoufu.scenes.homecare.visits.models import Stop, Visit


@pytest.mark.slow
@pytest.mark.django_db
def test_a_small_district_is_made_and_its_pages_show_it() -> None:
    made = district.make(4)
    past.make(made, 400, 20, print)
    assert coming.make(made, 2, 10, print) > 0
    states = dict(Visit.objects.values_list("state").annotate(Count("pk")).order_by())
    assert states["booked"] == 20 and states["done"] == Encounter.objects.count() > 300
    assert Stop.objects.filter(live=True, visit__state="booked").exists()
    pages = {
        district.COORDINATOR: ("/homecare/visits/", "/homecare/planning/"),
        district.MANAGER: ("/homecare/quality/", "/homecare/quality/office/", "/homecare/quality/rules/"),
        district.RESIDENT: ("/homecare/visits/mine/", f"/homecare/visits/mine/book/{made.patient.pk}/"),
        district.NURSE: ("/homecare/quality/",),
    }
    for name, addresses in pages.items():
        browser = Client()
        browser.force_login(User.objects.get(username=name))
        for address in addresses:
            assert browser.get(address).status_code == 200, address


class _Answer:
    text = "no"

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


def test_only_answers_are_timed() -> None:
    made = []

    def ask() -> Any:
        made.append(1)
        return lambda: _Answer(200)

    found = timed(Ask("x", 0.1, ask), 5, [])
    assert (found.n, len(made), found.ratio) == (5, 7, round(found.seconds / 0.1, 2))
    with pytest.raises(Problem, match="answered with 500"):
        timed(Ask("x", 0.1, lambda: lambda: _Answer(500)), 5, [])
