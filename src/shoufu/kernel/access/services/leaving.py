from django.db.models import Q, QuerySet

from shoufu.kernel.access.models import ApiToken, RoleAssignment, User
from shoufu.kernel.access.services.sessions import end_sessions
from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.hooks import Ending
from shoufu.kernel.parties.models import Household
from shoufu.kernel.places.models import Place

RESIDENT = "resident"
FOR_GOOD = ("died", "erased")


def end_roles(actor: Actor, ending: Ending) -> list[RoleAssignment]:
    """End what a person's account could do by what has ended; they are signed out where anything did.

    Death and erasure close the account. Who leaves a household stops being a resident of its compound, unless they
    go on living there; what they do for their work is not touched.
    """
    # Not against what only refers to the row: a booking that is being made would wait here, and we for its locks.
    user = User.objects.select_for_update(no_key=True).filter(person=ending.person).first()
    if user is None:
        return []
    rows = list(_ending(user, ending).select_related("place"))
    for row in rows:
        row.until = max(ending.at, row.since)
    RoleAssignment.objects.bulk_update(rows, ["until"])
    data = {"user": user.pk, "cause": ending.cause}
    acts = [Act("access.end_role", row, place=row.place_id, reason=ending.reason, data=data) for row in rows]
    closes = ending.cause in FOR_GOOD and user.is_active
    if closes:
        user.is_active = False
        user.save(update_fields=["is_active"])
        ApiToken.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=ending.at)
        acts.append(Act("access.deactivate", user, reason=ending.reason, data=data, subject=ending.person))
    if acts:
        record_many(actor, acts)
        end_sessions([user.pk])
    return rows


def restore_roles(actor: Actor, ending: Ending) -> list[RoleAssignment]:
    """Give back the roles that this ending took; whoever was signed out signs in again."""
    user = User.objects.select_for_update(no_key=True).filter(person=ending.person).first()
    if user is None:
        return []
    rows = list(RoleAssignment.objects.select_for_update().filter(user=user, until=ending.at))
    for row in rows:
        row.until = None
    RoleAssignment.objects.bulk_update(rows, ["until"])
    data = {"user": user.pk, "cause": ending.cause}
    record_many(actor, [Act("access.restore_role", row, place=row.place_id, data=data) for row in rows])
    return rows


def _ending(user: User, ending: Ending) -> QuerySet[RoleAssignment]:
    open_ = Q(until__isnull=True) | Q(until__gt=ending.at)
    rows = RoleAssignment.objects.select_for_update(of=("self",)).filter(open_, user=user)
    if ending.cause in FOR_GOOD:
        return rows
    left = Household.objects.select_related("place").filter(pk=ending.household or 0).first()
    if left is None:
        return rows.none()
    kept = list(Household.objects.filter(pk__in=ending.remaining).values_list("place__path", flat=True))
    over = [place.pk for place in _around(left.place) if not any(path.startswith(place.path) for path in kept)]
    return rows.filter(role=RESIDENT, place__in=over)


def _around(place: Place) -> list[Place]:
    """The place and those it lies in."""
    parts = place.path.strip("/").split("/")
    return list(Place.objects.filter(path__in=["/" + "/".join(parts[:end]) + "/" for end in range(1, len(parts) + 1)]))
