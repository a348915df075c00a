"""A scene's provider decides which slots can be served, and is asked again inside the locks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.booking import providers, selectors, services
from shoufu.kernel.booking.models import Booking


@dataclass
class Evenings:
    """Serves from `first` on (hours in UTC), prefers the last court, and needs to know a door."""

    code: str = "evenings"
    first: int = 0
    refusal: str = ""
    asked: list[str] = field(default_factory=list)

    def check(self, actor: Any, offering: Any, details: Mapping[str, Any]) -> Mapping[str, Any]:
        if not isinstance(details.get("door"), int):
            raise Invalid.one("details.door", "Say which door.")
        return {"door": details["door"]}

    def filter(self, query: Any, slots: Sequence[Any]) -> Sequence[Any]:
        assert query.details == {"door": 7}
        return [slot.taking(*(one[-1] for one in slot.choices)) for slot in slots if slot.start.hour >= self.first]

    def locks(self, query: Any, slot: Any) -> Sequence[str]:
        return [f"plan:{slot.start.date()}"]

    def locks_of(self, bookings: Sequence[int]) -> Sequence[str]:
        return [f"bus:{one}" for one in bookings]

    def admit(self, query: Any, slot: Any) -> str:
        self.asked.append(f"admit {slot.resources}")
        return self.refusal

    def changed(self, booking: Any, event: str) -> None:
        self.asked.append(event)


@pytest.fixture
def evenings(monkeypatch: pytest.MonkeyPatch) -> Evenings:
    made = Evenings()
    monkeypatch.setattr(providers, "all_providers", lambda: {made.code: made})
    return made


def test_only_what_can_be_served_is_offered_and_the_plan_hears_of_it(club, at, evenings):
    offer = club.offer(provider="evenings")
    evenings.first = at(12).hour
    eve, details = club.act(club.eve), {"door": 7, "gossip": "x"}
    found = selectors.free_slots(eve, selectors.Ask(club.row(offer.pk), at(10), at(14), details=details))
    assert [slot.start for slot in found] == [at(12), at(13)]
    with pytest.raises(Invalid) as refused:
        services.hold(eve, club.draft(at(12), offering=offer.pk))
    assert refused.value.errors[0].field == "details.door"
    with pytest.raises(Conflict) as closed:
        services.hold(eve, club.draft(at(10), offering=offer.pk, details=details))
    assert closed.value.extra["reason"] == "infeasible"
    assert closed.value.extra["nearest"][0] == at(12).isoformat()
    made = services.hold(eve, club.draft(at(12), offering=offer.pk, details=details))
    assert made.details == {"door": 7} and made.allocations.get().resource == club.courts[1]
    services.confirm(eve, made.pk)
    services.reschedule(eve, made.pk, services.Move(at(13)))
    services.cancel(eve, made.pk)
    pick = f"admit ({club.courts[1].pk},)"
    assert evenings.asked == [pick, "held", "confirmed", pick, "moved", "cancelled"]


def test_a_refusal_inside_the_lock_leaves_nothing_behind(club, at, evenings):
    offer = club.offer(provider="evenings")
    evenings.refusal = "Nurse Li is late."
    with pytest.raises(Conflict, match="Nurse Li is late"):
        services.hold(club.act(club.eve), club.draft(at(12), offering=offer.pk, details={"door": 7}))
    assert not Booking.objects.exists()


def test_a_provider_that_is_not_installed_is_named(club, at):
    offer = club.offer()
    offer.provider = "gone"
    offer.save()
    with pytest.raises(Invalid, match="gone"):
        services.hold(SYSTEM, club.draft(at(12), offering=offer.pk))


def test_a_module_of_an_app_is_found_by_its_name(monkeypatch):
    import sys
    from types import ModuleType

    module = ModuleType("shoufu.kernel.booking.booking_provider")
    module.provider = Evenings(code="found")  # type: ignore[attr-defined]
    module.__spec__ = providers.find_spec("shoufu.kernel.booking.providers")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    providers.all_providers.cache_clear()
    try:
        assert providers.all_providers()["found"] is module.provider
    finally:
        providers.all_providers.cache_clear()
