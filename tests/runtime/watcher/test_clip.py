from pathlib import Path

import av
import pytest

from shoufu.runtime.watcher.clip import ClipError, PacketRing, coding_of, copy_clip, encode_clip
from shoufu.runtime.watcher.video import open_file

from . import footage

START = 1_000_000.0


def ring_of(video, seconds: float = 60.0, most: int = 1 << 30) -> PacketRing:
    ring = PacketRing(seconds, most)
    for packet in video.packets():
        if packet.dts is not None:
            ring.add(packet, START + float(packet.pts * packet.time_base))
        video.decode(packet)
    return ring


def length(path: Path) -> tuple[int, str]:
    with av.open(str(path)) as clip:
        frames = list(clip.decode(video=0))
        return len(frames), clip.streams.video[0].codec_context.name


def test_a_clip_begins_at_the_key_frame_before_and_is_not_encoded_again(tmp_path: Path):
    with open_file(footage.write(tmp_path / "a.mp4", 60)) as video:
        ring = ring_of(video)
        kept = ring.between(START + 2.5, START + 4.0)
        assert kept[0].key
        assert kept[0].time == pytest.approx(START + 2.0)
        copy_clip(kept, video.stream, tmp_path / "clip.mp4")
        assert coding_of(video.stream).copied
    frames, codec = length(tmp_path / "clip.mp4")
    assert codec == "h264"
    assert 18 <= frames <= 21


def test_what_browsers_do_not_play_is_encoded(tmp_path: Path):
    with open_file(footage.write(tmp_path / "a.avi", 40, "mpeg4")) as video:
        coding = coding_of(video.stream)
        kept = ring_of(video).between(START + 1, START + 3)
    assert not coding.copied
    encode_clip(kept, coding, tmp_path / "clip.mp4")
    frames, _ = length(tmp_path / "clip.mp4")
    assert 15 <= frames <= 25


def test_the_ring_keeps_whole_groups_and_no_more_than_it_needs(tmp_path: Path):
    with open_file(footage.write(tmp_path / "a.mp4", 100)) as video:
        ring = ring_of(video, seconds=3)
    kept = ring.between(START, START + 100)
    assert kept[0].key
    assert START + 5 <= kept[0].time <= START + 7
    assert ring.size == sum(len(one.data) for one in kept)


def test_the_ring_is_bounded_in_bytes(tmp_path: Path):
    with open_file(footage.write(tmp_path / "a.mp4", 100)) as video:
        assert ring_of(video, most=20_000).size <= 20_000


def test_nothing_kept_is_no_clip(tmp_path: Path):
    with open_file(footage.write(tmp_path / "a.mp4", 5)) as video, pytest.raises(ClipError, match="nothing"):
        copy_clip([], video.stream, tmp_path / "clip.mp4")
