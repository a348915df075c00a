"""Who did not check in or out in time: a case with the duty to call them, which ends when it comes."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from shoufu.kernel.access.policy import lent, require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.apart import apart
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.cases import services as cases
from shoufu.kernel.cases.models import Case, CaseEvent
from shoufu.kernel.cases.services.moves import say
from shoufu.kernel.cases.telling import tell
from shoufu.kernel.parties.selectors import home_label, unit_label
from shoufu.scenes.homecare.encounters import selectors
from shoufu.scenes.homecare.encounters.models import Encounter, Overdue, Rules
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.visits.models import Stop, Visit

log = logging.getLogger(__name__)
LANGUAGES = ("zh-hans", "en")
What = Overdue.What
RIGHT = "homecare.overdue"
"""It takes this to see on a desk that somebody is late: that a home gets care is nobody else's business."""
REACH = timedelta(days=2)
"""What is longer ago is history, not somebody's duty to call."""


def home_of(visit: Visit) -> str:
    """The patient's home in the reader's language, never their name."""
    household = visit.patient.household
    return home_label(household) if household is not None else unit_label(visit.place)


@dataclass(frozen=True)
class Late:
    visit: Visit
    practitioner: Practitioner
    what: str
    due: datetime


def _late(now: datetime) -> Iterator[Late]:
    """Who is late now, and was not noted yet."""
    graces = dict(Rules.objects.values_list("institution", "grace"))
    noted = set(Overdue.objects.filter(opened_at__gt=now - 2 * REACH).values_list("visit", "practitioner", "what"))
    stops = Stop.objects.filter(live=True, visit__state__in=(Visit.State.BOOKED, Visit.State.UNDERWAY))
    stops = stops.filter(span__startswith__lt=now, span__startswith__gt=now - REACH).select_related(
        "practitioner__person", "visit__patient__household__place__parent__parent", "visit__place__parent__parent",
        "visit__version", "visit__institution",
    )  # fmt: skip
    rows = list(stops)
    known = {
        (one.visit_id, one.practitioner_id): one
        for one in Encounter.objects.filter(visit__in={stop.visit_id for stop in rows})
    }
    for stop in rows:
        visit = stop.visit
        grace = timedelta(minutes=graces.get(visit.institution_id, Rules._meta.get_field("grace").default))
        encounter = known.get((stop.visit_id, stop.practitioner_id))
        found = _due(stop, encounter)
        if found is None or found[1] + grace > now:
            continue
        if (stop.visit_id, stop.practitioner_id, found[0]) not in noted:
            yield Late(visit, stop.practitioner, found[0], found[1])


def _due(stop: Stop, encounter: Encounter | None) -> tuple[str, datetime] | None:
    """What is expected next of who was sent, and until when; None where nothing is."""
    if encounter is None or (encounter.in_at is None and encounter.state == Encounter.State.OPEN):
        return What.IN, max(stop.visit.latest_at, stop.span.lower)
    if encounter.state != Encounter.State.OPEN or encounter.in_at is None:
        return None
    # Who came late may take as long as the service takes.
    return What.OUT, max(stop.span.upper, encounter.in_at + timedelta(minutes=stop.visit.version.duration_minutes))


def watch(now: datetime) -> int:
    """Raise a case for everybody who is late; how many. Each is raised once, however often this runs."""
    late = {(one.visit.pk, one.practitioner.pk, one.what): one for one in _late(now)}
    return apart(log, "raising who is late", late, lambda key: _raise(late[key], now))


def _raise(late: Late, now: datetime) -> int:
    try:
        with transaction.atomic():
            row = Overdue.objects.create(
                visit=late.visit,
                practitioner=late.practitioner,
                what=late.what,
                due_at=late.due,
                opened_at=now,
            )
            row.case = _case(late)
            row.save(update_fields=["case"])
            about = late.practitioner.person_id
            record(SYSTEM, Act("homecare.encounter.overdue", row, late.visit.place_id, subject=about))
    except IntegrityError:
        return 0  # another worker was first
    return 1


def _case(late: Late) -> Case:
    titles = {}
    for language in LANGUAGES:
        with override(language):
            said = _("No check-in by %(who)s") if late.what == What.IN else _("No check-out by %(who)s")
            titles[language] = f"{said % {'who': late.practitioner.person.name}} · {home_of(late.visit)}"
    with override("zh-hans"):
        local = late.due.astimezone(ZoneInfo(late.visit.place.time_zone))
        text = _(
            "Expected by %(time)s (visit %(visit)s). Duty: call them now; if they do not answer, call the home, then "
            "send somebody there. Write down what they said."
        ) % {"time": f"{local:%H:%M}", "visit": late.visit.number}
    severity = "high" if late.what == What.OUT else "medium"
    draft = cases.CaseReport(late.visit.place_id, titles["zh-hans"], severity, "homecare.overdue", text)
    case = cases.report(SYSTEM, draft)
    case.title_en = titles["en"][:160]
    case.save(update_fields=["title_en"])
    return case


def arrived(visit: Visit, practitioner: Practitioner, side: str, at: datetime) -> None:
    """A check-in or check-out came: what was raised for its lack ends by itself, with a line that says so."""
    rows = Overdue.objects.select_for_update(of=("self",)).select_related("case__place")
    rows = rows.filter(visit=visit, practitioner=practitioner, ended_at__isnull=True)
    for row in rows.filter(what__in=(What.IN, What.OUT) if side == "out" else (What.IN,)):
        row.ended_at = at
        row.save(update_fields=["ended_at"])
        if row.case is not None and row.case.state in Case.OPEN:
            _end(row.case, side, at)


def _end(case: Case, side: str, at: datetime) -> None:
    with override("zh-hans"):
        local = at.astimezone(ZoneInfo(case.place.time_zone))
        said = _("The check-in came: %(time)s.") if side == "in" else _("The check-out came: %(time)s.")
        text = said % {"time": f"{local:%m-%d %H:%M}"}
    if case.state == Case.State.NEW:
        cases.acknowledge(SYSTEM, case.pk)
    else:
        say(case, CaseEvent.Kind.NOTE, SYSTEM, text)
    cases.resolve(SYSTEM, case.pk, outcome=text)


def told_too(case: Case, roles: tuple[str, ...]) -> None:
    """The same notice for further roles than that of the case's kind."""
    tell(SYSTEM, "case.raised", [(case, roles)])


@transaction.atomic
def answer(actor: Actor, case: Case, text: str, *, done: bool = False) -> None:
    """A coordinator, who has no desk, takes a case of their own people, writes down what was said, and ends it."""
    if not text.strip():
        raise Invalid.one("text", _("Write down what was said or done."))
    if case.state not in Case.OPEN:
        raise Conflict(_("This case has ended already."))
    able = lent(actor, case.place.path, "cases.view", "cases.handle", RIGHT)
    if case.state == Case.State.NEW:
        cases.acknowledge(able, case.pk)
    if done:
        cases.resolve(able, case.pk, outcome=text)
    else:
        cases.note(able, case.pk, text)


def of_overdue(actor: Actor, overdue_id: int) -> Case:
    """The case of a missed check-in or -out that the actor may answer for; NotFound otherwise."""
    row = selectors.overdue(actor).filter(pk=overdue_id).first()
    return _answerable(actor, row.case if row else None)


def of_sos(actor: Actor, sos_id: UUID) -> Case:
    """The same for a call for help."""
    row = selectors.alarms(actor).filter(pk=sos_id).first()
    return _answerable(actor, row.case if row else None)


def _answerable(actor: Actor, case: Case | None) -> Case:
    if case is None:
        raise NotFound(_("There is no such case that you may see."))
    found = Case.objects.select_related("place").get(pk=case.pk)
    require(actor, register.PATIENTS, found.place)
    return found
