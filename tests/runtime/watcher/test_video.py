from pathlib import Path

import pytest
from PIL import Image

from shoufu.runtime.watcher.video import VideoError, open_file, open_source

from . import footage


def read(path: Path) -> tuple[list[float], int]:
    with open_file(path) as video:
        times = [picture.time for picture in video.pictures()]
        return times, video.broken


def test_every_picture_comes_in_order(tmp_path: Path):
    times, broken = read(footage.write(tmp_path / "a.mp4", 30))
    assert times == pytest.approx([number / 10 for number in range(30)])
    assert broken == 0


def test_a_picture_is_scaled_as_asked(tmp_path: Path):
    with open_file(footage.write(tmp_path / "a.mp4", 2)) as video:
        first = next(video.pictures())
        assert first.rgb(64, 38).shape == (38, 64, 3)
        assert first.yuv(64, 38).shape == (38, 64, 3)


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "is empty"), (b"no video at all" * 50, "not a video"), (None, "no such file")]
)
def test_what_is_no_video_is_said(tmp_path: Path, content: bytes | None, says: str):
    path = tmp_path / "a.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoError, match=says):
        read(path)


def test_a_picture_is_no_video(tmp_path: Path):
    path = tmp_path / "a.jpg"
    Image.new("RGB", (64, 48), "grey").save(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(VideoError, match="is a picture"):
        read(path)


def test_a_folder_is_no_file(tmp_path: Path):
    with pytest.raises(VideoError, match="not a file"):
        read(tmp_path)


def test_broken_bytes_in_the_middle_cost_pictures_not_the_video(tmp_path: Path):
    path = footage.write(tmp_path / "a.avi", 60, "mpeg4")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(data)
    times, broken = read(path)
    assert 30 <= len(times) <= 60
    assert len(times) + broken >= 50
    assert times == sorted(times)


def test_a_live_stream_larger_than_4k_is_refused_with_advice(tmp_path: Path):
    path = footage.write(tmp_path / "a.mp4", 1, "mpeg4", 4352, 64)
    with pytest.raises(VideoError, match="smaller stream"):
        open_source(str(path), "camera")
    with open_file(path) as video:
        assert video.width == 4352


def test_a_password_in_the_address_is_never_said():
    from shoufu.runtime.watcher.config import camera_spec

    spec = camera_spec("c", {"source": "rtsp://user:geheim@127.0.0.1:9/live?key=1"})
    with pytest.raises(VideoError) as caught:
        open_source(spec.source, spec.shown)
    assert "geheim" not in str(caught.value)
    assert "127.0.0.1:9/live" in str(caught.value)
