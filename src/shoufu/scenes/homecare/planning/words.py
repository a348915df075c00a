"""Why not, and what happened, in sentences of the reader's language."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from shoufu.engines.dispatch import Code
from shoufu.engines.dispatch import Reason as Against
from shoufu.scenes.homecare.planning.days import Day
from shoufu.scenes.homecare.planning.models import PlanEvent
from shoufu.scenes.homecare.register import eligibility, facts, selectors
from shoufu.scenes.homecare.register import words as register
from shoufu.scenes.homecare.register.models import Practitioner, ServiceVersion
from shoufu.scenes.homecare.register.national import in_force
from shoufu.scenes.homecare.visits.models import Visit


@dataclass(frozen=True)
class WhyNot:
    """One thing that stands against somebody, or against anybody (`practitioner` None)."""

    code: str
    text: str
    practitioner: int | None = None
    name: str = ""

    @property
    def sentence(self) -> str:
        return _("%(name)s: %(why)s") % {"name": self.name, "why": self.text} if self.name else self.text

    def as_dict(self) -> dict[str, object]:
        return {"code": self.code, "text": self.text, "practitioner": self.practitioner, "name": self.name}


def clock(day: Day, minutes: float) -> str:
    """Minutes of a day as its place's clock shows them."""
    return local(day.moment(minutes), day.institution.place.time_zone)


def local(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"


def promise(visit: Visit) -> str:
    """The promised window by the clock of the place: "10:00–10:30"."""
    zone = visit.institution.place.time_zone
    return f"{local(visit.starts_at, zone)}–{local(visit.latest_at, zone)}"


def whole(minutes: float) -> int:
    """Minutes for a reader, rounded up: 4.2 minutes of travel do not fit into 4."""
    return int(-(-minutes // 1))


def why_not(day: Day, visit: Visit, reasons: Iterable[Against]) -> list[WhyNot]:
    """The engine's reasons in words; where somebody lacks what the service asks, everything that the register has
    against them."""
    found: list[WhyNot] = []
    for reason in reasons:
        person = day.people.get(reason.caregiver)
        who = (person.pk, person.person.name) if person is not None else (None, "")
        if reason.code == Code.SKILL_MISSING and person is not None:
            found += [WhyNot(code, text, *who) for code, text in unable(day, visit, person, reason.task)]
        else:
            found.append(WhyNot(reason.code.value, _SENTENCES[reason.code](day, visit, reason), *who))
    return list(dict.fromkeys(found))


def unable(day: Day, visit: Visit, person: Practitioner, task: int = 0) -> list[tuple[str, str]]:
    """What the register has against somebody for a task of a visit on the day: licence, title, years, skills, way."""
    practice = facts.practice(person)
    asked = facts.asked(day.institution, visit.version, "valid", second=task == 1)
    cared = eligibility.Cared(visit.patient.institution_id, at=selectors.position(visit.place))
    rule = in_force(practice.profession, day.day)
    reasons = eligibility.of_person(asked, practice, cared, day.day, rule)
    return [(one.code, register.sentence(one)) for one in reasons]


def absent(day: Day, visit: Visit, person: Practitioner) -> WhyNot:
    """Somebody who is not on duty on the day, or may do nothing at all."""
    found = unable(day, visit, person)
    code, text = found[0] if found else ("not_on_duty", _("Is not on duty on this day."))
    return WhyNot(code, text, person.pk, person.person.name)


def _other(day: Day, reason: Against) -> str:
    return day.name_of(reason.what) or _("the office")


def _window(day: Day, visit: Visit, reason: Against) -> str:
    earliest = reason.numbers.get("earliest", 0.0)
    about = {"window": promise(visit), "time": clock(day, earliest)}
    if reason.caregiver:
        return _("Could be there at %(time)s; promised is %(window)s.") % about
    if day.moment(earliest) < visit.starts_at or day.moment(earliest) > visit.latest_at:
        return _("%(time)s is outside the promised time %(window)s; agree another time with the patient first.") % about
    return _("%(time)s has passed.") % about


def _shift(day: Day, visit: Visit, reason: Against) -> str:
    numbers = reason.numbers
    about = {"start": clock(day, numbers["shift_start"]), "end": clock(day, numbers.get("shift_end", 1440.0))}
    if numbers["begin"] < numbers["shift_start"]:
        return _("Works only from %(start)s.") % about
    if numbers.get("shift_end", 0.0) <= numbers["shift_start"]:
        return _("Is off duty for the rest of the day.")
    about["back"] = clock(day, numbers["end"])
    return _("Would be back at %(back)s; is off duty at %(end)s.") % about


def _overlap(day: Day, visit: Visit, reason: Against) -> str:
    start, end = clock(day, reason.numbers["start"]), clock(day, reason.numbers["end"])
    return _("Is with %(name)s %(start)s–%(end)s.") % {"name": _other(day, reason), "start": start, "end": end}


def _rest(day: Day, visit: Visit, reason: Against) -> str:
    start, end = clock(day, reason.numbers["start"]), clock(day, reason.numbers["end"])
    return _("Needs the break within %(start)s–%(end)s.") % {"start": start, "end": end}


def _way(day: Day, visit: Visit, reason: Against) -> str:
    about = {
        "name": _other(day, reason),
        "needed": whole(reason.numbers["needed"]),
        "available": max(0, int(reason.numbers["available"])),
    }
    return _("The way between here and %(name)s takes %(needed)s min; there are %(available)s.") % about


def _fixed(day: Day, visit: Visit, reason: Against) -> str:
    person = day.people.get(reason.what)
    if person is None:
        return _("Does the other of the two services.")
    return _("Pinned to %(name)s.") % {"name": person.person.name}


def _other_service(day: Day, visit: Visit, reason: Against) -> str:
    if visit.version.second == ServiceVersion.Second.SEQUENTIAL:
        return _("Nobody can do the other service at the right distance of time.")
    return _("Two people are needed at the same moment, and nobody is free besides.")


_SENTENCES: dict[Code, Callable[[Day, Visit, Against], str]] = {
    Code.SKILL_MISSING: lambda day, visit, reason: _("May not do this service."),
    Code.REFUSED: lambda day, visit, reason: _("Is not to come to this patient, or is away."),
    Code.FIXED_TO: _fixed,
    Code.WINDOW_CLOSED: _window,
    Code.OFF_SHIFT: _shift,
    Code.OVERLAP: _overlap,
    Code.ON_BREAK: _rest,
    Code.TRAVEL_TOO_LONG: _way,
    Code.SYNC_IMPOSSIBLE: _other_service,
    Code.NO_ROOM: lambda day, visit, reason: _("Would come too late to a visit after it, by its promise."),
}


def deed(kind: str) -> str:
    """What changed a plan, as a deed: "sent somebody else" …"""
    known = {
        "assigned": _("gave a visit to somebody"),
        "unassigned": _("took a visit out of the plan"),
        "pinned": _("pinned a visit"),
        "unpinned": _("unpinned a visit"),
        "inserted": _("fitted an open visit in"),
        "undone": _("undid a change"),
        "anew": _("planned the day anew"),
        "mended": _("fitted open visits in"),
        "late": _("changed the plan as somebody is late"),
        "ill": _("changed the plan as somebody is ill"),
        "booked": _("booked a visit"),
        "held": _("booked a visit"),
        "cancelled": _("cancelled a visit"),
        "moved": _("moved a booking"),
    }
    return known.get(kind, _("changed the plan"))


def told(event: PlanEvent, visit: Visit | None, zone: str) -> str:
    """Who did what when: "高雅琴 gave a visit to somebody at 10:31 (V-000012 欧阳梅)"."""
    about = {
        "who": event.user.label if event.user is not None else _("Shoufu"),
        "what": deed(event.kind),
        "time": f"{event.at.astimezone(ZoneInfo(zone)):%H:%M:%S}",
    }
    said = _("%(who)s %(what)s at %(time)s") % about
    return f"{said} ({visit.number} {visit.patient.person.name})" if visit is not None else said
