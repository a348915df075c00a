"""What becomes of a welfare watch when a person leaves the home (see `kernel.base.hooks`)."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.hooks import Ending, Receipt
from shoufu.scenes.community.welfare import services
from shoufu.scenes.community.welfare.models import Watch


def end_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """Who leaves the watched home is watched no longer; the sensors stay with the home, unread."""
    row = Watch.objects.filter(person=ending.person).first()
    if row is None or (ending.household is not None and row.household_id in ending.remaining):
        return
    if ending.household is not None and row.household_id != ending.household:
        return
    if services.stop(actor, ending.person):
        yield Receipt(_("Welfare watch"))
