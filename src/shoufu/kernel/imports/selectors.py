from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.imports.kinds import CHANGE, CREATE, MANAGE, SAME, ImportKind, Plan, kinds
from shoufu.kernel.imports.models import Import
from shoufu.kernel.imports.reading import Reading
from shoufu.kernel.places.models import Place


@dataclass(frozen=True)
class Preview:
    """What a file would do: what it says, what would become of each row, and every error."""

    kind: ImportKind
    reading: Reading
    plan: Plan

    @property
    def created(self) -> int:
        return sum(change.action == CREATE for change in self.plan.changes)

    @property
    def changed(self) -> int:
        return sum(change.action == CHANGE for change in self.plan.changes)

    @property
    def same(self) -> int:
        return sum(change.action == SAME for change in self.plan.changes)

    @property
    def rows(self) -> int:
        return len(self.reading.records)

    @property
    def wrong_rows(self) -> int:
        return len({error.row for error in self.plan.errors})

    @property
    def applicable(self) -> bool:
        return bool(self.rows) and not self.plan.errors


def visible(actor: Actor) -> QuerySet[Import]:
    """Imports into the places where the actor manages people, newest first, without the files."""
    rows = policy.limit(Import.objects.select_related("place"), actor, MANAGE)
    return rows.defer("content", "undo").order_by("-id")


def get(actor: Actor, import_id: int) -> Import:
    """One import; NotFound where the actor does not manage the place."""
    found = visible(actor).filter(pk=import_id).first()
    if found is None:
        raise NotFound(_("There is no import %(id)s that you may see.") % {"id": import_id})
    return found


def offered(actor: Actor, place: Place | None) -> list[ImportKind]:
    """The registers that the actor may fill at a place (anywhere without one)."""
    path = place.path if place else None
    return [
        kind
        for kind in kinds().values()
        if all(actor.may(name, path) if path else actor.may_anywhere(name) for name in kind.permissions)
    ]


def targets(actor: Actor, path: str = "/") -> list[Place]:
    """The places that one can import into: districts to compounds where the actor manages people."""
    rows = Place.objects.filter(kind__in=("district", "block", "compound"), closed_at__isnull=True)
    return list(policy.limit(rows.filter(path__startswith=path), actor, MANAGE, "path").order_by("path"))
