"""The interface as it is felt: first paint, a click, the time bar under the hand, what jumps, contrast, keyboard."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from shoufu.runtime.bench.interface import checks
from shoufu.runtime.errors import Problem

WAIT_MS = 30_000
SETTLE_SECONDS = 1.0
DRAG_SECONDS = 4.0
SIZE = {"width": 1440, "height": 900}

PAINT = """() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null"""
# The map comes after the first paint and says itself when it is whole; null on pages without one.
MAP = """() => document.getElementById("map") ? performance.getEntriesByName("map")[0]?.startTime ?? -1 : null"""
# The layout shift of a session window as CLS has it: what nobody's click brought about, in windows of at most 5 s.
WATCH_SHIFTS = """
window.shoufuShift = 0;
(() => {
  let sum = 0, first = 0, last = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      if (entry.startTime - last > 1000 || entry.startTime - first > 5000) { sum = 0; first = entry.startTime; }
      last = entry.startTime;
      sum += entry.value;
      window.shoufuShift = Math.max(window.shoufuShift, sum);
    }
  }).observe({ type: "layout-shift", buffered: true });
})();
"""
# From the event's own time stamp to the first frame after the case stands there.
CLICK = """(row) => new Promise((done, fail) => {
  const id = row.dataset.case;
  let began = 0;
  row.addEventListener("click", (event) => { began = event.timeStamp; }, { once: true, capture: true });
  const late = setTimeout(() => fail(new Error("no answer in 10 s")), 10000);
  const swapped = () => {
    if (document.querySelector("#case .case")?.dataset.case !== id) return;
    document.removeEventListener("htmx:afterSwap", swapped);
    clearTimeout(late);
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => done(performance.now() - began);
      channel.port2.postMessage(0);
    });
  };
  document.addEventListener("htmx:afterSwap", swapped);
})"""
FRAMES = """() => {
  window.shoufuFrames = [];
  let last = 0;
  const step = (at) => {
    if (last) window.shoufuFrames.push(at - last);
    last = at;
    window.shoufuStep = requestAnimationFrame(step);
  };
  window.shoufuStep = requestAnimationFrame(step);
}"""
STOP_FRAMES = "() => { cancelAnimationFrame(window.shoufuStep); return window.shoufuFrames; }"


class PageFigures(msgspec.Struct, kw_only=True, frozen=True):
    """One page in one theme: paints in milliseconds (p50, worst), when its map was whole (p50; None without a map),
    shift by the CLS measure, what checks found."""

    page: str
    theme: str
    first_paint_p50_ms: float
    first_paint_worst_ms: float
    map_p50_ms: float | None
    layout_shift: float
    texts: int
    contrast_failures: list[dict[str, Any]]
    controls: int
    unreached: list[str]
    unseen_focus: list[str]


class Figures(msgspec.Struct, kw_only=True, frozen=True):
    """All in all; times in milliseconds, when the map was whole apart from the first paint. Frames are counted while
    the time bar is dragged; 60 is the most."""

    pages: int
    first_paint_p50_ms: float
    first_paint_p95_ms: float
    map_p50_ms: float | None
    click_p50_ms: float
    click_p95_ms: float
    frames_per_second: float
    frame_p95_ms: float
    layout_shift: float
    texts: int
    contrast_failures: int
    controls: int
    keyboard_failures: int


@dataclass(frozen=True)
class Visitor:
    """Whose browser it is: the address, and the session's cookie."""

    base: str
    cookie: str
    session: str


@contextmanager
def opened(browser: Any, visitor: Visitor, theme: str) -> Iterator[Any]:
    """A page of a fresh browser profile, signed in, in a theme (light or dark)."""
    context = browser.new_context(viewport=SIZE, color_scheme=theme, timezone_id="Asia/Shanghai")
    try:
        host = urlsplit(visitor.base).hostname
        context.add_cookies([{"name": visitor.cookie, "value": visitor.session, "domain": host, "path": "/"}])
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(WATCH_SHIFTS)
        yield context.new_page()
    finally:
        context.close()


def page_figures(browser: Any, visitor: Visitor, path: str, theme: str, rounds: int) -> PageFigures:
    """Open one page `rounds` times (the first with an empty cache), then look at it."""
    with opened(browser, visitor, theme) as page:
        paints, maps, shift = [], [], 0.0
        for _ in range(rounds):
            paints.append(_visit(page, visitor.base + path))
            maps += _map(page)
            time.sleep(SETTLE_SECONDS)
            shift = max(shift, page.evaluate("window.shoufuShift"))
        found = checks.contrast(page)
        reach = checks.reach(page)
    return PageFigures(
        page=path,
        theme=theme,
        first_paint_p50_ms=round(statistics.median(paints), 1),
        first_paint_worst_ms=round(max(paints), 1),
        map_p50_ms=round(statistics.median(maps), 1) if maps else None,
        layout_shift=round(shift, 4),
        texts=found.texts,
        contrast_failures=found.failures,
        controls=reach.controls,
        unreached=reach.unreached,
        unseen_focus=reach.unseen,
    )


def _visit(page: Any, address: str) -> float:
    answer = page.goto(address, wait_until="load")
    if answer is None or answer.status != 200:
        raise Problem(f"{address} answered {answer.status if answer else 'nothing'}.")
    until = time.monotonic() + WAIT_MS / 1000
    # Polled from here: the pages' content security policy lets no string become a program inside them.
    while (painted := page.evaluate(PAINT)) is None:
        if time.monotonic() > until:
            raise Problem(f"{address} painted nothing in {WAIT_MS // 1000} s.")
        time.sleep(0.02)
    return float(painted)


def _map(page: Any) -> list[float]:
    """When the page's map was whole, in milliseconds; nothing where the page has no map."""
    until = time.monotonic() + WAIT_MS / 1000
    while (drawn := page.evaluate(MAP)) == -1:
        if time.monotonic() > until:
            raise Problem(f"The map of {page.url} was not drawn in {WAIT_MS // 1000} s.")
        time.sleep(0.05)
    return [] if drawn is None else [float(drawn)]


def clicks(browser: Any, visitor: Visitor, count: int) -> list[float]:
    """Milliseconds from a click on a row of the desk's queue to the first frame with its case."""
    with opened(browser, visitor, "light") as page:
        _visit(page, visitor.base + "/desk/")
        page.wait_for_selector(".queue-row:nth-of-type(2)")
        time.sleep(2 * SETTLE_SECONDS)
        rows = min(page.locator(".queue-row").count(), 12)
        spans = [_click(page, 1 + number % (rows - 1)) for number in range(count + 1)]
    # The first fills caches.
    return spans[1:]


def _click(page: Any, index: int) -> float:
    row = page.locator(".queue-row").nth(index)
    row.evaluate(f"(row) => {{ window.shoufuSpan = ({CLICK})(row); window.shoufuSpan.catch(() => 0); }}")
    row.click()
    return float(page.evaluate("window.shoufuSpan"))


def frames(browser: Any, visitor: Visitor, seconds: float = DRAG_SECONDS) -> list[float]:
    """Milliseconds between frames while the hand drags the time bar to and fro."""
    with opened(browser, visitor, "light") as page:
        _visit(page, visitor.base + "/desk/")
        page.wait_for_selector(".timebar canvas")
        time.sleep(3 * SETTLE_SECONDS)
        box = page.locator(".timebar canvas").bounding_box()
        left, middle, wide = box["x"], box["y"] + box["height"] / 2, box["width"]
        page.mouse.move(left + wide * 0.9, middle)
        page.mouse.down()
        page.evaluate(FRAMES)
        until, step = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            share = abs((step % 200) - 100) / 100
            page.mouse.move(left + wide * (0.1 + 0.8 * share), middle)
            step += 1
            time.sleep(0.008)
        found: list[float] = page.evaluate(STOP_FRAMES)
        page.mouse.up()
    return found


def measure(
    browser: Any,
    visitor: Visitor,
    paths: Sequence[str],
    rounds: int,
    tell: Callable[[PageFigures], None],
) -> Figures:
    """Every page in both themes, then the desk under the hand; ``tell`` hears of each page."""
    pages, paints = [], []
    for theme in ("light", "dark"):
        for path in paths:
            found = page_figures(browser, visitor, path, theme, rounds)
            tell(found)
            pages.append(found)
            paints += [found.first_paint_p50_ms, found.first_paint_worst_ms]
    maps = [page.map_p50_ms for page in pages if page.map_p50_ms is not None]
    spans = clicks(browser, visitor, 20)
    gaps = frames(browser, visitor)
    return Figures(
        pages=len(paths),
        first_paint_p50_ms=round(statistics.median(paints), 1),
        first_paint_p95_ms=_p95(paints),
        map_p50_ms=round(statistics.median(maps), 1) if maps else None,
        click_p50_ms=round(statistics.median(spans), 1),
        click_p95_ms=_p95(spans),
        frames_per_second=round(1000 * len(gaps) / sum(gaps), 1) if gaps else 0.0,
        frame_p95_ms=_p95(gaps) if gaps else 0.0,
        layout_shift=max(page.layout_shift for page in pages),
        texts=sum(page.texts for page in pages),
        contrast_failures=sum(len(page.contrast_failures) for page in pages),
        controls=sum(page.controls for page in pages),
        keyboard_failures=sum(len(page.unreached) + len(page.unseen_focus) for page in pages),
    )


def _p95(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))], 1)
