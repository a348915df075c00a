from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound

M = TypeVar("M", bound=Model)
VIEW, MANAGE, COMMAND, ADMIT = "doors.view", "doors.manage", "doors.command", "doors.admit"


def refuse(*errors: FieldError) -> None:
    """Invalid with all the errors, where there are any."""
    if errors:
        raise Invalid(*errors)


def locked(
    actor: Actor, rows: QuerySet[M], pk: int, permission: str = MANAGE, version: int | None = None, path: str = "place"
) -> M:
    """The row, locked, where the actor may see it; Forbidden without the right, Conflict when it changed meanwhile."""
    row: Any = rows.select_for_update(of=("self",)).select_related(path).filter(pk=pk).first()
    place = _at(row, path)
    if row is None or not any(actor.may(right, place.path) for right in (VIEW, permission)):
        raise NotFound(_("There is no such entry %(id)s that you may see.") % {"id": pk})
    policy.require(actor, permission, place)
    if version is not None and row.version != version:
        raise Conflict(_("Somebody changed it meanwhile; look at it again."), version=row.version)
    return row  # type: ignore[no-any-return]


def _at(row: Any, path: str) -> Any:
    for step in path.split("__") if row is not None else ():
        row = getattr(row, step)
    return row
