"""The order of locks: the row of a booking before that of its visit, as whoever works on bookings takes them."""

from shoufu.kernel.booking.models import Booking
from shoufu.scenes.homecare.visits.models import Visit


def lock_booking(visit_id: int) -> None:
    """Lock the booking of a visit, if it has one, until the transaction ends; the caller then locks the visit. A visit
    gets another booking only after its first one ended, so that nobody waits for that one any more."""
    number = Visit.objects.filter(pk=visit_id).values_list("booking", flat=True).first()
    if number is not None:
        Booking.objects.select_for_update().filter(pk=number).order_by().first()
