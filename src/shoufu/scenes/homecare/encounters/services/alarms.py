"""The nurse's call for help: a critical case at the home where they are, in one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Forbidden, Invalid, NotFound
from shoufu.kernel.cases import live
from shoufu.kernel.cases import services as cases
from shoufu.kernel.cases.models import Case, CaseEvent, Severity
from shoufu.kernel.cases.selectors import visible
from shoufu.kernel.cases.services.moves import say
from shoufu.kernel.parties.selectors import phones, unit_label
from shoufu.kernel.places.models import Place
from shoufu.scenes.homecare.encounters import selectors
from shoufu.scenes.homecare.encounters.models import Encounter, Sos
from shoufu.scenes.homecare.encounters.services.watching import home_of, told_too
from shoufu.scenes.homecare.register.models import Practitioner
from shoufu.scenes.homecare.visits.models import Visit

AGAIN = timedelta(minutes=10)
"""Within this, a further press adds a line to the open case and begins no other."""
KIND = "homecare.sos"


@dataclass(frozen=True)
class Position:
    """Where a phone was: WGS-84, metres of accuracy, and when it knew it."""

    longitude: float
    latitude: float
    accuracy: float
    at: datetime


@dataclass(frozen=True)
class Press:
    """The button was held: `id` is the phone's, so that a press that is sent again raises one case."""

    id: UUID
    pressed_at: datetime
    visit: int | None = None
    position: Position | None = None


@transaction.atomic
def call(actor: Actor, press: Press) -> Sos:
    """Whoever gives care calls for help, also when they were suspended meanwhile: safety asks for no right."""
    practitioner = _practitioner(actor)
    # A phone that does not hear an answer sends again at once: the second waits for the first and finds it, so that one
    # press raises one case.
    Practitioner.objects.select_for_update(of=("self",)).get(pk=practitioner.pk)
    known = Sos.objects.select_related("case").filter(pk=press.id).first()
    if known is not None:
        if known.practitioner_id != practitioner.pk:
            raise NotFound(_("There is no such call for help."))
        return known
    _check(press.position)
    now = timezone.now()
    visit = _visit(practitioner, press.visit)
    place = visit.place if visit is not None else practitioner.institution.place
    row = Sos(
        id=press.id,
        practitioner=practitioner,
        visit=visit,
        place=place,
        pressed_at=min(press.pressed_at, now),
        known_at=now,
        **_columns(press.position),
    )
    rows = Sos.objects.select_for_update(of=("self",)).select_related("case__place")
    recent = rows.filter(practitioner=practitioner, known_at__gt=now - AGAIN, case__state__in=Case.OPEN).first()
    row.case = recent.case if recent is not None and recent.case is not None else _case(practitioner, visit, place)
    row.save(force_insert=True)
    say(row.case, CaseEvent.Kind.REPEATED if recent else CaseEvent.Kind.NOTE, SYSTEM, _in_words(row))
    live.publish([row.case], "note")
    record(
        actor, Act("homecare.sos", row, place.pk, subject=practitioner.person_id, data={"again": recent is not None})
    )
    return row


def _practitioner(actor: Actor) -> Practitioner:
    rows = Practitioner.objects.filter(person__user=actor.user_id) if actor.user_id else Practitioner.objects.none()
    found = rows.select_related("person", "institution__place").order_by("left_at", "pk").first()
    if found is None:
        raise Forbidden(_("Only who gives care at homes calls for help here."))
    return found


def _visit(practitioner: Practitioner, visit_id: int | None) -> Visit | None:
    """The visit that the phone names; else the one they are at."""
    rows = Visit.objects.select_related(
        "place__parent__parent", "patient__household__place__parent__parent", "institution"
    )
    if visit_id is not None:
        named = rows.filter(pk=visit_id, stops__practitioner=practitioner) | rows.filter(
            pk=visit_id, handed__practitioner=practitioner
        )
        if (found := named.distinct().first()) is not None:
            return found
    running = Encounter.objects.filter(practitioner=practitioner, state=Encounter.State.OPEN, in_at__isnull=False)
    last = running.order_by("-in_at").first()
    return rows.get(pk=last.visit_id) if last is not None else None


def _check(position: Position | None) -> None:
    if position is None:
        return
    if not -180 <= position.longitude <= 180:
        raise Invalid.one("longitude", _("Must be from -180 to 180."))
    if not -90 <= position.latitude <= 90:
        raise Invalid.one("latitude", _("Must be from -90 to 90."))


def _columns(position: Position | None) -> dict[str, object]:
    if position is None:
        return {}
    return {
        "longitude": position.longitude,
        "latitude": position.latitude,
        "accuracy": position.accuracy,
        "position_at": position.at,
    }


def _case(practitioner: Practitioner, visit: Visit | None, place: Place) -> Case:
    titles = {}
    for language in ("zh-hans", "en"):
        with override(language):
            where = home_of(visit) if visit is not None else unit_label(place)
            said = _("Nurse calls for help: %(who)s") % {"who": practitioner.person.name}
            titles[language] = f"{said} · {where}"
    case = cases.report(SYSTEM, cases.CaseReport(place.pk, titles["zh-hans"], Severity.CRITICAL, KIND))
    case.title_en = titles["en"][:160]
    case.save(update_fields=["title_en"])
    told_too(case, ("care_coordinator", "operator"))
    return case


def _in_words(row: Sos) -> str:
    """Who, at which visit, pressed when and was where, for the case's timeline."""
    with override("zh-hans"):
        zone = ZoneInfo(row.place.time_zone)
        said = [
            _("%(who)s, %(title)s") % {"who": row.practitioner.person.name, "title": row.practitioner.title},
            _("pressed at %(time)s") % {"time": f"{row.pressed_at.astimezone(zone):%m-%d %H:%M:%S}"},
        ]
        if row.visit is not None:
            said.append(_("visit no. %(number)s") % {"number": row.visit.number})
        said.append(_position(row))
        return "，".join(said)


def _position(row: Sos) -> str:
    if row.longitude is None or row.latitude is None:
        return _("position unknown")
    at = row.position_at.astimezone(ZoneInfo(row.place.time_zone)) if row.position_at else None
    return _("position %(latitude)s, %(longitude)s (WGS-84) ± %(accuracy)s m at %(time)s") % {
        "latitude": f"{row.latitude:.5f}",
        "longitude": f"{row.longitude:.5f}",
        "accuracy": round(row.accuracy or 0),
        "time": f"{at:%H:%M:%S}" if at else "–",
    }


@transaction.atomic
def moved(actor: Actor, sos_id: UUID, position: Position) -> Sos:
    """The phone goes on telling where it is while somebody is under way; the newest position counts."""
    practitioner = _practitioner(actor)
    _check(position)
    row = Sos.objects.select_for_update(of=("self",)).select_related("case").filter(pk=sos_id).first()
    if row is None or row.practitioner_id != practitioner.pk:
        raise NotFound(_("There is no such call for help."))
    if row.position_at is None or position.at > row.position_at:
        for name, value in _columns(position).items():
            setattr(row, name, value)
        row.save(update_fields=["longitude", "latitude", "accuracy", "position_at"])
    return row


@dataclass(frozen=True)
class Called:
    """A call for help with the number at which its nurse is reached."""

    row: Sos
    phone: str
    number: str


@transaction.atomic
def called(actor: Actor, sos_id: UUID) -> Called:
    """A call for help, for whoever may see its case and the coordinator. The look is recorded, the nurse reads it."""
    rows = Sos.objects.select_related(
        "practitioner__person", "practitioner__institution__organisation", "case__place", "visit",
        "place__parent__parent",
    )  # fmt: skip
    row = rows.filter(pk=sos_id).first()
    if row is None or not _may_see(actor, row):
        raise NotFound(_("There is no such call for help."))
    person = row.practitioner.person_id
    record(actor, Act("homecare.sos.look", row, row.place_id, reason=_("Call for help"), subject=person))
    return Called(row, phones([person]).get(person, ""), row.visit.number if row.visit else "")


def _may_see(actor: Actor, row: Sos) -> bool:
    if selectors.alarms(actor).filter(pk=row.pk).exists():
        return True
    return row.case is not None and visible(actor).filter(pk=row.case.pk).exists()
