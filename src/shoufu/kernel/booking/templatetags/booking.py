from django import template
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

register = template.Library()


@register.filter
def money(minor: int) -> str:
    """An amount in hundredths of a currency: 2001 → "20.01"."""
    return f"{minor // 100:,}.{minor % 100:02d}"


@register.filter
def recurring(rule: str) -> str:
    """A recurrence (RRULE) in words where it is a usual one: every day, or days of the week; else as it is."""
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    days = [DAYS[code]() for code in parts.get("BYDAY", "").split(",") if code in DAYS]
    if parts == {"FREQ": "DAILY"} or (parts.keys() == {"FREQ", "BYDAY"} and len(days) == len(DAYS)):
        return _("every day")
    if parts.keys() != {"FREQ", "BYDAY"} or parts["FREQ"] != "WEEKLY" or len(days) != parts["BYDAY"].count(",") + 1:
        return rule
    return _("weekly on %(days)s") % {"days": pgettext("between days", ", ").join(days)}


DAYS = {
    "MO": lambda: _("Mon"),
    "TU": lambda: _("Tue"),
    "WE": lambda: _("Wed"),
    "TH": lambda: _("Thu"),
    "FR": lambda: _("Fri"),
    "SA": lambda: _("Sat"),
    "SU": lambda: _("Sun"),
}
