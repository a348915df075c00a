from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.access.models import ApiToken, RoleAssignment, User
from shoufu.kernel.access.selectors import get_user
from shoufu.kernel.access.services.roles import RoleDraft, give_role
from shoufu.kernel.access.services.sessions import end_sessions
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Forbidden, Invalid
from shoufu.kernel.parties.models import Person

MANAGE = "access.manage"
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
