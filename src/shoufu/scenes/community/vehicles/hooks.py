"""What vehicles end when a person leaves (see `kernel.base.hooks`)."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.hooks import Ending, Receipt
from shoufu.kernel.parties.models import Household
from shoufu.scenes.community.vehicles.models import ListEntry


def end_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """The invitations that the person gave to cars end, but for those to a compound in which they go on living."""
    rows = ListEntry.objects.select_for_update().filter(
        person=ending.person, revoked_at__isnull=True, until__gt=ending.at
    )
    kept = list(Household.objects.filter(pk__in=ending.remaining).values_list("place__path", flat=True))
    ended = [
        entry
        for entry in rows.select_related("place").select_for_update(of=("self",))
        if not any(path.startswith(entry.place.path) for path in kept)
    ]
    for entry in ended:
        entry.revoked_at = ending.at
    ListEntry.objects.bulk_update(ended, ["revoked_at"])
    record_many(actor, [Act("vehicles.revoke_entry", entry, place=entry.place_id) for entry in ended])
    for entry in ended:
        yield Receipt(_("Invitation of the car %(plate)s") % {"plate": entry.plate}, place=entry.place_id)
