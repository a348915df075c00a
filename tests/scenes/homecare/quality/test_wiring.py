import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from shoufu.kernel.base.errors import Conflict
from shoufu.scenes.homecare.planning import days
from shoufu.scenes.homecare.quality import services
from shoufu.scenes.homecare.quality.services import BarDraft, RefusalDraft
from shoufu.scenes.homecare.visits.models import Visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def bookable(staff: Any) -> Any:
    """The story with its managers, and what booking needs."""
    path = Path(__file__).parent.parent / "visits" / "bookable.py"
    spec = importlib.util.spec_from_file_location("bookable_story", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules.get("bookable_story") or importlib.util.module_from_spec(spec)
    if "bookable_story" not in sys.modules:
        sys.modules["bookable_story"] = module
        spec.loader.exec_module(module)
    return module.build(staff)


def test_who_refused_is_neither_offered_nor_planned(bookable: Any) -> None:
    care = bookable.care
    visit = bookable.paid(bookable.book(bookable.at(9)))
    assert bookable.slots()
    refusal = services.refuse_patient(care.act("song"), care.mei.pk, RefusalDraft("unsafe", "有狗"))
    assert bookable.slots() == []
    with pytest.raises(Conflict):
        bookable.book(bookable.at(14))
    day = days.load(care.office, visit.day)
    assert day.plan.unassigned == (str(visit.pk),)  # what was planned is to be planned anew
    services.take_back(care.act("song"), refusal.pk)
    assert days.load(care.office, visit.day).plan.unassigned == () and bookable.slots()


def test_one_refused_visit_does_not_stand_against_others(bookable: Any) -> None:
    care = bookable.care
    visit = bookable.paid(bookable.book(bookable.at(9)))
    services.refuse_patient(care.act("song"), care.mei.pk, RefusalDraft("not_fit", "", visit.pk, True))
    assert days.load(care.office, visit.day).plan.unassigned == (str(visit.pk),)
    assert bookable.slots()


def test_an_entry_in_force_stops_new_bookings_and_leaves_the_booked_ones(bookable: Any) -> None:
    care = bookable.care
    visit = bookable.paid(bookable.book(bookable.at(9)))
    ground = services.refuse_patient(care.act("song"), care.mei.pk, RefusalDraft("harassment", "动手"))
    services.take_back(care.act("song"), ground.pk)
    row = services.propose(care.act("gao"), care.mei.pk, BarDraft("harassment", "动手", 30, refusals=[ground.pk]))
    assert bookable.slots()
    services.decide(care.act("dou"), row.pk, True)
    for who in ("mei", "gao"):
        with pytest.raises(Conflict) as refused:
            bookable.book(bookable.at(14), who)
        assert refused.value.extra["reason"] == "barred"
    assert Visit.objects.get().state == "booked" and bookable.again(visit).state == "booked"
    services.lift(care.act("dou"), row.pk, "已道歉")
    assert bookable.book(bookable.at(14)).state == "held"
