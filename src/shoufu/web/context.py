from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.cases import pages as cases
from shoufu.kernel.places import selectors as places
from shoufu.kernel.places.models import Place
from shoufu.web import words
from shoufu.web.health import selectors as health


@dataclass(frozen=True)
class Entry:
    """An entry of the rail; `badge` is a count that waits for somebody."""

    name: str
    icon: str
    url: str
    active: bool = False
    badge: int = 0
    phone: bool = False


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _entry(path: str, name: str, icon: str, url: str, *, badge: int = 0, phone: bool = False) -> Entry:
    address = _address(url)
    active = path == address or (len(address) > 1 and path.startswith(address))
    return Entry(name, icon, address, active, badge, phone)


def _subjects(actor: Actor, path: str, waiting: int) -> list[Entry]:
    rows: list[tuple[str, Entry]] = [
        ("cases.view", _entry(path, _("Desk"), "map-2", "desk", phone=True)),
        ("cases.view", _entry(path, _("Cases"), "bell-ringing", "cases:list", badge=waiting, phone=True)),
        ("observations.view", _entry(path, _("Live feed"), "activity", "observations:feed", phone=True)),
        ("observations.view", _entry(path, _("Time machine"), "history", "replay")),
        ("devices.view", _entry(path, _("Devices"), "device-cctv", "devices:list", phone=True)),
        ("doors.view", _entry(path, _("Doors"), "door", "doors:list")),
        ("places.view", _entry(path, _("Places"), "building-community", "places:list")),
        ("parties.view", _entry(path, _("People"), "users", "parties:people")),
        ("booking.view", _entry(path, _("Bookings"), "clock", "booking:list")),
        ("referrals.view", _entry(path, _("Referrals"), "phone-outgoing", "referrals:list")),
        ("payments.view", _entry(path, _("Payments"), "file-text", "payments:orders")),
        ("rules.view", _entry(path, _("Rules"), "adjustments", "rules:list")),
    ]
    found = [entry for permission, entry in rows if actor.may_anywhere(permission) and entry.url]
    if actor.may_anywhere("referrals.receive") and not actor.may_anywhere("referrals.view"):
        found.append(_entry(path, _("Alarm centre"), "phone-incoming", "referrals:console", phone=True))
    english = (get_language() or "").startswith("en")
    for scene in registry.scenes():
        for item in scene.menu:
            if actor.may_anywhere(item.permission):
                found.append(_entry(path, item.name_en if english else item.name, item.icon, item.url))
    if actor.may_anywhere("cases.view"):
        found.append(_entry(path, _("Overview"), "chart-histogram", "overview"))
    if not any(entry.phone for entry in found):
        # Whose work is on pages of a scene's own finds the way back to them.
        found.insert(0, _entry(path, _("Start"), "home", "home", phone=True))
    return [entry for entry in found if entry.url]


def _below(actor: Actor, path: str) -> list[Entry]:
    rows = [
        ("access.view", _entry(path, _("People with access"), "key", "access:list")),
        ("own.view", _entry(path, _("My data"), "eye", "privacy:home")),
        ("privacy.manage", _entry(path, _("Requests about personal data"), "file-text", "privacy:requests")),
        ("audit.view", _entry(path, _("Audit"), "shield-lock", "audit:list")),
        ("devices.view", _entry(path, _("Health"), "heartbeat", "health")),
        ("", _entry(path, _("My settings"), "settings", "profile")),
    ]
    return [entry for permission, entry in rows if entry.url and (not permission or actor.may_anywhere(permission))]


def _trail(actor: Actor, place: Place | None) -> Sequence[Place]:
    return places.ancestors(actor, place) if place is not None and place.depth else ()


def shell(request: HttpRequest) -> dict[str, Any]:
    """What every page's frame needs; empty for people who are not signed in."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None or actor.kind == "anonymous" or "HX-Request" in request.headers:
        return {"language": get_language(), "words": words.for_islands()}
    scope = request.scope  # type: ignore[attr-defined]
    waiting = cases.waiting(cast(PageRequest, request)).open if actor.may_anywhere("cases.view") else 0
    return {
        "language": get_language(),
        "words": words.for_islands(),
        "rail": _subjects(actor, request.path, waiting),
        "rail_below": _below(actor, request.path),
        "scope": scope,
        "scope_trail": _trail(actor, scope.place),
        "moment": request.moment,  # type: ignore[attr-defined]
        "waiting": waiting,
        "device_health": health.devices(actor, scope.path) if actor.may_anywhere("devices.view") else None,
    }
