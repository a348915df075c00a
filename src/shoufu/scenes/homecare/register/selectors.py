from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, subtree
from shoufu.kernel.base import memory
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Forbidden, NotFound
from shoufu.kernel.base.lookups import among
from shoufu.kernel.parties.models import Membership, Organisation, Person
from shoufu.kernel.parties.selectors import current
from shoufu.kernel.places.models import Place
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.homecare.register.models import (
    Institution,
    Patient,
    Portrait,
    Practitioner,
    Service,
    ServiceVersion,
)

VIEW, PATIENTS, CARE = "homecare.view", "homecare.patients", "homecare.care"
MANAGE, OWN, ACT = "homecare.manage", "own.care", "care.act"


def offices(actor: Actor) -> list[int]:
    """The institutions for which the actor works; staff of one do not see the others of the same place."""
    if actor.user_id is None:
        return []
    rows = Membership.objects.filter(current(), person__user=actor.user_id, organisation__homecare__isnull=False)
    return list(rows.values_list("organisation__homecare", flat=True))


def _of_offices(actor: Actor, field: str) -> Q:
    mine = offices(actor)
    return Q(**{f"{field}__in": mine}) if mine else Q()


def of_offices(actor: Actor, field: str = "institution") -> Q:
    """The condition by which staff of an institution see its rows only; who works for none (a regulator) sees all."""
    return _of_offices(actor, field)


def institutions(actor: Actor) -> QuerySet[Institution]:
    """The institutions of the actor's places; whoever works for one sees that one only."""
    rows = Institution.objects.select_related("organisation", "place")
    return limit(rows, actor, VIEW).filter(_of_offices(actor, "pk"))


def institution(actor: Actor, institution_id: int) -> Institution:
    found = institutions(actor).filter(pk=institution_id).first()
    if found is None:
        raise NotFound(_("There is no institution %(id)s that you may see.") % {"id": institution_id})
    return found


def candidates(actor: Actor) -> QuerySet[Organisation]:
    """Medical organisations of the actor's places that are no institution yet."""
    rows = Organisation.objects.select_related("place").filter(kind=Organisation.Kind.MEDICAL, homecare__isnull=True)
    return limit(rows, actor, MANAGE).order_by("name")


def day_at(place: Place, moment: datetime | None = None) -> date:
    """The day at a place, now or at a moment."""
    return (moment or timezone.now()).astimezone(ZoneInfo(place.time_zone)).date()


def services(actor: Actor) -> QuerySet[Service]:
    """The catalogue of the actor's institutions; each with the id of its newest version as `newest`."""
    rows = Service.objects.select_related("institution__organisation", "institution__place")
    newest = ServiceVersion.objects.filter(service=OuterRef("pk")).order_by("-since")
    rows = rows.annotate(newest=Subquery(newest.values("pk")[:1]), named=Subquery(newest.values("name")[:1]))
    return limit(rows, actor, VIEW, "institution__place__path").filter(_of_offices(actor, "institution"))


def newest_of(rows: Any) -> dict[int, ServiceVersion]:
    """The newest version of each of these services, by its own id; one query."""
    return {one.pk: one for one in ServiceVersion.objects.filter(pk__in=rows.order_by().values("newest"))}


def service(actor: Actor, service_id: int) -> Service:
    found = services(actor).filter(pk=service_id).first()
    if found is None:
        raise NotFound(_("There is no service %(id)s that you may see.") % {"id": service_id})
    return found


def version_on(service_id: int, day: date) -> ServiceVersion | None:
    """The version of a service that holds on a day; None before its first day, or once it is closed."""
    rows = ServiceVersion.objects.filter(service=service_id, service__closed_at__isnull=True, since__lte=day)
    return rows.select_related("service__institution__place").order_by("-since").first()


def offered(office: Institution) -> list[ServiceVersion]:
    """The versions that hold today of an institution's services; for pages of its own patients."""
    today = day_at(office.place)
    rows = ServiceVersion.objects.filter(service__institution=office, service__closed_at__isnull=True, since__lte=today)
    return list(rows.order_by("service_id", "-since").distinct("service_id"))


def practitioners(actor: Actor, *, left: bool = False) -> QuerySet[Practitioner]:
    """The people of the actor's institutions; those who left only when asked for."""
    rows = Practitioner.objects.select_related(
        "person__place", "institution__organisation", "institution__place", "verified_by", "resource", "portrait"
    )
    rows = limit(rows, actor, VIEW, "institution__place__path").filter(_of_offices(actor, "institution"))
    return rows if left else rows.filter(left_at__isnull=True)


def practitioner(actor: Actor, practitioner_id: int) -> Practitioner:
    found = practitioners(actor, left=True).filter(pk=practitioner_id).first()
    if found is None:
        raise NotFound(_("There is no practitioner %(id)s that you may see.") % {"id": practitioner_id})
    return found


def practices(actor: Actor) -> QuerySet[Practitioner]:
    """Where the actor themselves gives care."""
    rows = Practitioner.objects.select_related("person", "institution__place", "institution__organisation")
    return rows.filter(person__user=actor.user_id, left_at__isnull=True) if actor.user_id else rows.none()


def portraits(actor: Actor) -> QuerySet[Portrait]:
    """Portraits that the actor may see: of people of their institutions, their own, and those of who comes to them.

    Who gets care, and who may act for them, see the people of their visits; and since a visit is offered with who
    would come before there is one, those whom their institution could send.
    """
    rows = Portrait.objects.select_related("practitioner__institution__place", "practitioner__person")
    if actor.is_system:
        return rows
    if actor.user_id is None:
        return rows.none()
    seen = Q(practitioner__in=practices(actor).values("pk"))
    if actor.may_anywhere(VIEW):
        seen |= Q(practitioner__in=practitioners(actor).order_by().values("pk"))
    if actor.may_anywhere(OWN):
        seen |= Q(practitioner__in=_comes_to(actor).values("pk"))
    return rows.filter(seen)


def _comes_to(actor: Actor) -> QuerySet[Practitioner]:
    mine = list(own(actor).values_list("pk", "institution"))
    sent = Q(homecare_stops__visit__patient__in=[patient for patient, _office in mine])
    could = Q(institution__in={office for _patient, office in mine}, suspended_at__isnull=True)
    could &= Q(verified_at__isnull=False)
    return Practitioner.objects.filter(sent | could, left_at__isnull=True)


def portrait(actor: Actor, practitioner_id: int) -> Portrait:
    """The portrait of somebody; NotFound where there is none that the actor may see."""
    found = portraits(actor).filter(practitioner=practitioner_id).first()
    if found is None:
        raise NotFound(_("There is no portrait that you may see."))
    return found


def require_any(actor: Actor, *permissions: str) -> None:
    """Forbidden unless the actor has one of these rights somewhere."""
    if not any(actor.may_anywhere(right) for right in permissions):
        raise Forbidden(_("You need the right “%(right)s”.") % {"right": permissions[0]})


def patients(actor: Actor, *, ended: bool = False) -> QuerySet[Patient]:
    """Patients whom the actor cares for: the coordinator's of their places and institution; a nurse's own ones, and
    those of their institution in their places. Nothing of their health: that takes a recorded look."""
    rows = Patient.objects.select_related(
        "person", "place", "institution__organisation", "institution__place", "household__place__parent__parent"
    ).defer("access", "health", "person__phone", "person__identity")
    rows = rows if ended else rows.filter(ended_at__isnull=True)
    if actor.is_system:
        return rows
    paths = actor.paths(PATIENTS)
    office = subtree(paths, "place__path") & _of_offices(actor, "institution") if paths else Q(pk__in=[])
    if not actor.may_anywhere(CARE):
        return rows.filter(office)
    mine = practices(actor)
    near = subtree(actor.paths(CARE), "place__path") & Q(institution__in=mine.values("institution"))
    assigned = Q(pk__in=Patient.nurses.through.objects.filter(practitioner__in=mine.values("pk")).values("patient"))
    return rows.filter(office | near | assigned)


def patient(actor: Actor, patient_id: int) -> Patient:
    found = patients(actor, ended=True).filter(pk=patient_id).first()
    if found is None:
        raise NotFound(_("There is no patient %(id)s that you may see.") % {"id": patient_id})
    return found


def own(actor: Actor) -> QuerySet[Patient]:
    """The actor's own care, and that of people who let them act for them ("care.act")."""
    people: list[Person] = privacy.acts_for(actor, ACT) if actor.may_anywhere(OWN) else []
    rows = Patient.objects.select_related("person", "place", "institution__organisation", "institution__place")
    rows = rows.filter(person__in=[one.pk for one in people], ended_at__isnull=True)
    return rows.defer("access", "health", "person__phone", "person__identity")


def own_one(actor: Actor, patient_id: int) -> Patient | None:
    """One of them, read once in a request."""
    # The same user may ask with fewer rights, by a token.
    key = ("homecare.own_one", actor.kind, actor.id, actor.may_anywhere(OWN), patient_id)
    rows = own(actor).defer(None).defer("person__phone", "person__identity")
    return memory.once(key, rows.filter(pk=patient_id).first)


def own_ids(actor: Actor) -> list[int]:
    """The ids of all of them, read once in a request."""
    key = ("homecare.own_ids", actor.kind, actor.id, actor.may_anywhere(OWN))
    return memory.once(key, lambda: list(own(actor).values_list("pk", flat=True)))


def carers(row: Patient) -> list[Person]:
    """Who may act for a patient now, by what the patient granted in the kernel."""
    now = timezone.now()
    begun = Q(delegated__since__lte=now, delegated__withdrawn_at__isnull=True)
    running = begun & (Q(delegated__until__isnull=True) | Q(delegated__until__gt=now))
    granted = running & Q(delegated__person=row.person_id, delegated__scopes__contains=[ACT])
    return list(Person.objects.filter(granted, erased_at__isnull=True).distinct().order_by("name", "pk"))


def position(place: Place) -> tuple[float, float] | None:
    """Longitude and latitude of a place, or of the nearest one around it that has a position."""
    return positions([place]).get(place.pk)


def positions(places: Iterable[Place]) -> dict[int, tuple[float, float]]:
    """The same for several places by their ids, in one query; those without any are left out."""
    return positions_of({one.pk: one.path for one in places})


def positions_of(places: Mapping[int, str]) -> dict[int, tuple[float, float]]:
    """The same for places by their ids and paths."""
    around = {pk: _upwards(path) for pk, path in places.items()}
    wanted = {path for paths in around.values() for path in paths}
    rows = Place.objects.filter(among("path", wanted), longitude__isnull=False, latitude__isnull=False)
    found = rows.values_list("path", "longitude", "latitude")
    known = {path: (east, north) for path, east, north in found if east is not None and north is not None}
    nearest = {pk: next((known[path] for path in paths if path in known), None) for pk, paths in around.items()}
    return {pk: at for pk, at in nearest.items() if at is not None}


def _upwards(path: str) -> list[str]:
    """The paths of a place and of everything around it, the innermost first."""
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[:end]) + "/" for end in range(len(parts), 0, -1)]


@dataclass(frozen=True)
class Health:
    """A patient's health data in clear. `flags` are of `codes.Flag`; `sex` is "female", "male" or ""."""

    allergies: str = ""
    conditions: str = ""
    flags: tuple[str, ...] = ()
    sex: str = ""
