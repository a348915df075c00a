import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from shoufu.kernel.payments import money
from shoufu.scenes.homecare.quality import codes, names, words
from shoufu.scenes.homecare.quality.figures import Ratio
from shoufu.scenes.homecare.quality.reports import shown

register = template.Library()
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 360, 170, 40, 24, 12


@register.filter
def initials(name: str) -> str:
    """A name before a reason was given."""
    return names.initials(name)


@register.filter
def step(kind: str) -> str:
    """A line of a trail."""
    return words.step_word(kind)


@register.filter
def tags(values: list[str]) -> list[str]:
    """What a rating says besides the stars, in the reader's language."""
    return [str(codes.Tag(value).label) for value in values if value in codes.Tag.values]


@register.filter
def stars(count: int) -> str:
    """Stars as signs: "★★★☆☆"."""
    return "★" * count + "☆" * (5 - count)


@register.filter
def starred(code: str) -> str:
    """The same of a code in a form."""
    return stars(int(code))


@register.filter
def tag_word(code: str) -> str:
    """One tag in the reader's language."""
    return "".join(tags([code]))


@register.filter
def told(value: Any) -> str:
    """A fact of a trace: moments with day and time in the pages' zone, anything else as it is."""
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else str(value)


@register.filter
def payee(code: str) -> str:
    """Whose share it is."""
    return {"performer": _("who came"), "institution": _("the institution")}.get(code, code)


@register.filter
def points(value: int) -> str:
    """Hundredths of a per cent as per cent."""
    return f"{value / 100:g}%"


@register.filter
def yuan(minor: int) -> str:
    """An amount of money in minor units."""
    return money.shown(minor)


@register.filter
def hours(minutes: float) -> str:
    """Minutes as hours with one digit."""
    return f"{minutes / 60:.1f}"


@register.filter
def ratio(one: Ratio, unit: str) -> str:
    """A figure by its unit: "percent", "rate" (per 1,000), "number", "minutes" or "hours"; "–" where there is none."""
    return shown(one, unit)


def _figure(value: float) -> str:
    """Three digits where it is small; whole, in thousands, where it is not."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


@register.simple_tag
def trend(points: Sequence[tuple[str, float | None]], title: str, most: float | None = None) -> SafeString:
    """A line chart of (label, value), the gaps left open; its numbers stand in the table beside it."""
    values = [value for _label, value in points if value is not None]
    if not values:
        return format_html('<p class="muted">{}</p>', _("Nothing to draw yet."))
    top = most or _round_up(max(values))
    wide, high = WIDTH - LEFT - 12, HEIGHT - TOP - BOTTOM
    across = [LEFT + wide * (n + 0.5) / len(points) for n in range(len(points))]
    at = [
        (x, TOP + high * (1 - value / top), value)
        for x, (_label, value) in zip(across, points, strict=True)
        if value is not None
    ]
    every = -(-len(points) // 6)
    levels = [
        (_n(TOP + high * (1 - part)), _n(TOP + high * (1 - part) + 4), _figure(top * part)) for part in (0, 0.5, 1)
    ]
    grid = format_html_join(
        "",
        '<line x1="{}" x2="{}" y1="{}" y2="{}" stroke="var(--line)"></line>'
        '<text x="{}" y="{}" text-anchor="end" fill="var(--muted)" font-size="11">{}</text>',
        ((LEFT, WIDTH - 12, y, y, LEFT - 6, below, said) for y, below, said in levels),
    )
    shown_labels = [(x, label) for n, (x, (label, _v)) in enumerate(zip(across, points, strict=True)) if n % every == 0]
    labels = format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="middle" fill="var(--muted)" font-size="11">{}</text>',
        ((_n(x), HEIGHT - 6, label) for x, label in shown_labels),
    )
    line = " ".join(f"{_n(x)},{_n(y)}" for x, y, _value in at)
    dots = format_html_join(
        "",
        '<circle cx="{}" cy="{}" r="3.5" fill="var(--accent)"><title>{}</title></circle>',
        ((_n(x), _n(y), _figure(value)) for x, y, value in at),
    )
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}" width="100%">{}{}'
        '<polyline points="{}" fill="none" stroke="var(--accent)" stroke-width="2"></polyline>{}</svg>',
        WIDTH, HEIGHT, title, grid, labels, line, dots,
    )  # fmt: skip


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 5, 10, 20, … at or above a value, so that the axis has plain numbers."""
    if value <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(value))
    return next(step * size for step in (1, 2, 4, 5, 10) if step * size >= value)


def _n(value: float) -> str:
    return f"{value:.1f}"


@register.filter
def share_width(value: Any) -> str:
    """A share of 1 as a width in per cent, at most 100, for a bar."""
    return f"{min(max(value or 0.0, 0.0), 1.0) * 100:.0f}"
