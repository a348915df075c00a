from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Avg, Count, F, Max, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.cases.models import Case, Severity
from shoufu.kernel.devices.models import Device
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.patrols.models import CheckPoint, Passing, Round, Route, Shift

VIEW = "patrols.view"


def routes(actor: Actor) -> QuerySet[Route]:
    """Routes of the places where the actor may see patrols, with the number of their points."""
    return limit(Route.objects.all(), actor, VIEW).select_related("place").annotate(stops=Count("points"))


def route(actor: Actor, route_id: int) -> Route:
    found = routes(actor).prefetch_related("points").filter(pk=route_id).first()
    if found is None:
        raise NotFound(_("There is no patrol route %(id)s that you may see.") % {"id": route_id})
    return found


def rounds(actor: Actor) -> QuerySet[Round]:
    """Rounds of those routes, newest first, with how far each came."""
    rows = limit(Round.objects.all(), actor, VIEW, "route__place__path")
    return rows.select_related("route__place", "walker").annotate(
        passed=Count("passings", distinct=True), stops=Count("route__points", distinct=True)
    )


def round_(actor: Actor, round_id: int) -> Round:
    found = rounds(actor).filter(pk=round_id).first()
    if found is None:
        raise NotFound(_("There is no patrol round %(id)s that you may see.") % {"id": round_id})
    return found


@dataclass(frozen=True)
class Stop:
    """A check point of a round and when it was passed."""

    point: CheckPoint
    passing: Passing | None
    next: bool


def stops(found: Round) -> list[Stop]:
    """The points of a round in their order; the first one that was not passed is next."""
    passed = {passing.point_id: passing for passing in found.passings.all()}
    points = list(CheckPoint.objects.filter(route=found.route_id).order_by("position"))
    following = next((point.pk for point in points if point.pk not in passed), None)
    return [Stop(point, passed.get(point.pk), point.pk == following) for point in points]


def point_by_code(actor: Actor, code: str) -> CheckPoint:
    """The check point of a scanned code; NotFound also where the actor may not walk."""
    rows = limit(CheckPoint.objects.all(), actor, "patrols.walk", "route__place__path")
    found = rows.select_related("route__place").filter(code=code).first()
    if found is None:
        raise NotFound(_("This code belongs to no check point of yours. It may have been replaced: tell your manager."))
    return found


def shifts(actor: Actor) -> QuerySet[Shift]:
    """Shifts at the places where the actor may see patrols, newest first."""
    return limit(Shift.objects.all(), actor, VIEW).select_related("place", "user", "read_by")


def own_shift(actor: Actor) -> Shift | None:
    """The shift that the actor is on now."""
    if actor.user_id is None:
        return None
    return Shift.objects.filter(user=actor.user_id, ended_at__isnull=True).select_related("place").first()


def notes_to_read(actor: Actor, place: Place) -> QuerySet[Shift]:
    """Hand-over notes of this place that nobody has taken over yet."""
    rows = shifts(actor).filter(place=place, ended_at__isnull=False, read_at__isnull=True).exclude(note="")
    return rows.order_by("ended_at")


@dataclass(frozen=True)
class Line:
    """A kind of case in a report: how many, how many still open, false alarms, and the mean minutes to acknowledge."""

    kind: str
    cases: int
    opened: int
    false_alarms: int
    minutes: float | None


@dataclass(frozen=True)
class Report:
    """What happened at a place from `since` to `until`, for the shift that ends and for the file."""

    place: Place
    since: datetime
    until: datetime
    kinds: list[Line]
    urgent: list[Case]
    rounds: list[Round]
    shifts: list[Shift]
    offline: list[Device]

    @property
    def cases(self) -> int:
        return sum(line.cases for line in self.kinds)

    @property
    def still_open(self) -> int:
        return sum(line.opened for line in self.kinds)

    @property
    def walked(self) -> int:
        return sum(found.state == Round.State.DONE for found in self.rounds)


def span_of(place: Place, day: date, begins: time, hours: int) -> tuple[datetime, datetime]:
    """From a wall time of a day in the place's zone, so many hours on the clock (a changed clock is counted right)."""
    zone = ZoneInfo(place.time_zone)
    since = datetime.combine(day, begins, zone)
    until = datetime.combine(day, begins) + timedelta(hours=hours)
    return since, until.replace(tzinfo=zone)


def report(actor: Actor, place: Place, since: datetime, until: datetime) -> Report:
    """Cases, rounds, shifts and devices of a place and what lies in it; six queries."""
    opened = Q(state__in=Case.OPEN)
    cases = limit(Case.objects.all(), actor, "cases.view").filter(
        place__path__startswith=place.path, opened_at__gte=since, opened_at__lt=until
    )
    lines = (
        cases.values("kind")
        .annotate(
            count=Count("id"),
            open=Count("id", filter=opened),
            false=Count("id", filter=Q(state=Case.State.FALSE_ALARM)),
            wait=Avg(F("acknowledged_at") - F("known_at")),
            last=Max("opened_at"),
        )
        .order_by("-count")
    )
    kinds = [
        Line(
            row["kind"],
            row["count"],
            row["open"],
            row["false"],
            row["wait"].total_seconds() / 60 if row["wait"] else None,
        )
        for row in lines
    ]
    urgent = cases.filter(severity__in=[Severity.CRITICAL, Severity.HIGH]).select_related("place", "assignee")
    walked = rounds(actor).filter(route__place__path__startswith=place.path, due_at__gte=since, due_at__lt=until)
    passings = Prefetch("passings", Passing.objects.exclude(note="").select_related("point"), to_attr="noted")
    on_duty = shifts(actor).filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=since), place__path__startswith=place.path, began_at__lt=until
    )
    down = limit(Device.objects.all(), actor, "devices.view").filter(
        place__path__startswith=place.path, retired_at__isnull=True, status=Device.Status.OFFLINE
    )
    return Report(
        place,
        since,
        until,
        kinds,
        list(urgent.order_by("opened_at")[:200]),
        list(walked.prefetch_related(passings).order_by("due_at")),
        list(on_duty.order_by("began_at")),
        list(down.select_related("place")[:100]),
    )
