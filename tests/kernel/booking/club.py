from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.booking import selectors, services
from shoufu.kernel.booking.models import Offering, Resource


def resident(name: str, place: Any) -> User:
    user = User.objects.create(username=name.lower(), display_name=name)
    RoleAssignment.objects.create(user=user, role="resident", place=place, since=timezone.now() - timedelta(days=1))
    return user


def tomorrow(hour: int = 10, days: int = 1) -> datetime:
    """An hour of a coming day by the clock of Shanghai, which keeps no summer time."""
    day = (timezone.now() + timedelta(hours=8)).date() + timedelta(days=days)
    return datetime.combine(day, time(hour), UTC) - timedelta(hours=8)


@dataclass
class Club:
    """Two courts of Songshan, open from eight to twenty every day, booked by the hour; Eve and Finn live there."""

    world: Any
    courts: list[Resource]
    offering: Offering
    eve: User
    finn: User
    numbers: list[int] = field(default_factory=lambda: [0])

    def act(self, user: User) -> Any:
        return actor_for_user(user)

    def draft(self, start: datetime, **changes: Any) -> services.HoldDraft:
        return services.HoldDraft(**{"offering": self.offering.pk, "start": start} | changes)

    def hold(self, user: User, start: datetime, **changes: Any) -> Any:
        return services.hold(self.act(user), self.draft(start, **changes))

    def row(self, offering: int) -> Offering:
        return selectors.offering(SYSTEM, offering)

    def offer(self, **changes: Any) -> Offering:
        """Another offering; `needs` are lists of resources, `terms` changes of the terms."""
        self.numbers[0] += 1
        terms = {"duration_minutes": 60} | changes.pop("terms", {})
        needs = changes.pop("needs", [[court.pk for court in self.courts]])
        values = {"code": f"more-{self.numbers[0]}", "place": self.world.songshan.pk, "name": "更多", "name_en": "More"}
        return services.create_offering(
            SYSTEM,
            services.OfferingDraft(
                **values | changes,
                terms=services.TermsDraft(**terms),
                requirements=[services.RequirementDraft(need) for need in needs],
            ),
        )


def court(place: Any, code: str, opens: int = 8, closes: int = 20) -> services.ResourceDraft:
    rule = services.RuleDraft("FREQ=DAILY", time(opens), time(closes), since=datetime(2026, 1, 1).date())
    return services.ResourceDraft(code, "court", f"{code} 号场", place.pk, f"Court {code}", rules=[rule])


def build(world: Any) -> Club:
    courts = services.create_resources(SYSTEM, [court(world.songshan, "1"), court(world.songshan, "2")])
    club = Club(world, courts, None, resident("Eve", world.songshan), resident("Finn", world.songshan))  # type: ignore[arg-type]
    policy = {"steps": [{"hours": 24, "percent": 0}, {"hours": 2, "percent": 50}], "late_percent": 100}
    club.offering = club.offer(
        code="badminton", name="羽毛球", name_en="Badminton", terms={"price": 2001, "policy": policy, "most_units": 3}
    )
    return club
