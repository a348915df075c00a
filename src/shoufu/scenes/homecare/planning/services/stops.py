"""One visit at a time: given to somebody, taken out, pinned; and the last change undone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.scenes.homecare.planning import days, offers, selectors, words
from shoufu.scenes.homecare.planning.days import Day
from shoufu.scenes.homecare.planning.models import DayPlan, PlanEvent
from shoufu.scenes.homecare.planning.offers import Answer, Fit
from shoufu.scenes.homecare.planning.running import running
from shoufu.scenes.homecare.planning.saving import still_there
from shoufu.scenes.homecare.planning.services import common, telling
from shoufu.scenes.homecare.planning.services.common import Opened
from shoufu.scenes.homecare.register.models import Institution, Practitioner, ServiceVersion
from shoufu.scenes.homecare.visits.models import Stop, Visit

UNDOABLE = ("assigned", "inserted", "unassigned", "pinned", "unpinned", "anew", "mended", "late")


@dataclass(frozen=True)
class Wish:
    """Who is to do each task of a visit (None: whoever is best), and when the first begins (None: as it suits)."""

    crew: Sequence[int | None]
    start: datetime | None = None


def check(actor: Actor, visit_id: int, wish: Wish, *, alternatives: bool = False) -> Answer:
    """Whether a visit can be given to these people at this time, in words; nothing is written. For dragging."""
    return answered(actor, visit_id, wish, alternatives=alternatives)[1]


def answered(actor: Actor, visit_id: int, wish: Wish, *, alternatives: bool = False) -> tuple[Day, Answer]:
    """The same with the day that it is about."""
    visit = selectors.visit(actor, visit_id)
    people = _people(visit, wish)
    now = timezone.now()
    day = as_asked(running(_loaded(visit, now), now).day, visit, now)
    return day, _tried(day, visit, wish, people, alternatives=alternatives)


def places(actor: Actor, visit_id: int, *, count: int = 8) -> tuple[Day, tuple[Fit, ...]]:
    """Where a visit fits, the cheapest first, one place for each crew; nothing is written."""
    visit = selectors.visit(actor, visit_id)
    now = timezone.now()
    day = as_asked(running(_loaded(visit, now), now).day, visit, now)
    return day, offers.places(day, visit, count=count)


def _loaded(visit: Visit, now: datetime) -> Day:
    return days.load(visit.institution, visit.day, now=now)


@transaction.atomic
def assign(
    actor: Actor, visit_id: int, wish: Wish, number: int | None = None, *, pin: bool = True, kind: str = "assigned"
) -> DayPlan:
    """Give a visit to these people at this time. Others begin later for it only within their promises.

    Conflict where it cannot be, with the reasons in words and what comes near; or where somebody touched the visit
    since plan `number`. Who was chosen is pinned: no later plan changes that.
    """
    visit = selectors.visit(actor, visit_id)
    people = _people(visit, wish)
    common.locked(visit.institution, visit.day)
    common.unchanged(visit.institution, visit.day, number, {visit.pk})
    at = common.opened(visit.institution, visit.day)
    day = as_asked(at.day, visit, at.now)
    answer = _tried(day, visit, wish, people, alternatives=True)
    if answer.fit is None:
        raise _refused(day, answer)
    return _take(actor, at, visit, answer.fit, wish, pin, kind)


def _take(actor: Actor, at: Opened, visit: Visit, fit: Fit, wish: Wish, pin: bool, kind: str) -> DayPlan:
    row = common.write(actor, at, fit.plan, kind, visit=visit.pk, crew=list(fit.crew))
    Stop.objects.filter(visit=visit).update(pinned=pin)
    chosen = {str(visit.pk): fit.starts[0]} if pin and wish.start is not None else {}
    row.starts.pop(str(visit.pk), None)
    common.forget_starts(row, keep=chosen)
    telling.tell(actor, row, at, fit.plan)
    return row


def insert_request(actor: Actor, visit_id: int, number: int | None = None) -> DayPlan:
    """Put an open visit to its cheapest place, whoever that is; nobody is pinned. Conflict with why not."""
    visit = selectors.visit(actor, visit_id)
    if visit.stops.filter(live=True).exists():
        raise Conflict(_("Somebody is sent to this visit already."), reason="planned")
    return assign(actor, visit_id, Wish(()), number, pin=False, kind="inserted")


@transaction.atomic
def unassign(actor: Actor, visit_id: int, number: int | None = None) -> DayPlan:
    """Take a visit out of the plan: it is open until somebody is found."""
    visit = selectors.visit(actor, visit_id)
    common.locked(visit.institution, visit.day)
    common.unchanged(visit.institution, visit.day, number, {visit.pk})
    at = common.opened(visit.institution, visit.day)
    known = _of_day(at.day, visit)
    if not at.before.crew(known.pk):
        raise Conflict(_("Nobody is sent to this visit."), reason="open")
    plan = common.without(at.day, str(visit.pk))
    row = common.write(actor, at, plan, "unassigned", visit=visit.pk)
    common.forget_starts(row)
    telling.tell(actor, row, at, plan)
    return row


@transaction.atomic
def pin(actor: Actor, visit_id: int, number: int | None = None, *, pinned: bool = True) -> DayPlan:
    """Keep a visit with its people whatever is planned later, or (`pinned` false) let plans change it again."""
    visit = selectors.visit(actor, visit_id)
    common.locked(visit.institution, visit.day)
    common.unchanged(visit.institution, visit.day, number, {visit.pk})
    at = common.opened(visit.institution, visit.day)
    _of_day(at.day, visit)
    if str(visit.pk) not in at.day.plan.by_visit:
        raise Conflict(_("Nobody is sent to this visit."), reason="open")
    row = common.write(actor, at, at.day.plan, "pinned" if pinned else "unpinned", visit=visit.pk)
    Stop.objects.filter(visit=visit).update(pinned=pinned)
    common.forget_starts(row)
    return row


@transaction.atomic
def undo(actor: Actor, office_id: int, day: Any, number: int) -> DayPlan:
    """Take back the actor's own last change `number`. Conflict where something happened since, or where the plan before
    can no longer be carried out."""
    office = selectors.office(actor, office_id)
    row = common.locked(office, day)
    common.unchanged(office, day, number)
    last = row.events.filter(number=row.number).first() if row is not None else None
    if row is None or last is None or last.user_id != actor.user_id or last.kind not in UNDOABLE:
        raise Conflict(_("The last change of this day is not yours, or cannot be undone."), reason="not_yours")
    at = common.opened(office, day)
    _restore(last, row, at.day)
    now = timezone.now()
    loaded = days.load(office, day, now=now)
    again = running(loaded, now).day
    lost = {str(entry[0]) for entry in last.data["before"]["stops"]} - set(again.plan.by_visit)
    if lost:
        visit = _of_day(again, Visit.objects.get(pk=int(min(lost))))
        why = " ".join(one.sentence for one in offers.why_open(again, visit)[:3])
        said = _("%(name)s can no longer go back to where it was. %(why)s")
        raise Conflict(said % {"name": visit.patient.person.name, "why": why}, reason="undo")
    written = Opened(again, at.before, now)
    done = common.write(actor, written, again.plan, "undone", undone=last.number)
    telling.tell(actor, done, written, again.plan)
    return done


def _restore(event: PlanEvent, row: DayPlan, day: Day) -> None:
    """Write the stops as they were before a change; not those of what was cancelled or began meanwhile. The visits are
    locked first, as by whoever saves a plan."""
    before = event.data["before"]
    there, _begun = still_there(day, [int(pk) for pk in day.visits])
    concerned = {*event.moved, *(entry[0] for entry in before["stops"])} & there
    Stop.objects.filter(visit__in=concerned).delete()
    Stop.objects.bulk_create(
        Stop(
            visit_id=visit,
            task=task,
            practitioner_id=who,
            span=DateTimeTZRange(datetime.fromisoformat(start), datetime.fromisoformat(end)),
            pinned=pinned,
        )
        for visit, task, who, start, end, pinned in before["stops"]
        if visit in concerned
    )
    about = event.data.get("visit")
    if about in there and event.kind in ("pinned", "unpinned") and about not in event.moved:
        Stop.objects.filter(visit=about).update(pinned=event.kind == "unpinned")
    row.order, row.starts = before["order"], before["starts"]
    row.save(update_fields=["order", "starts"])


def _people(visit: Visit, wish: Wish) -> list[Practitioner]:
    """The people wished for; Invalid where one is not the institution's, stands there twice, or there are too many."""
    count = 1 if visit.version.second == ServiceVersion.Second.NONE else 2
    ids = [pk for pk in wish.crew if pk is not None]
    if wish.crew and len(wish.crew) != count:
        raise Invalid.one("crew", _("This service takes %(count)s: give as many, or none.") % {"count": count})
    if len(set(ids)) < len(ids):
        raise Invalid.one("crew", _("The two services need two different people."))
    rows = Practitioner.objects.filter(pk__in=ids, institution=visit.institution)
    people = list(rows.select_related("person", "institution__place"))
    if len(people) < len(ids):
        raise Invalid.one("crew", _("Choose people of the visit's institution."))
    return people


def _of_day(day: Day, visit: Visit) -> Visit:
    """The visit, as its day has it; Conflict where nothing of it can be planned any more. Reads no other visits."""
    if str(visit.pk) in day.rows:
        return visit
    current = Visit.objects.get(pk=visit.pk)
    if current.began_at is not None:
        raise Conflict(_("This visit has begun; its people stay."), reason="begun", state=current.state)
    said = _("The visit is “%(state)s” and is planned no more.") % {"state": current.get_state_display()}
    raise Conflict(said, reason="state", state=current.state)


def as_asked(day: Day, visit: Visit, now: datetime) -> Day:
    """The day with a visit as it was promised; Conflict where nothing of it can be planned any more."""
    _of_day(day, visit)
    return common.asked_anew(day, visit, now)


def _tried(day: Day, visit: Visit, wish: Wish, people: Sequence[Practitioner], *, alternatives: bool = False) -> Answer:
    start = day.minutes(wish.start) if wish.start is not None else None
    answer = offers.tried(day, visit, wish.crew, start, people)
    if answer.fit is None and alternatives:
        return Answer(None, answer.reasons, offers.near(day, visit, wish.crew, start))
    return answer


def _refused(day: Day, answer: Answer) -> Conflict:
    reasons = [one.as_dict() for one in answer.reasons]
    near = [as_dict(day, one) for one in answer.near]
    return Conflict(
        answer.text or _("There is no room for this visit."), reason="infeasible", reasons=reasons, near=near
    )


def as_dict(day: Day, fit: Fit) -> Mapping[str, Any]:
    """A place for programs and for the board: who, when, what it takes of others."""
    return {
        "crew": list(fit.crew),
        "names": [day.people[str(pk)].person.name for pk in fit.crew],
        "start": day.moment(fit.starts[0]).isoformat(),
        "starts": [day.moment(one).isoformat() for one in fit.starts],
        "clock": words.clock(day, fit.starts[0]),
        "more_travel": round(fit.more_travel, 1),
        "late": round(fit.late),
        "pushed": [{"visit": int(one), "name": day.name_of(one)} for one in fit.pushed if one in day.rows],
    }


__all__ = ["Institution", "Wish", "as_dict", "assign", "check", "insert_request", "pin", "places", "unassign", "undo"]
