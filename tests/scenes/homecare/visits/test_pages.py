from typing import Any

import pytest
from django.utils import timezone

from shoufu.scenes.homecare.register.models import ServiceVersion
from shoufu.scenes.homecare.visits import services
from shoufu.scenes.homecare.visits.models import Prescription, Visit

pytestmark = pytest.mark.django_db
V = "/homecare/visits/"
PAPER = {"drug": "头孢", "dose": "每日一次", "prescriber": "王医生", "hospital": "市医院", "uses": "3", "route": "肌注"}


def test_a_patient_books_in_four_taps_and_pays_at_the_visit(bookable: Any) -> None:
    care = bookable.care
    mei, start = care.client("mei"), bookable.at(9)
    assert mei.get(f"{V}mine/").status_code == 200
    book = f"{V}mine/book/{care.mei.pk}/"
    assert f"{book}{care.service.pk}/" in mei.get(book).content.decode()
    page = mei.get(f"{book}{care.service.pk}/").content.decode()
    assert "09:00" in page
    agree = f"{book}{care.service.pk}/agree/"
    shown = mei.get(agree, {"start": start.isoformat()}).content.decode()
    assert "同意换药" in shown and "宋晓燕" in shown and care.song.licence_number in shown
    sent = {"start": start.isoformat(), "consent": str(bookable.version.pk), "note": "请轻声"}
    held = mei.post(agree, sent)
    assert held.status_code == 302
    visit = Visit.objects.get()
    assert held["Location"] == f"{V}mine/{visit.pk}/pay/"
    assert "168.00" in mei.get(held["Location"]).content.decode()
    assert "HX-Redirect" not in mei.get(f"{V}mine/{visit.pk}/paid/")
    assert mei.post(held["Location"], {"provider": "at_visit"})["Location"] == f"{V}mine/{visit.pk}/"
    assert "HX-Redirect" in mei.get(f"{V}mine/{visit.pk}/paid/")
    page = mei.get(f"{V}mine/{visit.pk}/").content.decode()
    assert "宋晓燕" in page and "请轻声" in page
    assert mei.post(agree, sent).status_code == 409
    assert mei.get(f"{V}mine/{visit.pk}/move/").status_code == 200
    moved = mei.post(f"{V}mine/{visit.pk}/move/", {"start": bookable.at(11).isoformat()})
    assert moved.status_code == 302 and Visit.objects.get().starts_at == bookable.at(11)
    assert mei.post(f"{V}mine/{visit.pk}/", {"act": "cancel"}).status_code == 302
    assert Visit.objects.get().state == "cancelled"
    assert care.client("lan").get(f"{V}mine/{visit.pk}/").status_code == 404


def test_of_what_was_done_there_is_a_receipt(bookable: Any) -> None:
    care = bookable.care
    visit = bookable.paid(bookable.book(bookable.at(9)))
    mei, address = care.client("mei"), f"{V}mine/{visit.pk}/"
    assert mei.post(address, {"act": "x"}).status_code == 422
    now = timezone.now()
    services.begin(care.act("song"), visit.pk, now)
    services.finish(care.act("song"), visit.pk, now)
    assert f"/homecare/quality/mine/visits/{visit.pk}/rate/" in mei.get(address).content.decode()
    assert mei.get(f"{address}receipt/").content[:5] == b"%PDF-"
    assert care.client("lan").get(f"{address}receipt/").status_code == 404


def test_a_prescription_goes_from_the_phone_to_the_desk_and_back(bookable: Any) -> None:
    care = bookable.care
    ServiceVersion.objects.update(needs_prescription=True)
    mei, gao = care.client("mei"), care.client("gao")
    book = f"{V}mine/book/{care.mei.pk}/"
    address = f"{book}{care.service.pk}/prescription/"
    assert address in mei.get(book).content.decode()
    days = {"issued_on": bookable.day(0).isoformat(), "last_day": bookable.day(9).isoformat()}
    assert mei.post(address, PAPER | days | {"last_day": "x"}).status_code == 422
    assert mei.post(address, PAPER | days).status_code == 302
    row = Prescription.objects.get()
    desk = f"{V}prescriptions/{row.pk}/"
    assert "头孢" not in gao.get(desk).content.decode()
    assert "头孢" in gao.post(desk, {"act": "look"}).content.decode()
    assert gao.post(desk, {"act": "check"}).status_code == 302
    assert "09:00" in mei.get(f"{book}{care.service.pk}/").content.decode()
    assert gao.post(desk, {"act": "revoke", "reason": ""}).status_code == 422
    assert gao.post(desk, {"act": "revoke", "reason": "开错"}).status_code == 302
    new = f"{V}patients/{care.mei.pk}/prescription/"
    made = gao.post(new, PAPER | days | {"service": str(care.service.pk)})
    assert made.status_code == 302 and care.client("other").get(new).status_code == 404


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_desk_books_by_phone_reads_every_page_and_a_neighbour_none(bookable: Any, language: str) -> None:
    care = bookable.care
    care.users["gao"].language = language
    care.users["gao"].save()
    gao, other = care.client("gao"), care.client("other")
    address = f"{V}patients/{care.mei.pk}/book/"
    sent = {"service": str(care.service.pk), "start": bookable.at(9).isoformat(), "consent": str(bookable.version.pk)}
    assert "09:00" in gao.get(address, {"service": care.service.pk}).content.decode()
    made = gao.post(address, sent)
    visit = Visit.objects.get()
    assert made["Location"] == f"{V}{visit.pk}/"
    assert gao.post(f"{V}{visit.pk}/", {"act": "later"}).status_code == 302
    pages = [V, f"{V}?state=booked&day={visit.day}&nurse=宋", f"{V}?format=csv", f"{V}{visit.pk}/",
             f"{V}{visit.pk}/move/",
             f"{V}prescriptions/?state=open", f"{V}institutions/{care.office.pk}/rules/"]  # fmt: skip
    for page in pages:
        shown = gao.get(page)
        assert shown.status_code == 200, page
        strange = other.get(page)
        body = b"".join(strange.streaming_content) if strange.streaming else strange.content
        assert strange.status_code in (200, 404) and "欧阳梅" not in body.decode(), page
    assert gao.post(f"{V}{visit.pk}/", {"act": "cash", "reference": ""}).status_code == 422
    assert gao.post(f"{V}{visit.pk}/", {"act": "cash", "reference": "收据 7"}).status_code == 302
    assert gao.post(f"{V}{visit.pk}/", {"act": "note"}).status_code == 200
    assert gao.post(f"{V}{visit.pk}/", {"act": "cancel", "reason": ""}).status_code == 422
    assert gao.post(f"{V}{visit.pk}/", {"act": "cancel", "reason": "停诊"}).status_code == 302


def test_rules_are_changed_at_the_desk_and_services_opened_and_closed(bookable: Any) -> None:
    care = bookable.care
    gao = care.client("gao")
    address = f"{V}institutions/{care.office.pk}/rules/"
    values = {
        "step_minutes": "60", "lead_minutes": "30", "horizon_days": "7", "hold_minutes": "10", "free_hours": "48",
        "half_hours": "4", "half_percent": "30", "late_percent": "80", "no_show_percent": "100", "move_hours": "1",
    }  # fmt: skip
    assert gao.post(address, values | {"horizon_days": "x"}).status_code == 422
    assert gao.post(address, values).status_code == 302
    bookable.offering.refresh_from_db()
    assert bookable.offering.current.policy["steps"][1] == {"hours": 4, "percent": 30}
    opened = f"{V}services/{care.service.pk}/bookable/"
    assert gao.post(opened, {"act": "close"}).status_code == 302
    assert care.client("mei").get(f"{V}mine/book/{care.mei.pk}/{care.service.pk}/").status_code == 409
    assert gao.post(opened, {"act": "open"}).status_code == 302
    assert care.client("mei").get(f"{V}mine/book/{care.mei.pk}/{care.service.pk}/").status_code == 200
    assert care.client("song").post(opened, {"act": "open"}).status_code == 403


def test_programs_do_all_of_it(bookable: Any) -> None:
    care = bookable.care
    mei, gao = care.client("mei"), care.client("gao")
    api = "/api/homecare/visits/"
    ask = {"patient": care.mei.pk, "service": care.service.pk, "since": bookable.at(0).isoformat(),
           "until": bookable.at(23).isoformat(), "mine": "true"}  # fmt: skip
    slots = mei.get(f"{api}slots", ask).json()
    assert len(slots) > 4
    body = {"patient": care.mei.pk, "service": care.service.pk, "start": slots[0]["start"],
            "consent": bookable.version.pk, "mine": True}  # fmt: skip
    key = {"HTTP_IDEMPOTENCY_KEY": "k-1"}
    first, again = (mei.post(f"{api}visits", body, "application/json", **key) for _n in range(2))
    assert first.status_code == again.status_code == 201 and first.json()["id"] == again.json()["id"]
    one = f"{api}visits/{first.json()['id']}"
    assert mei.get(one, {"mine": "true"}).json()["stops"][0]["name"] == "宋晓燕"
    paid = mei.post(f"{one}/pay", {"provider": "at_visit", "mine": True}, "application/json")
    assert paid.json() == {"state": "booked", "code_url": ""}
    assert mei.get(f"{one}/cost", {"mine": "true"}).json()["kept"] == 0
    assert mei.get(one).status_code == 404 and gao.get(one).status_code == 200
    assert care.client("other").get(one).status_code == 404
    assert gao.get(f"{one}/objections").json() == []
    assert gao.post(f"{one}/cash", {"reference": "7"}, "application/json").status_code == 200
    moved = gao.post(f"{one}/move", {"start": slots[4]["start"]}, "application/json")
    assert moved.status_code == 200
    assert gao.post(f"{one}/cancel", {"reason": "停诊"}, "application/json").json()["state"] == "cancelled"
    wrong = mei.post(f"{api}visits", body | {"consent": 0}, "application/json")
    assert wrong.status_code == 422 and "consent" in wrong.content.decode()


def test_lists_cost_a_fixed_number_of_queries(bookable: Any, django_assert_max_num_queries: Any) -> None:
    gao, mei = bookable.care.client("gao"), bookable.care.client("mei")
    for patient in bookable.neighbours(4):
        bookable.book(bookable.at(9, ahead=3 + patient.pk % 6), "gao", patient=patient.pk)
    gao.get(V)
    with django_assert_max_num_queries(16):
        assert gao.get(V).status_code == 200
    with django_assert_max_num_queries(16):
        assert mei.get(f"{V}mine/").status_code == 200


def test_lists_of_visits_walk_an_index_and_name_whom_they_are_about(bookable: Any) -> None:
    """Sorting every visit there is, or looking through all of them for one patient's, is what a district cannot wait
    for."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    bookable.book(bookable.at(9))
    gao, mei = bookable.care.client("gao"), bookable.care.client("mei")
    for browser, address, wanted in (
        (gao, V, "homecare_visit_by_time"),
        (mei, f"{V}mine/", "homecare_visit_of_patient"),
    ):
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(address).status_code == 200
        about = [
            one["sql"] for one in asked if 'FROM "homecare_visits_visit"' in one["sql"] and "ORDER BY" in one["sql"]
        ]
        with connection.cursor() as cursor:
            cursor.execute(
                "set local enable_seqscan = off; set local enable_sort = off; set local enable_bitmapscan = off"
            )
            cursor.execute(f"explain {about[0]}")
            assert wanted in " ".join(row[0] for row in cursor.fetchall())
