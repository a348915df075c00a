"""What imports forget when a person is erased (see `kernel.base.hooks`)."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.hooks import Ending, Receipt
from shoufu.kernel.imports import undoing
from shoufu.kernel.imports.models import Import
from shoufu.kernel.parties.models import Person


def end_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """Ways back that name an erased person go, and files about their place that nobody has imported yet."""
    if ending.cause != "erased":
        return
    path = Person.objects.filter(pk=ending.person).values_list("place__path", flat=True).first() or ""
    for row in Import.objects.select_for_update(of=("self",)).select_related("place").filter(undo__isnull=False):
        written = undoing.unpacked(keyring.ring().decrypt(bytes(row.undo or b""), f"import:{row.pk}".encode()))
        if _names(written.made.get(undoing.PERSON, ()), ending.person) or any(
            one.model == undoing.PERSON and one.pk == ending.person for one in written.altered
        ):
            row.undo = None
            row.save(update_fields=["undo"])
            yield Receipt(_("Way back of the import %(name)s") % {"name": row.file_name}, place=row.place_id)
    drafts = Import.objects.select_for_update(of=("self",)).select_related("place").filter(content__isnull=False)
    for row in drafts:
        if path.startswith(row.place.path):
            row.content, row.state = None, Import.State.DROPPED
            row.save(update_fields=["content", "state"])
            yield Receipt(_("File %(name)s that waited to be imported") % {"name": row.file_name}, place=row.place_id)


def _names(ids: object, person: int) -> bool:
    return isinstance(ids, list) and person in ids
