"""``POST /v1/media``: what a device sends as a picture or clip, and what it is told."""

import hashlib
import io
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import av
import cv2
import numpy as np
import pytest

from shoufu.kernel.audit.models import AuditEntry
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.devices.models import Device
from shoufu.kernel.media import store
from shoufu.kernel.media.models import MediaObject
from shoufu.kernel.observations.models import Rejection

PIXELS = np.random.default_rng(1).integers(0, 255, (48, 64, 3)).astype(np.uint8)


def picture(suffix: str = ".jpg") -> bytes:
    return bytes(cv2.imencode(suffix, PIXELS)[1])


def clip() -> bytes:
    held = io.BytesIO()
    with av.open(held, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(PIXELS, "rgb24")))
        output.mux(stream.encode(None))
    return held.getvalue()


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def send(edge: Any) -> Callable[..., tuple[int, Any]]:
    def post(body: bytes, kind: str = "image/jpeg", secret: str = "secret-door-east", **query: str) -> tuple[int, Any]:
        query = {"t": datetime.now(UTC).isoformat()} | query
        path = "/v1/media?" + urlencode({name: value for name, value in query.items() if value})
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": kind}
        status, _, answer = edge.request("POST", path, body, headers)
        return status, answer

    return post


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_picture_is_kept_byte_for_byte_for_its_device(send: Any, kind: str) -> None:
    body = picture(f".{kind}")
    status, answer = send(body, f"image/{kind}")
    assert (status, answer["bytes"]) == (201, len(body))
    kept = MediaObject.objects.get(pk=answer["id"])
    assert (kept.kind, kept.device.code, bytes(kept.sha256)) == ("snapshot", "door-east", hashlib.sha256(body).digest())
    assert store.path(kept.key).read_bytes() == body
    assert AuditEntry.objects.filter(action="media.store", object_id=answer["id"]).count() == 1


def test_a_clip_with_its_end_is_kept(send: Any) -> None:
    begin = datetime.now(UTC) - timedelta(seconds=9)
    status, answer = send(clip(), "video/mp4", t=begin.isoformat(), until=(begin + timedelta(seconds=5)).isoformat())
    kept = MediaObject.objects.get(pk=answer["id"])
    assert (status, kept.kind, kept.until - kept.t) == (201, "clip", timedelta(seconds=5))


def test_sending_again_with_the_same_id_is_safe_and_other_bytes_are_refused(send: Any) -> None:
    known, body = str(uuid7()), picture()
    assert [send(body, id=known)[1]["id"] for _ in range(2)] == [known, known]
    status, answer = send(picture(".jpg")[:-2] + b"\x00\xff\xd9", id=known)
    assert (status, MediaObject.objects.count()) == (409, 1)
    assert UUID(known) == MediaObject.objects.get().pk


@pytest.mark.parametrize(
    ("body", "kind", "query", "status", "field"),
    [
        (b"", "image/jpeg", {}, 422, "body"),
        (picture()[:300], "image/jpeg", {}, 422, "body"),
        (picture(".webp")[:-8], "image/webp", {}, 422, "body"),
        (picture(".png")[:-5], "image/png", {}, 422, "body"),
        (b"no video at all", "video/mp4", {}, 422, "body"),
        (picture(), "image/gif", {}, 422, "Content-Type"),
        (picture(), "", {}, 422, "Content-Type"),
        (picture(), "image/jpeg", {"t": ""}, 422, "t"),
        (picture(), "image/jpeg", {"t": "yesterday"}, 422, "t"),
        (picture(), "image/jpeg", {"t": "2026-11-23T18:42:07"}, 422, "t"),
        (picture(), "image/jpeg", {"id": "7"}, 422, "id"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_field_and_nothing_is_left(
    send: Any, settings: Any, body: bytes, kind: str, query: dict[str, str], status: int, field: str
) -> None:
    answered, problem = send(body, kind, **query)
    assert (answered, problem["errors"][0]["field"]) == (status, field)
    assert problem["errors"][0]["message"]
    assert not MediaObject.objects.exists()
    root = Path(settings.MEDIA_ROOT)
    assert [file for file in root.rglob("*") if file.is_file()] == [] if root.exists() else True


def test_who_may_store_for_whom(send: Any, eventually: Any, district: Any) -> None:
    assert send(picture(), secret="wrong")[0] == 401
    status, _ = send(picture(), device="door-west")
    assert status in {403, 422}
    secret = hashlib.sha256(b"secret-gateway").digest()
    Device.objects.create(code="gw", kind="gateway", name="网关", place=district["east"], secret_hash=secret)
    Device.objects.create(code="cam", kind="camera", name="院内", place=district["east"])
    eventually(lambda: send(picture(), secret="secret-gateway", device="cam")[0] == 201)
    assert MediaObject.objects.get().device.code == "cam"
    assert send(picture(), secret="secret-gateway", device="door-west")[0] in {403, 422}


def test_a_refused_picture_is_counted_where_its_owner_can_see_it(send: Any, eventually: Any) -> None:
    send(picture()[:300])
    eventually(lambda: Rejection.objects.filter(device_code="door-east", reason__startswith="media-").exists())


def test_a_sender_that_hangs_up_leaves_nothing(edge: Any, eventually: Any, tmp_path: Path) -> None:
    head = (
        "POST /v1/media?t=2026-11-23T18:42:07%2B08:00 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
        "Content-Type: image/jpeg\r\nAuthorization: Bearer secret-door-east\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", edge.port)) as caller:
        caller.sendall(head.encode() + picture()[:500])
        time.sleep(0.2)
    eventually(lambda: not list((tmp_path / "uploads").iterdir()))
    assert not MediaObject.objects.exists()


def test_only_post(edge: Any) -> None:
    status, _, problem = edge.request("GET", "/v1/media", headers={"Authorization": "Bearer secret-door-east"})
    assert (status, problem["title"]) == (405, "Use POST")
