from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit import subjects
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.cases.models import Case, CaseEvent, Evidence
from shoufu.kernel.doors import selectors as doors
from shoufu.kernel.doors.models import Credential
from shoufu.kernel.doors.selectors import PersonDoor
from shoufu.kernel.parties.models import Person, Vehicle
from shoufu.kernel.parties.selectors import current, homes
from shoufu.kernel.privacy import selectors as privacy
from shoufu.kernel.privacy.models import Delegation
from shoufu.scenes.community.resident.models import Contact, Request
from shoufu.scenes.community.resident.services.doors import SCOPE as DOOR
from shoufu.scenes.community.resident.services.doors import may_open
from shoufu.scenes.community.resident.services.requests import SCOPE as REPAIRS

TOLD = (
    CaseEvent.Kind.RAISED,
    CaseEvent.Kind.REPEATED,
    CaseEvent.Kind.ACKNOWLEDGED,
    CaseEvent.Kind.DISPATCHED,
    CaseEvent.Kind.RESOLVED,
    CaseEvent.Kind.CLOSED,
    CaseEvent.Kind.FALSE_ALARM,
    CaseEvent.Kind.REOPENED,
)
"""The steps of a case that the person who asked is shown; notes of the staff are theirs."""


def requests(actor: Actor, person_id: int | None = None) -> QuerySet[Request]:
    """What oneself (or somebody who granted it) asked for, newest first."""
    person = privacy.subject(actor, person_id, REPAIRS)
    return Request.objects.filter(person=person).select_related("case__place")


def request(actor: Actor, request_id: int, person_id: int | None = None) -> Request:
    """One of them; NotFound for those of others."""
    found = requests(actor, person_id).filter(pk=request_id).first()
    if found is None:
        raise NotFound(_("There is no request %(id)s of yours.") % {"id": request_id})
    return found


@dataclass(frozen=True)
class Step:
    """A step of a request: what happened when. `done` is False for the ones to come."""

    name: str
    at: datetime | None
    done: bool


def progress(found: Request) -> list[Step]:
    """Sent, seen, somebody comes, done: each with its time, as the case's timeline has it."""
    at: dict[str, datetime] = {}
    for kind, moment in found.case.events.filter(kind__in=TOLD).order_by("at").values_list("kind", "at"):
        at.setdefault(kind, moment)
    if found.case.state == Case.State.FALSE_ALARM:
        return [Step(_("Sent"), at.get("raised"), True), Step(_("Closed"), at.get("false_alarm"), True)]
    steps = (("raised", _("Sent")), ("acknowledged", _("Seen")), ("dispatched", _("Somebody comes")))
    listed = [Step(name, at.get(kind), kind in at) for kind, name in steps]
    ended = found.case.resolved_at or found.case.closed_at
    return [*listed, Step(_("Done"), ended, ended is not None)]


def pictures(found: Request) -> list[Evidence]:
    """The pictures that were sent with a request."""
    return list(Evidence.objects.filter(case=found.case_id, media__isnull=False).select_related("media"))


@dataclass(frozen=True)
class MyDoors:
    """A person's doors, and what they open them with; `remote` are ids of those that their phone may open."""

    doors: list[PersonDoor]
    credentials: list[Credential]
    remote: frozenset[int]


def my_doors(actor: Actor, person_id: int | None = None) -> MyDoors:
    """The doors of oneself, or of somebody who granted "door.open" (then without their cards and codes)."""
    person = privacy.subject(actor, person_id, DOOR)
    listed = doors.doors_for(SYSTEM, person.pk)
    own = person_id is None
    cards = doors.credentials_of(actor, person.pk).filter(admission__isnull=True) if own else Credential.objects.none()
    remote = frozenset(one.point.pk for one in listed if not one.point.dwelling and may_open(one.point.place))
    return MyDoors(listed, list(cards.exclude(state=Credential.State.REVOKED)), remote)


def first_door(actor: Actor) -> PersonDoor | None:
    """The door of one's own unit: the innermost one."""
    listed = doors.doors_for(SYSTEM, privacy.subject(actor, None, "").pk)
    return max(listed, key=lambda one: one.point.place.depth, default=None)


def vehicles(actor: Actor, person_id: int | None = None) -> list[Vehicle]:
    """Registered cars of the homes of oneself, or of somebody who granted "vehicles.manage"."""
    person = privacy.subject(actor, person_id, "vehicles.manage")
    rows = Vehicle.objects.filter(current(), household__in=[home.pk for home in homes(person.pk)])
    return list(rows.select_related("place", "household").order_by("plate"))


@dataclass(frozen=True)
class Named:
    """A contact in clear, for the person themselves."""

    id: int
    name: str
    phone: str
    known: Person | None


def contacts(actor: Actor) -> list[Named]:
    """Whom the actor wants to have called."""
    person = privacy.subject(actor, None, "")
    key = subjects.known_keys([person.pk]).get(person.pk)
    rows = Contact.objects.filter(person=person).select_related("known")
    if key is None:
        return []

    def opened(row: Contact, field: str) -> str:
        sealed = getattr(row, field)
        return subjects.unseal_text(key, bytes(sealed), person.pk, f"contact.{field}") if sealed else ""

    return [Named(row.pk, opened(row, "name"), opened(row, "phone"), row.known) for row in rows]


@dataclass(frozen=True)
class Family:
    """Who may act for me, and for whom I may act."""

    for_me: list[Delegation]
    by_me: list[Delegation]


def family(actor: Actor) -> Family:
    """The grants in force, both ways; two queries."""
    me = privacy.subject(actor, None, "")
    rows = list(privacy.delegations(actor))
    return Family([one for one in rows if one.person_id == me.pk], [one for one in rows if one.delegate_id == me.pk])


def housemates(actor: Actor) -> list[Person]:
    """Grown-ups of one's own homes who are not yet granted anything, to choose from."""
    me = privacy.subject(actor, None, "")
    granted = {one.delegate_id for one in family(actor).for_me}
    rows = Person.objects.filter(
        current("residencies__"), residencies__household__in=[h.pk for h in homes(me.pk)], erased_at__isnull=True
    )
    born_after = timezone.localdate().replace(year=timezone.localdate().year - 18, day=1)
    rows = rows.exclude(pk__in={me.pk, *granted}).exclude(born__gt=born_after)
    return list(rows.distinct().order_by("name"))


def scopes_of(actor: Actor, person_id: int | None) -> frozenset[str]:
    """What the actor may do on the pages of a person; everything on one's own."""
    from shoufu.kernel.privacy import declarations

    if person_id is None:
        return frozenset(declarations.scopes())
    return frozenset(code for code in declarations.scopes() if privacy.may_act_for(actor, person_id, code))


def policies(actor: Actor) -> list[dict[str, Any]]:
    """Compounds that the actor manages, and whether residents open doors by phone there."""
    from shoufu.kernel.access.policy import limit
    from shoufu.kernel.places.models import Place

    rows = limit(Place.objects.filter(kind=Place.Kind.COMPOUND), actor, "resident.manage", "path")
    return [
        {"place": place, "remote_open": bool(getattr(getattr(place, "house_policy", None), "remote_open", False))}
        for place in rows.select_related("house_policy").order_by("path")
    ]
