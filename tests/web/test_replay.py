"""The time machine's pages: what they answer, to whom, and nothing to a neighbour."""

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import zstandard
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry

NAMES = ("stage", "chunk", "bars", "pictures", "case", "days", "movement/counts")


def _query(name: str, place: int) -> str:
    now = timezone.now() - timedelta(minutes=30)
    given = {
        "chunk": f"&since={now.timestamp()}",
        "bars": f"&day={now:%Y-%m-%d}",
        "pictures": f"&at={now.timestamp()}",
        "case": f"&at={now.timestamp()}",
        "days": f"&day={now:%Y-%m-%d}&with={now - timedelta(days=1):%Y-%m-%d}",
    }
    return f"/replay/{name}?place={place}{given.get(name, '')}"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_page_stands_at_the_moment_of_its_address(
    district: Any, sign_in: Callable[[str], Any], language: str
) -> None:
    district.users["guard"].language = language
    district.users["guard"].save()
    guard, place = sign_in("guard"), district.places["songshan"].pk
    page = guard.get(f"/replay/?place={place}&at=2026-11-20T09:30:00%2B08:00&speed=60&later=1&with=2026-11-13")
    assert page.status_code == 200
    text = page.content.decode()
    assert 'data-speed="60"' in text and 'data-later="1"' in text and 'data-other="2026-11-13"' in text
    assert ("Time machine" if language == "en" else "时光机") in text
    start = json.loads(text.split('id="replay-start">')[1].split("</script>")[0])
    assert start["at"] == 1_795_138_200
    assert guard.get(f"/replay/?place={place}&speed=7").status_code == 422
    assert guard.get(f"/replay/?place={place}&with=tomorrow").status_code == 422
    assert guard.get(f"/replay/movement/?place={place}&first=2026-11-20&last=2026-11-01").status_code == 422


def test_a_district_is_asked_for_a_compound(district: Any, sign_in: Callable[[str], Any]) -> None:
    operator, wide = sign_in("operator"), district.places["huanggu"].pk
    page = operator.get(f"/replay/?place={wide}").content.decode()
    assert f"/replay/?place={district.places['songshan'].pk}" in page
    for name in NAMES:
        assert operator.get(_query(name, wide), headers={"Accept": "application/json"}).status_code == 422, name


def test_every_answer_holds_for_the_compound_and_nothing_for_the_neighbour(
    district: Any, sign_in: Callable[[str], Any]
) -> None:
    guard, stranger, auditor = sign_in("guard"), sign_in("stranger"), sign_in("auditor")
    place = district.places["songshan"].pk
    for name in NAMES:
        assert guard.get(_query(name, place)).status_code == 200, name
        headers = {"Accept": "application/json"}
        assert stranger.get(_query(name, place), headers=headers).status_code == 404, name
        assert auditor.get(_query(name, place), headers=headers).status_code == 403, name
    assert stranger.get(f"/replay/?place={place}&at=2026-11-20T09:30:00%2B08:00").status_code == 404
    looks = AuditEntry.objects.filter(action="history.look")
    assert [(look.actor_label, look.place) for look in looks] == [("保安一", place)]


def test_a_chunk_comes_packed_as_the_browser_takes_it(district: Any, sign_in: Callable[[str], Any]) -> None:
    guard, url = sign_in("guard"), _query("chunk", district.places["songshan"].pk) + "&minutes=60"
    packed = guard.get(url, headers={"Accept-Encoding": "gzip, zstd, br"})
    assert packed["Content-Encoding"] == "zstd" and "Accept-Encoding" in packed["Vary"]
    plain = json.loads(zstandard.ZstdDecompressor().decompressobj().decompress(packed.content))
    other = guard.get(url, headers={"Accept-Encoding": "gzip"})
    again = json.loads(gzip.decompress(other.content))
    # The piece of the present ends where it was asked for.
    assert {**again, "until": plain["until"]} == plain and again["until"] >= plain["until"]
    assert guard.get(url).json()["since"] == plain["since"]
    assert len(plain["changes"]["device"]) == len(plain["changes"]["valid"]) > 0
    assert {one["kind"] for one in plain["events"]["table"]} >= {"door.access"}
    assert plain["cases"][0]["moves"][0][2] == "new"


@pytest.mark.parametrize("bad", ["abc", "nan", "1e300", "-99999999999", ""])
def test_a_wrong_moment_is_refused_in_words(district: Any, sign_in: Callable[[str], Any], bad: str) -> None:
    guard, place = sign_in("guard"), district.places["songshan"].pk
    answer = guard.get(f"/replay/chunk?place={place}&since={bad}", headers={"Accept": "application/json"})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "since"
    day = guard.get(f"/replay/bars?place={place}&day=9999-12-31", headers={"Accept": "application/json"})
    assert day.status_code == 422


def test_the_next_case_and_the_one_before(district: Any, sign_in: Callable[[str], Any]) -> None:
    guard, place = sign_in("guard"), district.places["songshan"].pk
    opened = sorted(case.opened_at.timestamp() for case in district.cases)
    after = guard.get(f"/replay/case?place={place}&at={opened[0] - 1}").json()
    assert after["at"] == pytest.approx(opened[0])
    before = guard.get(f"/replay/case?place={place}&at={opened[0]}&back=1").json()
    assert before["at"] < opened[0]
    assert guard.get(f"/replay/case?place={place}&at={opened[-1] + 1}").json()["at"] is None
