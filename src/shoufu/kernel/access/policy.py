from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor, Grant
from shoufu.kernel.base.errors import Forbidden, NotFound
from shoufu.kernel.places.models import Place

M = TypeVar("M", bound=Model)


def subtree(paths: Iterable[str], field: str = "place__path") -> Q:
    """The condition "lies in one of these subtrees"; no paths match nothing."""
    return reduce(or_, (Q(**{f"{field}__startswith": path}) for path in paths), Q(pk__in=[]))


def limit(rows: QuerySet[M], actor: Actor, permission: str, field: str = "place__path") -> QuerySet[M]:
    """Only the rows in the subtrees where the actor has the permission; nothing is visible by default."""
    if actor.is_system:
        return rows
    return rows.filter(subtree(actor.paths(permission), field))


def require(actor: Actor, permission: str, place: Place) -> None:
    """Raise Forbidden unless the actor has the permission at this place; NotFound where they have none at all."""
    if actor.may(permission, place.path):
        return
    if not any(place.path.startswith(grant.path) for grant in actor.grants):
        # Nothing to do with this place: a refusal that names it would tell what stands there.
        raise NotFound(_("There is no place %(id)s that you may see.") % {"id": place.pk})
    raise Forbidden(_("You need the right “%(right)s” at %(place)s.") % {"right": permission, "place": place.label})


def require_anywhere(actor: Actor, permission: str) -> None:
    """Raise Forbidden unless the actor has the permission at some place."""
    if not actor.may_anywhere(permission):
        raise Forbidden(_("You need the right “%(right)s”.") % {"right": permission})


def lent(actor: Actor, path: str, *permissions: str) -> Actor:
    """The same actor with rights below one place, for one call of a kernel service after a scene checked its own right.

    A scene's staff then need no wide kernel right for the little of it that their work takes; the audit log names them.
    """
    return replace(actor, grants=(*actor.grants, Grant("lent", path, frozenset(permissions))))
