"""Acting for a family member: rights that are lent for one call, and whose homes somebody may act for."""

from dataclasses import replace

from django.db.models import Q
from django.utils import timezone

from shoufu.kernel.access.models import User
from shoufu.kernel.base.actor import Actor, Grant
from shoufu.kernel.parties.models import Person, Residency
from shoufu.kernel.parties.selectors import current
from shoufu.kernel.places.models import Place

LENT = "family"


def lent(actor: Actor, path: str, *permissions: str) -> Actor:
    """The same actor with rights below one place, for one call of a kernel service after the grant was checked here.

    The audit log names the actor; the role under which it is lent is one of private persons, whose names stay out.
    """
    return replace(actor, grants=(*actor.grants, Grant(LENT, path, frozenset(permissions))))


def compound_of(place: Place) -> Place:
    """The compound around a place; the place itself where there is none."""
    parts = place.path.strip("/").split("/")
    around = ["/" + "/".join(parts[:end]) + "/" for end in range(1, len(parts) + 1)]
    return Place.objects.filter(path__in=around, kind=Place.Kind.COMPOUND).order_by("-depth").first() or place


def people_of(household_id: int) -> set[int]:
    """Ids of the people who live in a household today."""
    return set(
        Residency.objects.filter(current(), household=household_id, ended_at__isnull=True).values_list(
            "person_id", flat=True
        )
    )


def accounts_of(person_ids: set[int], scope: str) -> list[int]:
    """Accounts of these people and of those who may act for one of them in `scope`: whom a notice reaches."""
    now = timezone.now()
    begun = Q(delegated__since__lte=now, delegated__withdrawn_at__isnull=True)
    running = begun & (Q(delegated__until__isnull=True) | Q(delegated__until__gt=now))
    granted = running & Q(delegated__person__in=person_ids, delegated__scopes__contains=[scope])
    acting = Person.objects.filter(granted, erased_at__isnull=True).values("pk")
    rows = User.objects.filter(Q(person__in=person_ids) | Q(person__in=acting), is_active=True)
    return sorted(set(rows.values_list("pk", flat=True)))
