"""What accounts lose when a person leaves (see `kernel.base.hooks`)."""

from collections.abc import Iterator

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shoufu.kernel.access.services.leaving import end_roles, restore_roles
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.hooks import Ending, Receipt


def end_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """Roles end, and with death the account; one line a role."""
    for row in end_roles(actor, ending):
        yield Receipt(_("Role “%(role)s”") % {"role": _name(row.role)}, place=row.place_id)


def restore_person(actor: Actor, ending: Ending) -> Iterator[Receipt]:
    """The roles come back."""
    for row in restore_roles(actor, ending):
        yield Receipt(_("Role “%(role)s”") % {"role": _name(row.role)}, place=row.place_id)


def _name(code: str) -> str:
    role = registry.roles().get(code)
    if role is None:
        return code
    return role.name_en if (get_language() or "").startswith("en") else role.name
