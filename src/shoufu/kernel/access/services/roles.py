from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.access.models import RoleAssignment, User
from shoufu.kernel.access.selectors import users
from shoufu.kernel.access.services.sessions import end_sessions
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.parties.models import Organisation
from shoufu.kernel.places.models import Place

MANAGE = "access.manage"
OWN = "own."


@dataclass(frozen=True)
class RoleDraft:
    """A role to give: to a user, in the subtree of a place, from now (or `since`) until `until` (half-open)."""

    user_id: int
    role: str
    place_id: int
    organisation_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def give_role(actor: Actor, draft: RoleDraft) -> RoleAssignment:
    """Give a user a role in a place."""
    return give_roles(actor, [draft])[0]


@transaction.atomic
def give_roles(actor: Actor, drafts: Sequence[RoleDraft]) -> list[RoleAssignment]:
    """Give roles, all or none; four queries however many. Nobody gives a right that they lack there themselves."""
    places = {place.pk: place for place in Place.objects.filter(pk__in={draft.place_id for draft in drafts})}
    accounts = set(_known_users(actor).filter(pk__in={draft.user_id for draft in drafts}).values_list("pk", flat=True))
    _refuse_organisations(actor, drafts)
    now = timezone.now()
    rows = [
        _assignment(actor, draft, places.get(draft.place_id), accounts, now, f"/{n}/") for n, draft in enumerate(drafts)
    ]
    try:
        with transaction.atomic():
            RoleAssignment.objects.bulk_create(rows)
    except IntegrityError as error:
        raise Conflict(_("This user already has this role there, or it would end before it begins.")) from error
    record_many(actor, [_role_act("access.give_role", row) for row in rows])
    return rows


def _known_users(actor: Actor) -> QuerySet[User]:
    """Accounts that one may see, and new ones that have no role yet; those of other places cannot be drawn here."""
    managed = policy.limit(RoleAssignment.objects.all(), actor, MANAGE).values("user_id")
    own = Q(pk__in=users(actor).values("pk")) | Q(pk__in=managed)
    return User.objects.filter(own | Q(assignments__isnull=True)).distinct()


def _refuse_organisations(actor: Actor, drafts: Sequence[RoleDraft]) -> None:
    wanted = {draft.organisation_id for draft in drafts if draft.organisation_id is not None}
    rows = Organisation.objects.filter(pk__in=wanted).select_related("place")
    known = {row.pk for row in rows if actor.may(MANAGE, row.place.path) or _above(actor, row.place.path)}
    for n, draft in enumerate(drafts):
        if draft.organisation_id is not None and draft.organisation_id not in known:
            text = _("There is no organisation %(id)s that you may see.") % {"id": draft.organisation_id}
            raise Invalid.one(f"/{n}/organisation_id", text)


def _above(actor: Actor, path: str) -> bool:
    """Whether a place lies above one whose access the actor manages: its offices serve that place too."""
    return any(root.startswith(path) for root in actor.paths(MANAGE))


def _assignment(
    actor: Actor, draft: RoleDraft, place: Place | None, users: set[int], now: datetime, prefix: str
) -> RoleAssignment:
    role = registry.roles().get(draft.role)
    if role is None:
        known = ", ".join(sorted(registry.roles()))
        raise Invalid.one(f"{prefix}role", _("Use one of: %(kinds)s.") % {"kinds": known})
    if place is None or not (actor.may("places.view", place.path) or actor.may(MANAGE, place.path)):
        raise Invalid.one(f"{prefix}place_id", _("There is no place %(id)s that you may see.") % {"id": draft.place_id})
    if draft.user_id not in users:
        raise Invalid.one(f"{prefix}user_id", _("There is no user %(id)s.") % {"id": draft.user_id})
    policy.require(actor, MANAGE, place)
    # Rights over what is one's own go with being a resident; whoever gives the role need not be one.
    lacking = [
        right for right in sorted(role.permissions) if not right.startswith(OWN) and not actor.may(right, place.path)
    ]
    if lacking:
        raise Forbidden(_("You cannot give rights that you lack there: %(rights)s.") % {"rights": ", ".join(lacking)})
    return RoleAssignment(
        user_id=draft.user_id,
        role=draft.role,
        place=place,
        organisation_id=draft.organisation_id,
        since=draft.since or now,
        until=draft.until,
    )


def _role_act(action: str, row: RoleAssignment, reason: str = "") -> Act:
    return Act(action, row, place=row.place_id, reason=reason, data={"user": row.user_id, "role": row.role})


@transaction.atomic
def end_role(actor: Actor, assignment_id: int, reason: str) -> RoleAssignment:
    """Take a role away from now on; the user is signed out everywhere, so no open page keeps the right."""
    rows = RoleAssignment.objects.select_for_update(of=("self",)).select_related("place")
    row = rows.filter(pk=assignment_id).first()
    if row is None or not (actor.may("access.view", row.place.path) or actor.may(MANAGE, row.place.path)):
        raise NotFound(_("There is no role assignment %(id)s that you may see.") % {"id": assignment_id})
    policy.require(actor, MANAGE, row.place)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why the role ends."))
    now = timezone.now()
    if row.until is not None and row.until <= now:
        raise Conflict(_("The role has already ended."))
    if row.since >= now:
        record(actor, _role_act("access.cancel_role", row, reason.strip()))
        row.delete()
        return row
    row.until = now
    row.save(update_fields=["until"])
    end_sessions([row.user_id])
    record(actor, _role_act("access.end_role", row, reason.strip()))
    return row
