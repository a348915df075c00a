import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.notices.channels.http import check_url
from shoufu.kernel.parties.models import Organisation
from shoufu.kernel.places.models import Place
from shoufu.kernel.referrals.models import Destination
from shoufu.kernel.referrals.terms import read_terms

MANAGE = "referrals.manage"
SECRET_BYTES = 32


@dataclass(frozen=True)
class DestinationDraft:
    """A destination as somebody fills it in; `policy` is data for `Terms`."""

    code: str
    organisation_id: int
    place_id: int
    name: str
    channel: str
    restriction: str
    name_en: str = ""
    body: str = "cap"
    url: str = ""
    second_url: str = ""
    policy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MadeDestination:
    """A destination and its secrets (`whsec_…`), which are shown once: `secret` signs ours, `callback` theirs."""

    row: Destination
    secret: str
    callback: str


def new_secret() -> str:
    """256 random bits in the spelling of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _sealed(secret: str) -> bytes:
    return keyring.ring().encrypt(secret.encode(), b"referrals.secret")


def _place(actor: Actor, place_id: int) -> Place:
    place = limit(Place.objects.all(), actor, MANAGE, "path").filter(pk=place_id).first()
    if place is None:
        raise Invalid.one("place", _("Choose a place whose referrals you may manage."))
    return place


def _check(draft: DestinationDraft) -> None:
    errors = [
        FieldError(name, _("Must not be empty."))
        for name in ("code", "name", "restriction")
        if not getattr(draft, name).strip()
    ]
    if draft.channel not in Destination.Channel.values:
        kinds = ", ".join(Destination.Channel.values)
        errors.append(FieldError("channel", _("Use one of: %(kinds)s.") % {"kinds": kinds}))
    if draft.body not in Destination.Body.values:
        kinds = ", ".join(Destination.Body.values)
        errors.append(FieldError("body", _("Use one of: %(kinds)s.") % {"kinds": kinds}))
    if any(letter.isspace() or letter in ",<&/" for letter in draft.code):
        errors.append(FieldError("code", _("Use letters, digits and hyphens.")))
    if errors:
        raise Invalid(*errors)
    if draft.channel == Destination.Channel.WEBHOOK:
        check_url("url", draft.url)
        if draft.second_url:
            check_url("second_url", draft.second_url)


def _values(draft: DestinationDraft, place: Place) -> dict[str, Any]:
    if not Organisation.objects.filter(pk=draft.organisation_id).exists():
        raise Invalid.one("organisation", _("Choose an organisation."))
    return {
        "code": draft.code.strip(),
        "organisation_id": draft.organisation_id,
        "place": place,
        "name": draft.name.strip()[:120],
        "name_en": draft.name_en.strip()[:120],
        "channel": draft.channel,
        "body": draft.body,
        "url": draft.url.strip(),
        "second_url": draft.second_url.strip(),
        "restriction": draft.restriction.strip()[:200],
        "policy": read_terms(draft.policy).as_dict(),
    }


@transaction.atomic
def create_destination(actor: Actor, draft: DestinationDraft) -> MadeDestination:
    """Add an organisation that takes cases over; its two secrets are shown once."""
    _check(draft)
    place = _place(actor, draft.place_id)
    values, secret, callback = _values(draft, place), new_secret(), new_secret()
    try:
        with transaction.atomic():
            made = Destination.objects.create(**values, secret=_sealed(secret), callback_secret=_sealed(callback))
    except IntegrityError as error:
        raise Conflict(_("There is a destination with this code already.")) from error
    record(actor, Act("referrals.destination.create", made, place.pk, data={"code": made.code}))
    return MadeDestination(made, secret, callback)


def _locked(actor: Actor, destination_id: int) -> Destination:
    rows = limit(Destination.objects.select_related("place"), actor, "referrals.view")
    found = rows.select_for_update(of=("self",)).filter(pk=destination_id).first()
    if found is None:
        raise NotFound(_("There is no destination %(id)s that you may see.") % {"id": destination_id})
    require(actor, MANAGE, found.place)
    return found


@transaction.atomic
def update_destination(
    actor: Actor, destination_id: int, draft: DestinationDraft, version: int | None = None
) -> Destination:
    """Change a destination; its secrets stay."""
    row = _locked(actor, destination_id)
    if version is not None and row.version != version:
        raise Conflict(_("Somebody changed this meanwhile; load the page again."), version=row.version)
    _check(draft)
    for name, value in _values(draft, _place(actor, draft.place_id)).items():
        setattr(row, name, value)
    row.version += 1
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("There is a destination with this code already.")) from error
    record(actor, Act("referrals.destination.update", row, row.place_id, data={"code": row.code}))
    return row


@transaction.atomic
def set_active(actor: Actor, destination_id: int, *, active: bool) -> Destination:
    """Stop or resume sending cases to a destination; what is under way goes on."""
    row = _locked(actor, destination_id)
    row.active = active
    row.version += 1
    row.save(update_fields=["active", "version"])
    record(actor, Act("referrals.destination.active", row, row.place_id, data={"active": active}))
    return row


@transaction.atomic
def renew_secrets(actor: Actor, destination_id: int) -> MadeDestination:
    """New secrets, shown once; the old ones stop at once."""
    row, secret, callback = _locked(actor, destination_id), new_secret(), new_secret()
    row.secret, row.callback_secret = _sealed(secret), _sealed(callback)
    row.version += 1
    row.save(update_fields=["secret", "callback_secret", "version"])
    record(actor, Act("referrals.destination.secrets", row, row.place_id))
    return MadeDestination(row, secret, callback)
