"""Home visits for the booking kernel: only slots at which somebody can come, and a plan that keeps every hold."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Invalid
from shoufu.kernel.booking.models import Booking, Offering
from shoufu.kernel.booking.providers import Query, Slot
from shoufu.scenes.homecare.planning import days
from shoufu.scenes.homecare.planning.days import lock_name
from shoufu.scenes.homecare.quality.selectors import barred
from shoufu.scenes.homecare.visits import holding, placing, selectors, words
from shoufu.scenes.homecare.visits.holding import Asked
from shoufu.scenes.homecare.visits.models import Visit

MOST_HELD = 3
"""Unpaid holds of one patient at a time."""


class Homecare:
    """See `kernel.booking.providers.Provider`. `details` are {"patient", "consent" (the id of the version whose text
    was agreed to), "prescription"}; "visit" names one that is to be placed again, which only the system asks for."""

    code = "homecare"

    def check(self, actor: Actor, offering: Offering, details: Mapping[str, Any]) -> Mapping[str, Any]:
        """The details, of a patient for whom the actor may book."""
        unknown = sorted(set(details) - {"patient", "consent", "prescription", "visit"})
        if unknown or ("visit" in details and not actor.is_system):
            name = unknown[0] if unknown else "visit"
            raise Invalid.one(f"details.{name}", _("Is not asked for; leave it out."))
        service = holding.service_of(offering)
        patient = holding.patient_for(actor, details.get("patient"), service)
        if not actor.is_system and (said := barred(patient)):
            raise Conflict(said, reason="barred")
        kept: dict[str, Any] = {"patient": patient.pk}
        for name in ("consent", "visit"):
            if details.get(name) is not None:
                kept[name] = _number(name, details[name])
        if details.get("prescription") is not None:
            found = holding.prescription_of(patient, service, _number("prescription", details["prescription"]))
            kept["prescription"] = found.pk
        return kept

    def filter(self, query: Query, slots: Sequence[Slot]) -> Sequence[Slot]:
        """Slots at which somebody can begin within the window, by the plans of the days as they stand."""
        asked = holding.asked(query)
        if asked is None or not slots:
            return []
        return placing.served(asked.standing, slots, agreed=asked.agreed, leaving=asked.leaving)

    def locks(self, query: Query, slot: Slot) -> Sequence[str]:
        """The plan of the day, of a visit that moves also that of its old one, and the prescription."""
        asked = holding.asked(query)
        if asked is None:
            return []
        office = asked.standing.office.pk
        names = [lock_name(office, asked.standing.day(slot.start))]
        if asked.visit is not None:
            names.append(lock_name(office, asked.visit.day))
        if asked.standing.prescription is not None:
            names.append(f"homecare.prescription.{asked.standing.prescription.pk}")
        return names

    def locks_of(self, bookings: Sequence[int]) -> Sequence[str]:
        """The plans of their days: who frees one writes it."""
        rows = Visit.objects.filter(booking__in=bookings).order_by().values_list("institution", "day")
        return [lock_name(office, day) for office, day in rows.distinct()]

    def admit(self, query: Query, slot: Slot) -> str:
        """Asked now that nobody else plans the day."""
        # How often a prescription was used is counted anew under its lock.
        asked = holding.asked(query, anew=query.details.get("prescription") is not None)
        if asked is None:
            return _("Say for which patient it is.")
        if asked.visit is None and (said := barred(asked.standing.patient)):
            return said
        office, day = asked.standing.office, asked.standing.day(slot.start)
        why_not = asked.standing.against(slot.start)
        if why_not:
            return words.sentences(why_not)
        if (said := _agreed(query, asked, slot)) or (said := _too_many(query, asked)):
            return said
        planned = days.load(office, day, without=asked.leaving, patient=asked.standing.patient)
        if not placing.served(asked.standing, [slot], agreed=asked.agreed, loaded={day: planned}):
            return placing.no_room().detail
        # Holds that ran out count no more already; only for one that is admitted are they ended here.
        placing.let_go(office, [day])
        query.kept["admitted"] = planned
        return ""

    def visible(self, actor: Actor) -> Q:
        """That a home gets care is the business of who cares, and of the patient with those who act for them."""
        seen = selectors.visits(actor) if not actor.is_system else Visit.objects.all()
        return Q(homecare_visit__in=seen.order_by().values("pk")) | self.own(actor)

    def own(self, actor: Actor) -> Q:
        """What is the patient's, and of whoever may act for them now."""
        return Q(homecare_visit__in=selectors.own(actor).order_by().values("pk"))

    def changed(self, booking: Booking, event: str) -> None:
        """Keep the visit and the plan in step."""
        holding.changed(booking, event)


def _number(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid.one(f"details.{name}", _("Must be a number."))
    return value


def _agreed(query: Query, asked: Asked, slot: Slot) -> str:
    """Whether the consent was given to what will be done; a visit that moves keeps the one it has."""
    if query.moving is not None:
        changed = placing.another_version(asked.standing.service, asked.agreed, slot.start) if asked.agreed else None
        return words.sentence(changed) if changed is not None else ""
    version = asked.standing.version_on(asked.standing.day(slot.start))
    if version is None or query.details.get("consent") != version.pk:
        return _("Agree to the consent of this service first.")
    return ""


def _too_many(query: Query, asked: Asked) -> str:
    if query.moving is not None or "visit" in query.details:
        return ""
    held = Visit.objects.filter(patient=asked.standing.patient, state=Visit.State.HELD)
    if holding.running(held).count() >= MOST_HELD:
        return _("%(most)s visits wait for their payment; pay or cancel them first.") % {"most": MOST_HELD}
    return ""


provider = Homecare()
