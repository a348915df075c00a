"""Threads race on the real database: whatever is accepted stands in one feasible plan."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shoufu.engines.dispatch import violations
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import Booking
from shoufu.kernel.payments import books
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import Order, Refund
from shoufu.scenes.homecare.planning import days
from shoufu.scenes.homecare.visits import ordering, placing, returning, services
from shoufu.scenes.homecare.visits.models import Stop, Visit, default_policy

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


def race(act: Callable[[int], Any], count: int = THREADS) -> list[Any]:
    """What each of the threads got: a result, or the error that it ended with."""
    gate, found = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        gate.wait()
        try:
            found[number] = act(number)
        except Exception as error:  # noqa: BLE001 – whatever it is, the test looks at it
            found[number] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def whole(bookable: Any, ahead: int = 3) -> None:
    """Every visit that takes a time is in the plan of the day, at a promised time, and the plan breaks no rule."""
    office, day = bookable.care.office, bookable.day(ahead)
    loaded = days.load(office, day)
    taking = Visit.objects.filter(day=day, state__in=("held", "booked"))
    assert set(loaded.plan.by_visit) == {str(row.pk) for row in taking} and not loaded.plan.unassigned
    assert list(violations(loaded.problem, loaded.plan)) == []
    for stop in Stop.objects.select_related("visit").filter(visit__day=day):
        assert stop.visit.state in ("held", "booked")
        assert stop.visit.starts_at <= stop.span.lower <= stop.visit.latest_at


def test_of_many_clients_at_the_same_times_those_who_fit_the_plan_get_one(bookable: Any) -> None:
    gao = bookable.care.act("gao")
    patients = bookable.neighbours(THREADS)
    starts = [bookable.at(9), bookable.at(9, 30), bookable.at(10)]
    got = race(lambda n: services.book(gao, bookable.draft(starts[n % 3], patient=patients[n].pk)))
    kinds = Counter(type(one).__name__ for one in got)
    assert kinds.keys() <= {"Visit", "Conflict"} and 1 <= kinds["Visit"] <= 3, got
    assert Visit.objects.filter(state="held").count() == kinds["Visit"]
    whole(bookable)


def test_moving_across_days_while_others_cancel_and_book_deadlocks_nobody(bookable: Any) -> None:
    gao = bookable.care.act("gao")
    patients = bookable.neighbours(6)
    made = [
        services.book(gao, bookable.draft(bookable.at(8 + 2 * (n // 2), ahead=3 + n % 2), patient=patients[n].pk))
        for n in range(6)
    ]

    def act(number: int) -> Any:
        if number < 4:
            there = bookable.at(14 + number // 2, ahead=4 - number % 2)
            return services.move(gao, made[number].pk, there)
        if number == 4:
            return services.cancel(gao, made[4].pk, "改期")
        return services.book(gao, bookable.draft(bookable.at(12, 30), patient=patients[number - 5].pk))

    got = race(act, 7)
    assert all(isinstance(one, Visit | Conflict) for one in got), got
    whole(bookable, 3)
    whole(bookable, 4)


def test_a_hold_that_ends_while_it_is_confirmed_goes_to_one_of_both(bookable: Any) -> None:
    gao = bookable.care.act("gao")
    patients = bookable.neighbours(2)
    first = services.book(gao, bookable.draft(bookable.at(9), patient=patients[0].pk))
    Visit.objects.update(pay_later=True)
    Booking.objects.update(held_until=timezone.now() + timedelta(milliseconds=150))

    def act(number: int) -> Any:
        if number % 3 == 0:
            return booking.confirm(gao, first.booking_id)
        if number % 3 == 1:
            return booking.expire_holds()
        return services.book(gao, bookable.draft(bookable.at(9), patient=patients[1].pk))

    race(act, 6)
    taking = Visit.objects.filter(state__in=("held", "booked"))
    assert taking.count() <= 1 or first.pk not in {row.pk for row in taking.exclude(starts_at=bookable.at(9))}
    Booking.objects.filter(state="held", held_until__lte=timezone.now()).update(held_until=timezone.now())
    booking.expire_holds()
    whole(bookable)


def test_a_visit_that_is_given_up_while_another_is_held_and_a_third_runs_out_stops_neither(
    bookable: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gao = bookable.care.act("gao")
    patients = bookable.neighbours(3)
    given_up = services.book(gao, bookable.draft(bookable.at(9), patient=patients[0].pk))
    run_out = services.book(gao, bookable.draft(bookable.at(11), patient=patients[1].pk))
    Booking.objects.filter(pk=run_out.booking_id).update(held_until=timezone.now() - timedelta(seconds=1))
    ended, giving_up, let_go, release = threading.Event(), threading.Event(), placing.let_go, days.release

    def let_go_and_wait(*args: Any) -> int:
        count = let_go(*args)
        ended.set()
        giving_up.wait(1)
        return count

    def tell_and_release(actor: Any, visit: Visit, *args: Any, **more: Any) -> None:
        if visit.pk == given_up.pk:
            giving_up.set()
        release(actor, visit, *args, **more)

    monkeypatch.setattr(placing, "let_go", let_go_and_wait)
    monkeypatch.setattr(days, "release", tell_and_release)

    def act(number: int) -> Any:
        if number == 0:
            return services.book(gao, bookable.draft(bookable.at(14), patient=patients[2].pk))
        assert ended.wait(20)
        return services.cancel(gao, given_up.pk, "另约")

    got = race(act, 2)
    assert [getattr(one, "state", one) for one in got] == ["held", "cancelled"]
    assert bookable.again(run_out).state == "expired"
    whole(bookable)


def test_the_door_and_the_desk_say_at_once_that_nobody_came_and_neither_dies(
    bookable: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shoufu.scenes.homecare.visits.services import states

    visit = bookable.paid(bookable.book(bookable.at(9)))
    past, real = timezone.now() - timedelta(minutes=5), states.write_down
    Booking.objects.filter(pk=visit.booking_id).update(starts_at=past, ends_at=past + timedelta(minutes=45))
    song = bookable.care.act("song")

    def slowly(*args: Any, **more: Any) -> None:
        time.sleep(0.6)
        real(*args, **more)

    monkeypatch.setattr(states, "write_down", slowly)

    def act(number: int) -> Any:
        if number == 0:
            return services.miss(song, visit.pk, timezone.now(), "nobody_home")
        time.sleep(0.2)
        return booking.no_show(SYSTEM, visit.booking_id)

    got = race(act, 2)
    assert all(not isinstance(one, Exception) or isinstance(one, Conflict) for one in got), got
    assert bookable.again(visit).state == "missed" and bookable.again(visit).booking.state == "no_show"


def _paid_too_late(bookable: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Visit, Visit]:
    """One whose hold ran out before it was paid, and the one that has its time now; nothing followed yet."""
    visit = bookable.book(bookable.at(9))
    Booking.objects.filter(pk=visit.booking_id).update(held_until=timezone.now() - timedelta(seconds=1))
    other = bookable.book(bookable.at(9), "gao", patient=bookable.neighbours(1)[0].pk)
    monkeypatch.setattr(ordering, "follow_soon", lambda _visit: None)
    payments.confirm_offline(SYSTEM, visit.order_id, 16800, "R-1")
    return visit, other


def _one_of_both(bookable: Any, visit: Visit) -> None:
    state = bookable.again(visit).state
    back = list(Refund.objects.values_list("amount_minor", flat=True))
    assert (state, back) in (("booked", []), ("expired", [16800])), (state, back)
    assert Booking.objects.filter(person=visit.patient.person_id, state="confirmed").count() == (state == "booked")


def test_what_was_paid_too_late_is_paid_back_or_takes_place_never_both(
    bookable: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, other = _paid_too_late(bookable, monkeypatch)
    refused, placed, pay_back = threading.Event(), threading.Event(), returning.pay_back

    def slowly(visit_id: int) -> Any:
        if threading.current_thread().name == "first":
            refused.set()
            assert placed.wait(20)
        return pay_back(visit_id)

    monkeypatch.setattr(returning, "pay_back", slowly)

    def act(number: int) -> Any:
        if number == 0:
            threading.current_thread().name = "first"
            return ordering.follow(visit.pk)
        assert refused.wait(20)
        try:
            services.cancel(bookable.care.act("gao"), other.pk, "另约")
            return ordering.follow(visit.pk)
        finally:
            placed.set()

    got = race(act, 2)
    assert got[1] is True and bookable.again(visit).state == "booked", got
    _one_of_both(bookable, visit)


def test_many_who_follow_a_late_payment_while_its_time_gets_free(
    bookable: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, other = _paid_too_late(bookable, monkeypatch)

    def act(number: int) -> Any:
        if number == 0:
            return services.cancel(bookable.care.act("gao"), other.pk, "另约")
        time.sleep(0.02 * number)
        return ordering.follow(visit.pk)

    got = race(act)
    assert not [one for one in got if isinstance(one, Exception)], got
    _one_of_both(bookable, visit)


def test_many_who_follow_a_no_show_ask_for_its_charge_once(bookable: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    care = bookable.care
    policy = default_policy() | {"no_show_percent": 50}
    services.set_rules(care.act("gao"), care.office.pk, services.RulesDraft(policy=policy))
    later, paid = bookable.book(bookable.at(9)), bookable.paid(bookable.book(bookable.at(14)))
    services.pay_at_visit(care.act("mei"), later.pk, mine=True)
    past = timezone.now() - timedelta(hours=1)
    Booking.objects.update(starts_at=past, ends_at=past + timedelta(minutes=45))
    monkeypatch.setattr(ordering, "follow_soon", lambda _visit: None)
    for visit in (later, paid):
        services.miss(care.act("song"), visit.pk, timezone.now(), "nobody_home")
    got = race(lambda n: ordering.follow((later, paid)[n % 2].pk))
    assert not [one for one in got if isinstance(one, Exception)], got
    assert [one.payer_minor for one in Order.objects.filter(state="pending")] == [8400]
    assert list(Refund.objects.values_list("amount_minor", flat=True)) == [8400] and books.wrong_orders() == []


def test_a_visit_under_way_is_neither_moved_nor_cancelled(bookable: Any) -> None:
    visit = bookable.paid(bookable.book(bookable.at(9)))
    services.begin(bookable.care.act("song"), visit.pk, timezone.now())
    mei = bookable.care.act("mei")
    with pytest.raises(Conflict):
        booking.reschedule(mei, visit.booking_id, booking.Move(bookable.at(14)))
    with pytest.raises(Conflict):
        booking.cancel(mei, visit.booking_id, reason="改期")
    kept = bookable.again(visit)
    assert (kept.state, kept.starts_at, kept.booking.state) == ("underway", bookable.at(9), "confirmed")
    assert visit.stops.exists()
    assert services.finish(bookable.care.act("song"), visit.pk, timezone.now()).state == "done"


def test_a_plan_is_locked_before_the_places_of_a_slot_by_all(bookable: Any) -> None:
    """Two orders of the same two locks are a deadlock: a cancellation met a move, and one was a server error."""
    mine = bookable.care.act("mei")
    moved, cancelled, late = (bookable.book(bookable.at(hour)) for hour in (9, 12, 15))
    Booking.objects.filter(homecare_visit=late).update(held_until=timezone.now() - timedelta(minutes=1))
    acts: dict[str, Callable[[], Any]] = {
        "expire": booking.expire_holds,
        "hold": lambda: bookable.book(bookable.at(10, 30)),
        "move": lambda: services.move(mine, moved.pk, bookable.at(14), mine=True),
        "cancel": lambda: services.cancel(mine, cancelled.pk, mine=True),
    }
    for name, act in acts.items():
        with CaptureQueriesContext(connection) as asked:
            act()
        said = [one["sql"].lower() for one in asked.captured_queries]
        plans = [n for n, sql in enumerate(said) if "planning_dayplan" in sql and "for update" in sql]
        places = [n for n, sql in enumerate(said) if "update booking_tally" in sql]
        assert plans and places and max(plans) < min(places), name
