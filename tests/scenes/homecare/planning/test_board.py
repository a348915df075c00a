from collections.abc import Callable
from typing import Any

import pytest

from shoufu.scenes.homecare.planning.models import DayPlan, Policy, Proposal
from shoufu.scenes.homecare.visits.models import Visit

pytestmark = pytest.mark.django_db

PAGES, API = "/homecare/planning/", "/api/homecare/planning/"


def _address(board: Any, page: str = "") -> str:
    return f"{PAGES}{page}?institution={board.care.office.pk}&day={board.day}"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_coordinator_reads_every_page_and_others_none(board: Any, language: str) -> None:
    user = board.care.users["gao"]
    user.language = language
    user.save()
    visit = board.sent(board.visit(0, 9), "song", 9)
    board.visit(1, 9)
    proposal = board.client().post(f"{PAGES}deeds/", _day(board) | {"act": "mend"})
    pages = [
        _address(board),
        _address(board, "data/"),
        _address(board, "places/"),
        _address(board, "routes/"),
        _address(board, "routes/") + "&format=csv",
        f"{PAGES}visits/{visit.pk}/",
        f"{PAGES}people/{board.nurses['bai'].pk}/?day={board.day}",
        f"{PAGES}settings/{board.care.office.pk}/",
        proposal.headers["Location"],
        f"{API}institutions/{board.care.office.pk}/days/{board.day}",
    ]
    gao = board.client()
    strangers = [board.client(name) for name in ("other", "foreign", "song", "mei")]
    for address in pages:
        assert gao.get(address).status_code == 200, address
        for stranger in strangers:
            answered = stranger.get(address)
            shown = b"".join(answered.streaming_content) if answered.streaming else answered.content
            assert answered.status_code in (403, 404), address
            assert "白丽娟" not in shown.decode(), address
    assert gao.get(f"{PAGES}?institution=99999999").status_code == 404
    assert gao.get(_address(board).replace(str(board.day), "tomorrow")).status_code == 422
    own = board.client("song").get(f"{API}route?day={board.day}").json()
    assert [one["visit"] for one in own] == [visit.pk] and own[0]["promised_from"].startswith(str(board.day))


def _day(board: Any) -> dict[str, Any]:
    return {"institution": board.care.office.pk, "day": str(board.day)}


def test_the_board_takes_as_many_queries_for_thirty_visits_as_for_two(
    board: Any, django_assert_max_num_queries: Any
) -> None:
    board.grow(4, 26)
    for n in range(30):
        board.visit(n, 9 + n % 6)
    board.client().post(
        f"{API}institutions/{board.care.office.pk}/days/{board.day}/mend", content_type="application/json"
    )
    gao = board.client()
    gao.get(_address(board, "data/"))
    with django_assert_max_num_queries(45):
        gao.get(_address(board, "data/"))


def test_a_visit_is_given_by_form_and_what_cannot_be_is_said_there(board: Any) -> None:
    first = board.sent(board.visit(0, 9), "song", 9)
    visit, gao = board.visit(1, 9), board.client()
    page = f"{PAGES}visits/{visit.pk}/"
    assert "白丽娟" in gao.get(page).content.decode()
    wish = {"act": "assign", "who": board.nurses["song"].pk, "when": "09:05", "number": DayPlan.objects.get().number}
    refused = gao.post(page, wish)
    assert refused.status_code == 409 and "欧阳梅" in refused.content.decode()
    assert gao.post(page, wish | {"when": "9 o'clock"}).status_code == 422
    assert gao.post(page, wish | {"act": "steal"}).status_code == 422
    assert gao.post(page, wish | {"who": board.nurses["bai"].pk}).status_code == 302
    assert visit.stops.get().practitioner == board.nurses["bai"]
    undone = gao.post(f"{PAGES}deeds/", _day(board) | {"act": "undo", "number": DayPlan.objects.get().number})
    assert undone.status_code == 302 and not visit.stops.exists() and first.stops.exists()
    offer = f"{board.nurses['bai'].pk}@{board.at(9, 20).isoformat()}"
    done = gao.post(page, {"act": "take", "offer": offer, "pin": "1"}, headers={"HX-Request": "true"})
    assert done.headers["HX-Trigger"] == "plan-changed" and visit.stops.get().pinned


def test_what_an_ill_nurse_means_is_shown_before_it_is_taken(board: Any) -> None:
    visit = board.sent(board.visit(0, 9), "bai", 9)
    gao, page = board.client(), f"{PAGES}people/{board.nurses['bai'].pk}/"
    made = gao.post(page, {"act": "ill", "day": str(board.day)})
    assert made.status_code == 302
    shown = gao.get(made.headers["Location"]).content.decode()
    assert "宋晓燕" in shown and visit.stops.get().practitioner == board.nurses["bai"]
    assert gao.post(made.headers["Location"], {"act": "take"}).status_code == 302
    assert visit.stops.get().practitioner == board.nurses["song"]
    assert gao.post(made.headers["Location"], {"act": "take"}).status_code == 409
    assert gao.post(page, {"act": "late", "day": str(board.day), "until": "soon"}).status_code == 422
    assert Proposal.objects.count() == 1


def test_the_board_says_who_is_late_and_how_punctual_the_day_is(board: Any, clock: Callable[[Any], None]) -> None:
    first = board.sent(board.visit(0, 9), "song", 9)
    second = board.sent(board.visit(1, 9), "bai", 9)
    Visit.objects.filter(pk=first.pk).update(state="underway", began_at=board.at(9, 10))
    clock(board.at(9, 50))
    shown = board.client().get(f"{API}institutions/{board.care.office.pk}/days/{board.day}").json()
    assert shown["figures"]["punctual"] == 1.0 and shown["now"] == 590
    risky = {one["id"]: one["risk"] for one in shown["visits"] if one["risk"]}
    assert list(risky) == [second.pk] and risky[second.pk]["code"] == "not_begun"
    states = {bar["visit"]: bar["state"] for one in shown["people"] for bar in one["bars"]}
    assert states == {first.pk: "underway", second.pk: "planned"}


def test_how_an_institution_plans_is_set_by_its_coordinator(board: Any) -> None:
    page, gao = f"{PAGES}settings/{board.care.office.pk}/", board.client()
    sent = {"window_minutes": 45, "break_minutes": 30, "break_earliest": "11:30", "break_latest": "13:00",
            "grace_minutes": 10}  # fmt: skip
    assert gao.post(page, sent).status_code == 302
    assert Policy.objects.get().window_minutes == 45
    for wrong in ({"break_latest": "11:00"}, {"window_minutes": 999}, {"grace_minutes": "x"}, {"break_earliest": "?"}):
        assert gao.post(page, sent | wrong).status_code == 422
    assert Policy.objects.get().grace_minutes == 10


def test_dragging_hears_at_once_who_can_and_why_others_cannot(board: Any) -> None:
    board.sent(board.visit(0, 9), "song", 9)
    visit, gao = board.visit(1, 9), board.client()
    who = {one["practitioner"]: one for one in gao.get(f"{API}visits/{visit.pk}/who").json()}
    assert who[board.nurses["bai"].pk]["possible"] and "欧阳梅" in who[board.nurses["song"].pk]["text"]
    wish = {"crew": [board.nurses["bai"].pk], "start": board.at(9, 10).isoformat()}
    answer = gao.post(f"{API}visits/{visit.pk}/check", wish, content_type="application/json").json()
    assert answer["possible"] and answer["fit"]["clock"] == "09:10"
    given = gao.post(f"{API}visits/{visit.pk}/assign", wish | {"number": 1}, content_type="application/json")
    assert given.json() == {"number": 2}
    late = gao.post(f"{API}visits/{visit.pk}/assign", wish | {"number": 1}, content_type="application/json")
    assert late.status_code == 409 and late.json()["reason"] == "newer_plan"


def test_no_address_shows_or_changes_a_day_of_the_neighbours(db: None) -> None:
    from shoufu.runtime.drill.neighbours import endpoints, run
    from shoufu.runtime.drill.neighbours.rows import start_ids

    found = [one for one in endpoints.everything() if "/homecare/planning" in one.name]
    assert len(found) > 25
    figures = run(["care_coordinator"], found)
    start_ids(1_000_000)
    assert figures.leaks == []
    assert [name for name in figures.blind if "planning" in name] == []
    assert figures.seen >= 5
