"""The orders of a visit: the one under which it is booked, and those over what it came to owe instead."""

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import lent
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.booking.models import Booking
from shoufu.kernel.parties.models import Person
from shoufu.kernel.payments import services as payments
from shoufu.kernel.payments.models import Order
from shoufu.kernel.payments.services import LineDraft, OrderDraft
from shoufu.scenes.homecare.visits import selectors
from shoufu.scenes.homecare.visits.models import Visit

SOURCE = "homecare.visit:"
OWED = "homecare.owed:"
SEE = "homecare.orders"
"""The right to see orders of home care, besides that to see orders at the place."""
RIGHTS = (SEE, "payments.view", "payments.order", "payments.refund")


def visit_of(source: str) -> int | None:
    """The visit that an order is for; None where it is for something else."""
    number = source.removeprefix(SOURCE)
    return int(number) if source.startswith(SOURCE) and number.isdecimal() else None


def chain(visit: Visit, *, lock: bool = False) -> list[Order]:
    """A visit's orders, oldest first: the one under which it was booked, then those that took its place."""
    first = visit.first_order_id or visit.order_id
    rows = Order.objects.filter(Q(pk=first) | Q(request_key__startswith=f"{OWED}{visit.pk}:"))
    rows = rows.select_related("place").order_by("pk")
    return list(rows.select_for_update(of=("self",)) if lock else rows)


def locked(visit_id: int) -> tuple[Visit, list[Order]]:
    """A visit with its orders, as they are once the orders and then the visit are locked: what becomes of its money is
    decided by one at a time."""
    seen = Visit.objects.only("order", "first_order").get(pk=visit_id)
    found = chain(seen, lock=True)
    rows = Visit.objects.select_for_update(of=("self",)).select_related(
        "institution__place", "version", "place", "order"
    )
    return rows.prefetch_related(selectors.with_patient(), selectors.with_booking()).get(pk=visit_id), found


def lines(visit: Visit) -> list[LineDraft]:
    """What is sold: the service with the insurance's share, and the material that its price includes."""
    version = visit.version
    service = LineDraft(version.name, version.price, insurance_minor=version.price * version.insurance_share // 100)
    return [service, *material(visit)]


def material(visit: Visit) -> list[LineDraft]:
    """What the price includes."""
    return [
        LineDraft(_("Included: %(what)s") % {"what": f"{one['name']} {one['quantity']:g}{one['unit']}"}, 0)
        for one in visit.version.materials
    ]


def make(actor: Actor, visit: Visit, held: Booking) -> Order:
    """The order of a visit that `actor` just held, to be paid while the hold lasts: by them, where they book for the
    patient (family), or by the patient."""
    place = visit.institution.place
    able = lent(lent(actor, place.path, *RIGHTS), visit.patient.person.place.path, "payments.order")
    left = held.held_until - timezone.now() if held.held_until is not None else None
    draft = OrderDraft(
        place_id=place.pk,
        institution_id=visit.institution.organisation_id,
        title=visit.version.name,
        lines=lines(visit),
        payer_id=_payer(actor, visit, held),
        source=f"{SOURCE}{visit.pk}",
        currency=visit.version.currency,
        minutes=max(1, round(left.total_seconds() / 60)) if left is not None else 15,
    )
    return payments.create_order(able, draft)


def _payer(actor: Actor, visit: Visit, held: Booking) -> int:
    """Who books for the patient by a right that the patient gave pays; who coordinates does not."""
    from shoufu.scenes.homecare.register import selectors as register

    if held.user_id is None or register.own_one(actor, visit.patient_id) is None:
        return visit.patient.person_id
    person = Person.objects.filter(user=held.user_id).values_list("pk", flat=True).first()
    return person or visit.patient.person_id
