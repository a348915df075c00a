from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.booking import policy, selectors, services
from shoufu.kernel.booking.models import Allocation, Booking, BookingEvent, Override, Resource, Tally, WaitingEntry
from shoufu.kernel.booking.selectors import Ask
from shoufu.kernel.notices.models import Notice

HOUR = timedelta(hours=1)


def free(club: Any, user: Any, since: Any, until: Any, **more: Any) -> list[Any]:
    return selectors.free_slots(
        club.act(user), Ask(club.row(more.pop("offering", club.offering.pk)), since, until, **more)
    )


def late(booking: Any) -> None:
    """Let a hold's time be over."""
    Booking.objects.filter(pk=booking.pk).update(held_until=timezone.now() - timedelta(seconds=1))


def test_eve_holds_and_confirms_and_the_third_is_told_what_is_free(club, at):
    first, second = club.hold(club.eve, at(10)), club.hold(club.finn, at(10))
    assert {one.resource_id for one in Allocation.objects.all()} == {court.pk for court in club.courts}
    with pytest.raises(Conflict) as refused:
        club.hold(club.eve, at(10))
    assert refused.value.extra["reason"] == "taken"
    assert set(refused.value.extra["nearest"]) >= {at(9).isoformat(), at(11).isoformat()}
    assert services.confirm(club.act(club.eve), first.pk).state == "confirmed"
    assert [one.kind for one in selectors.history(club.act(club.eve), first)] == ["held", "confirmed"]
    assert AuditEntry.objects.filter(action="booking.held", object_id=str(second.pk)).count() == 1
    assert [one.start for one in free(club, club.eve, at(9), at(12))] == [at(9), at(11)]


def test_an_expired_hold_is_free_at_once_and_cannot_be_confirmed(club, at):
    mine = [club.hold(club.eve, at(10)) for _ in range(2)]
    for one in mine:
        late(one)
    assert [one.start for one in free(club, club.finn, at(10), at(11))] == [at(10)]
    theirs = club.hold(club.finn, at(10))
    with pytest.raises(Conflict) as refused:
        services.confirm(club.act(club.eve), mine[0].pk)
    assert refused.value.extra["reason"] == "hold-expired"
    assert services.expire_holds() + Booking.objects.filter(state="expired").count() >= 2
    assert Booking.objects.get(pk=theirs.pk).state == "held"
    assert Allocation.objects.filter(live=True).count() == 1


def test_somebody_elses_hold_looks_like_none(club, at):
    held = club.hold(club.eve, at(10))
    for act in (services.confirm, services.cancel):
        with pytest.raises(NotFound):
            act(club.act(club.finn), held.pk)
    with pytest.raises(NotFound):
        services.confirm(club.act(club.world.bob), held.pk)
    with pytest.raises(Forbidden):
        services.no_show(club.act(club.eve), held.pk)
    assert services.confirm(club.act(club.world.alice), held.pk).state == "confirmed"


def test_times_that_cannot_be_booked_say_why(club, at):
    for start, error in (
        (timezone.now() - HOUR, "start"),
        (at(10, days=40), "start"),
    ):
        with pytest.raises(Invalid) as refused:
            club.hold(club.eve, start)
        assert refused.value.errors[0].field == error
    for end in (at(10), at(9), at(10) + timedelta(minutes=90)):
        with pytest.raises(Invalid) as refused:
            club.hold(club.eve, at(10), end=end)
        assert refused.value.errors[0].field == "end"
    with pytest.raises(Invalid):
        club.hold(club.eve, at(10), end=at(14))
    for start in (at(3), at(10) + timedelta(minutes=1), at(20)):
        with pytest.raises(Conflict) as closed:
            club.hold(club.eve, start)
        assert closed.value.extra["reason"] == "closed"
    services.close_offering(SYSTEM, club.offering.pk)
    with pytest.raises(Conflict) as ended:
        club.hold(club.eve, at(10))
    assert ended.value.extra["reason"] == "ended"
    assert Booking.objects.count() == 0


def test_several_hours_take_the_whole_span(club, at):
    long = club.hold(club.eve, at(10), end=at(13), resources=[club.courts[0].pk])
    assert (long.units, policy.price(long)) == (3, 6003)
    with pytest.raises(Conflict):
        club.hold(club.finn, at(12), resources=[club.courts[0].pk])
    assert club.hold(club.finn, at(13), resources=[club.courts[0].pk])


def test_buffers_keep_the_resource_free_around(club, at):
    only = [[club.courts[0].pk]]
    offer = club.offer(needs=only, terms={"buffer_before": 30, "buffer_after": 15, "step_minutes": 15})
    club.hold(club.eve, at(10), offering=offer.pk)
    got = [one.start for one in free(club, club.finn, at(8), at(13), offering=offer.pk)]
    assert max(one for one in got if one < at(10)) == at(8) + timedelta(minutes=15)
    assert min(one for one in got if one > at(10)) == at(11) + timedelta(minutes=45)


def test_a_double_service_takes_one_of_each_or_nothing(club, at):
    first, second = (court.pk for court in club.courts)
    double = club.offer(needs=[[first, second], [first]])
    got = club.hold(club.eve, at(10), offering=double.pk)
    assert {one.resource_id for one in got.allocations.all()} == {first, second}
    club.hold(club.finn, at(11), resources=[second])
    with pytest.raises(Conflict):
        club.hold(club.eve, at(11), offering=double.pk)
    assert Allocation.objects.filter(live=True).count() == 3


def test_places_are_sold_once_and_come_back(club, at):
    class_ = club.offer(terms={"capacity": 3})
    three = club.hold(club.eve, at(10), offering=class_.pk, quantity=2)
    with pytest.raises(Conflict) as refused:
        club.hold(club.finn, at(10), offering=class_.pk, quantity=2)
    assert refused.value.extra["reason"] == "full"
    assert free(club, club.finn, at(10), at(11), offering=class_.pk)[0].left == 1
    services.cancel(club.act(club.eve), three.pk)
    gone = club.hold(club.finn, at(10), offering=class_.pk, quantity=3)
    late(gone)
    again = club.hold(club.eve, at(10), offering=class_.pk, quantity=3)
    assert Tally.objects.get().taken == 3
    services.reschedule(club.act(club.eve), again.pk, services.Move(at(11)))
    assert dict(Tally.objects.values_list("starts_at", "taken")) == {at(10): 0, at(11): 3}


def test_moving_keeps_the_history_and_all_or_nothing(club, at):
    mine = services.confirm(club.act(club.eve), club.hold(club.eve, at(10)).pk)
    for _ in range(2):
        club.hold(club.finn, at(12))
    with pytest.raises(Conflict):
        services.reschedule(club.act(club.eve), mine.pk, services.Move(at(12)))
    assert Booking.objects.get(pk=mine.pk).starts_at == at(10)
    moved = services.reschedule(club.act(club.eve), mine.pk, services.Move(at(10) + HOUR, version=mine.version))
    assert moved.starts_at == at(11) and moved.state == "confirmed"
    line = BookingEvent.objects.get(kind="moved")
    assert (line.before, line.after) == (at(10), at(11))
    assert Allocation.objects.filter(booking=mine, live=True).get().span.lower == at(11)
    with pytest.raises(Conflict):
        services.reschedule(club.act(club.eve), mine.pk, services.Move(at(14), version=mine.version))
    # Half an hour later than its own time: what it takes itself is not in the way.
    half = club.offer(terms={"step_minutes": 30}, needs=[[club.courts[1].pk]])
    own = club.hold(club.eve, at(15), offering=half.pk)
    later = at(15) + timedelta(minutes=30)
    assert services.reschedule(club.act(club.eve), own.pk, services.Move(later)).starts_at == later


def test_moving_makes_no_confirmed_booking_longer(club, at):
    mine = services.confirm(club.act(club.eve), club.hold(club.eve, at(10)).pk)
    with pytest.raises(Conflict) as refused:
        services.reschedule(club.act(club.eve), mine.pk, services.Move(at(11), at(13)))
    assert refused.value.extra["reason"] == "length"
    most = club.offering.current.most_units
    with pytest.raises(Invalid):
        services.reschedule(club.act(club.world.alice), mine.pk, services.Move(at(8), at(8) + (most + 1) * HOUR))


def test_a_court_that_closed_while_the_lock_was_waited_for_is_not_taken(club, at, monkeypatch):
    from shoufu.kernel.booking.services import holding

    waited = holding.lock_and_admit

    def meanwhile(query, slot):
        Resource.objects.filter(pk__in=[court.pk for court in club.courts]).update(retired_at=timezone.now())
        waited(query, slot)

    monkeypatch.setattr(holding, "lock_and_admit", meanwhile)
    with pytest.raises(Conflict) as refused:
        club.hold(club.eve, at(10))
    # Each turn's closing is undone with the turn, so that it meets it five times.
    assert refused.value.extra["reason"] == "taken"
    assert not Booking.objects.exists()


def test_a_provider_that_is_gone_keeps_no_hold_from_ending(club, at, caplog):
    held = club.hold(club.eve, at(10))
    late(held)
    type(club.offering).objects.filter(pk=club.offering.pk).update(provider="gone")
    assert services.expire_holds() == 1
    assert Booking.objects.get(pk=held.pk).state == "expired"
    assert "gone" in caplog.text


def test_whoever_waits_in_vain_stands_in_nobodys_way(club, at, monkeypatch):
    from shoufu.kernel.booking.services import waiting

    monkeypatch.setattr(waiting, "MOST", 1)
    held = [club.hold(club.world.alice, at(hour)) for hour in (10, 10, 12, 12)]
    services.join(club.act(club.eve), services.WaitDraft(club.offering.pk, at(10), at(11)))
    second = services.join(club.act(club.finn), services.WaitDraft(club.offering.pk, at(12), at(13)))
    services.cancel(club.act(club.world.alice), held[2].pk)
    assert services.promote(club.offering.pk) == 1
    second.refresh_from_db()
    assert second.state == "offered"


@pytest.mark.parametrize(
    ("hours", "amount", "reason"), [(30, 0, "free"), (24, 0, "free"), (5, 1001, "step"), (1, 2001, "late")]
)
def test_what_cancelling_costs(club, at, hours, amount, reason):
    booked = services.confirm(club.act(club.eve), club.hold(club.eve, at(10)).pk)
    found = policy.of_cancelling(booked, booked.starts_at - hours * HOUR)
    assert (found.amount, found.reason, found.currency) == (amount, reason, "CNY")
    assert policy.words(found)
    assert policy.of_cancelling(booked, booked.starts_at, by_office=True).amount == 0
    assert policy.of_not_coming(booked).amount == 2001


def test_terms_change_for_new_bookings_only(club, at):
    old = services.confirm(club.act(club.eve), club.hold(club.eve, at(10)).pk)
    services.change_terms(SYSTEM, club.offering.pk, services.TermsDraft(60, price=5000, policy={"late_percent": 10}))
    new = club.hold(club.finn, at(10))
    assert (policy.price(Booking.objects.get(pk=old.pk)), policy.price(new)) == (2001, 5000)
    with pytest.raises(Conflict):
        services.change_terms(SYSTEM, club.offering.pk, services.TermsDraft(60), number=1)


def test_the_office_cancels_free_and_tells_who_booked(club, at):
    booked = services.confirm(club.act(club.eve), club.hold(club.eve, at(10)).pk)
    assert services.cancel(club.act(club.world.chen), booked.pk, reason="漏水").charge == 0
    assert "羽毛球" in Notice.objects.get(user=club.eve, template="booking.cancelled").subject
    with pytest.raises(Conflict):
        services.cancel(club.act(club.eve), booked.pk)


def test_who_did_not_come_pays_by_the_terms(club, at):
    booked = services.confirm(club.act(club.eve), club.hold(club.eve, at(10)).pk)
    with pytest.raises(Conflict):
        services.no_show(club.act(club.world.alice), booked.pk)
    Booking.objects.filter(pk=booked.pk).update(starts_at=timezone.now() - 2 * HOUR, ends_at=timezone.now() - HOUR)
    with pytest.raises(Conflict):
        services.cancel(club.act(club.eve), booked.pk)
    assert services.no_show(club.act(club.world.alice), booked.pk).charge == 2001


def test_what_only_the_clock_closed_may_still_be_said_not_to_have_been_kept(club, at):
    alice, chen = club.act(club.world.alice), club.act(club.world.chen)
    unsaid, said = (services.confirm(club.act(club.eve), club.hold(club.eve, at(hour)).pk) for hour in (10, 11))
    past = timezone.now() - 30 * HOUR
    Booking.objects.filter(pk__in=(unsaid.pk, said.pk)).update(starts_at=past, ends_at=past + HOUR)
    services.complete(alice, said.pk)
    assert services.complete_past() == 1
    assert services.no_show(alice, unsaid.pk).charge == 2001
    assert Booking.objects.get(pk=unsaid.pk).state == "no_show"
    with pytest.raises(Conflict):
        services.no_show(alice, said.pk)
    put_right = services.complete(chen, unsaid.pk)
    assert (put_right.state, put_right.charge, put_right.charge_reason) == ("completed", 0, "")
    with pytest.raises(Conflict):
        services.no_show(alice, unsaid.pk)


def test_the_waiting_list_is_served_in_order_with_a_hold_and_a_notice(club, at, django_capture_on_commit_callbacks):
    held = [club.hold(club.world.alice, at(10)) for _ in range(2)]
    drafts = services.WaitDraft(club.offering.pk, at(10), at(11))
    eve = services.join(club.act(club.eve), drafts)
    finn = services.join(club.act(club.finn), drafts)
    assert services.join(club.act(club.eve), drafts).pk == eve.pk
    assert services.promote(club.offering.pk) == 0
    with django_capture_on_commit_callbacks(execute=True):
        services.cancel(club.act(club.world.alice), held[0].pk)
    eve.refresh_from_db()
    assert eve.state == "offered" and eve.booking.user == club.eve and eve.booking.starts_at == at(10)
    assert "羽毛球" in Notice.objects.get(user=club.eve, template="booking.offered").subject
    assert WaitingEntry.objects.get(pk=finn.pk).state == "waiting"
    late(eve.booking)
    with django_capture_on_commit_callbacks(execute=True):
        services.expire_holds()
    assert WaitingEntry.objects.get(pk=eve.pk).state == "lapsed"
    finn.refresh_from_db()
    services.confirm(club.act(club.finn), finn.booking_id)
    assert WaitingEntry.objects.get(pk=finn.pk).state == "taken"
    with pytest.raises(Conflict) as refused:
        services.join(club.act(club.eve), services.WaitDraft(club.offering.pk, at(12), at(13)))
    assert refused.value.extra["reason"] == "free"


def test_an_absence_closes_and_names_what_stands_in_it(club, at):
    booked = club.hold(club.eve, at(10), resources=[club.courts[0].pk])
    made = services.add_override(
        SYSTEM, club.courts[0].pk, services.OverrideDraft(at(9), at(12), Override.Reason.MAINTENANCE)
    )
    assert [one.pk for one in made.affected] == [booked.pk]
    with pytest.raises(Conflict):
        club.hold(club.finn, at(11), resources=[club.courts[0].pk])
    extra = services.OverrideDraft(at(21), at(22), Override.Reason.EXTRA, available=True)
    services.add_override(SYSTEM, club.courts[1].pk, extra)
    assert club.hold(club.finn, at(21))
    with pytest.raises(Conflict):
        services.retire_resource(SYSTEM, club.courts[0].pk)
    services.remove_override(SYSTEM, made.row.pk)
    assert club.hold(club.finn, at(11), resources=[club.courts[0].pk])


def test_a_pool_of_the_district_is_open_to_those_who_live_below(club, at):
    pool = club.offer(place=club.world.district.pk)
    assert club.hold(club.eve, at(10), offering=pool.pk)
    only = club.offer(place=club.world.changjiang.pk)
    with pytest.raises(NotFound):
        club.hold(club.eve, at(10), offering=only.pk)


def test_bookings_that_nobody_spoke_of_are_completed(club, at):
    booked = services.confirm(club.act(club.eve), club.hold(club.eve, at(10)).pk)
    assert services.complete_past() == 0
    assert services.complete_past(booked.ends_at + timedelta(hours=25)) == 1
    assert services.expire(booked.ends_at + timedelta(days=800)) > 0
    assert Booking.objects.get(pk=booked.pk).user is None


def test_what_a_person_had_booked_ends_with_them(club, at):
    from shoufu.kernel.base.hooks import Ending, end_person
    from shoufu.kernel.parties import services as parties

    person = parties.create_person(SYSTEM, parties.PersonDraft("伊芙", club.world.songshan.pk))
    club.eve.person = person
    club.eve.save()
    booked = club.hold(club.eve, at(10))
    assert booked.person_id == person.pk
    lines = end_person(SYSTEM, Ending(person.pk, timezone.now(), "died"))
    assert any(booked.number in line.what for line in lines)
    assert Booking.objects.get(pk=booked.pk).state == "cancelled" and not Allocation.objects.filter(live=True).exists()
