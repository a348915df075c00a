from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.bulk import copy_in
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.kernel.base.lookups import among
from shoufu.kernel.places.models import Place

M = TypeVar("M", bound=models.Model)
MANAGE = "parties.manage"


@dataclass
class Rows:
    """Rows that drafts point at, read once, with the errors of those that are not there."""

    found: Mapping[int, Any]
    what: str
    errors: list[FieldError] = field(default_factory=list)

    def take(self, pk: int, where: str) -> Any:
        row = self.found.get(pk)
        if row is None:
            message = _("There is no %(what)s %(id)s that you may see.") % {"what": self.what, "id": pk}
            self.errors.append(FieldError(where, message))
        return row


def manageable_places(actor: Actor, ids: Iterable[int]) -> Rows:
    """Open places where the actor may manage people; Forbidden where they are only seen."""
    found = {}
    for place in Place.objects.filter(pk__in=set(ids), closed_at__isnull=True):
        if not (actor.may("places.view", place.path) or actor.may(MANAGE, place.path)):
            continue
        policy.require(actor, MANAGE, place)
        found[place.pk] = place
    return Rows(found, _("place"))


def manageable(actor: Actor, rows: models.QuerySet[M], ids: Iterable[int], what: str) -> Rows:
    """The wanted rows that lie in places where the actor may manage people."""
    limited = policy.limit(rows.filter(among("pk", set(ids))), actor, MANAGE)
    return Rows({row.pk: row for row in limited}, what)


def manageable_ids(actor: Actor, rows: models.QuerySet[M], ids: Iterable[int], what: str) -> Rows:
    """As `manageable`, where it only matters that the rows are there: their ids instead of the rows."""
    limited = policy.limit(rows.filter(among("pk", set(ids))), actor, MANAGE)
    return Rows({pk: pk for pk in limited.values_list("pk", flat=True)}, what)


def refuse(*errors: FieldError) -> None:
    """Invalid with all the errors, where there are any."""
    if errors:
        raise Invalid(*errors)


def insert(model: type[M], rows: Sequence[M], taken: str) -> list[M]:
    """One COPY; Conflict with the sentence `taken` where a constraint refuses it."""
    try:
        with transaction.atomic():
            return copy_in(model, rows)
    except IntegrityError as error:
        raise Conflict(taken) from error
