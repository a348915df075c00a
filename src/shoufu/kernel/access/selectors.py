import hashlib
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.access.models import ApiToken, RoleAssignment, User
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor, Grant
from shoufu.kernel.base.errors import NotFound

USED_RESOLUTION = timedelta(minutes=1)


def token_hash(token: str) -> bytes:
    """SHA-256 of an API token: the token is 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).digest()


def _in_force() -> Q:
    now = timezone.now()
    return Q(since__lte=now) & (Q(until__isnull=True) | Q(until__gt=now))


def _grants(assignments: Iterable[RoleAssignment]) -> tuple[Grant, ...]:
    roles = registry.roles()
    return tuple(
        Grant(role=entry.role, path=entry.place.path, permissions=roles[entry.role].permissions)
        for entry in assignments
        if entry.role in roles
    )


def _actor(user: User, grants: tuple[Grant, ...]) -> Actor:
    return Actor(kind="user", id=str(user.pk), label=user.label, grants=grants, language=user.language)


def actor_for_user(user: User) -> Actor:
    """The actor with every grant that the user's roles give right now (one query). An inactive user has none."""
    if not user.is_active:
        return _actor(user, ())
    # Every request asks this: only what a grant is made of.
    rows = RoleAssignment.objects.filter(_in_force(), user=user).select_related("place").only("role", "place__path")
    return _actor(user, _grants(rows.order_by("id")))


def _narrowed(grants: tuple[Grant, ...], permissions: frozenset[str]) -> tuple[Grant, ...]:
    return tuple(Grant(grant.role, grant.path, grant.permissions & permissions) for grant in grants)


def actor_for_token(token: str) -> Actor | None:
    """The actor behind an API token, narrowed to its permissions; None when unknown, revoked or expired."""
    now = timezone.now()
    found = (
        ApiToken.objects.select_related("user")
        .filter(token_hash=token_hash(token), revoked_at__isnull=True, user__is_active=True)
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now))
        .first()
    )
    if found is None:
        return None
    # A figure for the owner's list, not a record: once a minute is enough and keeps hot tokens off the disk.
    if found.last_used_at is None or now - found.last_used_at > USED_RESOLUTION:
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    grants = actor_for_user(found.user).grants
    return _actor(found.user, _narrowed(grants, frozenset(found.permissions)) if found.permissions else grants)


def users(actor: Actor) -> QuerySet[User]:
    """Users with a role, now or once, in a place whose access the actor may view; oneself always."""
    if actor.is_system:
        return User.objects.order_by("username")
    own = Q(pk=actor.user_id) if actor.kind == "user" else Q(pk__in=[])
    seen = policy.limit(RoleAssignment.objects.all(), actor, "access.view").values("user_id")
    return User.objects.filter(own | Q(pk__in=seen)).order_by("username")


def get_user(actor: Actor, user_id: int) -> User:
    """One user; NotFound when the actor may not see them."""
    found = users(actor).filter(pk=user_id).first()
    if found is None:
        raise NotFound(_("There is no user %(id)s that you may see.") % {"id": user_id})
    return found


def assignments(actor: Actor, *, ended: bool = False) -> QuerySet[RoleAssignment]:
    """Role assignments in the actor's places, and the actor's own; those that ended only when asked for."""
    rows = RoleAssignment.objects.select_related("user", "place", "organisation").order_by("place__path", "role", "id")
    if not actor.is_system:
        own = Q(user_id=actor.user_id) if actor.kind == "user" else Q(pk__in=[])
        rows = rows.filter(own | policy.subtree(actor.paths("access.view")))
    return rows if ended else rows.filter(_in_force())


def tokens(actor: Actor) -> QuerySet[ApiToken]:
    """The actor's own API tokens; never the tokens themselves, which nobody can read again."""
    if actor.is_system:
        return ApiToken.objects.order_by("-created_at")
    if actor.kind != "user":
        return ApiToken.objects.none()
    return ApiToken.objects.filter(user_id=int(actor.id)).order_by(F("revoked_at").asc(nulls_first=True), "-created_at")


def holders(role: str, path: str) -> QuerySet[User]:
    """Active users who hold `role` right now at the place with this path or above it: whom to tell or to dispatch."""
    steps = path.strip("/").split("/")
    above = ["/" + "/".join(steps[: n + 1]) + "/" for n in range(len(steps))]
    rows = RoleAssignment.objects.filter(_in_force(), role=role, place__path__in=above)
    return User.objects.filter(is_active=True, pk__in=rows.values("user_id")).order_by("pk")
