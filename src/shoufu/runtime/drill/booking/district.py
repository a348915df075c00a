"""What the clients race for: courts, a double service on the same courts, a class with places, home visits; and who
they are."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import msgspec

from shoufu.runtime.drill.booking import homes
from shoufu.runtime.drill.booking.homes import Homes

COURTS = 6
SEATS = 8
SHORT_SECONDS = 1
HOLD_SECONDS = 120


class Offer(msgspec.Struct):
    """An offering: its id, which resources a booking takes of it, and whether its holds expire within a second."""

    id: int
    name: str
    short: bool


class Course(msgspec.Struct):
    """What a client process needs to know: where the server is, who the clients are, what to race for, and for how many
    seconds a client thinks between two requests (on the average)."""

    port: int
    tokens: list[str]
    offers: list[Offer]
    starts: list[str]
    homes: Homes
    seed: int
    pause: float


def make(port: int, clients: int, attempts: int, seed: int, pause: float) -> Course:
    """A compound with its courts and people; so few hours that each is wanted by several. Half of the attempts are for
    home visits."""
    from shoufu.kernel.access import services as access
    from shoufu.kernel.access.models import User
    from shoufu.kernel.access.selectors import actor_for_user
    from shoufu.kernel.access.services import RoleDraft, UserDraft
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.booking import services
    from shoufu.kernel.parties import services as parties
    from shoufu.kernel.parties.services import PersonDraft
    from shoufu.kernel.places import services as places
    from shoufu.kernel.places.services import PlaceDraft

    _district, place = places.create_many(
        SYSTEM,
        [PlaceDraft("district", "drill", "演练区"), PlaceDraft("compound", "drill-compound", "演练小区", "drill")],
    )
    rule = services.RuleDraft("FREQ=DAILY", time(0), time(0))
    courts = services.create_resources(
        SYSTEM,
        [services.ResourceDraft(f"court-{n}", "court", f"{n} 号场", place.pk, rules=[rule]) for n in range(COURTS)],
    )
    pool = [court.pk for court in courts]
    offers = []
    for name, needs, terms in (
        ("court", [pool], services.TermsDraft(60, hold_seconds=HOLD_SECONDS)),
        ("double", [pool, pool], services.TermsDraft(60, hold_seconds=HOLD_SECONDS)),
        ("short", [pool], services.TermsDraft(60, hold_seconds=SHORT_SECONDS)),
        ("class", [pool[:1]], services.TermsDraft(60, capacity=SEATS, hold_seconds=HOLD_SECONDS)),
    ):
        draft = services.OfferingDraft(
            name, place.pk, name, terms, [services.RequirementDraft(one, name) for one in needs]
        )
        offers.append(Offer(services.create_offering(SYSTEM, draft).pk, name, name == "short"))
    people = parties.create_people(
        SYSTEM, [PersonDraft(f"居民{n}", place.pk, f"1370013{n:04d}") for n in range(clients)]
    )
    tokens = []
    for number, person in enumerate(people):
        user = access.create_user(SYSTEM, UserDraft(f"client-{number}", f"Client {number}", person_id=person.pk))
        access.give_role(SYSTEM, RoleDraft(user.pk, "resident", place.pk))
        tokens.append(access.create_token(actor_for_user(User.objects.get(pk=user.pk)), "drill").token)
    first = datetime.combine(datetime.now(UTC).date() + timedelta(days=2), time(), UTC)
    hours = max(4, attempts // (8 * COURTS))
    starts = [(first + timedelta(hours=n)).isoformat() for n in range(min(hours, 24 * 25))]
    care = homes.make(place, [one.pk for one in people], attempts // 2)
    return Course(port, tokens, offers, starts, care, seed, pause)
