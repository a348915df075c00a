"""From the question for a time to a held visit."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import lent
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid
from shoufu.kernel.booking import providers, slots
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import Offering
from shoufu.kernel.booking.providers import Query, Slot
from shoufu.kernel.booking.services import HoldDraft, Once
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register import services as registry
from shoufu.scenes.homecare.register.models import Patient, Practitioner
from shoufu.scenes.homecare.register.services.common import opened, sealed
from shoufu.scenes.homecare.visits import placing, selectors
from shoufu.scenes.homecare.visits.models import Visit

NOTE = "homecare.note"
RIGHTS = ("booking.book", "booking.view", "booking.handle")


@dataclass(frozen=True)
class VisitDraft:
    """What somebody books: `consent` is the id of the service's version whose text they agreed to; `note` is what the
    patient asks of who comes."""

    patient: int
    service: int
    start: datetime
    consent: int
    prescription: int | None = None
    note: str = ""


def patient_of(actor: Actor, patient_id: int, *, mine: bool) -> Patient:
    """Whom it is for: with `mine` the actor or one for whom they may act, else a patient whom they coordinate."""
    if mine:
        return registry.own_patient(actor, patient_id)
    found = register.patient(actor, patient_id)
    if not actor.may(register.PATIENTS, found.place.path):
        raise Forbidden(_("You need the right “%(right)s”.") % {"right": register.PATIENTS})
    return found


def bookable(service_id: int, patient: Patient) -> Offering:
    """The kernel's offering of a service of the patient's institution. Conflict where it is not open for booking."""
    found = selectors.offering_of(service_id)
    if found is None or found.ends_at is not None or found.place_id != patient.institution.place_id:
        raise Conflict(_("This service cannot be booked at the moment."), reason="closed")
    return found


def able_to_book(actor: Actor, offering: Offering, patient: Patient) -> Actor:
    """The actor with what the booking kernel asks for, after the scene checked for whom they act."""
    able = lent(actor, offering.place.path, *RIGHTS)
    return lent(able, patient.person.place.path, "parties.view")


def details_of(patient: Patient, prescription: int | None, **more: Any) -> dict[str, Any]:
    """What the kernel's provider is told of a question for times."""
    return {"patient": patient.pk} | ({"prescription": prescription} if prescription is not None else {}) | more


def free_slots(
    actor: Actor,
    patient_id: int,
    service_id: int,
    since: datetime,
    until: datetime,
    *,
    prescription: int | None = None,
    mine: bool = False,
) -> list[Slot]:
    """The times at which somebody can come for a service, soonest first."""
    patient = patient_of(actor, patient_id, mine=mine)
    offering = bookable(service_id, patient)
    details = providers.checked(actor, offering, details_of(patient, prescription))
    return slots.offered(Query(offering, person=patient.person_id, details=details), since, until)


def slots_to_move(actor: Actor, visit_id: int, since: datetime, until: datetime, *, mine: bool = False) -> list[Slot]:
    """The times to which a visit can be moved."""
    visit, query = to_move(actor, visit_id, mine=mine)
    return [one for one in slots.offered(query, since, until) if one.start != visit.starts_at]


def to_move(actor: Actor, visit_id: int, *, mine: bool = False) -> tuple[Visit, Query]:
    """A visit that can be moved, and the question for its times; Conflict where it has begun or ended."""
    visit = selectors.visit(actor, visit_id, mine=mine)
    patient_of(actor, visit.patient_id, mine=mine)
    row = visit.booking
    if row is None or visit.state not in (Visit.State.HELD, Visit.State.BOOKED):
        raise Conflict(_("This visit is “%(state)s”.") % {"state": visit.get_state_display()}, reason="state")
    return visit, Query(row.offering, row.units, row.quantity, row.person_id, row.details, row.pk, row.terms)


def expected(actor: Actor, draft: VisitDraft, *, mine: bool = False) -> list[Practitioner]:
    """Who would come to a visit if it were booked now; empty where nobody can. It may be somebody else in the end."""
    patient = patient_of(actor, draft.patient, mine=mine)
    offering, start = bookable(draft.service, patient), draft.start.astimezone(UTC)
    providers.checked(actor, offering, details_of(patient, draft.prescription))
    version = register.version_on(draft.service, register.day_at(patient.institution.place, start))
    return placing.crew_for(patient, version, start) if version is not None else []


@transaction.atomic
def note(actor: Actor, visit_id: int, *, mine: bool = False) -> str:
    """What the patient asks of who comes; a look of staff is recorded, the patient can read it."""
    visit = selectors.visit(actor, visit_id, mine=mine)
    kept = Visit.objects.values_list("note", flat=True).get(pk=visit.pk)
    person = visit.patient.person_id
    if not mine and kept:
        record(actor, Act("homecare.visit.note", visit, visit.place_id, subject=person))
    return opened(subjects.known_keys([person]).get(person), kept, person, NOTE) or ""


def book(actor: Actor, draft: VisitDraft, *, mine: bool = False, once: Once | None = None) -> Visit:
    """Hold a visit, to be paid while the hold lasts; one that costs nothing is booked as soon as this is committed.

    Invalid names what is missing; Conflict where nobody can come then (with the `nearest` times), or something speaks
    against the service. The same `once` again gives the same visit.
    """
    return selectors.visit(actor, _booked(actor, draft, mine, once), mine=mine)


@transaction.atomic
def _booked(actor: Actor, draft: VisitDraft, mine: bool, once: Once | None) -> int:
    patient = patient_of(actor, draft.patient, mine=mine)
    offering, start = bookable(draft.service, patient), draft.start.astimezone(UTC)
    version = register.version_on(draft.service, register.day_at(patient.institution.place, draft.start))
    if version is None or draft.consent != version.pk:
        raise Invalid.one("consent", _("Agree to the consent of this service first."))
    details = details_of(patient, draft.prescription, consent=draft.consent)
    wanted = HoldDraft(offering, start, person=patient.person_id, details=details)
    held = booking.hold(able_to_book(actor, offering, patient), wanted, once)
    visit: int = Visit.objects.values_list("pk", flat=True).get(booking=held)
    if draft.note.strip():
        note = sealed(patient.person_id, draft.note.strip()[:500], NOTE)
        Visit.objects.filter(pk=visit).update(note=note)
    return visit
