"""What a phone should have asked for and did not, or what cannot be as it says: the line's work is kept all the same,
it is in conflict, and the visit does not count before a coordinator has looked (docs/decisions/0014)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from shoufu.kernel.base.errors import Conflict, Problem
from shoufu.kernel.places.datum import distance
from shoufu.scenes.homecare.encounters import checklists, documents, words
from shoufu.scenes.homecare.encounters.models import Entry, Handed
from shoufu.scenes.homecare.encounters.services.common import LINE, clear, rules, skills_asked
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.visits.models import Visit

if TYPE_CHECKING:
    from shoufu.scenes.homecare.encounters.services.handlers import Context

SLACK = timedelta(minutes=5)
"""A moment that is wrong by less is a clock's fault, not a doubt."""
EARLY = timedelta(minutes=60)
"""Who is done sooner and called ahead comes up to an hour before the promised time. What is earlier is most often
another visit of the day that was tapped by mistake, or a check-in from elsewhere."""
TRUSTED = 500
"""Metres: a fix that is less exact says nothing more of being near."""
NEEDED = ("identity", "consent", "checklist", "record", "signature")
"""What has to be there before the check-out; the phone asks for the same."""
REASON = "doubt"
COVERED = {"suspended": "suspended", "left": "left", "unlicensed": "licence_ended"}
"""Doubts of which the visit itself may speak already, by the code that it uses."""


@dataclass(frozen=True)
class Doubt:
    """`code` of `words.DOUBTS` with what its sentence needs: figures, and moments by the clock of the home."""

    code: str
    about: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"code": self.code, **self.about}


def found(context: "Context", document: Any) -> list[Doubt]:
    """Everything that is doubtful about a line whose turn it is, before its work is done."""
    doubts = [*_of_time(context), *_of_right(context)]
    if isinstance(document, documents.Where):
        doubts += _of_place(context, document)
    if context.operation.kind == "check_in":
        doubts += _before_promise(context)
    if context.operation.kind == "check_out":
        doubts += _left_out(context)
    return doubts


def told(doubts: Sequence[Doubt], problem: Problem | None) -> Problem | None:
    """The doubts as a problem, or added to what the line's own work came to."""
    codes = problem.extra.get("codes", ()) if problem is not None else ()
    left = [one.as_dict() for one in doubts if COVERED.get(one.code) not in codes]
    if not left:
        return problem
    said = " ".join(words.doubt(one) for one in left)
    if problem is None:
        return Conflict(said, reason=REASON, doubts=left)
    problem.detail = f"{problem.detail} {said}"
    problem.extra["doubts"] = left
    return problem


def metres(visit: Visit, where: documents.Where) -> float | None:
    """From the home; None where either position is not known."""
    home = register.position(visit.place)
    if home is None or where.longitude is None or where.latitude is None:
        return None
    return round(distance(home, (where.longitude, where.latitude)), 1)


def near(visit: Visit, far: float | None, accuracy: float | None) -> bool | None:
    """Whether it was at the home, as far as the phone knew; None where it did not."""
    return None if far is None else far <= rules(visit.institution).radius + min(accuracy or 0, TRUSTED)


def _clock(context: "Context", at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(context.visit.place.time_zone)):%m-%d %H:%M}"


def _of_time(context: "Context") -> Iterator[Doubt]:
    ahead = context.operation.problem.get("ahead", 0)
    if ahead:
        claimed = context.operation.known_at + timedelta(seconds=ahead)
        yield Doubt("future", {"at": _clock(context, claimed)})
    known = Handed.objects.filter(
        visit=context.visit, practitioner=context.practitioner, device=context.operation.device
    ).first()
    since = known.first_at if known is not None else context.visit.requested_at
    if context.at < since - SLACK:
        yield Doubt("early", {"at": _clock(context, context.at), "since": _clock(context, since)})


def _before_promise(context: "Context") -> Iterator[Doubt]:
    promised = context.visit.starts_at
    if context.at < promised - EARLY:
        yield Doubt("before_promise", {"at": _clock(context, context.at), "promised": _clock(context, promised)})


def _of_right(context: "Context") -> Iterator[Doubt]:
    """Who may not give care by now says that it was before: nobody can tell from the line alone."""
    who = context.practitioner
    if who.suspended_at is not None:
        yield Doubt("suspended", {"at": _clock(context, context.at), "since": _clock(context, who.suspended_at)})
    if who.left_at is not None:
        yield Doubt("left", {"at": _clock(context, context.at), "since": _clock(context, who.left_at)})
    if not context.actor.is_system and not context.actor.may_anywhere(register.CARE):
        yield Doubt("no_right", {"at": _clock(context, context.at)})
    last: date = who.licence_last_day
    place = who.institution.place
    if register.day_at(place, context.at) > last:
        yield Doubt("unlicensed", {"day": last.isoformat()})
    elif register.day_at(place, timezone.now()) > last:
        yield Doubt("licence", {"at": _clock(context, context.at), "day": last.isoformat()})


def _of_place(context: "Context", where: documents.Where) -> Iterator[Doubt]:
    if where.reason.strip():
        return
    if where.longitude is None or where.latitude is None:
        yield Doubt("no_position")
        return
    far = metres(context.visit, where)
    if near(context.visit, far, where.accuracy) is False:
        yield Doubt("far", {"metres": round(far or 0), "radius": rules(context.visit.institution).radius})


def _left_out(context: "Context") -> Iterator[Doubt]:
    written = _newest(context)
    identity, consent = written.get("identity"), written.get("consent")
    if identity is None:
        yield Doubt("unidentified")
    elif identity["result"] != "match":
        yield Doubt("mismatch")
    if context.visit.version.consent.strip() and (consent is None or not consent["service"]):
        yield Doubt("no_consent")
    if items := _unanswered(context, written.get("checklist")):
        yield Doubt("unticked", {"items": items})
    if "record" not in written:
        yield Doubt("no_record")
    if "signature" not in written:
        yield Doubt("unsigned")


def _newest(context: "Context") -> dict[str, Mapping[str, Any]]:
    """What counts of each kind that a check-out needs, in clear."""
    rows = Entry.objects.filter(encounter=context.encounter, kind__in=NEEDED).order_by("number")
    kept = {row.kind: row.content for row in rows}
    return {kind: clear(context.person, content, LINE) for kind, content in kept.items()}


def _unanswered(context: "Context", ticked: Mapping[str, Any] | None) -> list[str]:
    """The items that must be answered and were not, as "checklist:item"."""
    known = checklists.versions()
    listed = known[ticked["checklist"]] if ticked else known.get(context.encounter.checklist, checklists.newest())
    answers = ticked["answers"] if ticked else {}
    asked = listed.asked(skills_asked(context.visit, context.practitioner.pk))
    return [f"{listed.name}:{item.code}" for item in asked if item.must and item.code not in answers]
