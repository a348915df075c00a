"""The feasibility port: a scene says which slots of an offering can really be served.

An app (a kernel app, a scene or a part of one) that has a module `booking_provider.py` with `provider`, an object with
the methods of `Provider`, offers it under its `code`; an offering names that code. Without a provider the availability
of the resources alone decides.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol, cast

from django.apps import apps
from django.db.models import Q
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.booking.models import Booking, Offering, Terms

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Slot:
    """A time that an offering can be had, aware in UTC, half-open.

    `choices` are the ids of the free resources for each requirement, the preferred first; `resources` is one of each,
    all different, that would be taken. `left` is how many more can have it (1 where a resource is taken whole).
    """

    start: datetime
    end: datetime
    resources: tuple[int, ...] = ()
    choices: tuple[tuple[int, ...], ...] = ()
    left: int = 1

    def taking(self, *resources: int) -> "Slot":
        """The same with these resources."""
        return replace(self, resources=tuple(resources))


@dataclass(frozen=True)
class Query:
    """What is asked for: `details` is what the provider checked; `person` is whom it is for, where that is known;
    `moving` is the booking that gives its own place up for the new one, by `terms` that were agreed earlier. `kept` is
    what a provider read for an earlier step of the same question and may use in a later one."""

    offering: Offering
    units: int = 1
    quantity: int = 1
    person: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    moving: int | None = None
    terms: Terms | None = None
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


class Keeping(Protocol):
    """What a provider implements besides where its bookings are nobody's business at the place: whoever may see
    bookings there (a guard) then sees none of these, and nobody owns one because they once made it."""

    def visible(self, actor: Actor) -> Q:
        """Which of its bookings the actor may see: a condition on `Booking`."""

    def own(self, actor: Actor) -> Q:
        """Which of them are the actor's own affair, now."""


class Provider(Protocol):
    """What a scene implements. Every method may read the database; `admit` and `changed` run in the transaction.

    One with the methods of `Keeping` keeps its bookings to itself.
    """

    code: str

    def check(self, actor: Actor, offering: Offering, details: Mapping[str, Any]) -> Mapping[str, Any]:
        """The details as they are kept (ids and codes only), of what the actor may ask for; Invalid names what is
        missing, NotFound what the actor may not see."""

    def filter(self, query: Query, slots: Sequence[Slot]) -> Sequence[Slot]:
        """Those of the slots that can be served, in the same order; `resources` may be changed within `choices`."""

    def locks(self, query: Query, slot: Slot) -> Sequence[str]:
        """Names of what the decision reads besides the resources (a day's plan; of a booking that moves, both days'):
        locked in one order before `admit` is asked."""

    def admit(self, query: Query, slot: Slot) -> str:
        """Asked inside the locks, with the resources that will be taken: why not, or an empty text. `filter` was asked
        before only where a booking takes resources."""

    def locks_of(self, bookings: Sequence[int]) -> Sequence[str]:
        """Names of what `changed` writes when these of its bookings end: locked before their rows."""

    def changed(self, booking: Booking, event: str) -> None:
        """A booking was held, confirmed, moved, cancelled, expired, …: keep the plan in step, in the transaction,
        without taking the locks that `locks` and `locks_of` name (the booking's row is locked already). After `admit`
        the booking has the question as `asked`."""


@cache
def all_providers() -> dict[str, Provider]:
    """Every provider by its code."""
    names = [f"{config.name}.booking_provider" for config in apps.get_app_configs() if _ours(config.name)]
    found: dict[str, Provider] = {}
    for name in names:
        provider: Provider = import_module(name).provider
        if provider.code in found:
            raise ValueError(f"{name}: the code {provider.code!r} is taken; give the provider another one")
        found[provider.code] = provider
    return found


def _ours(package: str) -> bool:
    return not package.startswith(("django.", "allauth")) and find_spec(f"{package}.booking_provider") is not None


def keeping() -> dict[str, Keeping]:
    """The providers that keep their bookings to themselves, by code."""
    return {code: cast(Keeping, one) for code, one in all_providers().items() if hasattr(one, "visible")}


def of(offering: Offering) -> Provider | None:
    """The offering's provider; None without one. Invalid where it names one that is not installed."""
    if not offering.provider:
        return None
    found = all_providers().get(offering.provider)
    if found is None:
        raise Invalid.one("provider", _("“%(code)s” is not installed here.") % {"code": offering.provider})
    return found


def checked(actor: Actor, offering: Offering, details: Mapping[str, Any]) -> dict[str, Any]:
    """The details as the provider keeps them; without a provider there are none."""
    provider = of(offering)
    if provider is None:
        if details:
            raise Invalid.one("details", _("This offering takes no details; leave them out."))
        return {}
    return dict(provider.check(actor, offering, details))


def locks_to_end(bookings: Iterable[int]) -> list[str]:
    """The names of what is written when bookings end, of all their providers."""
    rows = Booking.objects.filter(pk__in=list(bookings)).exclude(offering__provider="").order_by("pk")
    ours: dict[str, list[int]] = {}
    for pk, code in rows.values_list("pk", "offering__provider"):
        ours.setdefault(code, []).append(pk)
    known = all_providers()
    return [name for code, some in ours.items() if code in known for name in known[code].locks_of(some)]


def tell(booking: Booking, event: str) -> None:
    """Tell the provider of a booking's offering what happened to it.

    One that is no longer installed must not keep holds from ending: it is written to the log.
    """
    if not booking.offering.provider:
        return
    provider = all_providers().get(booking.offering.provider)
    if provider is None:
        log.error("booking %s: the provider %r is not installed", booking.pk, booking.offering.provider)
        return
    provider.changed(booking, event)
