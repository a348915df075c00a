from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import cv2
import numpy as np

from ..vision.boxes import Floats, Image
from ..vision.detector import Detector
from .regions import BlurOptions, Region, Subject, heads, link, people, spare

_QUALITY = 92


class BlurError(Exception):
    """The picture or clip cannot be read or written; the text says why."""


@dataclass(frozen=True, slots=True)
class Blurred:
    """What was done: pictures written, people found, whether somebody was left sharp, whether sound was left out."""

    pictures: int
    people: int
    subject: bool
    sound: bool


def _hide(image: Image, regions: Floats, cells: int) -> None:
    """Replace each region by a few mean colours: nothing of a face can be computed back from 4 x 4 of them."""
    for left, top, right, bottom in np.round(regions).astype(int).tolist():
        part = image[top:bottom, left:right]
        if part.size == 0:
            continue
        small = cv2.resize(part, (cells, cells), interpolation=cv2.INTER_AREA)
        image[top:bottom, left:right] = cv2.resize(small, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)


def _stamp(image: Image, mark: str) -> None:
    """The mark (ASCII) in the lower left corner, readable on dark and on light."""
    scale = max(0.4, image.shape[1] / 1600)
    place = (round(12 * scale), image.shape[0] - round(14 * scale))
    for colour, thickness in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(image, mark, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness, cv2.LINE_AA)


def _covered(regions: list[Region], time: float, width: int, height: int, hold: float) -> Floats:
    """Heads to hide at a time, less what of them lies in a sharp person's own head."""
    boxes = [box for region in regions if not region.sharp and (box := region.at(time, hold)) is not None]
    return heads(np.stack(boxes), width, height) if boxes else np.empty((0, 4), np.float32)


def blur_picture(
    data: bytes, detector: Detector, mark: str, *, subject: Subject | None = None, options: BlurOptions | None = None
) -> tuple[bytes, Blurred]:
    """A JPEG of the picture with every head hidden but the subject's. Raises BlurError."""
    options = options or BlurOptions()
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise BlurError("the picture cannot be read")
    found = people(detector.detect(cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8)), options.threshold)
    regions = [Region([0.0], [box]) for box in found]
    height, width = image.shape[:2]
    spare(regions, Subject(subject.box) if subject else None, width, height, options.hold)
    _hide(image, _covered(regions, 0.0, width, height, options.hold), options.cells)  # type: ignore[arg-type]
    _stamp(image, mark)  # type: ignore[arg-type]
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise BlurError("the picture cannot be written")
    return encoded.tobytes(), Blurred(1, len(found), any(region.sharp for region in regions), sound=False)


def blur_clip(
    source: Path,
    target: Path,
    detector: Detector,
    mark: str,
    *,
    subject: Subject | None = None,
    options: BlurOptions | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Blurred:
    """An MP4 (H.264) of the clip with every head hidden but the subject's; sound is left out, since voices tell too.

    The clip is read twice: first the people are found in all of it, then it is written, so that a person seen only
    later is hidden from a moment before. Raises BlurError.
    """
    options = options or BlurOptions()
    try:
        times, found, size, sound = _search(source, detector, options, progress)
        regions = link(times, found, options)
        spare(regions, subject, *size, options.hold)
        pictures = _write(source, target, regions, mark, options, progress)
    except (av.error.FFmpegError, OSError) as error:
        raise BlurError(f"the clip cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if pictures == 0:
        raise BlurError("the clip holds no picture")
    return Blurred(pictures, len(regions), any(region.sharp for region in regions), sound)


def _frames(container: Any) -> Iterator[tuple[float, Any]]:
    """Pictures and their seconds from the first; broken ones are passed over.

    Where a clip's own times are missing or stand still, each picture counts one step of its rate: else the search would
    skip what lies at "the same" time, and leave it as it is.
    """
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    step = 1 / float(stream.average_rate or 25)
    first: float | None = None
    last = -step
    for packet in container.demux(stream):
        try:
            decoded = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in decoded:
            first = frame.time if first is None else first
            own = frame.time - first if frame.time is not None and first is not None else last
            last = own if own > last else last + step
            yield last, frame


def _search(
    source: Path, detector: Detector, options: BlurOptions, progress: Callable[[float], None]
) -> tuple[list[float], list[Floats], tuple[int, int], bool]:
    times: list[float] = []
    found: list[Floats] = []
    size, following = (0, 0), 0.0
    with av.open(str(source)) as container:
        if not container.streams.video:
            raise BlurError("the clip holds no picture")
        length = float(container.duration or 0) / av.time_base or 1.0
        sound = bool(container.streams.audio)
        for time, frame in _frames(container):
            size = (frame.width, frame.height)
            if time + 1e-6 < following:
                continue
            following = time + 1 / options.rate
            times.append(time)
            found.append(people(detector.detect(frame.to_ndarray(format="rgb24")), options.threshold))
            progress(min(0.7, 0.7 * time / length))
    return times, found, size, sound


def _write(
    source: Path,
    target: Path,
    regions: list[Region],
    mark: str,
    options: BlurOptions,
    progress: Callable[[float], None],
) -> int:
    count = 0
    with (
        av.open(str(source)) as container,
        av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as output,
    ):
        rate = container.streams.video[0].average_rate or Fraction(25)
        length = float(container.duration or 0) / av.time_base or 1.0
        stream: Any = None
        last = -1
        for time, frame in _frames(container):
            if stream is None:
                stream = _encoder(output, rate, frame.width, frame.height)
            image = frame.to_ndarray(format="rgb24")
            height, width = image.shape[:2]
            _hide(image, _covered(regions, time, width, height, options.hold), options.cells)
            _stamp(image, mark)
            picture = av.VideoFrame.from_ndarray(image[: stream.height, : stream.width].copy(), format="rgb24")
            picture.pts = max(last + 1, round(time * 90_000))
            picture.time_base = Fraction(1, 90_000)
            last = picture.pts
            output.mux(stream.encode(picture))
            count += 1
            progress(0.7 + min(0.3, 0.3 * time / length))
        if stream is not None:
            output.mux(stream.encode(None))
    return count


def _encoder(output: Any, rate: Fraction, width: int, height: int) -> Any:
    stream = output.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "23"})
    # H.264 in 4:2:0 needs even sides.
    stream.width, stream.height, stream.pix_fmt = width // 2 * 2, height // 2 * 2, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 90_000)
    return stream
