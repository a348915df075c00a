"""Plans that are looked at before they are taken: a day anew, or mended after somebody is late or ill."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from shoufu.engines import dispatch
from shoufu.engines.dispatch import Event, Ill, Late, Plan, Problem
from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.scenes.homecare.planning import days, figures, offers, selectors
from shoufu.scenes.homecare.planning.days import Day
from shoufu.scenes.homecare.planning.models import DayPlan, Proposal
from shoufu.scenes.homecare.planning.running import crews_of, forgiving, running
from shoufu.scenes.homecare.planning.services import common, telling
from shoufu.scenes.homecare.register import services as register
from shoufu.scenes.homecare.register.models import Institution, Practitioner
from shoufu.scenes.homecare.visits.models import Visit

State, Kind = Proposal.State, Proposal.Kind
AT_ONCE, LONGEST = 1.0, 120.0
"""Seconds of search up to which the caller waits; what takes longer is a job. And the most that may be asked for."""
SLICE = 2.0
"""A long search goes in slices, so that it can be watched, and stopped."""
MENDING_SECONDS = 0.5
SHIFTED = 15.0
"""Minutes by which a visit may begin at another time without counting as moved."""


@dataclass(frozen=True)
class Found:
    """A plan that was found, with the problem it is of, and the day that it starts from."""

    day: Day
    problem: Problem
    plan: Plan


def plan_day(actor: Actor, office_id: int, day: date, seconds: float = 10.0) -> Proposal:
    """Search for a better plan of a day. Who is pinned stays, what has begun too, and nothing that is planned is lost.

    The proposal is ready at once, or is computed by a job (more than a second). It is taken by `take`.
    """
    office = selectors.office(actor, office_id)
    if not 0 < seconds <= LONGEST:
        raise Invalid.one("seconds", _("Must be more than 0 and at most %(most)s.") % {"most": int(LONGEST)})
    row = _asked(actor, office, day, Kind.ANEW, seconds, {})
    if seconds <= AT_ONCE:
        compute(row.pk)
        row.refresh_from_db()
    return row


def mend(actor: Actor, office_id: int, day: date) -> Proposal:
    """Fit in what is open, moving as few others as possible."""
    return _at_once(actor, selectors.office(actor, office_id), day, Kind.MENDED, {})


def visit_cancelled(actor: Actor, visit_id: int) -> Proposal:
    """A visit fell away: what is open may take its time; few others move."""
    visit = selectors.visit(actor, visit_id)
    if visit.state in Visit.LIVE:
        raise Conflict(_("Cancel the visit first."), reason="state")
    return _at_once(actor, visit.institution, visit.day, Kind.MENDED, {"visit": visit.pk})


def nurse_late(actor: Actor, practitioner_id: int, until: datetime) -> Proposal:
    """Somebody can travel and work only from `until` on: what then, moving few others?"""
    person = selectors.practitioner(actor, practitioner_id)
    day = until.astimezone(_zone(person.institution)).date()
    if until <= timezone.now():
        raise Invalid.one("until", _("Lies in the past; say from when they can go on."))
    return _at_once(actor, person.institution, day, Kind.LATE, {"practitioner": person.pk, "until": until.isoformat()})


def nurse_ill(actor: Actor, practitioner_id: int, day: date) -> Proposal:
    """Somebody is away for (the rest of) a day: what then, moving few others? The absence is noted when it is taken."""
    person = selectors.practitioner(actor, practitioner_id)
    if day < selectors.today(person.institution):
        raise Invalid.one("day", _("Lies in the past."))
    return _at_once(actor, person.institution, day, Kind.ILL, {"practitioner": person.pk})


def _zone(office: Institution) -> ZoneInfo:
    return ZoneInfo(office.place.time_zone)


@transaction.atomic
def _asked(
    actor: Actor, office: Institution, day: date, kind: str, seconds: float, about: Mapping[str, Any]
) -> Proposal:
    row = Proposal.objects.create(
        institution=office,
        day=day,
        number=selectors.number(office, day),
        kind=kind,
        seconds=seconds,
        about=dict(about),
        user_id=actor.user_id,
        made_at=timezone.now(),
    )
    subject = None
    if "practitioner" in about:
        subject = Practitioner.objects.values_list("person", flat=True).get(pk=about["practitioner"])
    data = {"kind": kind, "day": day.isoformat(), "number": row.number}
    record(actor, Act("homecare.dispatch.propose", row, office.place_id, subject=subject, data=data))
    if seconds > AT_ONCE:
        from shoufu.scenes.homecare.planning.tasks import compute_proposal

        transaction.on_commit(lambda: compute_proposal.defer(proposal_id=row.pk))
    return row


def _at_once(actor: Actor, office: Institution, day: date, kind: str, about: Mapping[str, object]) -> Proposal:
    row = _asked(actor, office, day, kind, MENDING_SECONDS, about)
    compute(row.pk)
    row.refresh_from_db()
    return row


def compute(proposal_id: int) -> None:
    """Search for what a proposal asks, outside of any lock; what goes wrong is noted in its row."""
    row = Proposal.objects.select_related("institution__place", "institution__organisation", "user").get(pk=proposal_id)
    if row.state != State.RUNNING:
        return
    actor = actor_for_user(row.user) if row.user is not None else SYSTEM
    try:
        with override(actor.language):
            _ready(row, _searched(row))
    except _Dropped:
        return
    except Exception:
        Proposal.objects.filter(pk=row.pk).update(state=State.FAILED)
        raise


class _Dropped(Exception):
    """Nobody waits for it any more."""


def _searched(row: Proposal) -> Found:
    now = timezone.now()
    who = str(row.about.get("practitioner", ""))
    loaded = days.load(row.institution, row.day, now=now)
    row.number = selectors.number(row.institution, row.day)
    day = running(loaded, now, absent=who).day
    if row.kind == Kind.ANEW:
        return _anew(row, day)
    mild = forgiving(day)
    answer = dispatch.replan(mild.problem, mild.plan, _event(row, mild), seconds=row.seconds)
    return Found(day, answer.problem, answer.plan)


def _event(row: Proposal, day: Day) -> Event | None:
    who = str(row.about.get("practitioner", ""))
    if who not in day.problem.caregiver_index:
        return None
    if row.kind == Kind.ILL:
        return Ill(who)
    if row.kind == Kind.LATE:
        return Late(who, day.minutes(datetime.fromisoformat(row.about["until"])))
    return None


def _anew(row: Proposal, day: Day) -> Found:
    """The best of the plan that stands, that plan improved, and plans from nothing, of those that lose no visit."""
    best = dispatch.replan(day.problem, day.plan, None, seconds=min(1.0, row.seconds / 2), move_cost=0.0).plan
    best = _better(day, day.plan, best)
    slices = max(1, round(row.seconds / SLICE))
    for n in range(slices):
        found = dispatch.solve(day.problem, row.seconds / slices, seed=n + 1)
        best = _better(day, best, found)
        told = Proposal.objects.filter(pk=row.pk, state=State.RUNNING)
        shown = {"after": figures.of(day, best).as_dict()}
        if not told.update(progress=round(100 * (n + 1) / slices), shown=shown):
            raise _Dropped
    return Found(day, day.problem, best)


def _better(day: Day, known: Plan, found: Plan) -> Plan:
    if any(visit not in found.by_visit for visit in day.plan.by_visit):
        return known
    return min(known, found, key=lambda plan: (len(plan.unassigned), round(plan.cost, 6)))


def _ready(row: Proposal, found: Found) -> None:
    row.crews = {visit: [int(one) for one in crew] for visit, crew in crews_of(found.plan).items()}
    row.order = [int(one) for one in found.plan.order]
    row.shown = _shown(row, found)
    row.progress = 100
    kept = Proposal.objects.filter(pk=row.pk, state=State.RUNNING)
    kept.update(state=State.READY, number=row.number, crews=row.crews, order=row.order, shown=row.shown, progress=100)


def _shown(row: Proposal, found: Found) -> dict[str, Any]:
    """Figures before and after; who moves; what stays open and why not."""
    before, after = found.day, found.day.but(found.problem, found.plan)
    late = str(row.about.get("practitioner", "")) if row.kind == Kind.LATE else ""
    moved = dispatch.moved_visits(before.plan, after.plan, SHIFTED, late)
    delayed = [visit for visit in after.plan.by_visit if visit not in moved and _later(before, after, visit) > SHIFTED]
    return {
        "before": figures.of(before).as_dict(),
        "after": figures.of(after).as_dict(),
        "moved": [_move(before, after, visit) for visit in moved],
        "delayed": [_move(before, after, visit) for visit in delayed],
        "added": [_move(before, after, visit) for visit in after.plan.by_visit if visit not in before.plan.by_visit],
        "open": [_open(after, visit) for visit in after.plan.unassigned],
    }


def _later(before: Day, after: Day, visit: str) -> float:
    old, new = before.plan.by_visit.get(visit), after.plan.by_visit.get(visit)
    return new[0].start - old[0].start if old and new else 0.0


def _move(before: Day, after: Day, visit: str) -> dict[str, Any]:
    old, new = before.plan.by_visit.get(visit, ()), after.plan.by_visit.get(visit, ())
    start = new[0].start if new else None
    late = max(0.0, start - after.minutes(after.visits[visit].latest_at)) if start is not None else 0.0
    return {
        "visit": int(visit),
        "from": [int(stop.caregiver) for stop in old],
        "to": [int(stop.caregiver) for stop in new],
        "was": before.moment(old[0].start).isoformat() if old else None,
        "start": after.moment(start).isoformat() if start is not None else None,
        "late": round(late),
    }


def _open(day: Day, visit: str) -> dict[str, Any]:
    why = offers.why_open(day, day.visits[visit])
    return {"visit": int(visit), "codes": [[one.code, one.practitioner] for one in why]}


@transaction.atomic
def take(actor: Actor, proposal_id: int) -> DayPlan:
    """Let a proposal be the plan; for somebody who is ill the absence is noted with it.

    Conflict where the plan changed since, something began, or time has passed so that a promise would now be broken
    that it kept: then nothing is changed, and the way is to ask again.
    """
    row = selectors.proposal(actor, proposal_id)
    common.locked(row.institution, row.day)
    row = Proposal.objects.select_for_update(of=("self",)).select_related("institution__place").get(pk=row.pk)
    if row.state != State.READY:
        said = _("This proposal is “%(state)s”.") % {"state": row.get_state_display()}
        raise Conflict(said, reason="state", state=row.state)
    common.unchanged(row.institution, row.day, row.number)
    who = row.about.get("practitioner")
    at = common.opened(row.institution, row.day, absent=str(who or ""))
    if row.kind == Kind.ILL and who is not None:
        _note_absence(actor, row, at.now)
    plan = _again(row, at)
    about = {"proposal": row.pk, **({"practitioner": who} if who is not None else {})}
    done = common.write(actor, at, plan, row.kind, **about)
    common.forget_starts(done)
    telling.tell(actor, done, at, plan)
    row.state = State.TAKEN
    row.save(update_fields=["state"])
    return done


def _note_absence(actor: Actor, row: Proposal, now: datetime) -> None:
    zone = _zone(row.institution)
    start = max(now, datetime.combine(row.day, time(), zone))
    end = datetime.combine(row.day + timedelta(days=1), time(), zone)
    register.add_absence(actor, row.about["practitioner"], start, end)


def _again(row: Proposal, at: common.Opened) -> Plan:
    """The proposed plan by the day as it is now."""
    day = at.day if row.kind == Kind.ANEW else forgiving(at.day)
    problem = _with_event(row, day)
    crews = {visit: tuple(str(one) for one in crew) for visit, crew in row.crews.items()}
    plan = dispatch.arrange(problem, crews, [str(one) for one in row.order])
    known = {move["visit"]: move["late"] for move in (*row.shown["moved"], *row.shown["delayed"])}
    gone = [visit for visit in row.crews if visit not in plan.by_visit]
    late = [visit for visit in plan.by_visit if _breaks(at.day, plan, visit, known)]
    for visit in (*gone, *late):
        if visit in at.day.visits or visit in gone:
            name = at.day.visits[visit].patient.person.name if visit in at.day.visits else f"V-{int(visit):06d}"
            said = _("It no longer fits for %(name)s: time has passed, or the visit has changed. Ask again.")
            raise Conflict(said % {"name": name}, reason="outdated")
    return plan


def as_proposed(row: Proposal) -> Day:
    """The day with a ready proposal as its plan, as it would be now."""
    now = timezone.now()
    loaded = days.load(row.institution, row.day, now=now)
    day = running(loaded, now, absent=str(row.about.get("practitioner", ""))).day
    day = day if row.kind == Kind.ANEW else forgiving(day)
    problem = _with_event(row, day)
    crews = {visit: tuple(str(one) for one in crew) for visit, crew in row.crews.items()}
    return day.but(problem, dispatch.arrange(problem, crews, [str(one) for one in row.order]))


def _breaks(day: Day, plan: Plan, visit: str, known: Mapping[int, int]) -> bool:
    """Whether a visit now begins later than promised, and the proposal did not say so."""
    late = plan.by_visit[visit][0].start - day.minutes(day.visits[visit].latest_at)
    old = day.plan.by_visit.get(visit)
    was = old[0].start - day.minutes(day.visits[visit].latest_at) if old else 0.0
    return late > max(1.0, known.get(int(visit), 0) + 2.0, was + 1.0)


def _with_event(row: Proposal, day: Day) -> Problem:
    event = _event(row, day)
    if event is None:
        return day.problem
    return dispatch.replan(day.problem, day.plan, event, moves=1).problem


@transaction.atomic
def drop(actor: Actor, proposal_id: int) -> None:
    """A proposal is not wanted; a search that still runs stops."""
    row = selectors.proposal(actor, proposal_id)
    Proposal.objects.filter(pk=row.pk, state__in=[State.RUNNING, State.READY]).update(state=State.DROPPED)


__all__ = (
    "compute", "drop", "mend", "nurse_ill", "nurse_late", "plan_day", "take", "visit_cancelled",
)  # fmt: skip
