"""What becomes of visits on a phone when a person's rights end (see `kernel.base.hooks`)."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.hooks import Ending, Receipt
from shoufu.scenes.homecare.encounters.models import Handed


def end_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """Who gave care has patients' data on a phone: it gets no more, and removes what it has when it next asks (also
    locked, and with the account closed), or 36 hours after it last asked. Lines that were not sent yet stay sealed
    there until their owner opens it once more; they come in as lines in conflict."""
    if ending.household is not None:
        return
    since = timezone.now() - timedelta(days=3)
    rows = Handed.objects.filter(practitioner__person=ending.person, last_at__gt=since)
    if phones := rows.values("device").distinct().count():
        yield Receipt(_("Visits on their phone"), done=False, count=phones)
