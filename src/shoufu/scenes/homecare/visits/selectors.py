from datetime import date
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.booking.models import Booking, Offering
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Institution, Patient, Practitioner
from shoufu.scenes.homecare.visits.models import Prescription, Stop, Visit


def with_patient() -> "Prefetch[Any]":
    """The patient of a visit by a statement of its own: PostgreSQL tries every order of eight joins at once, and took
    60 ms to plan a visit with all that belongs to it."""
    rows = Patient.objects.select_related("person", "household", "place", "institution__place")
    return Prefetch("patient", rows.defer("access", "health").order_by())


def with_office() -> "Prefetch[Any]":
    """The institution of a visit, likewise."""
    return Prefetch("institution", Institution.objects.select_related("place", "organisation").order_by())


def with_booking() -> "Prefetch[Any]":
    """The booking of a visit with its offering and terms, likewise."""
    rows = Booking.objects.select_related("offering__place", "offering__current", "terms")
    return Prefetch("booking", rows.order_by())


def _with_stops() -> "Prefetch[Any]":
    people = ("practitioner__person", "practitioner__institution", "practitioner__portrait")
    return Prefetch("stops", Stop.objects.select_related(*people).order_by("task"))


def _rows() -> QuerySet[Visit]:
    rows = Visit.objects.select_related("place", "service", "version", "order").defer("note")
    return rows.prefetch_related(with_office(), with_patient(), with_booking(), _with_stops())


def visits(actor: Actor) -> QuerySet[Visit]:
    """Visits to the patients whom the actor cares for, and those to which the plan sends them; nothing of the note."""
    rows = _rows()
    if actor.is_system:
        return rows
    cared = rows.filter(patient__in=register.patients(actor, ended=True).values("pk"))
    stops = _own_stops(actor)
    return cared | rows.filter(pk__in=stops.values("visit")) if stops is not None else cared


def sent_to(actor: Actor) -> QuerySet[Visit]:
    """Visits to which the plan sends the actor themselves."""
    stops = _own_stops(actor)
    return _rows().filter(pk__in=stops.values("visit")) if stops is not None else _rows().none()


def _own_stops(actor: Actor) -> QuerySet[Stop] | None:
    """The stops of the actor's own practices; None where they have none. They are named by their ids, read now: the
    database plans poorly for people of whom it knows nothing."""
    mine = list(register.practices(actor).values_list("pk", flat=True))
    return Stop.objects.filter(practitioner__in=mine).order_by() if mine else None


def own(actor: Actor) -> QuerySet[Visit]:
    """The actor's own visits, and those of people for whom they may act."""
    return _rows().filter(patient__in=register.own_ids(actor))


def stops_by(name: str) -> QuerySet[Stop]:
    """The stops of people whose name has this in it, for narrowing rows that the caller may see."""
    people = Practitioner.objects.filter(person__name__icontains=name).order_by().values_list("pk", flat=True)
    return Stop.objects.filter(practitioner__in=list(people)).order_by()


def brief(rows: QuerySet[Visit]) -> QuerySet[Visit]:
    """Visits as lists show them: without the rows that only changing one asks for (its terms, its offering)."""
    rows = rows.select_related(None).select_related("patient__person", "institution__place", "version", "order")
    return rows.prefetch_related(None).prefetch_related(_with_stops())


def offering_of(service_id: int) -> Offering | None:
    """The booking kernel's offering of a service; None where it was never opened. The caller checked the right."""
    rows = Offering.objects.select_related("place", "current").defer("place__geometry")
    return rows.filter(code=f"homecare-{service_id}").first()


def bookable_services(office: Institution) -> set[int]:
    """The ids of an institution's services that are open for booking; for pages of its own patients."""
    codes = Offering.objects.filter(
        place=office.place_id, provider="homecare", ends_at__isnull=True, organisation=office.organisation_id
    ).values_list("code", flat=True)
    return {int(code.removeprefix("homecare-")) for code in codes}


def usable_prescriptions(patient: Patient, service_id: int, day: date) -> list[Prescription]:
    """A patient's prescriptions for a service that have not lapsed by a day, checked or not; the caller checked the
    right."""
    rows = Prescription.objects.defer("document").filter(patient=patient, service=service_id, revoked_at__isnull=True)
    return list(rows.filter(last_day__gte=day).order_by("-checked_at", "last_day"))


def prescriptions(actor: Actor) -> QuerySet[Prescription]:
    """Prescriptions of the patients whom the actor cares for; nothing of what is written in them."""
    rows = _prescriptions()
    return rows if actor.is_system else rows.filter(patient__in=register.patients(actor, ended=True).values("pk"))


def own_prescriptions(actor: Actor) -> QuerySet[Prescription]:
    """The actor's own prescriptions, and those of people for whom they may act."""
    return _prescriptions().filter(patient__in=register.own(actor).values("pk"))


def _prescriptions() -> QuerySet[Prescription]:
    rows = Prescription.objects.select_related(
        "patient__person", "patient__place", "patient__institution__place", "service", "checked_by"
    )
    return rows.defer("document", "patient__access", "patient__health")


def prescription(actor: Actor, prescription_id: int, *, mine: bool = False) -> Prescription:
    """One of them; NotFound otherwise."""
    rows = own_prescriptions(actor) if mine else prescriptions(actor)
    found = rows.filter(pk=prescription_id).first()
    if found is None:
        raise NotFound(_("There is no prescription %(id)s that you may see.") % {"id": prescription_id})
    return found


def visit(actor: Actor, visit_id: int, *, mine: bool = False) -> Visit:
    """One of them; NotFound otherwise."""
    found = (own(actor) if mine else visits(actor)).filter(pk=visit_id).first()
    if found is None:
        raise NotFound(_("There is no home visit %(id)s that you may see.") % {"id": visit_id})
    return found
