from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from shoufu.kernel.booking.models import Offering, Resource, WaitingEntry


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


HOURS = {"days": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"], "opens": "08:00", "closes": "20:00"}
TERMS = {
    "duration_minutes": "60", "step_minutes": "60", "most_units": "1", "capacity": "1", "price": "20.50",
    "lead_minutes": "0", "horizon_days": "14", "hold_minutes": "10", "free_hours": "24", "late_percent": "50",
    "no_show_percent": "100", "move_hours": "2",
}  # fmt: skip


def test_an_office_offers_a_room_by_forms_alone(club: Any) -> None:
    office, place = signed_in(club.world.chen), club.offering.place
    since = timezone.localdate().isoformat()
    names = {"code": "yoga", "name": "瑜伽室", "name_en": "Yoga room", "kind": "room", "place": str(place.pk)}
    done = office.post("/booking/resources/new", names | HOURS | {"since": since})
    room = Resource.objects.get(code="yoga")
    assert done.headers["Location"] == f"/booking/resources/{room.pk}"
    assert room.rules.get().recurrence.endswith("FREQ=DAILY")
    more = {"days": ["SA"], "opens": "20:00", "closes": "22:00", "since": since}
    assert office.post(f"/booking/resources/{room.pk}/rules/new", more).status_code == 302
    evening = room.rules.order_by("pk").last()
    assert evening is not None and "BYDAY=SA" in evening.recurrence
    assert office.post(f"/booking/resources/rules/{evening.pk}/remove").status_code == 302
    offer = {"code": "yoga", "name": "瑜伽", "name_en": "Yoga", "place": str(place.pk), "resources": [str(room.pk)]}
    assert office.post("/booking/offerings/new", offer | TERMS).status_code == 302
    row = Offering.objects.get(code="yoga")
    assert row.current is not None and (row.current.price, row.current.hold_seconds) == (2050, 600)
    changed = TERMS | {"price": "30", "number": "1"}
    assert office.post(f"/booking/offerings/{row.pk}/terms", changed).status_code == 302
    assert office.post(f"/booking/offerings/{row.pk}/terms", changed).status_code == 409
    assert office.post(f"/booking/offerings/{row.pk}/close").status_code == 302
    row.refresh_from_db()
    assert row.ends_at is not None and row.current is not None and row.current.price == 3000


def test_a_form_keeps_what_was_typed_and_names_what_is_wrong(club: Any) -> None:
    office = signed_in(club.world.chen)
    said = office.post("/booking/offerings/new", TERMS | {"code": "x", "name": "瑜伽", "price": "viel"})
    page = said.content.decode()
    assert said.status_code == 422 and "瑜伽" in page and page.count("wrong-text") >= 2
    said = office.post("/booking/resources/new", {"code": "x", "name": "x", "opens": "8 Uhr", "since": "bald"})
    assert said.status_code == 422 and said.content.decode().count("wrong-text") >= 4


def test_who_may_not_manage_finds_no_form(club: Any) -> None:
    assert signed_in(club.eve).get("/booking/offerings/new").status_code == 403
    assert signed_in(club.eve).post(f"/booking/offerings/{club.offering.pk}/close").status_code == 403


def test_where_nothing_is_free_one_can_wait(club: Any) -> None:
    eve, page = signed_in(club.eve), f"/booking/offerings/{club.offering.pk}"
    terms = club.offering.current
    terms.lead_minutes = terms.horizon_days * 1440
    terms.save()
    assert "加入候补" in eve.get(page).content.decode()
    day = timezone.localdate() + timedelta(days=1)
    assert eve.post(f"{page}/wait", {"since": "soon", "until": day.isoformat()}).status_code == 422
    assert eve.post(f"{page}/wait", {"since": day.isoformat(), "until": day.isoformat()}).status_code == 302
    assert WaitingEntry.objects.get().state == "waiting"
