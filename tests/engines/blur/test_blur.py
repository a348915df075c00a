from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from shoufu.engines.blur import BlurError, BlurOptions, Subject, blur_clip, blur_picture, heads, link, rendering
from shoufu.engines.vision import Detections


class Finder:
    """Finds one or two people where the test put them; stands for the detector, whose own tests measure it."""

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self.boxes = np.array(boxes, np.float32).reshape(-1, 4)

    def detect(self, image: object) -> Detections:
        count = len(self.boxes)
        return Detections(self.boxes, np.full(count, 0.9, np.float32), np.zeros(count, np.int64))


def board() -> np.ndarray:
    """A picture of fine detail everywhere, so that what was hidden shows."""
    rows, columns = np.indices((240, 320))
    return np.repeat((((rows // 2 + columns // 2) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)


def detail(image: np.ndarray, left: int, top: int, right: int, bottom: int) -> float:
    return float(image[top:bottom, left:right].astype(float).std())


def jpeg() -> bytes:
    return cv2.imencode(".jpg", board(), [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()


def decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def test_heads_are_hidden_and_the_rest_stays() -> None:
    data, done = blur_picture(jpeg(), Finder((100, 60, 140, 180)), "E-1")
    image = decoded(data)
    assert done.people == 1
    assert detail(image, 104, 62, 136, 90) < 15
    assert detail(image, 104, 120, 136, 170) > 60
    assert detail(image, 200, 20, 300, 120) > 60


def test_the_subject_stays_sharp_and_bystanders_do_not() -> None:
    finder = Finder((20, 60, 60, 180), (200, 60, 240, 180))
    subject = Subject((200 / 320, 60 / 240, 240 / 320, 180 / 240))
    data, done = blur_picture(jpeg(), finder, "E-1", subject=subject)
    image = decoded(data)
    assert done.subject
    assert detail(image, 204, 62, 236, 90) > 60
    assert detail(image, 24, 62, 56, 90) < 15
    nobody = Subject((0.9, 0.9, 1.0, 1.0))
    assert not blur_picture(jpeg(), finder, "E-1", subject=nobody)[1].subject


def clip(path: Path) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10, options={"crf": "8"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for index in range(20):
            frame = av.VideoFrame.from_ndarray(board(), format="rgb24")
            frame.pts = index
            packets = stream.encode(frame)
            output.mux(packets)
        output.mux(stream.encode(None))
    return path


def frames(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_head_is_hidden_in_every_picture_of_a_clip(tmp_path: Path) -> None:
    done = blur_clip(clip(tmp_path / "a.mp4"), tmp_path / "b.mp4", Finder((100, 60, 140, 180)), "E-1")
    shown = frames(tmp_path / "b.mp4")
    assert done.pictures == len(shown) == 20
    assert max(detail(image, 104, 62, 136, 90) for image in shown) < 20


def test_pictures_whose_own_times_stand_still_are_searched_all_the_same() -> None:
    packet = SimpleNamespace(decode=lambda: [SimpleNamespace(time=0.0)] * 5 + [SimpleNamespace(time=None)])
    stream = SimpleNamespace(average_rate=10, thread_type="")
    container = SimpleNamespace(streams=SimpleNamespace(video=[stream]), demux=lambda one: [packet])
    assert [round(time, 3) for time, _ in rendering._frames(container)] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_people_in_two_pictures_are_joined_and_held_around_their_sightings() -> None:
    a, b = np.array([[0, 0, 10, 30]], np.float32), np.array([[2, 0, 12, 30], [100, 0, 110, 30]], np.float32)
    regions = link([0.0, 1.0], [a, b], BlurOptions())
    assert sorted(len(region.times) for region in regions) == [1, 2]
    longer = next(region for region in regions if len(region.times) == 2)
    assert longer.at(0.5, 0.8).tolist() == [1, 0, 11, 30]
    assert longer.at(1.7, 0.8) is not None and longer.at(1.9, 0.8) is None


def test_a_head_region_lies_in_the_picture() -> None:
    found = heads(np.array([[-5, 0, 50, 100], [10, 10, 90, 60]], np.float32), 320, 240)
    assert (found[:, :2] >= 0).all() and found[0, 3] == 30
    assert found[1, 3] == pytest.approx(40)


def test_what_is_no_picture_or_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BlurError):
        blur_picture(b"no", Finder(), "E-1")
    (tmp_path / "no.mp4").write_bytes(b"no clip at all")
    with pytest.raises(BlurError):
        blur_clip(tmp_path / "no.mp4", tmp_path / "out.mp4", Finder(), "E-1")
