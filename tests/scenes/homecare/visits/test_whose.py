from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.booking import selectors as bookings
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import Booking
from shoufu.kernel.notices.models import Notice
from shoufu.kernel.privacy.models import Delegation
from shoufu.scenes.homecare.visits import telling
from shoufu.scenes.homecare.visits.models import Visit

pytestmark = pytest.mark.django_db


def _lets(bookable: Any, *scopes: str) -> Delegation:
    """Mei lets her daughter Lan do these things for her."""
    people = bookable.care.people
    return Delegation.objects.create(
        person=people["mei"], delegate=people["lan"], scopes=list(scopes), since=timezone.now() - timedelta(days=1)
    )


@pytest.mark.parametrize("role", ["guard", "operator", "property_manager"])
def test_who_works_at_the_place_does_not_learn_that_a_home_gets_care(bookable: Any, role: str) -> None:
    visit = bookable.paid(bookable.book(bookable.at(9)))
    user = User.objects.create(username=role, display_name=role)
    RoleAssignment.objects.create(user=user, role=role, place=bookable.care.world.songshan, since=timezone.now())
    actor, browser = actor_for_user(user), Client()
    browser.force_login(user)
    assert not bookings.bookings(actor).exists()
    assert "欧阳梅" not in browser.get("/booking/").content.decode()
    past = timezone.now() - timedelta(minutes=5)
    Booking.objects.filter(pk=visit.booking_id).update(starts_at=past, ends_at=past + timedelta(minutes=45))
    with pytest.raises(NotFound):
        booking.no_show(actor, visit.booking_id)
    assert bookable.again(visit).state == Visit.State.BOOKED


def test_a_daughter_whose_right_was_withdrawn_cannot_cancel_what_she_booked(bookable: Any) -> None:
    right = _lets(bookable, "care.act")
    visit = bookable.paid(bookable.book(bookable.at(9), who="lan"))
    lan = bookable.care.act("lan")
    assert bookings.is_own(lan, visit.booking)
    right.withdrawn_at = timezone.now()
    right.save()
    with pytest.raises(NotFound):
        booking.cancel(lan, visit.booking_id)
    assert bookings.is_own(bookable.care.act("mei"), visit.booking)


def test_who_may_book_courts_for_her_has_no_say_in_her_care(bookable: Any) -> None:
    _lets(bookable, "booking.act")
    visit = bookable.paid(bookable.book(bookable.at(9)))
    with pytest.raises(NotFound):
        booking.cancel(bookable.care.act("lan"), visit.booking_id)


def test_the_coordinator_and_the_nurse_see_it(bookable: Any) -> None:
    visit = bookable.paid(bookable.book(bookable.at(9)))
    for name in ("gao", "song"):
        assert bookings.bookings(bookable.care.act(name)).filter(pk=visit.booking_id).exists()


def test_notices_go_to_who_may_act_now_not_to_who_booked_once(bookable: Any) -> None:
    mei, lan, gao = (bookable.care.users[one].pk for one in ("mei", "lan", "gao"))
    let = _lets(bookable, "care.act")
    by_lan, by_office = bookable.book(bookable.at(9), who="lan"), bookable.book(bookable.at(14), who="gao")

    def told(visit: Visit) -> set[int]:
        Notice.objects.all().delete()
        telling.moved(Visit.objects.get(pk=visit.pk))
        return set(Notice.objects.values_list("user", flat=True))

    assert told(by_lan) == told(by_office) == {mei, lan} and gao not in told(by_office)
    Delegation.objects.filter(pk=let.pk).update(withdrawn_at=timezone.now())
    assert told(by_lan) == {mei}
