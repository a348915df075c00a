"""Writing a day's plan back to the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines.dispatch import Plan
from shoufu.engines.dispatch import Stop as Planned
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict
from shoufu.kernel.base.nerve import publish_on_commit
from shoufu.scenes.homecare.planning.models import DayPlan, PlanEvent
from shoufu.scenes.homecare.register.models import Institution
from shoufu.scenes.homecare.visits.models import Stop, Visit

if TYPE_CHECKING:
    from shoufu.scenes.homecare.planning.days import Day


def save(actor: Actor, day: Day, plan: Plan, kind: str, *, reason: str = "", **data: object) -> DayPlan:
    """Write a plan of this day: stops that changed, the order, and a line of its history. The caller holds the lock of
    the day and has a transaction open. A visit that `plan` leaves out has no stops any more; one that was cancelled
    meanwhile gets none."""
    moved, _kept = _write_stops(day, plan, None)
    said = _("Somebody would be at two places at once. Look at the newest plan and try again.")
    nobody_twice(Conflict(said, reason="twice"))
    order = [int(one) for one in plan.order]
    return _write_down(actor, day.institution, day.day, kind, order, reason=reason, moved=moved, **data)


def save_placed(actor: Actor, day: Day, plan: Plan, kind: str, placed: int) -> DayPlan:
    """The same where nobody planned the day, but one visit was put into it: what `plan` leaves out for another reason
    (somebody is away, a licence ended) keeps its people, unless they are needed elsewhere at that time, until a
    coordinator decides."""
    moved, kept = _write_stops(day, plan, placed)
    order = _order(day, plan, kept)
    return _write_down(actor, day.institution, day.day, kind, order, reason="", moved=moved, visit=placed)


def release(actor: Actor, visit: Visit, day: date, kind: str, *, reason: str = "") -> None:
    """Take a visit out of a day's plan; nobody else moves for it. The caller changed the visit's row (its state or
    day) in this transaction, under the lock of the day: without it, who frees one visit and waits for the plan's row,
    and who writes the plan and waits for the visit's row, would wait for one another."""
    if not Stop.objects.filter(visit=visit).delete()[0]:
        return
    _write_down(actor, visit.institution, day, kind, None, reason=reason, moved=[visit.pk])


def _write_down(
    actor: Actor,
    office: Institution,
    day: date,
    kind: str,
    order: Sequence[int] | None,
    *,
    reason: str,
    moved: Sequence[int],
    **data: object,
) -> DayPlan:
    """A line of a day's history and its next number; without an order, what moved is out of it."""
    now = timezone.now()
    rows = DayPlan.objects.select_for_update()
    row, _made = rows.get_or_create(institution=office, day=day, defaults={"changed_at": now})
    row.order = list(order) if order is not None else [one for one in row.order if one not in moved]
    row.number, row.changed_at = row.number + 1, now
    row.save(update_fields=["number", "order", "changed_at"])
    PlanEvent.objects.create(
        plan=row,
        number=row.number,
        at=now,
        kind=kind,
        user_id=actor.user_id,
        reason=reason[:200],
        moved=list(moved),
        data=data,
    )
    _tell_screens(office, row)
    return row


def _tell_screens(office: Institution, row: DayPlan) -> None:
    """Open boards hear that there is a newer plan, and ask for it themselves."""
    data = {"institution": office.pk, "day": row.day.isoformat(), "number": row.number}
    message = {"path": office.place.path, "event": "changed", "id": str(row.pk), "data": data}
    publish_on_commit("live.plan", message)


def _order(day: Day, plan: Plan, kept: Mapping[int, datetime]) -> list[int]:
    """The order of a plan, with what keeps its people among it by its begin."""
    order = [int(one) for one in plan.order]
    starts = {int(stop.visit): day.moment(stop.start) for stop in reversed(plan.stops)}
    for visit, begin in sorted(kept.items(), key=lambda pair: pair[1]):
        later = (place for place, one in enumerate(order) if one in starts and starts[one] > begin)
        order.insert(next(later, len(order)), visit)
        starts[visit] = begin
    return order


def _write_stops(day: Day, plan: Plan, placed: int | None) -> tuple[list[int], dict[int, datetime]]:
    """Bring the stops in line with a plan; the ids of visits that got another person or time, or lost theirs, and the
    begin of each that keeps its people though the plan leaves it out."""
    ids = {int(one) for one in day.rows} | {int(stop.visit) for stop in plan.stops}
    there, begun = still_there(day, ids)
    before = {(stop.visit_id, stop.task): stop for stop in _stops(ids - begun)}
    after = {(int(stop.visit), stop.task): stop for stop in plan.stops if int(stop.visit) in there}
    moved: set[int] = set()
    left = [stop for key, stop in before.items() if key not in after]
    kept = _left_alone(left, [(stop, *_span(day, stop)) for stop in plan.stops], there - {placed}) if placed else {}
    gone = [stop.pk for stop in left if stop.visit_id not in kept]
    moved.update(stop.visit_id for stop in left if stop.visit_id not in kept)
    made, changed = [], []
    for key, stop in after.items():
        span = DateTimeTZRange(*_span(day, stop))
        old = before.get(key)
        if old is None:
            made.append(Stop(visit_id=key[0], task=key[1], practitioner_id=int(stop.caregiver), span=span))
        elif (old.practitioner_id, old.span.lower, old.span.upper) != (int(stop.caregiver), span.lower, span.upper):
            old.pinned = old.pinned and old.practitioner_id == int(stop.caregiver)
            old.practitioner_id, old.span = int(stop.caregiver), span
            changed.append(old)
    moved.update(stop.visit_id for stop in (*made, *changed))
    Stop.objects.filter(pk__in=gone).delete()
    Stop.objects.bulk_update(changed, ["practitioner", "span", "pinned"])
    Stop.objects.bulk_create(made)
    _give_way(day, plan, begun | {row.pk for row in day.past})
    return sorted(moved), kept


def _give_way(day: Day, plan: Plan, begun: set[int]) -> None:
    """What began at another time than it was planned for, and stands in the way of a plan, stands where it was: from
    its begin to its end, or to when that is expected, at most to what the person does next."""
    taken: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for stop in (one for one in plan.stops if int(one.visit) not in begun):
        taken[int(stop.caregiver)].append(_span(day, stop))
    rows = Stop.objects.filter(visit__in=begun, live=True).select_related("visit__version").order_by("pk")
    for row in rows:
        others = taken[row.practitioner_id]
        if not any(start < row.span.upper and row.span.lower < end for start, end in others):
            continue
        began = row.visit.began_at or row.span.lower
        over = row.visit.ended_at or began + timedelta(minutes=row.visit.version.duration_minutes)
        spans = Stop.objects.filter(practitioner=row.practitioner_id, live=True, visit__in=begun).exclude(pk=row.pk)
        others = others + [(one.lower, one.upper) for one in spans.values_list("span", flat=True)]
        until = min([over, *(start for start, _end in others if start > began)])
        free = until > began and not any(start <= began < end for start, end in others)
        if free:
            row.span = DateTimeTZRange(began, until)
        else:  # nothing but the record says when it was; who did it stands there
            row.live = row.visit.state != Visit.State.DONE
        row.save(update_fields=["span", "live"])


def nobody_twice(refusal: Conflict) -> None:
    """Ask the constraint now, which is otherwise asked at the commit; raise the refusal where it does not hold."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("set constraints homecare_stop_no_overlap immediate")
            cursor.execute("set constraints homecare_stop_no_overlap deferred")
    except IntegrityError as error:
        raise refusal from error


def _span(day: Day, stop: Planned) -> tuple[datetime, datetime]:
    return day.moment(stop.start), day.moment(stop.end)


def _left_alone(
    left: Iterable[Stop], planned: Sequence[tuple[Planned, datetime, datetime]], there: set[int]
) -> dict[int, datetime]:
    """Of the stops that a plan leaves out: the begin of visits of which nobody is needed elsewhere at that time."""
    needed = {
        stop.visit_id
        for stop in left
        for other, start, end in planned
        if int(other.caregiver) == stop.practitioner_id and start < stop.span.upper and stop.span.lower < end
    }
    found: dict[int, datetime] = {}
    for stop in left:
        if stop.visit_id in there - needed:
            found[stop.visit_id] = min(stop.span.lower, found.get(stop.visit_id, stop.span.lower))
    return found


def still_there(day: Day, ids: Iterable[int]) -> tuple[set[int], set[int]]:
    """Those of the visits that are to be planned on the day, and those that began meanwhile; their rows are locked, so
    that nobody cancels one meanwhile and finds its stops back in the plan."""
    rows = Visit.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids).order_by("pk")
    found = list(rows.values_list("pk", "day", "state", "began_at"))
    begun = {pk for pk, on, state, began in found if began is not None}
    there = {pk for pk, on, state, began in found if on == day.day and state in Visit.PLANNED}
    return there - begun, begun


def _stops(ids: Iterable[int]) -> list[Stop]:
    return list(Stop.objects.select_for_update().filter(visit__in=ids, live=True).order_by("visit", "task"))
