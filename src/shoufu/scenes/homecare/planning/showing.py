"""A visit or a proposal as a coordinator looks at it, in words; nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.planning import days, offers, selectors, words
from shoufu.scenes.homecare.planning.days import Day
from shoufu.scenes.homecare.planning.models import Proposal
from shoufu.scenes.homecare.planning.offers import Fit
from shoufu.scenes.homecare.planning.risks import Risk, risks
from shoufu.scenes.homecare.planning.running import running
from shoufu.scenes.homecare.planning.services import proposals, stops
from shoufu.scenes.homecare.planning.words import WhyNot
from shoufu.scenes.homecare.register.models import Practitioner, ServiceVersion
from shoufu.scenes.homecare.visits.models import Stop, Visit


@dataclass(frozen=True)
class Place:
    """A place for a visit in words; `value` is what a form sends for it."""

    value: str
    who: str
    clock: str
    more: int
    late: int
    pushed: str
    now: bool


@dataclass(frozen=True)
class Shown:
    """A visit: who is sent, what is wrong, where else it fits. `plannable`: it has not begun and is still wanted."""

    visit: Visit
    number: int
    promise: str
    sent: tuple[Stop, ...]
    starts: str
    pinned: bool
    tasks: tuple[int, ...]
    people: tuple[Practitioner, ...]
    why: tuple[WhyNot, ...]
    risk: Risk | None
    places: tuple[Place, ...]
    plannable: bool


def visit(actor: Actor, visit_id: int) -> Shown:
    """A visit with everything that a coordinator decides by."""
    row = selectors.visit(actor, visit_id)
    now = timezone.now()
    at = running(days.load(row.institution, row.day, now=now), now)
    day, known = at.day, at.day.visits.get(str(row.pk))
    sent = tuple(row.stops.select_related("practitioner__person").filter(live=True))
    count = 1 if row.version.second == ServiceVersion.Second.NONE else 2
    people = tuple(sorted(day.people.values(), key=lambda one: one.person.name))
    why: tuple[WhyNot, ...] = ()
    places: tuple[Place, ...] = ()
    if known is not None:
        why = offers.why_open(day, known) if str(row.pk) in day.plan.unassigned else ()
        asked = stops.as_asked(day, row, now)
        places = tuple(_place(asked, fit, sent) for fit in offers.places(asked, known))
    planned = day.plan.by_visit.get(str(row.pk))
    return Shown(
        row,
        day.number,
        words.promise(row),
        sent,
        words.clock(day, planned[0].start) if planned else "",
        any(stop.pinned for stop in sent),
        tuple(range(count)),
        people,
        why,
        next((risk for risk in risks(at, now) if risk.visit.pk == row.pk), None),
        places,
        known is not None,
    )


def _place(day: Day, fit: Fit, sent: Sequence[Stop]) -> Place:
    moment = day.moment(fit.starts[0])
    return Place(
        f"{','.join(str(pk) for pk in fit.crew)}@{moment.isoformat()}",
        " + ".join(day.people[str(pk)].person.name for pk in fit.crew),
        words.clock(day, fit.starts[0]),
        round(fit.more_travel),
        round(fit.late),
        ", ".join(day.visits[one].patient.person.name for one in fit.pushed if one in day.visits),
        tuple(stop.practitioner_id for stop in sent) == fit.crew,
    )


@dataclass(frozen=True)
class Moved:
    """A visit that a proposal moves, in words."""

    visit: Visit
    was: str
    who_was: str
    start: str
    who: str
    late: int
    promise: str


@dataclass(frozen=True)
class Proposed:
    """A proposal in words; `why` has for each visit that stays open what stands against it."""

    figures: tuple[tuple[str, Any, Any, bool], ...]
    moved: tuple[Moved, ...]
    delayed: tuple[Moved, ...]
    added: tuple[Moved, ...]
    open: tuple[tuple[Visit, tuple[WhyNot, ...]], ...]
    person: Practitioner | None
    until: str


def proposal(row: Proposal) -> Proposed:
    """What a proposal would change."""
    shown: Mapping[str, Any] = row.shown
    listed = [*shown.get("moved", []), *shown.get("delayed", []), *shown.get("added", []), *shown.get("open", [])]
    visits = {
        one.pk: one
        for one in Visit.objects.filter(pk__in=[entry["visit"] for entry in listed]).select_related(
            "patient__person", "version", "institution__place", "place"
        )
    }
    ids = {pk for entry in listed for pk in (*entry.get("from", []), *entry.get("to", []))}
    ids |= {row.about["practitioner"]} if "practitioner" in row.about else set()
    people = {one.pk: one for one in Practitioner.objects.filter(pk__in=ids).select_related("person")}
    zone = row.institution.place.time_zone
    why: Mapping[int, tuple[WhyNot, ...]] = {}
    if row.state == Proposal.State.READY and shown.get("open"):
        day = proposals.as_proposed(row)
        why = {
            pk: offers.why_open(day, day.visits[str(pk)])
            for pk in (entry["visit"] for entry in shown["open"])
            if str(pk) in day.visits
        }
    until = row.about.get("until", "")
    moved, delayed, added = (
        tuple(_moved(entry, visits, people, zone) for entry in shown.get(name, []) if entry["visit"] in visits)
        for name in ("moved", "delayed", "added")
    )
    return Proposed(
        tuple(_figures(shown)),
        moved,
        delayed,
        added,
        tuple(
            (visits[entry["visit"]], why.get(entry["visit"], ()))
            for entry in shown.get("open", [])
            if entry["visit"] in visits
        ),
        people.get(row.about.get("practitioner", 0)),
        words.local(datetime.fromisoformat(until), zone) if until else "",
    )


def _figures(shown: Mapping[str, Any]) -> list[tuple[str, Any, Any, bool]]:
    """Name, before, after, and whether that is better, of each figure that is there."""
    before, after = shown.get("before", {}), shown.get("after", {})
    names = ("planned", "open", "late", "late_minutes", "travel", "unfamiliar")
    return [
        (name, before.get(name, ""), after[name], after[name] > before.get(name, 0) if name == "planned" else
         after[name] < before.get(name, 0))
        for name in names
        if name in after
    ]  # fmt: skip


def _moved(
    entry: Mapping[str, Any], visits: Mapping[int, Visit], people: Mapping[int, Practitioner], zone: str
) -> Moved:
    visit = visits[entry["visit"]]

    def named(ids: Sequence[int]) -> str:
        return " + ".join(people[pk].person.name for pk in ids if pk in people)

    def clock(moment: str | None) -> str:
        return words.local(datetime.fromisoformat(moment), zone) if moment else ""

    return Moved(
        visit,
        clock(entry["was"]),
        named(entry["from"]),
        clock(entry["start"]),
        named(entry["to"]),
        entry["late"],
        words.promise(visit),
    )
