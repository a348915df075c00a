import json
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from django import template
from django.db.models import Model
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from shoufu.web import built

register = template.Library()
SEVERITY_ICONS = {"critical": "flame", "high": "alert-triangle", "medium": "alert-circle", "low": "info-circle"}


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """A Tabler icon; with a label it is read aloud, without one it is decoration."""
    address = built.icon(name)
    if not label:
        return _decoration(address, css)
    return format_html('<svg class="i {}" role="img" aria-label="{}"><use href="{}"></use></svg>', css, label, address)


@lru_cache(maxsize=2000)
def _decoration(address: str, css: str) -> SafeString:
    return format_html('<svg class="i {}" aria-hidden="true"><use href="{}"></use></svg>', css, address)


@register.simple_tag
def styles(name: str) -> SafeString:
    """The style sheets of an island."""
    found = built.bundle(name)
    rows = ((sheet,) for sheet in found.styles) if found else ()
    return format_html_join("\n", '<link rel="stylesheet" href="{}">', rows)


@register.simple_tag
def island(name: str) -> SafeString:
    """The script of an island and what it needs; nothing when the front end has not been built."""
    found = built.bundle(name)
    if found is None:
        return mark_safe("")
    preload = format_html_join("\n", '<link rel="modulepreload" href="{}">', ((url,) for url in found.imports))
    return format_html('{}<script type="module" src="{}"></script>', preload, found.module)


@register.simple_tag
def data(identity: str, value: Any) -> SafeString:
    """Data for an island, as a JSON block that no browser runs."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return format_html('<script type="application/json" id="{}">{}</script>', identity, mark_safe(safe))


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """The current address with some parameters changed; None or an empty text removes one."""
    request = context["request"]
    changed = request.GET.copy()
    for name, value in changes.items():
        changed.pop(name, None)
        if value not in (None, ""):
            changed[name] = value
    text = changed.urlencode()
    return f"?{text}" if text else request.path


@register.filter
def label(thing: Any) -> str:
    """The name of a thing in the reader's language: `name_en` or `title_en` where it has one."""
    english = (get_language() or "").startswith("en")
    for field in ("name", "title"):
        own = getattr(thing, field, None)
        if own is not None:
            return (getattr(thing, f"{field}_en", "") or own) if english else own
    return str(thing)


@register.filter
def word(thing: Any, field: str) -> str:
    """The word of a coded field in the reader's language: `get_FIELD_display`, looked up once and not for each row."""
    code = getattr(thing, field)
    model: type[Model] = type(thing)
    return str(_words(model, field, get_language() or "").get(code, code))


@cache
def _words(model: type[Model], field: str, _language: str) -> dict[Any, str]:
    return {code: str(name) for code, name in model._meta.get_field(field).flatchoices}  # type: ignore[union-attr]


@register.filter
def where(place: Any) -> str:
    """A place's name; of a unit or a door with what it lies in, so that "2 单元" says of which building.

    Reads parents only where the query brought them along (`select_related("place__parent__parent")`).
    """
    if place is None:
        return ""
    if place.kind not in ("unit", "door") or "parent" not in place._state.fields_cache or place.parent is None:
        return str(place.label)
    return f"{where(place.parent)} {place.label}"


@register.filter
def clock(moment: datetime | None) -> str:
    """Time of day with seconds, in the pages' zone."""
    return timezone.localtime(moment).strftime("%H:%M:%S") if moment else ""


@register.filter
def when(moment: datetime | None) -> str:
    """Short: the time alone today, day and time this year, else the whole date."""
    return _short(moment, "%H:%M:%S")


def _short(moment: datetime | None, today: str) -> str:
    if not moment:
        return ""
    local, now = timezone.localtime(moment), timezone.localtime()
    if local.date() == now.date():
        return local.strftime(today)
    return local.strftime("%m-%d %H:%M" if local.year == now.year else "%Y-%m-%d %H:%M")


@register.filter
def minute(moment: datetime | None) -> str:
    """As `when`, of what was agreed to the minute: no seconds today either."""
    return _short(moment, "%H:%M")


@register.filter
def iso(moment: datetime | None) -> str:
    """The moment as RFC 3339, for machines and for links into the past."""
    return moment.isoformat() if moment else ""


@register.filter
def span(seconds: float | None) -> str:
    """A length of time in words: the two largest units."""
    if seconds is None:
        return ""
    total = max(0, round(seconds))
    if total < 60:
        return ngettext("%(n)d second", "%(n)d seconds", total) % {"n": total}
    if total < 3600:
        minutes, rest = divmod(total, 60)
        return _("%(m)d min %(s)02d s") % {"m": minutes, "s": rest} if rest else _("%(m)d min") % {"m": minutes}
    hours, rest = divmod(total // 60, 60)
    if hours < 48:
        return _("%(h)d h %(m)d min") % {"h": hours, "m": rest} if rest else _("%(h)d h") % {"h": hours}
    return ngettext("%(n)d day", "%(n)d days", hours // 24) % {"n": hours // 24}


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, as mm:ss in the first hour and in words afterwards."""
    if not moment:
        return ""
    seconds = max(0, (timezone.now() - moment).total_seconds())
    return f"{int(seconds // 60):02d}:{int(seconds % 60):02d}" if seconds < 3600 else span(seconds)


@register.filter
def percent(share: float | None) -> str:
    """A share of 1 as a whole percentage."""
    return "" if share is None else f"{share * 100:.0f}%"


@register.filter
def may(actor: Any, permission: str) -> bool:
    """Whether the actor has the permission at any place: links to pages that would refuse are left out."""
    return bool(actor.may_anywhere(permission))


@register.filter
def item(mapping: Any, key: Any) -> Any:
    """The value under a key that is only known when the page is made."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.filter
def pretty(value: Any) -> str:
    """JSON for reading."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


@register.simple_tag
def severity_icon(code: str) -> str:
    """The icon that says the severity beside its colour."""
    return SEVERITY_ICONS.get(code, "info-circle")


@register.filter
def speeds(text: str) -> list[str]:
    """The parts of a comma separated list."""
    return text.split(",")


@register.filter
def unlocalized(number: float) -> str:
    """A number for SVG: always with a point."""
    return f"{number:g}"


@register.filter
def add_number(number: float, more: float) -> str:
    """The sum, for SVG."""
    return f"{number + more:g}"
