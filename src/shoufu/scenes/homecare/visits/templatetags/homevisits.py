from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils import formats
from django.utils.translation import gettext as _

from shoufu.scenes.homecare.register.eligibility import full_years
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.register.selectors import day_at
from shoufu.scenes.homecare.visits import words

register = template.Library()


@register.filter
def clock_at(moment: datetime | None, zone: str) -> str:
    """Hours and minutes by the clocks of a place."""
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}" if moment is not None else ""


@register.filter
def day_of(moment: datetime | None, zone: str) -> str:
    """The day at a place, with its weekday: "12-02 Wednesday"."""
    if moment is None:
        return ""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%m-%d} {formats.date_format(local, 'l')}"


@register.filter
def years(row: Practitioner) -> str:
    """How long somebody has worked in care."""
    count = full_years(row.clinical_since, day_at(row.institution.place))
    return _("%(n)s years of work") % {"n": count}


@register.filter
def said(code: str) -> str:
    """Why a visit cannot take place, of a kept code."""
    return words.of_code(code)


@register.filter
def stars(count: int) -> str:
    """Five stars, so many of them full."""
    return "★" * count + "☆" * (5 - count)
