"""Who did a visit is who gets the share of it; and what a phone says is shown, whatever was said before it."""

import importlib.util
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import Booking
from shoufu.kernel.payments import books
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import LedgerEntry
from shoufu.scenes.homecare.encounters import selectors
from shoufu.scenes.homecare.encounters import services as encounters
from shoufu.scenes.homecare.register.models import ServiceVersion
from shoufu.scenes.homecare.visits import ordering, services
from shoufu.scenes.homecare.visits.models import Visit

pytestmark = pytest.mark.django_db


def _phone(care: Any, user: str) -> Any:
    spec = importlib.util.spec_from_file_location(
        "care_phone", Path(__file__).parent.parent / "encounters" / "phone.py"
    )
    assert spec is not None and spec.loader is not None
    module = sys.modules.get("care_phone") or importlib.util.module_from_spec(spec)
    if "care_phone" not in sys.modules:
        sys.modules["care_phone"] = module
        spec.loader.exec_module(module)
    return module.Phone(care, user)


def _double(bookable: Any) -> tuple[Visit, Any]:
    """A paid visit of two nurses at once: Song and Li."""
    care = bookable.care
    document = care.service.versions.get().performers[0]
    ServiceVersion.objects.update(second="simultaneous", performers=[document, document])
    li = bookable.colleague("李护士", "13600000001")
    user = User.objects.create(username="li", display_name="李护士", person=li.person)
    since = timezone.now() - timedelta(days=1)
    RoleAssignment.objects.create(user=user, role="nurse", place=care.world.songshan, since=since)
    care.users["li"] = user
    services.open_for_booking(care.act("gao"), care.service.pk)
    visit = bookable.paid(bookable.book(bookable.at(9)))
    assert visit.stops.count() == 2
    # Its day has come: who checks in days before the promise is asked about.
    Visit.objects.filter(pk=visit.pk).update(starts_at=timezone.now() - timedelta(minutes=30))
    return bookable.again(visit), li


def _shares(bookable: Any, visit: Visit) -> dict[str, int]:
    """What the settlement gives to whom; half of a visit is for who did it."""
    today, office = timezone.localdate(), bookable.care.office.organisation_id
    shares = [payments.Share("performer", 5_000), payments.Share("institution", 5_000)]
    payments.set_shares(SYSTEM, office, today - timedelta(days=1), shares)
    assert ordering.follow(visit.pk)
    batch = payments.draft_settlement(SYSTEM, office, today, today + timedelta(days=1))
    payments.confirm_settlement(SYSTEM, batch.pk)
    assert sum(LedgerEntry.objects.values_list("amount_minor", flat=True)) == 0 and books.wrong_orders() == []
    return {line.account: line.amount_minor for line in batch.lines.all()}


def _person(practitioner: Any) -> str:
    return f"payable:person:{practitioner.person_id}"


def test_two_nurses_of_a_double_service_get_equal_shares(bookable: Any) -> None:
    visit, li = _double(bookable)
    for user in ("song", "li"):
        phone = _phone(bookable.care, user)
        phone.send(*phone.whole(visit))
    assert bookable.again(visit).state == "done"
    own = f"payable:organisation:{bookable.care.office.organisation_id}"
    assert _shares(bookable, visit) == {_person(bookable.care.song): 4200, _person(li): 4200, own: 8400}


def test_who_never_came_gets_nothing_and_who_is_counted_in_later_gets_theirs(bookable: Any) -> None:
    visit, li = _double(bookable)
    care = bookable.care
    phone = _phone(care, "song")
    phone.send(*phone.whole(visit))
    encounters.finish_without(care.act("gao"), visit.pk, "一人完成")
    assert ordering.follow(visit.pk)
    assert [one.person_id for one in bookable.again(visit).order.performers.all()] == [care.song.person_id]
    late = _phone(care, "li")
    late.send(*late.whole(visit))
    (line,) = selectors.conflicts(care.act("gao"))
    assert ordering.follow(visit.pk) and bookable.again(visit).order.performers.count() == 1
    encounters.settle(care.act("gao"), line.pk, "她也在场", take=True)
    assert bookable.again(visit).money_due_at is not None
    assert {_person(care.song), _person(li)} < _shares(bookable, visit).keys()


def test_where_nobody_wrote_the_plan_says_who_did_it_and_a_clerk_is_not_overruled(bookable: Any) -> None:
    visit, li = _double(bookable)
    care = bookable.care
    services.begin(care.act("song"), visit.pk, timezone.now())
    services.finish(care.act("song"), visit.pk, timezone.now())
    assert ordering.follow(visit.pk)
    order = bookable.again(visit).order
    assert {one.person_id for one in order.performers.all()} == {care.song.person_id, li.person_id}
    payments.set_performers(care.act("clerk"), order.pk, [li.person_id])
    assert ordering.follow(visit.pk) and order.performers.get().person_id == li.person_id


def test_done_that_comes_after_a_no_show_is_shown_and_a_person_decides(bookable: Any) -> None:
    care = bookable.care
    visit = services.pay_at_visit(care.act("mei"), bookable.book(bookable.at(9)).pk, mine=True)
    past = timezone.now() - timedelta(hours=1)
    Booking.objects.filter(pk=visit.booking_id).update(starts_at=past, ends_at=past + timedelta(minutes=45))
    booking.no_show(SYSTEM, visit.booking_id)
    assert ordering.follow(visit.pk)
    charge = bookable.again(visit).order
    phone = _phone(care, "song")
    assert [one.result for one in phone.send(*phone.whole(visit))] == ["applied", "conflict", *["applied"] * 7]
    (line,) = selectors.conflicts(care.act("gao"))
    kept = bookable.again(visit)
    assert (kept.state, kept.booking.state, line.kind) == ("missed", "no_show", "check_in")
    assert ordering.follow(visit.pk) and bookable.again(visit).order == charge
    encounters.settle(care.act("gao"), line.pk, "护士到过，服务已做", take=True)
    assert ordering.follow(visit.pk)
    done = bookable.again(visit)
    assert (done.state, done.end_cause, done.booking.state, done.booking.charge) == ("done", "", "completed", 0)
    charge.refresh_from_db()
    assert (charge.state, done.order.state, done.order.payer_minor) == ("cancelled", "pending", 16800)
    assert done.order.performers.get().person_id == care.song.person_id
