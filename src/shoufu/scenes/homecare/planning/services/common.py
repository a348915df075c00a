"""What every change of a day's plan does: take its lock, look whether it is the plan that was looked at, write it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import dispatch
from shoufu.engines.dispatch import Plan
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.booking.services import claims
from shoufu.scenes.homecare.planning import days, saving, selectors, words
from shoufu.scenes.homecare.planning.days import Day
from shoufu.scenes.homecare.planning.models import DayPlan, PlanEvent
from shoufu.scenes.homecare.planning.running import crews_of, running
from shoufu.scenes.homecare.register.models import Institution
from shoufu.scenes.homecare.visits.models import Stop, Visit

Crew = tuple[int, ...]


@dataclass(frozen=True)
class Before:
    """A day before a change: who came when, as it was written."""

    stops: Mapping[int, tuple[Stop, ...]]
    order: Sequence[int] = ()
    starts: Mapping[str, float] = field(default_factory=dict)

    def crew(self, visit: int) -> Crew:
        return tuple(stop.practitioner_id for stop in self.stops.get(visit, ()))


@dataclass(frozen=True)
class Opened:
    """A day whose lock is held: `day` is what can be planned now, `before` what was written."""

    day: Day
    before: Before
    now: datetime


def locked(office: Institution, day: date) -> DayPlan | None:
    """Take the day's lock until the transaction ends; the plan as it is written then."""
    claims.lock((), [days.lock_name(office.pk, day)])
    return DayPlan.objects.filter(institution=office, day=day).first()


def opened(office: Institution, day: date, *, absent: str = "", now: datetime | None = None) -> Opened:
    """The day, whose lock is held, for a change at this moment."""
    now = now or timezone.now()
    planned = running(days.load(office, day, now=now), now, absent=absent).day
    kept = DayPlan.objects.filter(institution=office, day=day).first()
    before = Before(
        {int(pk): tuple(visit.stops.all()) for pk, visit in planned.visits.items()},
        kept.order if kept is not None else (),
        kept.starts if kept is not None else {},
    )
    return Opened(planned, before, now)


def unchanged(office: Institution, day: date, number: int | None, about: Iterable[int] | None = None) -> None:
    """Conflict where the plan is newer than `number`, in words that say who did what; with `about` only where one of
    these visits was touched since. The day's lock is held."""
    if number is None:
        return
    events = PlanEvent.objects.filter(plan__institution=office, plan__day=day, number__gt=number)
    wanted = set(about) if about is not None else None
    for event in events.select_related("user").order_by("-number", "-pk"):
        touched = selectors.touched(event)
        if wanted is not None and not wanted & touched:
            continue
        first = min(wanted & touched if wanted is not None else touched, default=0)
        visit = Visit.objects.select_related("patient__person").filter(pk=first).first()
        said = words.told(event, visit, office.place.time_zone)
        detail = _("%(said)s. Nothing of yours was changed; look at the newest plan and try again.") % {"said": said}
        raise Conflict(detail, number=event.number, reason="newer_plan", code=event.kind)


def write(actor: Actor, at: Opened, plan: Plan, kind: str, *, reason: str = "", **data: object) -> DayPlan:
    """Write a changed plan with what it was before, so that it can be undone; ids of visits that lost their people or
    changed stand in the event."""
    row = saving.save(actor, at.day, plan, kind, reason=reason, **data)
    event = row.events.get(number=row.number)
    event.data = event.data | {"before": _kept(at.before, event.moved)}
    event.save(update_fields=["data"])
    record(
        actor,
        Act(
            f"homecare.dispatch.{kind}",
            row,
            at.day.institution.place_id,
            reason=reason,
            data={"day": row.day.isoformat(), "number": row.number, "moved": event.moved},
        ),
    )
    return row


def _kept(before: Before, moved: Sequence[int]) -> dict[str, object]:
    """Ids, times and marks of what was there before, for undoing."""
    stops = [
        [
            stop.visit_id,
            stop.task,
            stop.practitioner_id,
            stop.span.lower.isoformat(),
            stop.span.upper.isoformat(),
            stop.pinned,
        ]
        for pk in moved
        for stop in before.stops.get(pk, ())
    ]
    return {"stops": stops, "order": list(before.order), "starts": dict(before.starts)}


def forget_starts(row: DayPlan, *, keep: Mapping[str, float] | None = None) -> None:
    """Bring the chosen times in line with what is pinned: those of others count no more."""
    starts = {**row.starts, **(keep or {})}
    pinned = set(Stop.objects.filter(visit__in=[int(pk) for pk in starts], pinned=True).values_list("visit", flat=True))
    row.starts = {pk: start for pk, start in starts.items() if int(pk) in pinned}
    row.save(update_fields=["starts"])


def without(day: Day, visit: str) -> Plan:
    """The plan of a day with one visit taken out; the others begin as early as they can."""
    crews = {name: crew for name, crew in crews_of(day.plan).items() if name != visit}
    return dispatch.arrange(day.problem, crews, [name for name in day.plan.order if name != visit])


def asked_anew(day: Day, visit: Visit, now: datetime) -> Day:
    """The day with a visit as it was promised, or as late as it is by now: nobody pinned to it, no time chosen."""
    known = day.problem.visits[day.problem.visit_index[str(visit.pk)]]
    opens = max(day.minutes(visit.starts_at), day.minutes(now))
    due = max(day.minutes(visit.latest_at), opens)
    free = replace(
        known,
        opens=opens,
        due=max(due, known.due),
        latest=max(due, known.latest),
        first_latest=max(due, known.first_latest),
        fixed_caregivers=(),
    )
    return day.but(day.problem.with_visit(free))
