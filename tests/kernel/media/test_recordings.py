import hashlib
import importlib.util
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Invalid, NotFound
from shoufu.kernel.devices.models import Device
from shoufu.kernel.media import recordings, selectors, store
from shoufu.kernel.media.models import Segment
from shoufu.kernel.media.recordings import Lost

_spec = importlib.util.spec_from_file_location("recording", Path(__file__).with_name("recording.py"))
assert _spec is not None and _spec.loader is not None
recording = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(recording)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.RECORDING_BYTES = 1 << 40


@pytest.fixture
def camera(world) -> Device:
    return Device.objects.create(code="cam-1", kind="camera", name="院内", place=world.songshan)


@pytest.fixture
def start():
    return (timezone.now() - timedelta(minutes=2)).replace(microsecond=0)


def test_a_guard_cuts_a_playable_clip_out_of_what_was_recorded(world, camera, start):
    pieces = [recording.segment("cam-1", start + seconds(2 * n), first=n == 0, clock_offset=0.25) for n in range(6)]
    assert recordings.index(pieces) == 6
    made = recordings.cut(world.act(world.alice), camera.pk, start + seconds(3), start + seconds(9), reason="案件 7")
    assert made.content_type == "video/mp4"
    assert made.t == start + seconds(2), "it begins with the key picture before"
    times = recording.decoded(store.path(made.key))
    assert (times[0], round(times[-1], 1), len(times)) == (0.0, 7.0, 71)
    assert made.data["gaps"] == []
    assert made.data["clock_offset"] == 0.25
    first = made.data["segments"][0]
    assert first["sha256"] == hashlib.sha256(store.path(first["key"]).read_bytes()).hexdigest()
    entry = AuditEntry.objects.filter(action="media.cut").get()
    assert (entry.actor_label, entry.reason) == ("Alice", "案件 7")


def test_a_clip_whose_camera_died_in_the_middle_says_so_and_plays(world, camera, start):
    before = [recording.segment("cam-1", start), recording.segment("cam-1", start + seconds(2))]
    lost = Lost("cam-1", start + seconds(4), "camera", "the stream ended")
    recordings.index([*before, lost])
    (hole,) = Segment.objects.exclude(gap="")
    assert (hole.t, hole.until, hole.detail) == (start + seconds(4), None, "the stream ended")
    recordings.index([recording.segment("cam-1", start + seconds(9)), recording.segment("cam-1", start + seconds(11))])
    hole.refresh_from_db()
    assert hole.until == start + seconds(9)
    made = recordings.cut(world.act(world.alice), camera.pk, start, start + seconds(12))
    assert [(gap["gap"], gap["t"]) for gap in made.data["gaps"]] == [("camera", (start + seconds(4)).isoformat())]
    times = recording.decoded(store.path(made.key))
    assert len(times) == 71
    assert max(b - a for a, b in zip(times, times[1:], strict=False)) == pytest.approx(5.1, abs=0.11)
    assert [(span.gap, (span.until - span.t).total_seconds()) for span in spans(world, camera, start, 13)] == [
        ("", 4.0),
        ("camera", 5.0),
        ("", 4.0),
    ]


def spans(world, camera, start, length):
    return selectors.coverage(world.act(world.alice), camera.pk, start, start + seconds(length))


def test_a_recorder_that_was_killed_leaves_a_hole_with_its_reason(world, camera, start):
    recordings.index([recording.segment("cam-1", start, first=True)])
    recordings.index([recording.segment("cam-1", start + seconds(30), first=True)])
    assert [span.gap for span in spans(world, camera, start, 32)] == ["", "recorder", ""]


def test_what_is_told_twice_is_kept_once_and_a_strangers_camera_is_passed_over(world, camera, start):
    piece = recording.segment("cam-1", start)
    recordings.index([piece])
    recordings.index([piece, recording.segment("nobody", start)])
    assert Segment.objects.count() == 1


def test_indexing_costs_the_same_however_many_segments(camera, start, django_assert_max_num_queries):
    pieces = [recording.segment("cam-1", start + seconds(2 * n), 0.2) for n in range(30)]
    with django_assert_max_num_queries(6):
        recordings.index(pieces)


def test_what_was_never_recorded_and_whom_it_does_not_concern(world, camera, start):
    recordings.index([recording.segment("cam-1", start)])
    with pytest.raises(NotFound, match="没有录像|Nothing was recorded"):
        recordings.cut(world.act(world.alice), camera.pk, start - seconds(60), start - seconds(50))
    with pytest.raises(NotFound):
        recordings.cut(world.act(world.bob), camera.pk, start, start + seconds(2))
    with pytest.raises(Invalid):
        recordings.cut(world.act(world.alice), camera.pk, start, start)
    assert not selectors.segments(world.act(world.bob), camera.pk, start, start + seconds(5)).exists()


def test_the_oldest_go_when_there_is_no_room_and_all_at_their_time(camera, start, settings):
    pieces = [recording.segment("cam-1", start + seconds(2 * n)) for n in range(5)]
    recordings.index(pieces)
    settings.RECORDING_BYTES = sum(piece.size for piece in pieces[2:])
    assert recordings.expire() == 2
    assert [store.path(piece.key).exists() for piece in pieces] == [False, False, True, True, True]
    assert recordings.expire() == 0
    assert recordings.expire(timezone.now() + timedelta(days=31)) == 3
    assert AuditEntry.objects.filter(action="media.expire_recordings").count() == 2


def test_a_segment_cut_short_on_the_disk_spoils_no_clip(world, camera, start):
    pieces = [recording.segment("cam-1", start + seconds(2 * n)) for n in range(3)]
    recordings.index(pieces)
    broken = store.path(pieces[1].key)
    broken.write_bytes(broken.read_bytes()[:900])
    made = recordings.cut(SYSTEM, camera.pk, start, start + seconds(6))
    assert len(recording.decoded(store.path(made.key))) >= 40
    assert [gap["gap"] for gap in made.data["gaps"]] == ["damaged"]
