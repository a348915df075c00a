"""Threads race on the real database: nothing overlaps, nothing is sold twice, nobody deadlocks."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.booking import services
from shoufu.kernel.booking.models import Allocation, Booking, Request, Tally
from shoufu.kernel.parties import services as parties

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 12


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


def kinds(found: list[Any]) -> Counter[str]:
    return Counter(type(one).__name__ for one in found)


def test_twelve_clients_two_courts_two_bookings(club, at):
    actors = [club.act(user) for user in (club.eve, club.finn)]
    got = race(lambda n: services.hold(actors[n % 2], club.draft(at(10))))
    assert kinds(got) == {"Booking": 2, "Conflict": THREADS - 2}
    assert Allocation.objects.filter(live=True).count() == 2
    assert {one.extra["reason"] for one in got if isinstance(one, Conflict)} == {"taken"}


def test_double_services_cross_wise_do_not_deadlock(club, at):
    first, second = (court.pk for court in club.courts)
    there, back = club.offer(needs=[[first], [second]]), club.offer(needs=[[second], [first]])
    actor = club.act(club.eve)

    def act(number: int) -> Any:
        offering = (there, back)[number % 2].pk
        return services.hold(actor, club.draft(at(8 + number % 3), offering=offering))

    got = race(act)
    assert kinds(got) == {"Booking": 3, "Conflict": THREADS - 3}
    assert Allocation.objects.filter(live=True).count() == 6


def test_places_are_never_oversold(club, at):
    class_ = club.offer(terms={"capacity": 5})
    actor = club.act(club.eve)
    got = race(lambda n: services.hold(actor, club.draft(at(10), offering=class_.pk, quantity=1 + n % 2)))
    sold = sum(one.quantity for one in got if isinstance(one, Booking))
    assert kinds(got).keys() == {"Booking", "Conflict"}
    assert Tally.objects.get().taken == sold and 4 <= sold <= 5


def test_the_same_key_at_the_same_time_is_done_once(club, at):
    actor = club.act(club.eve)
    once = services.Once.of("k1", "hold", {"a": 1})
    got = race(lambda n: services.hold(actor, club.draft(at(10)), once))
    assert kinds(got) == {"Booking": THREADS} and len({one.pk for one in got}) == 1
    assert Booking.objects.count() == Request.objects.count() == 1


def test_movers_change_places_and_lose_nothing(club, at):
    class_ = club.offer(terms={"capacity": 6})
    actor = club.act(club.eve)
    mine = [services.hold(actor, club.draft(at(10 + n % 2), offering=class_.pk)) for n in range(THREADS)]
    got = race(lambda n: services.reschedule(actor, mine[n].pk, services.Move(at(11 - n % 2))))
    moved = [one for one in got if isinstance(one, Booking)]
    assert kinds(got).keys() <= {"Booking", "Conflict"}
    by_slot = Counter(Booking.objects.values_list("starts_at", flat=True))
    assert dict(Tally.objects.filter(taken__gt=0).values_list("starts_at", "taken")) == dict(by_slot)
    assert len(moved) >= 0 and Booking.objects.count() == THREADS


def test_an_expired_hold_goes_to_exactly_one(club, at):
    actor = club.act(club.eve)
    for _ in range(2):
        services.hold(actor, club.draft(at(10)))
    Booking.objects.update(held_until=at(10) - timedelta(days=3))
    old = list(Booking.objects.order_by("pk"))

    def act(number: int) -> Any:
        if number % 3 == 0:
            return services.expire_holds()
        if number % 3 == 1:
            return services.confirm(actor, old[number % 2].pk)
        return services.hold(actor, club.draft(at(10)))

    got = race(act)
    assert kinds(got)["Booking"] == 2 and kinds(got).keys() == {"Booking", "Conflict", "int"}
    assert Allocation.objects.filter(live=True).count() == 2
    assert Booking.objects.filter(state="expired").count() == 2


def test_the_constraint_stands_behind_the_lock(club, at):
    from django.db import IntegrityError

    held = services.hold(club.act(club.eve), club.draft(at(10)))
    row = held.allocations.get()
    with pytest.raises(IntegrityError, match="allocation_no_overlap"):
        Allocation.objects.create(booking=held, resource=row.resource, span=row.span)


@pytest.mark.parametrize("first", ["death", "hold"])
def test_nothing_is_booked_beside_a_death_that_is_written_down(club, at, first):
    person = parties.create_person(SYSTEM, parties.PersonDraft("伊芙", club.world.songshan.pk))
    club.eve.person = person
    club.eve.save()
    acts = {
        "death": lambda: parties.died(SYSTEM, person.pk, timezone.localdate()),
        "hold": lambda: services.hold(club.act(club.eve), club.draft(at(10))),
    }
    done, begun = threading.Event(), threading.Event()

    def act(number: int) -> Any:
        if number:
            done.wait(10)
            begun.set()
            return acts["hold" if first == "death" else "death"]()
        with transaction.atomic():
            found = acts[first]()
            done.set()
            begun.wait(10)
            time.sleep(0.3)  # the other one gets as far as its lock
        return found

    got = race(act, 2)
    wanted = ["Departure", "Conflict"] if first == "death" else ["Booking", "Departure"]
    assert [type(one).__name__ for one in got] == wanted, got
    assert not Booking.objects.filter(person=person, state__in=Booking.LIVE).exists()
