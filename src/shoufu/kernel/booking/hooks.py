"""What ends here when a person's rights end (see `kernel.base.hooks`)."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.hooks import Ending, Receipt
from shoufu.kernel.booking.services.moves import end_of_person


def end_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """What they had booked and waited for is cancelled free of charge, unless they go on living or working here."""
    if ending.household is not None and ending.remaining:
        return
    for row in end_of_person(actor, ending.person, ending.reason):
        yield Receipt(_("Booking %(number)s") % {"number": row.number}, place=row.place_id)
