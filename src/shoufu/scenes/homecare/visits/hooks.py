"""What becomes of visits when an order changes or a person's rights end (see `kernel.base.hooks`)."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.hooks import Ending, OrderChange, Receipt
from shoufu.kernel.payments import money
from shoufu.kernel.payments.models import Order
from shoufu.scenes.homecare.visits import ordering, orders
from shoufu.scenes.homecare.visits.models import Visit
from shoufu.scenes.homecare.visits.services import ending as ends


def order_changed(actor: Actor, change: OrderChange) -> None:
    """Paid: the visit is booked. Money that came too late goes back, and is asked back anew where that failed. All
    after this transaction."""
    number = orders.visit_of(change.source)
    if number is None or change.kind not in ("paid", "surplus", "refunded", "refund_failed"):
        return
    visit = Visit.objects.select_related("patient", "place").filter(pk=number).first()
    if visit is not None:
        ordering.noted(visit, {"paid": "pay", "surplus": "overpay"}.get(change.kind, "refund"))


def orders_kept() -> dict[str, str]:
    """Which service somebody gets at home is the business of who cares, not of whoever keeps a place's books."""
    return {orders.SOURCE: orders.SEE}


def end_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """Visits to come of a patient whose care ended are cancelled, free of charge, and what was paid goes back. Those
    that the booking kernel cancelled already are named for their money. Who moved is visited at the new home."""
    for visit in ends.end_of_patient(actor, ending):
        yield Receipt(_("Visit %(number)s") % {"number": visit.number}, place=visit.place_id)
    ends.follow_home(actor, ending.person)
    for visit in ends.to_be_paid_back(ending):
        order = visit.order
        if order is None or order.state != Order.State.PAID:
            continue
        words = {"amount": money.shown(order.paid_minor, order.currency), "number": visit.number}
        said = _("%(amount)s of visit %(number)s goes back") % words
        yield Receipt(said, done=False, place=visit.place_id)
