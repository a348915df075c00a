"""What a wall of live cameras costs: writing a picture a second each, and handing it to a browser through the edge."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import cv2
import httpx
import msgspec
import numpy as np
import psutil

from shoufu.kernel.media.recordings import Lost, Recorded
from shoufu.runtime.watcher.config import camera_spec
from shoufu.runtime.watcher.costs import Costs
from shoufu.runtime.watcher.recorder import Recorder
from shoufu.runtime.watcher.video import Picture, open_file

STOCK = 50
SIZE = (1280, 720)


class Figures(msgspec.Struct):
    """Shares are of one core; times in milliseconds; `watcher_core` writes the pictures (decoding not among it), the
    edge and the page server hand them out. `kb_per_second` to one screen."""

    cameras: int
    seconds: float
    shown: int
    missed: int
    bytes_per_picture: int
    kb_per_second: float
    watcher_core: float
    edge_core: float
    web_core: float
    p50_ms: float
    p99_ms: float


class _Nowhere:
    """Takes notes of recordings and keeps none."""

    def put(self, event: Recorded | Lost) -> None:
        pass

    def began(self, code: str, moment: float) -> None:
        pass


def frames(path: Path | None) -> list[av.VideoFrame]:
    """Pictures to show: the first ones of a video, else a made scene with noise in it, 1280 × 720."""
    if path is None:
        return list(_made())
    with open_file(path) as video:
        return [picture.frame for picture, _number in zip(video.pictures(), range(STOCK), strict=False)]


def _made() -> Iterator[av.VideoFrame]:
    dice = np.random.default_rng(1)
    scene = cv2.resize(dice.integers(40, 200, (18, 32, 3), np.uint8), SIZE, interpolation=cv2.INTER_CUBIC)
    for number in range(STOCK):
        moved = np.roll(scene, number * 7, axis=1).astype(np.int16) + dice.integers(-6, 6, scene.shape, np.int16)
        yield av.VideoFrame.from_ndarray(np.clip(moved, 0, 255).astype(np.uint8), format="bgr24").reformat(
            format="yuv420p"
        )


class Screen:
    """Asks for the live picture of each camera once a second, as the wall's page does."""

    def __init__(self, client: httpx.Client, addresses: Sequence[str]) -> None:
        self._client = client
        self.addresses = addresses
        self.times: list[float] = []
        self.sizes: list[int] = []
        self.missed = 0

    def look(self, address: str) -> None:
        began = time.perf_counter()
        answer = self._client.get(address)
        self.times.append((time.perf_counter() - began) * 1e3)
        if answer.status_code == 200:
            self.sizes.append(len(answer.content))
        else:
            self.missed += 1


def measure(
    base: str,
    cookies: dict[str, str],
    cameras: Sequence[tuple[str, int]],
    root: Path,
    stock: Sequence[av.VideoFrame],
    servers: tuple[psutil.Process, psutil.Process],
    seconds: float,
) -> Figures:
    """`cameras` are codes and ids, `root` the folder of media, `servers` the edge and the page server."""
    cv2.setNumThreads(1)
    costs = Costs()
    spec = {"source": "/nowhere.mp4"}
    recorders = [Recorder(camera_spec(code, spec), root, _Nowhere(), costs) for code, _pk in cameras]
    with httpx.Client(base_url=base, cookies=cookies, timeout=30) as client, ThreadPoolExecutor(6) as pool:
        screen = Screen(client, [f"/media/devices/{pk}/latest.jpg" for _code, pk in cameras])
        _round(recorders, stock, 0, screen, pool)
        costs.stages.clear()
        screen.times.clear()
        screen.sizes.clear()
        screen.missed = 0
        before = [_cpu(server) for server in servers]
        began = time.monotonic()
        rounds = 0
        while time.monotonic() - began < seconds:
            rounds += 1
            _round(recorders, stock, rounds, screen, pool)
            time.sleep(max(0.0, began + rounds - time.monotonic()))
        spent = time.monotonic() - began
        used = [(_cpu(server) - start) / spent for server, start in zip(servers, before, strict=True)]
    written = costs.stages["live picture"]
    return Figures(
        cameras=len(cameras),
        seconds=round(spent, 1),
        shown=len(screen.sizes),
        missed=screen.missed,
        bytes_per_picture=round(sum(screen.sizes) / max(1, len(screen.sizes))),
        kb_per_second=round(sum(screen.sizes) / spent / 1e3, 1),
        watcher_core=round(written.seconds / spent, 4),
        edge_core=round(used[0], 4),
        web_core=round(used[1], 4),
        p50_ms=round(float(np.percentile(screen.times, 50)), 1),
        p99_ms=round(float(np.percentile(screen.times, 99)), 1),
    )


def _round(
    recorders: Sequence[Recorder], stock: Sequence[av.VideoFrame], number: int, screen: Screen, pool: ThreadPoolExecutor
) -> None:
    """A second: every camera shows a picture, and the screen asks for all of them."""
    now = time.time()
    for place, recorder in enumerate(recorders):
        recorder.show(Picture(number, now, stock[(number + place) % len(stock)]))
    list(pool.map(screen.look, screen.addresses))


def _cpu(process: psutil.Process) -> float:
    """Seconds of processor time that a process and its children have used."""
    found = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        found += times.user + times.system
    return found
