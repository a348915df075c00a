import importlib.util
import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.devices.models import Device
from shoufu.kernel.media import recordings, store
from shoufu.kernel.media.recordings import Lost

_spec = importlib.util.spec_from_file_location("recording", Path(__file__).with_name("recording.py"))
assert _spec is not None and _spec.loader is not None
recording = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(recording)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def camera(world) -> Device:
    return Device.objects.create(code="cam-1", kind="camera", name="院内", place=world.songshan)


@pytest.fixture
def start():
    return (timezone.now() - timedelta(minutes=3)).replace(microsecond=0)


def address(camera: Device, name: str, start, seconds: float) -> str:
    query = {"since": start.isoformat(), "until": (start + timedelta(seconds=seconds)).isoformat()}
    return f"/media/devices/{camera.pk}/{name}?{urlencode(query)}"


def test_a_span_plays_piece_by_piece_with_its_hole_and_the_look_is_noted(world, camera, start, client):
    pieces = [recording.segment("cam-1", start + timedelta(seconds=2 * n)) for n in range(2)]
    recordings.index([*pieces, Lost("cam-1", start + timedelta(seconds=4), "camera")])
    recordings.index([recording.segment("cam-1", start + timedelta(seconds=8))])
    client.force_login(world.alice)
    answer = client.get(address(camera, "play.m3u8", start, 12))
    lines = answer.content.decode().splitlines()
    addresses = [line for line in lines if line.startswith("/media/")]
    assert (answer.status_code, len(addresses), lines.count("#EXT-X-DISCONTINUITY")) == (200, 3, 1)
    assert [line for line in lines if line.startswith("#EXTINF")] == ["#EXTINF:2.000,"] * 3
    got = b"".join(client.get(addresses[0]).streaming_content)
    assert got == store.path(pieces[0].key).read_bytes()
    assert AuditEntry.objects.filter(action="media.look", actor_label="Alice").count() == 1
    spans = client.get(address(camera, "coverage", start, 10)).json()["spans"]
    assert [span["gap"] for span in spans] == ["", "camera", ""]
    page = client.get(f"/media/devices/{camera.pk}/recording").content.decode()
    assert "data-needle" in page and page.count('class="hole"') >= 1


def test_an_address_of_a_piece_is_good_for_whoever_asked_for_the_playlist_only(world, camera, start, client):
    recordings.index([recording.segment("cam-1", start)])
    client.force_login(world.alice)
    lines = client.get(address(camera, "play.m3u8", start, 5)).content.decode().splitlines()
    piece = next(line for line in lines if line.startswith("/media/"))
    assert client.get(piece.partition("?")[0]).status_code == 403, "without the playlist nothing would be noted"
    client.force_login(world.chen)
    assert client.get(piece).status_code == 403
    client.force_login(world.bob)
    assert client.get(piece).status_code == 404
    for name in ("play.m3u8", "coverage"):
        assert client.get(address(camera, name, start, 5)).status_code == 404
    for name in ("recording", "latest.jpg"):
        assert client.get(f"/media/devices/{camera.pk}/{name}").status_code == 404


def test_the_live_picture_is_cheap_fresh_and_noted_once_an_hour(world, camera, client, django_assert_max_num_queries):
    client.force_login(world.alice)
    live = f"/media/devices/{camera.pk}/latest.jpg"
    assert client.get(live).status_code == 404
    path = store.path("ring/cam-1/latest.jpg")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\xd8picture\xff\xd9")
    answer = client.get(live)
    assert (answer.status_code, b"".join(answer.streaming_content)[:2]) == (200, b"\xff\xd8")
    assert client.get(live, headers={"If-Modified-Since": answer["Last-Modified"]}).status_code == 304
    with django_assert_max_num_queries(8):
        client.get(live)
    assert (path.parent / ".watched").exists(), "the watcher is told that somebody looks"
    assert AuditEntry.objects.filter(action="media.look_live").count() == 1
    os.utime(path, (1, 1))
    assert client.get(live).status_code == 404, "an old picture is not shown as if it were now"


@pytest.mark.parametrize("query", ["", "?since=x&until=y", "?since=2026-11-23T00:00:00Z&until=2026-11-23T09:00:00Z"])
def test_a_span_that_makes_no_sense_is_refused(world, camera, client, query):
    client.force_login(world.alice)
    assert client.get(f"/media/devices/{camera.pk}/play.m3u8{query}").status_code == 422


def test_a_manager_sets_where_a_camera_looks_and_what_clips_hold(world, camera, client):
    client.force_login(world.chen)
    form = {"heading": "225", "view_degrees": "90", "view_metres": "30", "before": "15", "after": "40", "record": "on"}
    assert client.post(f"/devices/{camera.pk}/camera", form).status_code == 302
    camera.refresh_from_db()
    assert (camera.heading, camera.config["view_degrees"], camera.config["view_metres"]) == (225, 90, 30)
    assert camera.config["watch"] == {"before": 15, "after": 40, "record": True}
    wrong = client.post(f"/devices/{camera.pk}/camera", form | {"view_degrees": "400", "before": "five"})
    assert wrong.status_code == 422 and 'value="five"' in wrong.content.decode()
    wrong = client.post(f"/devices/{camera.pk}/camera", form | {"view_degrees": "400"})
    assert wrong.status_code == 422 and "wrong-text" in wrong.content.decode()
    client.force_login(world.alice)
    assert client.post(f"/devices/{camera.pk}/camera", form).status_code == 403


def test_a_clip_can_be_kept_from_the_player(world, camera, start, client):
    recordings.index([recording.segment("cam-1", start)])
    client.force_login(world.alice)
    span = {"since": start.isoformat(), "until": (start + timedelta(seconds=2)).isoformat(), "reason": "案件 7"}
    kept = client.post(f"/media/devices/{camera.pk}/cut", span).json()
    assert client.get(kept["url"]).status_code == 200
    assert kept["gaps"] == []
