import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.models import ApiToken, User
from shoufu.kernel.access.selectors import token_hash
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import FieldError, Forbidden, Invalid, NotFound

TOKEN_PREFIX = "sft_"


@dataclass(frozen=True)
class MadeToken:
    """A new API token and its text, which nobody can read again."""

    row: ApiToken
    token: str


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
