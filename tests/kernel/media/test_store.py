from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.cases.models import Evidence
from shoufu.kernel.media import selectors, services, store
from shoufu.kernel.media.models import MediaObject
from shoufu.kernel.media.services import StoreMedia

JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 40 + b"\xff\xd9"


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def camera(world) -> Actor:
    return Actor("device", str(world.controller.pk), world.controller.code)


def snapshot(**more) -> StoreMedia:
    return StoreMedia(kind="snapshot", content_type="image/jpeg", t=timezone.now(), **more)


def test_a_camera_stores_a_snapshot_and_the_guard_of_the_place_sees_it(world):
    made = services.store(camera(world), snapshot(), JPEG)
    assert store.digest(made.key) == bytes(made.sha256)
    assert selectors.get(world.act(world.alice), made.pk) == made
    with pytest.raises(NotFound):
        selectors.get(world.act(world.bob), made.pk)


@pytest.mark.parametrize("broken", [b"", JPEG[:50], b"no picture at all"])
def test_a_broken_picture_is_refused_and_nothing_is_left(world, settings, broken: bytes):
    with pytest.raises(Invalid):
        services.store(camera(world), snapshot(), broken)
    assert not MediaObject.objects.exists()
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []


def test_a_device_cannot_store_in_anothers_name(world):
    with pytest.raises(Forbidden):
        services.store(camera(world), snapshot(device_id=world.controller.pk + 1), JPEG)


def test_the_same_id_and_bytes_again_is_the_same_object_and_other_bytes_are_refused(world):
    known = uuid7()
    first = services.store(camera(world), snapshot(id=known), JPEG)
    assert services.store(camera(world), snapshot(id=known), JPEG) == first
    with pytest.raises(Conflict):
        services.store(camera(world), snapshot(id=known), JPEG.replace(b"p", b"q"))
    assert MediaObject.objects.count() == 1


def test_old_pictures_go_but_evidence_stays(stage, world):
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.cases.services import RaisedCase, raise_cases

    free, held = (services.store(camera(world), snapshot(), JPEG + bytes([n, 255, 217])) for n in (1, 2))
    case = raise_cases(SYSTEM, [RaisedCase(stage.firing(world), kind="door.forced", severity="high")])[0]
    Evidence.objects.create(case=case, kind="snapshot", media=held, t=held.t, sha256=bytes(held.sha256))
    assert services.expire(timezone.now() + timedelta(days=40)) == 1
    assert list(MediaObject.objects.all()) == [held]
    assert not store.path(free.key).exists()


def test_a_range_of_a_picture_is_served_to_those_who_may_see_it(world, client):
    made = services.store(camera(world), snapshot(), JPEG)
    client.force_login(world.alice)
    answer = client.get(f"/media/{made.pk}", headers={"Range": "bytes=4-10"})
    assert (answer.status_code, b"".join(answer.streaming_content)) == (206, JPEG[4:11])
    client.force_login(world.bob)
    assert client.get(f"/media/{made.pk}").status_code == 404
