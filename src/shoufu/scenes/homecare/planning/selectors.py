from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, require
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.scenes.homecare.planning import travel
from shoufu.scenes.homecare.planning.models import DayPlan, PlanEvent, Policy, Proposal
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Institution, Practitioner
from shoufu.scenes.homecare.visits.models import Stop, Visit

PLAN = "homecare.dispatch"


def offices(actor: Actor) -> QuerySet[Institution]:
    """The institutions whose days the actor plans."""
    return limit(register.institutions(actor), actor, PLAN)


def office(actor: Actor, institution_id: int) -> Institution:
    """One of them; NotFound or Forbidden otherwise."""
    found = register.institution(actor, institution_id)
    require(actor, PLAN, found.place)
    return found


def visit(actor: Actor, visit_id: int) -> Visit:
    """A visit of an institution whose days the actor plans; NotFound otherwise."""
    rows = Visit.objects.select_related(
        "patient__person", "institution__place", "institution__organisation", "version", "place"
    ).defer("note", "patient__access", "patient__health")
    found = rows.filter(pk=visit_id, institution__in=offices(actor).values("pk")).first()
    if found is None:
        raise NotFound(_("There is no visit %(id)s that you may plan.") % {"id": visit_id})
    return found


def practitioner(actor: Actor, practitioner_id: int) -> Practitioner:
    """Somebody whose days the actor plans; NotFound or Forbidden otherwise."""
    found = register.practitioner(actor, practitioner_id)
    require(actor, PLAN, found.institution.place)
    return found


def proposal(actor: Actor, proposal_id: int) -> Proposal:
    rows = Proposal.objects.select_related("institution__place", "institution__organisation", "user")
    found = rows.filter(pk=proposal_id, institution__in=offices(actor).values("pk")).first()
    if found is None:
        raise NotFound(_("There is no proposal %(id)s that you may see.") % {"id": proposal_id})
    return found


def policy(office: Institution) -> Policy:
    """How an institution plans; the defaults where nothing was set."""
    return Policy.objects.filter(institution=office).first() or Policy(institution=office)


def number(office: Institution, day: date) -> int:
    """The number of a day's newest plan; 0 before the first."""
    found = DayPlan.objects.filter(institution=office, day=day).values_list("number", flat=True).first()
    return found or 0


def events(office: Institution, day: date) -> QuerySet[PlanEvent]:
    """What changed a day's plan, the newest first."""
    return PlanEvent.objects.filter(plan__institution=office, plan__day=day).select_related("user")


def touched(event: PlanEvent) -> set[int]:
    """The ids of the visits that a change was about, or moved."""
    about = event.data.get("visit")
    return {*event.moved, *([about] if isinstance(about, int) else [])}


@dataclass(frozen=True)
class RouteStop:
    """A stop of somebody's day: `travel_minutes` is the way to it from the stop before, or from the base."""

    visit: Visit
    task: int
    starts_at: datetime
    ends_at: datetime
    travel_minutes: float
    latitude: float | None
    longitude: float | None
    pinned: bool

    @property
    def leave_at(self) -> datetime:
        """When to leave the stop before so as to be there in time."""
        return self.starts_at - timedelta(minutes=self.travel_minutes)

    @property
    def promised(self) -> tuple[datetime, datetime]:
        return self.visit.starts_at, self.visit.latest_at


def route(person: Practitioner, day: date) -> list[RouteStop]:
    """Somebody's stops of a day in order, as they are planned; three queries. The caller has the right to see them."""
    rows = Stop.objects.filter(practitioner=person, live=True, visit__day=day, visit__state__in=Visit.PLANNED)
    rows = rows.select_related(
        "visit__patient__person", "visit__patient__household", "visit__place", "visit__version",
        "visit__institution__place",
    ).defer("visit__note", "visit__patient__access", "visit__patient__health").order_by("span", "pk")  # fmt: skip
    stops = list(rows)
    located = register.positions([person.institution.place, *(stop.visit.place for stop in stops)])
    start = located.get(person.institution.place_id)
    if person.base_longitude is not None and person.base_latitude is not None:
        start = (person.base_longitude, person.base_latitude)
    return _route(stops, [located.get(stop.visit.place_id) for stop in stops], start, person.transport)


def _route(
    stops: Sequence[Stop],
    where: Sequence[tuple[float, float] | None],
    start: tuple[float, float] | None,
    transport: str,
) -> list[RouteStop]:
    here, found = start, []
    for stop, there in zip(stops, where, strict=True):
        minutes = 0.0
        if here is not None and there is not None:
            minutes = float(travel.matrices([here, there], [transport])[transport][0, 1])
        found.append(
            RouteStop(
                stop.visit,
                stop.task,
                stop.span.lower,
                stop.span.upper,
                minutes,
                there[1] if there else None,
                there[0] if there else None,
                stop.pinned,
            )
        )
        here = there or here
    return found


def own_route(actor: Actor, day: date | None = None) -> list[RouteStop]:
    """The actor's own stops of a day, today by default, wherever they give care."""
    found: list[RouteStop] = []
    for person in register.practices(actor):
        found += route(person, day or register.day_at(person.institution.place))
    return sorted(found, key=lambda stop: stop.starts_at)


def today(office: Institution) -> date:
    return register.day_at(office.place, timezone.now())
