import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, require
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Forbidden, Invalid
from shoufu.kernel.cases.services import CaseReport, report
from shoufu.kernel.places.models import Place
from shoufu.scenes.community.patrols import selectors
from shoufu.scenes.community.patrols.models import CheckPoint, Passing, Round, Route, Shift

AHEAD = timedelta(hours=12)
MANAGE, WALK = "patrols.manage", "patrols.walk"
POINTS = 60


@dataclass(frozen=True)
class RouteDraft:
    """A route as it should be: `times` as "HH:MM", `points` by name in the order of walking."""

    place_id: int
    name: str
    times: Sequence[str]
    points: Sequence[str]
    grace_minutes: int = 30
    walk_minutes: int = 60
    active: bool = True


def _times(texts: Sequence[str]) -> list[str]:
    return sorted({time.fromisoformat(text.strip()).strftime("%H:%M") for text in texts if text.strip()})


def _errors(draft: RouteDraft) -> list[FieldError]:
    errors = []
    if not draft.name.strip():
        errors.append(FieldError("name", _("Give the route a name.")))
    try:
        if not _times(draft.times):
            errors.append(FieldError("times", _("Give at least one time of day, such as 22:00.")))
    except ValueError:
        errors.append(FieldError("times", _("Write times as hours and minutes, such as 22:00.")))
    names = [name.strip() for name in draft.points if name.strip()]
    if not 1 <= len(names) <= POINTS:
        errors.append(FieldError("points", _("Name 1 to %(n)d check points, one a line.") % {"n": POINTS}))
    if len(set(names)) != len(names):
        errors.append(FieldError("points", _("Two check points have the same name.")))
    for field, value in (("grace_minutes", draft.grace_minutes), ("walk_minutes", draft.walk_minutes)):
        if not 5 <= value <= 600:
            errors.append(FieldError(field, _("Between 5 and 600 minutes.")))
    return errors


@transaction.atomic
def save_route(actor: Actor, draft: RouteDraft, route_id: int | None = None) -> Route:
    """Make a route, or change one. A check point keeps its code as long as it keeps its name."""
    errors = _errors(draft)
    place = limit(Place.objects.all(), actor, MANAGE, "path").filter(pk=draft.place_id).first()
    if place is None:
        errors.append(FieldError("place", _("Choose a place where you may manage patrols.")))
    if errors or place is None:
        raise Invalid(*errors)
    if route_id is None:
        found = Route(place=place)
    else:
        found = selectors.route(actor, route_id)
        require(actor, MANAGE, found.place)
        found.place = place
    found.name, found.times, found.active = draft.name.strip()[:80], _times(draft.times), draft.active
    found.grace_minutes, found.walk_minutes = draft.grace_minutes, draft.walk_minutes
    try:
        with transaction.atomic():
            found.save()
    except IntegrityError as error:
        raise Invalid.one("name", _("This place has a route of this name already.")) from error
    _place_points(found, [name.strip()[:80] for name in draft.points if name.strip()])
    record(actor, Act("patrols.route", found, place.pk, data={"name": found.name, "times": found.times}))
    return found


def _place_points(route: Route, names: Sequence[str]) -> None:
    kept = {point.name: point for point in route.points.all()}
    CheckPoint.objects.filter(route=route).exclude(name__in=names).delete()
    # Positions are unique in a route: move everything out of the way first.
    for offset in (1000, 0):
        rows = [kept[name] for name in names if name in kept]
        for row in rows:
            row.position = names.index(row.name) + 1 + offset
        CheckPoint.objects.bulk_update(rows, ["position"])
    CheckPoint.objects.bulk_create(
        CheckPoint(route=route, position=index, name=name, code=secrets.token_urlsafe(12))
        for index, name in enumerate(names, 1)
        if name not in kept
    )


@transaction.atomic
def replace_code(actor: Actor, point_id: int) -> CheckPoint:
    """Give a check point a new code: the old one was copied or damaged."""
    rows = limit(CheckPoint.objects.all(), actor, MANAGE, "route__place__path").select_related("route")
    point = rows.select_for_update(of=("self",)).filter(pk=point_id).first()
    if point is None:
        raise Forbidden(_("You may not manage this check point."))
    point.code = secrets.token_urlsafe(12)
    point.save(update_fields=["code"])
    record(actor, Act("patrols.new_code", point, point.route.place_id, data={"point": point.name}))
    return point


@transaction.atomic
def begin(actor: Actor, round_id: int) -> Round:
    """Start a due round; somebody else's is refused."""
    found = selectors.round_(actor, round_id)
    require(actor, WALK, found.route.place)
    locked = Round.objects.select_for_update(of=("self",)).get(pk=found.pk)
    if locked.state == Round.State.WALKING and locked.walker_id == actor.user_id:
        return locked
    if locked.state != Round.State.DUE:
        raise Conflict(_("This round is already: %(state)s.") % {"state": locked.get_state_display().lower()})
    now = timezone.now()
    if now < locked.due_at - timedelta(minutes=found.route.grace_minutes):
        raise Conflict(_("This round is not due yet."))
    locked.state, locked.walker_id, locked.began_at = Round.State.WALKING, actor.user_id, now
    locked.save(update_fields=["state", "walker", "began_at"])
    record(actor, Act("patrols.begin", locked, found.route.place_id))
    return locked


@transaction.atomic
def scan(actor: Actor, code: str, note: str = "") -> Passing:
    """A guard scanned a check point: it counts for their round under way, or for the one that is due now.

    The same point twice on a round counts once. The last one ends the round.
    """
    point = selectors.point_by_code(actor, code)
    require(actor, WALK, point.route.place)
    found = _round_of(actor, point)
    passed = set(Passing.objects.filter(round=found).values_list("point_id", flat=True))
    before = CheckPoint.objects.filter(route=point.route, position__lt=point.position).exclude(pk__in=passed)
    passing, fresh = Passing.objects.get_or_create(
        round=found,
        point=point,
        defaults={"at": timezone.now(), "note": note.strip()[:200], "in_order": not before.exists()},
    )
    if note.strip() and not fresh:
        passing.note = note.strip()[:200]
        passing.save(update_fields=["note"])
    record(actor, Act("patrols.scan", passing, point.route.place_id, data={"point": point.name, "round": found.pk}))
    if fresh and len(passed) + 1 == CheckPoint.objects.filter(route=point.route).count():
        _end(found, Round.State.DONE)
    return passing


def _round_of(actor: Actor, point: CheckPoint) -> Round:
    rows = Round.objects.select_for_update(of=("self",)).filter(route=point.route)
    walking = rows.filter(state=Round.State.WALKING, walker=actor.user_id).order_by("-began_at").first()
    if walking is not None:
        return walking
    now = timezone.now()
    grace = timedelta(minutes=point.route.grace_minutes)
    due = (
        rows.filter(state=Round.State.DUE, due_at__gte=now - grace, due_at__lte=now + grace).order_by("due_at").first()
    )
    if due is None:
        raise Conflict(
            _("No round of “%(route)s” is due now, so this scan counts for none.") % {"route": point.route.name}
        )
    return begin(actor, due.pk)


def _end(found: Round, state: str) -> None:
    found.state, found.ended_at = state, timezone.now()
    found.save(update_fields=["state", "ended_at"])


@transaction.atomic
def finish(actor: Actor, round_id: int, reason: str) -> Round:
    """End one's round before its last point: it is incomplete, with the reason in the case that this raises."""
    found = Round.objects.select_for_update(of=("self",)).get(pk=selectors.round_(actor, round_id).pk)
    if found.state != Round.State.WALKING or found.walker_id != actor.user_id:
        raise Conflict(_("This is not a round that you are walking."))
    if not reason.strip():
        raise Invalid.one("reason", _("Say why the round ends here."))
    _end(found, Round.State.INCOMPLETE)
    _raise(found, "patrol.incomplete", reason.strip())
    record(actor, Act("patrols.finish", found, found.route.place_id, reason=reason.strip()))
    return found


def _raise(found: Round, kind: str, text: str) -> None:
    at = found.due_at.astimezone(ZoneInfo(found.route.place.time_zone))
    title = f"{found.route.name} {at:%H:%M}"
    found.case = report(SYSTEM, CaseReport(found.route.place_id, title, "low", kind, text))
    found.save(update_fields=["case"])


@transaction.atomic
def plan(now: datetime) -> int:
    """Make the rounds of the next twelve hours; how many were new. Two queries and one insert."""
    wanted = []
    for route in Route.objects.filter(active=True, place__closed_at__isnull=True).select_related("place"):
        wanted += [Round(route=route, due_at=at) for at in due_times(route, now, now + AHEAD)]
    before = Round.objects.count()
    Round.objects.bulk_create(wanted, ignore_conflicts=True)
    return Round.objects.count() - before


def due_times(route: Route, since: datetime, until: datetime) -> list[datetime]:
    """The moments in [since, until) at which a round is due, by the wall clock of the place."""
    zone = ZoneInfo(route.place.time_zone)
    day, found = since.astimezone(zone).date(), []
    while day <= until.astimezone(zone).date():
        found += [datetime.combine(day, time.fromisoformat(text), zone) for text in route.times]
        day += timedelta(days=1)
    return [at for at in found if since <= at < until]


@transaction.atomic
def close_overdue(now: datetime) -> int:
    """Close what was not begun or not ended in its time, each with a case; how many."""
    rows = Round.objects.select_for_update(of=("self",), skip_locked=True).select_related("route__place")
    acts = []
    for found in rows.filter(state__in=[Round.State.DUE, Round.State.WALKING], due_at__lt=now - timedelta(minutes=5)):
        grace = timedelta(minutes=found.route.grace_minutes)
        walk = timedelta(minutes=found.route.walk_minutes)
        if found.state == Round.State.DUE and found.due_at + grace <= now:
            _end(found, Round.State.MISSED)
            _raise(found, "patrol.missed", _("Nobody began this round in time."))
        elif found.state == Round.State.WALKING and (found.began_at or found.due_at) + walk <= now:
            _end(found, Round.State.INCOMPLETE)
            _raise(found, "patrol.incomplete", _("The round was not ended in its time."))
        else:
            continue
        acts.append(Act("patrols.close", found, found.route.place_id, data={"state": found.state}))
    record_many(SYSTEM, acts)
    return len(acts)


@transaction.atomic
def begin_shift(actor: Actor, place_id: int) -> Shift:
    """Go on duty at a place, and take over the notes left there."""
    place = limit(Place.objects.all(), actor, WALK, "path").filter(pk=place_id).first()
    if place is None or actor.user_id is None:
        raise Invalid.one("place", _("Choose a place where you work."))
    if selectors.own_shift(actor) is not None:
        raise Conflict(_("You are on duty already; end that shift first."))
    now = timezone.now()
    shift = Shift.objects.create(place=place, user_id=actor.user_id, began_at=now)
    taken = list(selectors.notes_to_read(actor, place).values_list("pk", flat=True))
    Shift.objects.filter(pk__in=taken).update(read_by=actor.user_id, read_at=now)
    record(actor, Act("shifts.begin", shift, place.pk, data={"took_over": taken}))
    return shift


@transaction.atomic
def end_shift(actor: Actor, note: str) -> Shift:
    """Go off duty and leave a note for who comes next (may be empty)."""
    shift = selectors.own_shift(actor)
    if shift is None:
        raise Conflict(_("You are not on duty."))
    shift.ended_at, shift.note = timezone.now(), note.strip()[:4000]
    shift.save(update_fields=["ended_at", "note"])
    record(actor, Act("shifts.end", shift, shift.place_id, data={"note": bool(shift.note)}))
    return shift


@transaction.atomic
def forget(now: datetime) -> int:
    """Remove rounds and shifts past their retention; how many rows."""
    rounds = Round.objects.filter(due_at__lt=now - timedelta(days=Round.RETENTION_DAYS))
    shifts = Shift.objects.filter(ended_at__lt=now - timedelta(days=Shift.RETENTION_DAYS))
    removed = rounds.delete()[0] + shifts.delete()[0]
    if removed:
        record(SYSTEM, Act("patrols.retention", data={"rows": removed}))
    return removed
