"""Trends as SVG: a line of points over days with the target band behind. It needs no script, and prints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

WIDTH, HEIGHT = 330, 210
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 24, 24
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25, 50, 100)


@dataclass(frozen=True)
class Series:
    """One quantity: its name, the points (day with a fraction, value, whether it is out of target), and the band that
    it should lie in (None: open to that side)."""

    name: str
    points: Sequence[tuple[float, float, bool]]
    low: float | None = None
    high: float | None = None


def _steps(least: float, most: float) -> list[float]:
    """About four round values for the axis."""
    step = next((one for one in STEPS if (most - least) / one <= 5), 100.0)
    first = int(least / step) * step
    found = [round(first + n * step, 2) for n in range(8)]
    return [one for one in found if least <= one <= most]


def trend(title: str, series: Sequence[Series], first: date, days: int, unit: str) -> SafeString:
    """The picture of `days` days from `first` on. Out of target is a filled square, within a hollow dot: shape, not
    colour alone."""
    values = [value for one in series for _day, value, _out in one.points]
    bounds = [bound for one in series for bound in (one.low, one.high) if bound is not None]
    if not values:
        return mark_safe("")
    least, most = min(values + bounds), max(values + bounds)
    room = max((most - least) * 0.12, 0.5)
    least, most = least - room, most + room

    def x(day: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * day / max(days, 1), 1)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (most - value) / (most - least), 1)

    frame = (x(0), x(days))
    bands = format_html_join(
        "",
        '<rect class="band" x="{}" y="{}" width="{}" height="{}"/>',
        (_band(one, y, frame) for one in series if one.low is not None and one.high is not None),
    )
    limits = format_html_join(
        "",
        '<line class="limit s{}" x1="{}" x2="{}" y1="{}" y2="{}"/>',
        ((n, *frame, y(bound), y(bound)) for n, bound in _limits(series)),
    )
    grid = format_html_join(
        "",
        '<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>',
        ((LEFT, WIDTH - RIGHT, y(v), y(v), LEFT - 4, y(v) + 4, f"{v:g}") for v in _steps(least, most)),
    )
    ticks = format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="{}">{}</text>',
        (
            (
                x(n),
                HEIGHT - 6,
                "end" if n == days else "start" if n == 0 else "middle",
                f"{first + timedelta(days=n):%m-%d}",
            )
            for n in sorted({0, days // 3, 2 * days // 3, days})
        ),
    )
    lines = format_html_join(
        "",
        '<g class="series s{}"><polyline points="{}"/>{}</g>',
        ((n, _path(one, x, y), _marks(one, x, y)) for n, one in enumerate(series)),
    )
    said = _("%(title)s, %(days)s days. The numbers stand in the table below.") % {"title": title, "days": days}
    return format_html(
        '<svg class="trend" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<text x="2" y="12">{}</text>{}{}{}{}{}</svg>',
        WIDTH, HEIGHT, said, unit, bands, grid, limits, ticks, lines,
    )  # fmt: skip


Scale = Callable[[float], float]


def _band(one: Series, y: Scale, frame: tuple[float, float]) -> tuple[float, float, float, float]:
    """The rectangle of a target with two bounds."""
    top, bottom = y(one.high or 0), y(one.low or 0)
    return frame[0], top, round(frame[1] - frame[0], 1), round(bottom - top, 1)


def _limits(series: Sequence[Series]) -> list[tuple[int, float]]:
    """The single bounds: a dashed line in the colour of their series."""
    return [
        (n, bound)
        for n, one in enumerate(series)
        if (one.low is None) != (one.high is None)
        for bound in (one.low, one.high)
        if bound is not None
    ]


def _path(one: Series, x: Scale, y: Scale) -> str:
    return " ".join(f"{x(day)},{y(value)}" for day, value, _out in one.points)


def _marks(one: Series, x: Scale, y: Scale) -> SafeString:
    out = ((x(day) - 3, y(value) - 3) for day, value, wrong in one.points if wrong)
    well = ((x(day), y(value)) for day, value, wrong in one.points if not wrong)
    squares = format_html_join("", '<rect class="out" x="{}" y="{}" width="6" height="6"/>', out)
    return squares + format_html_join("", '<circle class="in" cx="{}" cy="{}" r="2.6"/>', well)
