import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.cases.models import Case
from shoufu.kernel.devices.models import Device
from shoufu.web import built, demo

SignIn = Callable[[str], Client]
OPERATOR_PAGES = (
    "wall",
    "desk",
    "overview",
    "search",
    "health",
    "profile",
    "cases:list",
    "cases:report",
    "observations:feed",
    "devices:list",
    "places:list",
    "parties:people",
    "parties:vehicles",
    "rules:list",
    "notices:inbox",
    "audit:list",
)


@pytest.mark.parametrize("name", OPERATOR_PAGES)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_pages_read_in_both_languages(sign_in: SignIn, district: Any, name: str, language: str) -> None:
    user = district.users["operator"]
    user.language = language
    user.save()
    response = sign_in("operator").get(reverse(name))
    assert response.status_code == 200
    assert ('lang="zh-CN"' if language == "zh-hans" else 'lang="en"') in response.content.decode()
    assert "script-src 'self'" in response["Content-Security-Policy"]


# Lists read a fixed number of queries however many rows they show; a rise here is a query a row.
MOST_QUERIES = {
    "wall": 28,
    "desk": 21,
    "overview": 18,
    "cases:list": 9,
    "devices:list": 12,
    "places:list": 9,
    "parties:people": 10,
    "parties:vehicles": 10,
    "rules:list": 12,
    "observations:feed": 9,
    "audit:list": 12,
    "notices:inbox": 9,
}


@pytest.mark.parametrize("name", MOST_QUERIES)
def test_lists_cost_a_fixed_number_of_queries(sign_in: SignIn, name: str) -> None:
    client = sign_in("operator")
    client.get(reverse(name))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(reverse(name)).status_code == 200
    assert len(queries) <= MOST_QUERIES[name], [entry["sql"][:160] for entry in queries.captured_queries]


@pytest.mark.parametrize(("page", "most"), [("cases", 20), ("devices", 15)])
def test_a_case_and_a_device_cost_a_fixed_number_of_queries(
    sign_in: SignIn, district: Any, page: str, most: int
) -> None:
    client = sign_in("operator")
    thing = district.cases[0] if page == "cases" else district.devices["cam-1"]
    address = f"/{page}/{thing.pk}"
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    assert len(queries) <= most, [entry["sql"][:160] for entry in queries.captured_queries]


def test_more_cases_cost_no_more_queries(sign_in: SignIn, district: Any) -> None:
    client = sign_in("operator")
    counts = []
    for _round in range(2):
        client.get(reverse("cases:list"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("cases:list"))
        counts.append(len(queries))
        first = Case.objects.order_by("pk").first()
        assert first is not None
        for number in range(20):
            first.pk, first.number, first.firing = None, f"C-2020010{_round}-{number:04d}", None
            first.save()
    assert counts[0] == counts[1]


def test_strangers_are_sent_to_sign_in(district: Any) -> None:
    response = Client().get("/cases/")
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")
    assert Client().get("/cases/", headers={"HX-Request": "true"}).status_code == 401


def test_a_foreign_manager_sees_none_of_it(sign_in: SignIn, district: Any) -> None:
    client = sign_in("stranger")
    assert client.get(f"/cases/{district.cases[0].pk}").status_code == 404
    assert client.get(f"/devices/{district.devices['cam-1'].pk}").status_code == 404
    assert district.cases[0].number not in client.get("/cases/").content.decode()
    assert client.get(f"/desk/?place={district.places['songshan'].pk}").status_code == 404


def test_the_place_is_kept_from_page_to_page(sign_in: SignIn, district: Any) -> None:
    client = sign_in("operator")
    client.get(f"/desk/?place={district.places['changjiang'].pk}")
    page = client.get("/cases/").content.decode()
    assert "长江小区" in page
    assert district.cases[0].number not in page
    assert client.get("/cases/?place=abc").status_code == 422


def test_filters_sort_and_csv_of_the_case_list(sign_in: SignIn, district: Any) -> None:
    client = sign_in("operator")
    rows = list(
        csv.reader(
            io.StringIO(b"".join(client.get("/cases/?severity=high&sort=opened&format=csv")).decode("utf-8-sig"))
        )
    )
    titles = [row[2] for row in rows[1:]]
    assert titles.count("夜间院内人员徘徊") == 6
    assert "单元门被强行打开" not in titles
    assert client.get("/cases/?sort=nonsense").status_code == 422
    assert client.get("/cases/?page=0").status_code == 422
    assert "没有符合筛选的内容" in client.get("/cases/?text=zzzz").content.decode()


def test_acknowledge_dispatch_resolve(sign_in: SignIn, district: Any) -> None:
    client, case = sign_in("operator"), district.cases[1]
    assert client.post(f"/cases/{case.pk}/acknowledge", {"version": case.version}).status_code == 302
    case.refresh_from_db()
    assert case.state == "acknowledged"
    guard = district.users["guard"]
    client.post(f"/cases/{case.pk}/dispatch", {"version": case.version, "receiver": f"user:{guard.pk}", "text": "请看"})
    case.refresh_from_db()
    assert (case.state, case.assignee_id) == ("dispatched", guard.pk)
    refused = client.post(f"/cases/{case.pk}/resolve", {"version": case.version, "outcome": ""})
    assert refused.status_code == 422
    assert "请用几个字说明如何办结" in refused.content.decode()
    client.post(f"/cases/{case.pk}/resolve", {"version": case.version, "outcome": "等车居民，已离开"})
    case.refresh_from_db()
    assert case.state == "resolved"


def test_the_second_operator_is_told_who_was_first(sign_in: SignIn, district: Any) -> None:
    case, seen = district.cases[0], district.cases[0].version
    sign_in("manager").post(f"/cases/{case.pk}/acknowledge", {"version": seen})
    late = sign_in("operator").post(
        f"/cases/{case.pk}/false_alarm", {"version": seen, "reason": "typed with care"}, headers={"HX-Request": "true"}
    )
    assert late.status_code == 409
    page = late.content.decode()
    assert "周经理" in page
    assert "typed with care" in page
    case.refresh_from_db()
    assert case.state == "acknowledged"


def test_bulk_leaves_alone_what_others_have(sign_in: SignIn, district: Any) -> None:
    ids = [case.pk for case in district.cases[:3]]
    sign_in("manager").post(f"/cases/{ids[0]}/acknowledge", {})
    client = sign_in("operator")
    page = client.post("/cases/bulk/acknowledge", {"ids": ids}, follow=True).content.decode()
    assert "已处理 2 件" in page
    assert "1 件未动" in page


def test_looking_at_a_person_is_recorded(sign_in: SignIn, district: Any) -> None:
    client = sign_in("operator")
    page = client.get("/parties/people/").content.decode()
    assert "查看会被记录" in page
    person = Client and next(iter(client.get("/parties/people/").context["list"].rows))
    address = f"/parties/people/{person.pk}"
    assert client.post(address, {"reason": ""}).status_code == 422
    assert not AuditEntry.objects.filter(action="parties.look").exists()
    assert "本次查看已记录" in client.post(address, {"reason": "家人报失联"}).content.decode()
    assert AuditEntry.objects.get(action="parties.look").reason == "家人报失联"


def test_a_past_moment_shows_what_was_open_then(sign_in: SignIn, district: Any) -> None:
    client = sign_in("operator")
    then = (timezone.now() - timezone.timedelta(minutes=30)).isoformat()
    page = client.get("/desk/", {"at": then}).content.decode()
    assert "按当时所知" in page
    assert "相机离线" in page
    assert "单元门被强行打开" not in page
    assert client.get("/desk/?at=yesterday").status_code == 422
    feed = client.get("/observations/", {"at": then})
    assert all(line.row.t <= feed.wsgi_request.moment.at for line in feed.context["lines"])


def test_the_replay_chunk_gives_start_and_changes(sign_in: SignIn, district: Any) -> None:
    since = (timezone.now() - timezone.timedelta(hours=3)).timestamp()
    chunk = sign_in("operator").get(f"/desk/chunk.json?since={since}").json()
    doors = Device.objects.filter(kind="door_controller").count()
    assert len(chunk["start"]) == doors
    assert chunk["until"] - chunk["since"] == 1800
    assert all(chunk["since"] <= max(valid, known) for *_rest, valid, known in chunk["changes"])
    assert sign_in("operator").get("/desk/chunk.json?since=soon").status_code == 422


def test_the_map_data_stay_in_the_scope(sign_in: SignIn, district: Any) -> None:
    client = sign_in("stranger")
    data = client.get("/desk/map.json").json()
    assert {feature["properties"]["code"] for feature in data["places"]["features"]} == {"changjiang"}
    assert data["devices"] == []
    assert data["cases"] == []


def test_editing_a_rule(sign_in: SignIn, district: Any) -> None:
    client, rule = sign_in("operator"), district.rule
    address = reverse("rules:detail", args=[rule.pk])
    assert "夜间区域停留" in client.get(address).content.decode()
    good = {"/where": "result.object == 'person' && result.seconds > 300.0", "/cooldown": "900", "based_on": "1"}
    checked = client.post(f"{address}/check", good).content.decode()
    assert "类型正确" in checked
    assert "piece changed" in checked
    bad = client.post(f"{address}/check", good | {"/where": "result.second > 300.0"}).content.decode()
    assert "/where" in bad
    assert client.post(f"{address}/save", good | {"/where": "result.seconds >"}).status_code == 422
    assert client.post(f"{address}/save", good).status_code == 302
    draft = rule.versions.get(number=2)
    assert "300.0" in draft.spec["where"]
    assert client.post(f"{address}/save", good | {"/where": "true"}).status_code == 409
    client.post(f"{address}/activate", {"version": draft.pk})
    draft.refresh_from_db()
    assert draft.state == "live"


@pytest.mark.django_db(transaction=True)
def test_a_rehearsal_is_told_in_words(sign_in: SignIn, district: Any) -> None:
    from shoufu.kernel.rules.models import Rehearsal
    from shoufu.kernel.rules.rehearsal import jobs

    client, rule = sign_in("operator"), district.rule
    spec = dict(rule.versions.get().spec) | {"schedule": None, "cooldown": 0}
    live = rule.versions.get()
    live.spec, live.live_from = spec, timezone.now() - timezone.timedelta(days=3)
    live.save()
    address = reverse("rules:detail", args=[rule.pk])
    form = {
        "/where": "result.object == 'person' && result.seconds > 300.0",
        "based_on": "1",
        "then": "rehearse",
        "span": "86400",
    }
    assert client.post(f"{address}/save", form).status_code == 302
    rehearsal = Rehearsal.objects.get()
    assert "hx-get" in client.get(address).content.decode()
    jobs.run(rehearsal.pk)
    rehearsal.refresh_from_db()
    assert rehearsal.state == "done", rehearsal.error
    page = client.get(address).content.decode()
    assert "会报的事件" in page
    assert rehearsal.result["draft_figures"]["raised"] > 0


def test_preferences_tokens_and_api(sign_in: SignIn, district: Any) -> None:
    client = sign_in("operator")
    client.post(
        "/profile/preferences", {"display_name": "小王", "language": "en", "theme": "dark", "large_print": "on"}
    )
    page = client.get("/profile/").content.decode()
    assert 'data-theme="dark"' in page
    assert "large-print" in page
    made = client.post("/profile/tokens", {"name": "test"})
    token = made.context["token"]
    api = Client(headers={"Authorization": f"Bearer {token}"})
    assert api.get("/api/cases").status_code == 200
    assert Client(headers={"Authorization": "Bearer wrong"}).get("/api/cases").status_code == 401
    refused = Client().get("/api/cases")
    assert refused["Content-Type"] == "application/problem+json"


def test_api_documentation_needs_nothing_from_outside(district: Any) -> None:
    page = Client().get("/api/docs").content.decode()
    assert "http://" not in page
    assert "https://" not in page
    assert "/static/ninja/" in page


def test_zones_are_saved_as_a_whole_or_refused(sign_in: SignIn, district: Any) -> None:
    client, camera = sign_in("admin"), district.devices["cam-2"]
    address = reverse("devices:zones", args=[camera.pk])
    zone = {"name": "院内", "kind": "zone", "points": [[0, 0.5], [1, 0.5], [1, 1]]}
    camera.refresh_from_db()
    saved = client.post(address, {"zones": [zone], "version": camera.version}, content_type="application/json")
    assert saved.status_code == 200, saved.content
    again = client.post(
        address,
        {"zones": [], "version": camera.version},
        content_type="application/json",
        headers={"Accept": "application/json"},
    )
    assert again.status_code == 409
    flat = {"zones": [zone | {"points": [[0, 0]]}], "version": saved.json()["version"]}
    assert (
        client.post(address, flat, content_type="application/json", headers={"Accept": "application/json"}).status_code
        == 422
    )


def test_demo_links_work_in_the_demo_and_on_this_machine_only(district: Any, settings: Any) -> None:
    address = demo.link("guard")
    settings.DEMO = False
    assert Client().get(address).status_code == 404
    settings.DEMO = True
    assert Client().get(address, REMOTE_ADDR="10.0.0.9").status_code == 404
    assert Client().get(address, headers={"X-Forwarded-For": "203.0.113.5"}).status_code == 404
    assert Client().get("/accounts/demo/forged/").status_code == 403
    client = Client()
    assert client.get(address).status_code == 302
    assert client.get("/desk/").status_code == 200


def test_language_of_people_who_are_not_signed_in(district: Any) -> None:
    client = Client()
    assert "登录" in client.get("/accounts/login/").content.decode()
    assert client.get("/language/en/?next=https://elsewhere.example/")["Location"] == "/"
    assert "Sign in" in client.get("/accounts/login/").content.decode()


def test_every_icon_is_in_the_sprite() -> None:
    import json
    import re
    from pathlib import Path

    from shoufu.web import translations

    listed = set(json.loads((Path(translations.PACKAGE).parents[1] / "frontend" / "icons.json").read_text()))
    used = set()
    for path in translations.PACKAGE.rglob("*.html"):
        used |= set(re.findall(r'\{% icon "([a-z0-9-]+)"', path.read_text("utf-8")))
    assert used <= listed, f"run `npm run icons`: {used - listed}"
    assert built.FALLBACK in listed


def test_a_case_is_shown_as_it_was_known_then(district: Any, sign_in: Callable[[str], Any]) -> None:
    case, client = next(case for case in district.cases if case.state == "new"), sign_in("operator")
    client.post(f"/cases/{case.pk}/acknowledge", {"version": case.version, "page": "desk"}, headers={"HX-Request": "1"})
    panel = f"/cases/{case.pk}/panel"

    def seen(moment: datetime) -> str:
        return str(client.get(panel, {"at": moment.isoformat()}).content.decode())

    assert "tag acknowledged" in client.get(panel).content.decode()
    then = seen(case.opened_at + timedelta(seconds=1))
    assert "tag new" in then
    assert "tag acknowledged" not in then
    before = seen(case.opened_at - timedelta(minutes=1))
    assert "tag new" not in before
    assert "那时还不知道这件事件" in before
