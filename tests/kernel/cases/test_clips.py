import importlib.util
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.cases.clips import cut_due
from shoufu.kernel.cases.models import Case, CaseEvent, Evidence
from shoufu.kernel.cases.services import RaisedCase, raise_cases
from shoufu.kernel.devices.models import Device
from shoufu.kernel.media import recordings, store
from shoufu.kernel.media.recordings import Lost

_path = Path(__file__).parents[1] / "media" / "recording.py"
_spec = importlib.util.spec_from_file_location("recording", _path)
assert _spec is not None and _spec.loader is not None
recording = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(recording)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def a_case(world, stage, device: Device | None = None, seconds_ago: float = 8) -> Case:
    firing = stage.firing(world, seconds_ago=seconds_ago)
    firing.device = device or firing.device
    firing.save()
    return raise_cases(SYSTEM, [RaisedCase(firing, kind="door.forced", severity="high")])[0]


def a_camera(world, code: str, **more) -> Device:
    config = {"watch": {"before": 4, "after": 4}}
    return Device.objects.create(code=code, kind="camera", name=code, place=world.songshan, config=config, **more)


def record(code: str, begin, count: int = 8) -> None:
    recordings.index([recording.segment(code, begin + timedelta(seconds=2 * n)) for n in range(count)])


def test_a_case_gets_what_its_camera_and_the_one_beside_it_saw_before_and_after(world, stage):
    own = a_camera(world, "cam-own", longitude=123.4, latitude=41.8)
    beside = a_camera(world, "cam-beside", longitude=123.4004, latitude=41.8)
    far = a_camera(world, "cam-far", longitude=123.42, latitude=41.8)
    case = a_case(world, stage, own)
    begin = case.opened_at - timedelta(seconds=8)
    for camera in (own, beside, far):
        record(camera.code, begin)
    assert cut_due(case.opened_at + timedelta(seconds=3)) == 0, "its after-time is not over"
    assert cut_due(case.opened_at + timedelta(seconds=5)) == 2
    clips = list(Evidence.objects.filter(case=case, kind="clip").select_related("media"))
    assert {clip.media.device_id for clip in clips} == {own.pk, beside.pk}
    for clip in clips:
        assert clip.media.t <= case.opened_at - timedelta(seconds=3.99)
        assert clip.media.until >= case.opened_at + timedelta(seconds=3.8)
        assert store.digest(clip.media.key) == bytes(clip.sha256)
    assert cut_due(case.opened_at + timedelta(seconds=6)) == 0, "once is enough"


def test_a_clip_whose_camera_died_is_closed_and_marked(world, stage):
    own = a_camera(world, "cam-own")
    case = a_case(world, stage, own)
    record("cam-own", case.opened_at - timedelta(seconds=6), 3)
    recordings.index([Lost("cam-own", case.opened_at, "camera", "the stream ended")])
    assert cut_due(case.opened_at + timedelta(seconds=5)) == 1
    clip = Evidence.objects.get(case=case, kind="clip").media
    assert [gap["gap"] for gap in clip.data["gaps"]] == ["camera"]
    assert len(recording.decoded(store.path(clip.key))) >= 39


def test_nothing_recorded_is_said_once_on_the_timeline(world, stage):
    own = a_camera(world, "cam-own")
    record("cam-own", timezone.now() - timedelta(minutes=30), 1)
    case = a_case(world, stage, own)
    late = case.opened_at + timedelta(seconds=200)
    assert (cut_due(late), cut_due(late)) == (0, 0)
    event = CaseEvent.objects.get(case=case, data__has_key="clips")
    assert event.data["missing"] == ["cam-own"]


def test_what_was_found_is_drawn_on_the_picture_that_it_was_found_on(world, stage, client):
    import json
    import re

    from shoufu.kernel.base.ids import uuid7
    from shoufu.kernel.media import services
    from shoufu.kernel.media.services import StoreMedia

    camera = a_camera(world, "cam-own")
    case = a_case(world, stage, camera)
    jpeg = b"\xff\xd8\xff\xe0" + b"picture" * 40 + b"\xff\xd9"
    draft = StoreMedia("snapshot", "image/jpeg", case.opened_at, device_id=camera.pk)
    picture, other = (services.store(SYSTEM, draft, jpeg + bytes([n, 255, 217])) for n in (1, 2))
    for media in (picture, other):
        Evidence.objects.create(case=case, kind="snapshot", media=media, t=media.t, sha256=bytes(media.sha256))
    box = [0.1, 0.2, 0.3, 0.6]
    result = {"object": "person", "box": box, "snapshot": str(picture.pk), "zone": "院内", "seconds": 12.0}
    told = {"kind": "zone.dwell", "result": result, "feature": "track:7"}
    Evidence.objects.create(
        case=case, kind="observation", observation=uuid7(), t=case.opened_at, sha256=bytes(32), data=told
    )
    client.force_login(world.alice)
    page = client.get(f"/cases/{case.pk}").content.decode()
    figures = {str(media.pk): next(part for part in page.split("<figure") if str(media.pk) in part)
               for media in (picture, other)}  # fmt: skip
    (drawn,) = re.findall(r'data-box="([^"]*)"', figures[str(picture.pk)])
    assert json.loads(drawn.replace("&quot;", '"')) == box
    assert "data-box" not in figures[str(other.pk)]
