from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.cases import selectors as cases
from shoufu.kernel.cases.pages import title_of
from shoufu.kernel.devices import selectors as devices
from shoufu.kernel.parties import selectors as parties
from shoufu.kernel.places import selectors as places
from shoufu.kernel.rules import selectors as rules

MOST = 12


@dataclass(frozen=True)
class Hit:
    title: str
    note: str
    url: str


@dataclass(frozen=True)
class Group:
    """What was found of one sort."""

    name: str
    icon: str
    hits: list[Hit]


def everything(actor: Actor, text: str) -> list[Group]:
    """Cases, people (where the actor may), plates, devices, places and rules that fit the text; empty groups stay out.

    Looking for people leaves an audit entry (without the text).
    """
    words = text.strip()
    if len(words) < 2 and not words.isdigit():
        return []
    found = [
        Group(_("Cases"), "alert-triangle", _cases(actor, words)),
        Group(_("Vehicles"), "car", _vehicles(actor, words)),
        Group(_("People"), "users", _people(actor, words)),
        Group(_("Devices"), "device-cctv", _devices(actor, words)),
        Group(_("Places"), "building-community", _places(actor, words)),
        Group(_("Rules"), "adjustments", _rules(actor, words)),
    ]
    return [group for group in found if group.hits]


def _cases(actor: Actor, words: str) -> list[Hit]:
    rows = cases.listing(actor, cases.CaseFilter(text=words))[:MOST]
    return [
        Hit(
            title_of(c), f"{c.number} · {c.place.label} · {c.get_state_display()}", reverse("cases:detail", args=[c.pk])
        )
        for c in rows
    ]


def _vehicles(actor: Actor, words: str) -> list[Hit]:
    rows = parties.vehicles(actor).filter(plate__icontains=words)[:MOST]
    return [Hit(v.plate, v.place.label, f"{reverse('parties:vehicles')}?plate={v.plate}") for v in rows]


def _people(actor: Actor, words: str) -> list[Hit]:
    if not actor.may_anywhere("parties.view"):
        return []
    return [
        Hit(p.name, p.place.label, reverse("parties:person", args=[p.pk]))
        for p in parties.search(actor, words, limit=MOST)
    ]


def _devices(actor: Actor, words: str) -> list[Hit]:
    seen = devices.visible(actor)
    rows = (
        seen.filter(name__icontains=words) | seen.filter(code__icontains=words) | seen.filter(name_en__icontains=words)
    )
    return [
        Hit(d.name, f"{d.code} · {d.get_status_display()}", reverse("devices:detail", args=[d.pk])) for d in rows[:MOST]
    ]


def _places(actor: Actor, words: str) -> list[Hit]:
    rows = places.search(actor, words, limit=MOST)
    return [Hit(p.label, str(p.get_kind_display()), reverse("places:detail", args=[p.pk])) for p in rows]


def _rules(actor: Actor, words: str) -> list[Hit]:
    rows = rules.listed(actor, search=words)[:MOST]
    return [Hit(r.name, r.place.label, reverse("rules:detail", args=[r.pk])) for r in rows]
