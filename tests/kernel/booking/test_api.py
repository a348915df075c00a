import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.booking import services
from shoufu.kernel.booking.models import Booking, Request


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post(client: Client, path: str, body: Any = None, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/booking/{path}", json.dumps(body or {}), "application/json", headers=headers)


def fields(response: Any) -> set[str]:
    assert response["Content-Type"] == "application/problem+json"
    return {error["field"].rpartition("/")[2] for error in response.json()["errors"]}


def test_from_the_slots_to_a_booking_and_its_end(club, at):
    eve = signed_in(club.eve)
    asked = {"since": at(8).isoformat(), "until": at(12).isoformat(), "zone": "Europe/Berlin"}
    got = eve.get(f"/api/booking/offerings/{club.offering.pk}/slots", asked).json()
    assert got["zone"] == "Europe/Berlin" and len(got["items"]) == 4
    slot = got["items"][1]
    assert datetime.fromisoformat(slot["start"]) == at(9)
    held = post(eve, "bookings", {"offering": club.offering.pk, "start": slot["start"]})
    assert held.status_code == 201 and held.json()["state"] == "held"
    one = f"bookings/{held.json()['id']}"
    assert post(eve, f"{one}/confirm", {"version": 1}).json()["state"] == "confirmed"
    assert post(eve, f"{one}/confirm", {"version": 1}).status_code == 200
    assert post(eve, f"{one}/cancel", {"version": 1}).status_code == 409
    cost = eve.get(f"/api/booking/{one}/charge").json()
    assert cost["reason"] in ("free", "step", "late") and cost["words"] and cost["currency"] == "CNY"
    moved = post(eve, f"{one}/reschedule", {"start": at(15, 3).isoformat()}).json()
    assert datetime.fromisoformat(moved["starts_at"]) == at(15, 3)
    assert post(eve, f"{one}/cancel", {"reason": "下雨"}).json()["charge"] == 0
    kinds = [line["kind"] for line in eve.get(f"/api/booking/{one}/history").json()]
    assert kinds == ["held", "confirmed", "moved", "cancelled"]


def test_the_same_key_is_done_once_and_with_another_body_refused(club, at):
    eve, finn = signed_in(club.eve), signed_in(club.finn)
    body = {"offering": club.offering.pk, "start": at(10).isoformat()}
    first, again = post(eve, "bookings", body, "key-1"), post(eve, "bookings", body, "key-1")
    assert first.status_code == again.status_code == 201 and first.json()["id"] == again.json()["id"]
    other = post(eve, "bookings", body | {"start": at(11).isoformat()}, "key-1")
    assert other.status_code == 422 and fields(other) == {"Idempotency-Key"}
    assert post(finn, "bookings", body, "key-1").json()["id"] != first.json()["id"]
    one = f"bookings/{first.json()['id']}/cancel"
    assert post(eve, one, {}, "key-2").json() == post(eve, one, {}, "key-2").json()
    assert post(eve, one, {}, "key-3").status_code == 409
    assert not Request.objects.filter(key="key-3").exists()
    assert post(eve, "bookings", body, "x" * 201).status_code == 422
    assert Booking.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"start": "soon"}, 422, "start"),
        ({"start": "2020-01-01T10:00:00+08:00"}, 422, "start"),
        ({"start": "0001-01-01T00:00:00+14:00"}, 422, "start"),
        ({"end": "2020-01-01T10:00:00+08:00"}, 422, "end"),
        ({"units": 9}, 422, "units"),
        ({"quantity": 2}, 422, "quantity"),
        ({"units": -1}, 422, "units"),
        ({"details": {"x": 1}}, 422, "details"),
        ({"person": 999_999}, 404, ""),
        ({"offering": 999_999}, 404, ""),
        ({"resources": [999_999]}, 409, ""),
    ],
)
def test_bad_holds_name_the_field(club, at, changes, status, field):
    answer = post(
        signed_in(club.eve), "bookings", {"offering": club.offering.pk, "start": at(10).isoformat()} | changes
    )
    assert answer.status_code == status, answer.content
    assert not field or fields(answer) == {field}
    assert not Booking.objects.exists()


def _york(world: Any, day: date) -> Any:
    """A room in New York that is open the whole day of a clock change, and its offering."""
    world.songshan.time_zone = "America/New_York"
    world.songshan.save()
    rule = services.RuleDraft("FREQ=DAILY", time(0), time(0), since=date(2026, 1, 1))
    (room,) = services.create_resources(
        SYSTEM, [services.ResourceDraft("york", "room", "房", world.songshan.pk, rules=[rule])]
    )
    terms = services.TermsDraft(60, most_units=4, horizon_days=730)
    draft = services.OfferingDraft("york", world.songshan.pk, "房", terms, [services.RequirementDraft([room.pk])])
    return services.create_offering(SYSTEM, draft)


def next_change(month: int) -> date:
    """The next second Sunday of March, or first of November: when New York changes its clocks."""
    today = timezone.now().date() + timedelta(days=2)
    for year in (today.year, today.year + 1, today.year + 2):
        sundays = [date(year, month, n) for n in range(1, 15) if date(year, month, n).weekday() == 6]
        day = sundays[1 if month == 3 else 0]
        if day > today:
            return day
    raise AssertionError


def test_a_booking_across_a_clock_change(world, clubs):
    spring, autumn = next_change(3), next_change(11)
    offering, eve = _york(world, spring), signed_in(clubs.resident("Eve", world.songshan))

    def ask(day: date, start: str, end: str = "") -> Any:
        body = {"offering": offering.pk, "start": f"{day}T{start}", "end": f"{day}T{end}" if end else ""}
        return post(eve, "bookings", body)

    skipped = ask(spring, "02:30:00")
    assert skipped.status_code == 422 and "T03:30:00-04:00" in skipped.content.decode()
    twice = ask(autumn, "01:00:00")
    assert twice.status_code == 422 and "-04:00" in twice.content.decode() and "-05:00" in twice.content.decode()
    # From one to four by the clock are two hours of the short day, and four of the long one from midnight to three.
    short, long = ask(spring, "01:00:00", "04:00:00"), ask(autumn, "00:00:00", "03:00:00")
    assert (short.json()["units"], long.json()["units"]) == (2, 4)
    within = {"since": f"{autumn}T00:00:00", "until": f"{autumn}T05:00:00"}
    got = eve.get(f"/api/booking/offerings/{offering.pk}/slots", within).json()["items"]
    assert [one["start"][11:] for one in got] == ["03:00:00-05:00", "04:00:00-05:00"]
    assert post(eve, f"bookings/{long.json()['id']}/cancel").status_code == 200
    got = eve.get(f"/api/booking/offerings/{offering.pk}/slots", within).json()["items"]
    assert [one["start"][11:19] for one in got] == [
        "00:00:00",
        "01:00:00",
        "01:00:00",
        "02:00:00",
        "03:00:00",
        "04:00:00",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"until": "2099-01-01T00:00:00Z"}, "until"),
        ({"details": "{"}, "details"),
        ({"details": "[]"}, "details"),
        ({"units": 4}, "units"),
    ],
)
def test_bad_questions_for_slots(club, at, changes, field):
    asked = {"since": at(8).isoformat(), "until": at(9).isoformat()} | changes
    answer = signed_in(club.eve).get(f"/api/booking/offerings/{club.offering.pk}/slots", asked)
    assert answer.status_code == 422 and fields(answer) == {field}


def test_the_office_makes_an_offering(club, at):
    chen, eve = signed_in(club.world.chen), signed_in(club.eve)
    rule = {"recurrence": "FREQ=WEEKLY;BYDAY=MO,WE", "opens": "09:00", "closes": "12:00"}
    room = {"code": "room", "kind": "room", "name": "会议室", "place": club.world.songshan.pk, "rules": [rule]}
    made = post(chen, "resources", [room])
    assert made.status_code == 201
    assert post(chen, "resources", [room]).status_code == 409
    assert fields(post(chen, "resources", [room | {"code": "2", "kind": "palace"}])) == {"kind"}
    bad = post(chen, f"resources/{made.json()[0]['id']}/rules", rule | {"recurrence": "FREQ=HOURLY"})
    assert bad.status_code == 422 and fields(bad) == {"recurrence"}
    offer = {
        "code": "meeting",
        "place": club.world.songshan.pk,
        "name": "会议",
        "terms": {"duration_minutes": 90},
        "requirements": [{"resources": [made.json()[0]["id"]]}],
    }
    assert post(eve, "offerings", offer).status_code in (403, 422)
    assert post(chen, "offerings", offer | {"provider": "nobody"}).status_code == 422
    assert (
        post(chen, "offerings", offer | {"terms": {"duration_minutes": 90, "policy": {"steps": 3}}}).status_code == 422
    )
    row = post(chen, "offerings", offer)
    assert row.status_code == 201 and row.json()["terms"]["number"] == 1
    ends = {"ends_at": (timezone.now() + timedelta(days=1)).isoformat()}
    assert post(chen, f"offerings/{row.json()['id']}/close", ends).status_code == 200


def test_lists_take_the_same_queries_however_long(club, at, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    eve, alice = signed_in(club.eve), signed_in(club.world.alice)
    slots = f"/api/booking/offerings/{club.offering.pk}/slots"
    asked = {"since": at(8).isoformat(), "until": at(8, 3).isoformat()}

    def count(client: Client, path: str, query: Any = None) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(path, query).status_code == 200
        return len(seen)

    paths = [(alice, "/api/booking/bookings", None), (eve, slots, asked), (alice, "/api/booking/offerings", None)]
    club.hold(club.eve, at(8))
    before = [count(*one) for one in paths]
    for hour in range(9, 18):
        club.hold(club.eve, at(hour))
        club.offer()
    assert [count(*one) for one in paths] == before
    assert before[1] <= 16


def test_now_is_utc_aware(at):
    assert at(10).tzinfo is UTC
