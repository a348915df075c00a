import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.access.models import ApiToken, RoleAssignment, User
from shoufu.kernel.access.selectors import get_user, token_hash, users
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from shoufu.kernel.parties.models import Organisation, Person
from shoufu.kernel.places.models import Place

MANAGE = "access.manage"
OWN = "own."
TOKEN_PREFIX = "sft_"
GONE = "gone-"


@dataclass(frozen=True)
class UserDraft:
    """An account to be. Without a password nobody can sign in with one (a passkey or single sign-on can be added)."""

    username: str
    display_name: str = ""
    password: str | None = None
    person_id: int | None = None
    language: str = "zh-hans"
    email: str = ""


@dataclass(frozen=True)
class RoleDraft:
    """A role to give: to a user, in the subtree of a place, from now (or `since`) until `until` (half-open)."""

    user_id: int
    role: str
    place_id: int
    organisation_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class MadeToken:
    """A new API token and its text, which nobody can read again."""

    row: ApiToken
    token: str


def create_user(actor: Actor, draft: UserDraft) -> User:
    """Make one account; it has no rights before it is given a role."""
    return create_users(actor, [draft])[0]


@transaction.atomic
def create_users(actor: Actor, drafts: Sequence[UserDraft]) -> list[User]:
    """Make accounts, all or none; two queries however many."""
    policy.require_anywhere(actor, MANAGE)
    errors = [error for n, draft in enumerate(drafts) for error in _user_errors(draft, f"/{n}/")]
    errors += _unknown_people(actor, drafts)
    if errors:
        raise Invalid(*errors)
    made = [
        User(
            username=draft.username,
            display_name=draft.display_name,
            password=make_password(draft.password),
            person_id=draft.person_id,
            language=draft.language,
            email=draft.email,
        )
        for draft in drafts
    ]
    try:
        with transaction.atomic():
            User.objects.bulk_create(made)
    except IntegrityError as error:
        raise Conflict(_("An account with this name, or for this person, is already there.")) from error
    record_many(actor, [_user_act("access.create_user", user) for user in made])
    return made


def _user_errors(draft: UserDraft, prefix: str) -> list[FieldError]:
    errors = []
    try:
        User.username_validator(draft.username)
    except ValidationError as error:
        errors.append(FieldError(f"{prefix}username", "; ".join(error.messages)))
    if draft.password is not None:
        try:
            validate_password(draft.password, User(username=draft.username))
        except ValidationError as error:
            errors.append(FieldError(f"{prefix}password", "; ".join(error.messages)))
    if draft.language not in ("zh-hans", "en"):
        errors.append(FieldError(f"{prefix}language", _("Use one of: %(kinds)s.") % {"kinds": "zh-hans, en"}))
    return errors


@transaction.atomic
def create_user_with_role(actor: Actor, draft: UserDraft, role: RoleDraft) -> User:
    """Make an account and give it its first role, both or neither; `role.user_id` is not read."""
    user = create_user(actor, draft)
    give_role(actor, replace(role, user_id=user.pk))
    return user


def _unknown_people(actor: Actor, drafts: Sequence[UserDraft]) -> list[FieldError]:
    """An account opens what is its person's own: only people at places whose access one manages may be named."""
    wanted = {draft.person_id for draft in drafts if draft.person_id is not None}
    if not wanted:
        return []
    known = set(policy.limit(Person.objects.filter(pk__in=wanted), actor, MANAGE).values_list("pk", flat=True))
    return [
        FieldError(f"/{n}/person_id", _("There is no person %(id)s that you may see.") % {"id": draft.person_id})
        for n, draft in enumerate(drafts)
        if draft.person_id is not None and draft.person_id not in known
    ]


def _user_act(action: str, user: User, reason: str = "") -> Act:
    named = {"username": user.username}
    if user.person_id is None:
        return Act(action, user, reason=reason, data=named)
    return Act(action, user, reason=reason, personal=named, subject=user.person_id)


def _managed(actor: Actor, user_id: int) -> User:
    """A user in all of whose places the actor manages access: nobody touches an account that reaches further."""
    user = get_user(actor, user_id)
    policy.require_anywhere(actor, MANAGE)
    held = RoleAssignment.objects.filter(user=user, until__isnull=True).select_related("place")
    if any(not actor.may(MANAGE, assignment.place.path) for assignment in held):
        raise Forbidden(_("This account has roles beyond the places whose access you manage."))
    return user


@transaction.atomic
def deactivate(actor: Actor, user_id: int, reason: str) -> User:
    """Close an account: it cannot sign in, its roles end, its sessions and tokens stop now."""
    user = _managed(actor, user_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why the account is closed."))
    user.is_active = False
    user.save(update_fields=["is_active"])
    now = timezone.now()
    RoleAssignment.objects.filter(user=user, until__isnull=True).update(until=now)
    ApiToken.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=now)
    end_sessions([user.pk])
    record(actor, _user_act("access.deactivate", user, reason.strip()))
    return user


def end_sessions(user_ids: Iterable[int]) -> None:
    """Sign these users out everywhere, by their next request."""
    User.objects.filter(pk__in=list(user_ids)).update(session_epoch=F("session_epoch") + 1)


@transaction.atomic
def sign_out(actor: Actor, user_id: int, reason: str) -> User:
    """End every session of an account: whoever uses it must sign in again."""
    user = _managed(actor, user_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why the sessions end."))
    end_sessions([user.pk])
    record(actor, _user_act("access.end_sessions", user, reason.strip()))
    return user


@transaction.atomic
def purge_accounts(actor: Actor, now: datetime | None = None) -> int:
    """Remove what their retention no longer covers: roles that ended a year ago, and accounts without any since then.

    Others' rows still name an account (a case that it was given, the author of a verdict), so its row stays, without
    name, address, password, person and keys. Returns how many accounts went. For the daily task.
    """
    if not actor.is_system:
        raise Forbidden(_("Only the system removes what is out of date."))
    before = (now or timezone.now()) - timedelta(days=User.RETENTION_DAYS)
    RoleAssignment.objects.filter(until__lt=before).delete()
    ApiToken.objects.filter(Q(revoked_at__lt=before) | Q(expires_at__lt=before)).delete()
    rows = User.objects.filter(assignments__isnull=True, date_joined__lt=before).exclude(last_login__gte=before)
    gone = list(rows.exclude(username__startswith=GONE).select_for_update(of=("self",)))
    for user in gone:
        record(actor, _user_act("access.purge_user", user))
        user.username, user.display_name, user.email = f"{GONE}{user.pk}", "", ""
        user.first_name = user.last_name = ""
        user.is_active, user.person_id = False, None
        user.password = make_password(None)
    User.objects.bulk_update(
        gone,
        ["username", "display_name", "email", "first_name", "last_name", "is_active", "person", "password"],
    )
    ids = [user.pk for user in gone]
    Authenticator.objects.filter(user__in=ids).delete()
    ApiToken.objects.filter(user__in=ids).delete()
    end_sessions(ids)
    return len(gone)


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


@transaction.atomic
def create_token(
    actor: Actor, name: str, permissions: Sequence[str] = (), expires_at: datetime | None = None
) -> MadeToken:
    """Make an API token for oneself with some (default: all) of one's rights; its text is shown once."""
    if actor.user_id is None:
        raise Forbidden(_("Only a user has API tokens."))
    held = {right for grant in actor.grants for right in grant.permissions}
    unknown = [right for right in permissions if right not in held]
    if unknown:
        raise Invalid.one("permissions", _("You lack: %(rights)s.") % {"rights": ", ".join(unknown)})
    if not held:
        raise Forbidden(_("You have no rights that a token could use."))
    if not name.strip():
        raise Invalid.one("name", _("Say what the token is for."))
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid.one("expires_at", _("Lies in the past."))
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user_id=actor.user_id,
        name=name.strip()[:80],
        prefix=token[:8],
        token_hash=token_hash(token),
        # Always written out: a role given later must not widen a token that is already out there.
        permissions=sorted(permissions or held),
        expires_at=expires_at,
    )
    record(actor, Act("access.create_token", row, data={"permissions": row.permissions}))
    return MadeToken(row, token)


@transaction.atomic
def revoke_token(actor: Actor, token_id: int) -> ApiToken:
    """Stop one of one's own API tokens, at once and for good."""
    row = ApiToken.objects.select_for_update().filter(pk=token_id, user_id=actor.user_id or 0).first()
    if row is None:
        raise NotFound(_("You have no API token %(id)s.") % {"id": token_id})
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        record(actor, Act("access.revoke_token", row))
    return row


@dataclass(frozen=True)
class Preferences:
    """How a user likes the pages; None leaves a preference as it is."""

    display_name: str | None = None
    language: str | None = None
    theme: str | None = None
    large_print: bool | None = None


@transaction.atomic
def set_preferences(actor: Actor, wanted: Preferences) -> User:
    """Change one's own language, theme, print size or shown name."""
    user = User.objects.select_for_update().filter(pk=actor.user_id or 0).first()
    if user is None:
        raise Forbidden(_("Only a user has preferences."))
    given = {name: value for name, value in vars(wanted).items() if value is not None}
    for name, value in given.items():
        setattr(user, name, value)
    try:
        user.clean_fields(exclude=[field.name for field in User._meta.fields if field.name not in given])
    except ValidationError as error:
        raise Invalid(*(FieldError(name, "; ".join(texts)) for name, texts in error.message_dict.items())) from error
    if given:
        user.save(update_fields=list(given))
        record(actor, Act("access.preferences", user, data={"changed": sorted(given)}, subject=user.person_id))
    return user


def signed_in(user: User, method: str) -> None:
    """Keep that a user signed in, and how."""
    _own_act(user, "access.sign_in", {"method": method})


def signed_out(user: User) -> None:
    """Keep that a user signed out."""
    _own_act(user, "access.sign_out", {})


def sign_in_failed(username: str, address: str) -> None:
    """Keep a failed sign-in to an account that exists; other names are not kept: people type passwords there."""
    user = User.objects.filter(username__iexact=username).first()
    if user is not None:
        _own_act(user, "access.sign_in_failed", {}, {"address": address})


def credential_changed(user: User, what: str) -> None:
    """Keep that a user changed a password or passkey."""
    _own_act(user, "access.credential", {"what": what})


def _own_act(user: User, action: str, data: dict[str, str], personal: dict[str, str] | None = None) -> None:
    actor = Actor(kind="user", id=str(user.pk), label=user.label, language=user.language)
    if user.person_id is None:
        record(actor, Act(action, user, data=data | (personal or {})))
        return
    record(actor, Act(action, user, data=data, subject=user.person_id, personal=personal or {}))
