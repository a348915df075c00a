from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.booking import services
from shoufu.kernel.booking.models import Booking, Override, WaitingEntry


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content[:800]
    return response.content.decode()


def test_from_the_free_slots_to_a_moved_and_cancelled_booking(club, at):
    eve = signed_in(club.eve)
    page = f"/booking/offerings/{club.offering.pk}"
    assert "羽毛球" in text(eve.get("/booking/offerings")) and "10:00" in text(eve.get(page))
    held = eve.post(f"{page}/hold", {"start": at(10).isoformat()})
    row = Booking.objects.get()
    assert held.headers["Location"] == f"/booking/{row.pk}"
    assert "确认" in text(eve.get(f"/booking/{row.pk}")) and "20.01" in text(eve.get(f"/booking/{row.pk}"))
    assert eve.post(f"/booking/{row.pk}/confirm", {"version": row.version}).status_code == 302
    wrong = text(eve.post(f"/booking/{row.pk}/move", {"start": "soon"}), 422)
    assert "wrong-text" in wrong
    later = (at(14) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")
    assert eve.post(f"/booking/{row.pk}/move", {"start": later}).status_code == 302
    assert Booking.objects.get().starts_at == at(14)
    assert "已改期" in text(eve.get(f"/booking/{row.pk}"))
    assert eve.post(f"/booking/{row.pk}/cancel", {"reason": "下雨"}).status_code == 302
    text(eve.post(f"/booking/{row.pk}/cancel", {}), 409)
    assert signed_in(club.finn).get(f"/booking/{row.pk}").status_code == 404
    assert text(eve.post(f"{page}/hold", {"start": at(3).isoformat()}), 409)


def test_the_office_lists_filters_exports_and_cancels_many(club, at):
    alice = signed_in(club.world.alice)
    rows = [services.confirm(SYSTEM, club.hold(club.eve, at(hour)).pk) for hour in (9, 10, 11)]
    shown = text(alice.get("/booking/?sort=start"))
    assert shown.index(rows[0].number) < shown.index(rows[2].number)
    assert rows[0].number not in text(alice.get(f"/booking/?text={rows[1].number}"))
    assert rows[0].number in text(alice.get(f"/booking/?day={timezone.localtime(at(9)).date()}&state=open"))
    assert alice.get("/booking/?day=tomorrow").status_code == 422
    sheet = b"".join(alice.get("/booking/?format=csv").streaming_content).decode()
    assert rows[0].number in sheet and "Eve" in sheet
    assert signed_in(club.world.bob).get("/booking/").content.decode().count("B-0") == 0
    done = alice.post("/booking/cancel-many", {"ids": [rows[0].pk, rows[1].pk], "reason": "停电"})
    assert done.status_code == 302 and Booking.objects.filter(state="cancelled", charge=0).count() == 2
    Booking.objects.filter(pk=rows[2].pk).update(starts_at=timezone.now() - timedelta(hours=1))
    assert alice.post(f"/booking/{rows[2].pk}/no-show", {}).status_code == 302


def test_a_resources_week_shows_bookings_and_exceptions(club, at):
    chen, court = signed_in(club.world.chen), club.courts[0]
    row = club.hold(club.eve, at(10), resources=[court.pk])
    page = f"/booking/resources/{court.pk}"
    day = timezone.localtime(at(10)).date()
    assert "1 号场" in text(chen.get("/booking/resources"))
    assert f"/booking/{row.pk}" in text(chen.get(f"{page}?day={day}"))
    given = {"starts_at": f"{day}T09:00", "ends_at": f"{day}T12:00", "reason": "maintenance"}
    assert "wrong-text" in text(chen.post(f"{page}/away", given | {"ends_at": f"{day}T08:00"}), 422)
    answer = chen.post(f"{page}/away", given, follow=True)
    assert row.number in text(answer)
    assert "维护" in text(chen.get(f"{page}?day={day}"))
    assert chen.post(f"/booking/resources/overrides/{Override.objects.get().pk}/remove").status_code == 302
    assert signed_in(club.eve).get(page).status_code == 403


def test_the_waiting_list_is_shown_and_left(club, at):
    for _ in range(2):
        club.hold(club.finn, at(10))
    services.join(club.act(club.eve), services.WaitDraft(club.offering.pk, at(10), at(11)))
    eve = signed_in(club.eve)
    assert "羽毛球" in text(eve.get("/booking/waiting"))
    entry = WaitingEntry.objects.get()
    assert signed_in(club.finn).post(f"/booking/waiting/{entry.pk}/withdraw").status_code == 404
    assert eve.post(f"/booking/waiting/{entry.pk}/withdraw").status_code == 302
    assert WaitingEntry.objects.get().state == "withdrawn"


def test_the_demo_offers_what_the_property_office_lends(db):
    from shoufu.kernel.booking import demo, selectors
    from shoufu.kernel.booking.models import Offering
    from shoufu.kernel.places import demo as places

    places.load(SYSTEM)
    for _ in range(2):
        demo.load(SYSTEM)
    assert Offering.objects.count() == 3
    now = timezone.now()
    for row in selectors.offerings(SYSTEM):
        ask = selectors.Ask(row, now, now + timedelta(days=8))
        assert selectors.free_slots(SYSTEM, ask), row.code


def test_the_list_takes_the_same_queries_however_long(club, at):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    alice = signed_in(club.world.alice)

    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            text(alice.get(path))
        return len(seen)

    paths = ["/booking/", "/booking/offerings", "/booking/resources", "/booking/waiting"]
    club.hold(club.eve, at(8))
    before = [count(path) for path in paths]
    for hour in range(9, 15):
        club.hold(club.eve, at(hour))
        club.offer()
    assert [count(path) for path in paths] == before
