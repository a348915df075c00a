"""A phone that proves itself without anybody being signed in: to call for help, to hear whether its owner still gives
care, and to hand in what was not sent when they stopped. It reads nothing with it."""

import hashlib
import secrets
from datetime import timedelta
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.selectors import actor_for_user
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Forbidden
from shoufu.scenes.homecare.encounters.models import Phone
from shoufu.scenes.homecare.encounters.services.bundles import serving

Standing = Literal["open", "revoked"]
USED = timedelta(days=1)


@transaction.atomic
def enrol(actor: Actor, device: UUID) -> str:
    """A token for the phone of whoever gives care; one that it had before is worth nothing any more. Conflict where the
    phone is somebody else's."""
    (practice, *_more) = serving(actor)
    owner_id = int(actor.id)
    known = Phone.objects.select_for_update().filter(pk=device).first()
    if known is not None and known.user_id != owner_id:
        raise Conflict(_("This phone belongs to somebody else; sign in as who set it up."))
    token, now = secrets.token_urlsafe(32), timezone.now()
    Phone.objects.update_or_create(
        pk=device, defaults={"user_id": owner_id, "token": _digest(token), "since": now, "used_at": now}
    )
    place = practice.institution.place_id
    record(actor, Act("homecare.phone.enrol", practice, place, subject=practice.person_id))
    return token


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def proved(text: str) -> Phone | None:
    """The phone that this "<device>.<token>" is of; None where it is none's."""
    device, _dot, token = text.partition(".")
    try:
        number = UUID(device)
    except ValueError:
        return None
    found = Phone.objects.select_related("user").filter(pk=number).first()
    if found is None or not secrets.compare_digest(bytes(found.token), _digest(token)):
        return None
    now = timezone.now()
    if found.used_at < now - USED:
        Phone.objects.filter(pk=found.pk).update(used_at=now)
    return found


def owner(phone: Phone) -> Actor:
    """Whose phone it is, with the rights that they still have: none where the account was closed."""
    return actor_for_user(phone.user)


def standing(phone: Phone) -> Standing:
    """ "open": they give care and only have to sign in; "revoked": patients' data must leave the phone."""
    if not phone.user.is_active:
        return "revoked"
    try:
        serving(owner(phone))
    except Forbidden:
        return "revoked"
    return "open"
