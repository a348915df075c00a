"""What a booking of the kernel is here: a visit with its people in the plan of the day, and its order."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.base import memory
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.booking.models import Booking, BookingEvent, Offering
from shoufu.kernel.booking.providers import Query
from shoufu.kernel.payments.models import Order
from shoufu.scenes.homecare.assessment import selectors as assessment
from shoufu.scenes.homecare.planning import days
from shoufu.scenes.homecare.planning.models import Policy
from shoufu.scenes.homecare.register import selectors as register
from shoufu.scenes.homecare.register.models import Institution, Patient, Service, ServiceVersion
from shoufu.scenes.homecare.visits import ordering, orders, placing, selectors
from shoufu.scenes.homecare.visits.history import write_down
from shoufu.scenes.homecare.visits.models import Prescription, Visit
from shoufu.scenes.homecare.visits.standing import Standing, standing

State = Visit.State
PREFIX = "homecare-"
PATIENTS_DOING = ("nobody_home", "refused")
_PATIENT = "homecare.asked.patient"
UNSAID = "nobody_came"
"""Nobody said anything, and the clock took it that nobody came; what somebody says later counts instead."""


def code_of(service_id: int) -> str:
    """The code of the kernel's offering of a service."""
    return f"{PREFIX}{service_id}"


def service_of(offering: Offering) -> Service:
    """The service behind an offering, read once in a request; NotFound where it is none of ours."""
    return memory.once(("homecare.service_of", offering.code), lambda: _service_of(offering))


def _service_of(offering: Offering) -> Service:
    number = offering.code.removeprefix(PREFIX)
    rows = Service.objects.select_related("institution__place", "institution__organisation")
    found = rows.filter(pk=int(number)).first() if number.isdecimal() else None
    if found is None:
        raise NotFound(_("There is no service %(id)s that you may see.") % {"id": offering.code})
    return found


def patient_for(actor: Actor, patient_id: Any, service: Service) -> Patient:
    """The patient of the details: the actor's own care, of one for whom they may act, or whom they coordinate."""
    if isinstance(patient_id, bool) or not isinstance(patient_id, int):
        raise Invalid.one("details.patient", _("Say for which patient it is."))
    found = register.own_one(actor, patient_id)
    if found is None:
        seen = register.patients(actor, ended=True).filter(pk=patient_id).first()
        found = seen if seen is not None and actor.may(register.PATIENTS, seen.place.path) else None
    if found is None or found.institution_id != service.institution_id:
        raise NotFound(_("There is no patient %(id)s that you may see.") % {"id": patient_id})
    memory.keep((_PATIENT, patient_id), found)
    return found


def prescription_of(patient: Patient, service: Service, prescription_id: int) -> Prescription:
    """A prescription of this patient for this service; Invalid otherwise."""
    rows = Prescription.objects.defer("document").filter(patient=patient, service=service)
    found = rows.filter(pk=prescription_id).first()
    if found is None:
        raise Invalid.one("details.prescription", _("Choose a prescription of this patient for this service."))
    return found


@dataclass(frozen=True)
class Asked:
    """A question of the kernel, read: `agreed` and `visit` are those of the booking that moves."""

    standing: Standing
    visit: Visit | None = None
    agreed: ServiceVersion | None = None

    @property
    def leaving(self) -> int | None:
        return self.visit.pk if self.visit is not None else None


def asked(query: Query, *, anew: bool = False) -> Asked | None:
    """Who asks for what; None where the patient is not the person whom the booking is for. Read once for all steps of a
    question; `anew` where a lock was waited for that others change it under."""
    if anew or "asked" not in query.kept:
        query.kept["asked"] = _asked(query)
    found: Asked | None = query.kept["asked"]
    return found


def _asked(query: Query) -> Asked | None:
    service = service_of(query.offering)
    patient = _patient(query.details.get("patient", 0))
    if patient is None or patient.institution_id != service.institution_id or patient.person_id != query.person:
        return None
    visit = _of_query(query)
    number = query.details.get("prescription")
    prescription = Prescription.objects.defer("document").filter(pk=number).first() if number else None
    found = standing(patient, service, prescription, leaving=visit.pk if visit is not None else None)
    return Asked(found, visit, visit.version if visit is not None else None)


def _patient(patient_id: int) -> Patient | None:
    """The patient whom `check` found in this request; else read."""
    rows = Patient.objects.select_related("person", "place", "institution__place", "institution__organisation")
    return memory.once((_PATIENT, patient_id), lambda: rows.filter(pk=patient_id).first())


def _of_query(query: Query) -> Visit | None:
    """The visit that is to be moved, or placed again."""
    rows = Visit.objects.select_related("version")
    if query.moving is not None:
        return rows.filter(booking=query.moving).first()
    number = query.details.get("visit")
    return rows.filter(pk=number).first() if number else None


def running(rows: QuerySet[Visit]) -> QuerySet[Visit]:
    """Those whose hold did not run out."""
    return rows.exclude(state=State.HELD, booking__held_until__lte=timezone.now())


def window_of(office: Institution) -> timedelta:
    """How much later than promised a visit may begin."""
    policy = Policy.objects.filter(institution=office).first() or Policy(institution=office)
    return timedelta(minutes=policy.window_minutes)


def _actor(booking: Booking) -> Actor:
    """Who made the booking, for the history of what follows from it; the system where nobody did."""

    def read() -> Actor:
        return actor_for_user(booking.user) if booking.user is not None else SYSTEM

    return memory.once(("homecare.actor", booking.user_id), read)


def changed(booking: Booking, event: str) -> None:
    """A booking was held, confirmed, moved, cancelled, …: in its transaction, under the day's lock if it takes one."""
    if event in ("held", "promoted"):
        _held(booking)
        return
    rows = Visit.objects.select_for_update(of=("self",)).select_related("place", "version", "service", "order")
    visit = rows.prefetch_related(selectors.with_office(), selectors.with_patient()).filter(booking=booking).first()
    if visit is None:
        return
    step = _STEPS.get(event)
    if step is not None:
        step(booking, visit)


def _held(booking: Booking) -> None:
    actor = _actor(booking)
    again = booking.details.get("visit")
    if again is not None:
        visit = Visit.objects.select_for_update(of=("self",)).get(pk=again)
        if visit.state != State.EXPIRED:
            raise Conflict(_("This visit is “%(state)s”.") % {"state": visit.get_state_display()}, reason="state")
        visit.booking, visit.state, visit.ended_at, visit.end_cause = booking, State.HELD, None, ""
        visit.changed += 1
        visit.save(update_fields=["booking", "state", "ended_at", "end_cause", "changed"])
        visit = _whole(visit.pk)
        placing.put(SYSTEM, visit, "booked", _planned(booking, visit))
        write_down(SYSTEM, visit, "again", booking=booking.pk)
        return
    visit = _made(booking)
    placing.put(actor, visit, "booked", _planned(booking, visit), new=True)
    visit.order = orders.make(actor, visit, booking)
    visit.save(update_fields=["order"])
    write_down(actor, visit, "hold", booking=booking.pk, order=visit.order_id)
    write_down(actor, visit, "consent", version=visit.version_id)


def _admitted(booking: Booking) -> days.Day | None:
    """The plan of its day without the visit, as it was read when the booking was admitted, under the locks that are
    still held."""
    found: days.Day | None = booking.asked.kept.get("admitted") if booking.asked is not None else None
    return found


def _planned(booking: Booking, visit: Visit) -> days.Day | None:
    found = _admitted(booking)
    return found if found is not None and found.day == visit.day else None


def _whole(visit_id: int) -> Visit:
    rows = Visit.objects.select_related("place", "version", "service")
    return rows.prefetch_related(selectors.with_office(), selectors.with_patient()).get(pk=visit_id)


def _made(booking: Booking) -> Visit:
    """The row of a visit that was just held, from what was read when it was admitted."""
    found = asked(booking.asked) if booking.asked is not None else None
    assert found is not None, "only what was asked for is held"
    standing, patient = found.standing, found.standing.patient
    day = standing.day(booking.starts_at)
    version = standing.version_on(day)
    if version is None:
        raise placing.no_room()
    admitted = _admitted(booking)
    window = timedelta(minutes=admitted.policy.window_minutes) if admitted else window_of(patient.institution)
    fit = version.needs_assessment and assessment.standing_of(standing.decision, booking.starts_at) == "valid"
    now = timezone.now()
    return Visit.objects.create(
        patient=patient,
        institution=standing.service.institution,
        service=standing.service,
        version=version,
        assessment=standing.decision if fit else None,
        prescription_id=booking.details.get("prescription") if version.needs_prescription else None,
        place=patient.place,
        booking=booking,
        day=day,
        starts_at=booking.starts_at,
        latest_at=booking.starts_at + window,
        requested_at=now,
        requested_by_id=booking.user_id,
        consented_at=now,
        consented_by_id=booking.user_id,
    )


def _confirmed(booking: Booking, visit: Visit) -> None:
    """Booked: paid, with nothing to pay, or to be paid when somebody comes."""
    if visit.state != State.HELD:
        return
    if visit.order is not None and visit.order.state not in Order.SETTLED and not visit.pay_later:
        raise Conflict(_("It is not paid yet."), reason="unpaid")
    visit.state = State.BOOKED
    visit.changed += 1
    visit.save(update_fields=["state", "changed"])
    write_down(_actor(booking), visit, "book")


def _still_to_come(visit: Visit) -> None:
    """Conflict where somebody began it, or it is over: it can be given no other time then, and not be given up."""
    if visit.state not in (State.HELD, State.BOOKED):
        raise Conflict(_("This visit is “%(state)s”.") % {"state": visit.get_state_display()}, reason="state")


def _moved(booking: Booking, visit: Visit) -> None:
    _still_to_come(visit)
    before, old = visit.starts_at, visit.day
    visit.day = register.day_at(visit.institution.place, booking.starts_at)
    visit.starts_at = booking.starts_at
    visit.latest_at = booking.starts_at + window_of(visit.institution)
    visit.changed += 1
    visit.save(update_fields=["day", "starts_at", "latest_at", "changed"])
    actor = _actor(booking)
    days.release(actor, visit, old, "moved")
    # Taking it out of the same day was one more change of that day.
    placing.put(actor, _whole(visit.pk), "moved", _planned(booking, visit) if visit.day != old else None)
    write_down(actor, visit, "move", before=before.isoformat(), after=visit.starts_at.isoformat())


def _end(booking: Booking, visit: Visit, state: str, cause: str, kind: str) -> None:
    if visit.state not in (State.HELD, State.BOOKED):
        return
    visit.state, visit.ended_at, visit.end_cause = state, timezone.now(), cause
    visit.money_due_at = visit.ended_at
    visit.changed += 1
    visit.save(update_fields=["state", "ended_at", "end_cause", "money_due_at", "changed"])
    sent = sorted(visit.stops.values_list("practitioner_id", flat=True))
    days.release(SYSTEM, visit, visit.day, kind)
    write_down(_actor(booking) if cause == "booker" else SYSTEM, visit, kind, cause=cause, practitioners=sent)
    ordering.follow_soon(visit.pk)


def _cancelled(booking: Booking, visit: Visit) -> None:
    last = BookingEvent.objects.filter(booking=booking, kind=BookingEvent.Kind.CANCELLED).last()
    wished = (BookingEvent.Cause.BOOKER, BookingEvent.Cause.OFFICE)
    if last is not None and last.user_id is not None and last.cause in wished:
        _still_to_come(visit)
    _end(booking, visit, State.CANCELLED, last.cause if last is not None else "", "cancel")


def _expired(booking: Booking, visit: Visit) -> None:
    _end(booking, visit, State.EXPIRED, "unpaid", "expire")


def _not_come(booking: Booking, visit: Visit) -> None:
    """The office said in the booking kernel that nobody was at home. Conflict where the visit says something else:
    somebody was with the patient, it was cancelled, or did not take place for another cause."""
    if visit.state == State.MISSED and visit.end_cause in PATIENTS_DOING:
        return
    if visit.state != State.BOOKED and (visit.state, visit.end_cause) != (State.MISSED, UNSAID):
        raise Conflict(_("This visit is “%(state)s”.") % {"state": visit.get_state_display()}, reason="state")
    visit.state, visit.ended_at, visit.end_cause = State.MISSED, timezone.now(), "nobody_home"
    visit.money_due_at = visit.ended_at
    visit.changed += 1
    visit.save(update_fields=["state", "ended_at", "end_cause", "money_due_at", "changed"])
    visit.stops.update(live=False)
    write_down(SYSTEM, visit, "miss", cause="nobody_home")
    ordering.follow_soon(visit.pk)


def _put_right(booking: Booking, visit: Visit) -> None:
    """The office took back that nobody was at home: nothing is charged."""
    charged = BookingEvent.objects.filter(booking=booking, kind=BookingEvent.Kind.NO_SHOW).exists()
    if visit.state != State.MISSED or visit.end_cause not in PATIENTS_DOING or not charged:
        return
    Visit.objects.filter(pk=visit.pk).update(money_due_at=timezone.now())
    write_down(SYSTEM, visit, "excuse")
    ordering.follow_soon(visit.pk)


_STEPS = {
    "confirmed": _confirmed,
    "moved": _moved,
    "cancelled": _cancelled,
    "expired": _expired,
    "no_show": _not_come,
    "completed": _put_right,
}
