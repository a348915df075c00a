"""What becomes of visits when a person leaves, and when doors let somebody through (see `kernel.base.hooks`)."""

from collections.abc import Iterator, Sequence

from django.db.models import Q
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.hooks import Ending, Receipt
from shoufu.kernel.doors.models import Passage
from shoufu.scenes.community.visitors import services
from shoufu.scenes.community.visitors.models import Invitation


def end_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """Who leaves a home invites nobody there any more; doors end the passes themselves."""
    left = Q(household=ending.household) if ending.household else Q()
    rows = Invitation.objects.filter(left, host=ending.person, state__in=Invitation.OPEN)
    count = rows.exclude(household__in=ending.remaining).update(state=Invitation.State.WITHDRAWN, token_hash=None)
    if count:
        yield Receipt(_("Invitations of visitors"), count=count)


def door_passages(passages: Sequence[Passage]) -> None:
    """A pass was used at a door."""
    services.passed(passages)
