from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, require_anywhere
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import SYSTEM, Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.doors import selectors as doors
from shoufu.kernel.doors.models import Credential, Technology
from shoufu.kernel.doors.services import (
    CredentialDraft,
    PhoneKey,
    ask_open,
    issue,
    report_lost,
    resident_qr_key,
    revoke,
    revoke_phone,
)
from shoufu.kernel.places.models import Place
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.community.acting import compound_of, lent
from shoufu.scenes.community.resident.models import HousePolicy

SCOPE = "door.open"


def enrol(actor: Actor, phone: str) -> PhoneKey:
    """Make this phone a key of the actor's own doors; the key is handed out once. Nobody enrols a phone for another."""
    require_anywhere(actor, "own.door")
    person = privacy.subject(actor, None, "")
    return resident_qr_key(actor, person.pk, phone.strip() or _("Phone"))


@transaction.atomic
def open_door(actor: Actor, point_id: int, person_id: int | None = None) -> None:
    """Open the door of one's own unit or compound from the phone, where the property office allows it.

    Never a dwelling's own door. For a parent by whoever was granted "door.open".
    """
    require_anywhere(actor, "own.door")
    person = privacy.subject(actor, person_id, SCOPE)
    found = next((one.point for one in doors.doors_for(SYSTEM, person.pk) if one.point.pk == point_id), None)
    if found is None:
        raise NotFound(_("There is no such door of yours."))
    if found.dwelling or not may_open(found.place):
        raise Forbidden(_("Doors are not opened by phone here; use your code, card or PIN, or call the guard."))
    ask_open(lent(actor, found.place.path, "doors.command", "doors.view"), point_id, _("opened by its resident"))
    record(actor, Act("resident.open_door", found, place=found.place_id, subject=person.pk))


def may_open(place: Place) -> bool:
    """Whether residents open the doors of this compound by phone."""
    return HousePolicy.objects.filter(place=compound_of(place), remote_open=True).exists()


@transaction.atomic
def set_policy(actor: Actor, place_id: int, *, remote_open: bool) -> HousePolicy:
    """Say what residents of a compound may do by phone."""
    rows = limit(Place.objects.filter(kind=Place.Kind.COMPOUND), actor, "resident.manage", "path")
    place = rows.filter(pk=place_id).first()
    if place is None:
        raise Invalid.one("place", _("Choose a compound that you manage."))
    row, _made = HousePolicy.objects.update_or_create(place=place, defaults={"remote_open": remote_open})
    record(actor, Act("resident.policy", row, place=place.pk, data={"remote_open": remote_open}))
    return row


def lost(actor: Actor, credential_id: int) -> None:
    """A card or phone of one's own is lost: it opens nothing from this moment."""
    require_anywhere(actor, "own.door")
    row = _own(actor, credential_id)
    if row.technology == Technology.QR:
        revoke_phone(actor, row.pk)
    else:
        report_lost(actor, row.pk)


def _own(actor: Actor, credential_id: int) -> Credential:
    person = privacy.subject(actor, None, "")
    found = Credential.objects.filter(pk=credential_id, person=person).first()
    if found is None:
        raise NotFound(_("There is no such entry %(id)s that you may see.") % {"id": credential_id})
    return found


@transaction.atomic
def new_pin(actor: Actor) -> str:
    """A new PIN for one's own doors, shown once; the old one opens nothing from now on."""
    require_anywhere(actor, "own.door")
    person = privacy.subject(actor, None, "")
    mine = doors.doors_for(actor, person.pk)
    if not mine:
        raise Conflict(_("You have no doors here yet; ask the property office."))
    place = compound_of(mine[0].point.place)
    office = lent(actor, place.path, "doors.manage")
    if person.place.path not in (place.path,) and not person.place.path.startswith(place.path):
        office = lent(office, person.place.path, "doors.manage")
    pins = Credential.objects.filter(person=person, technology=Technology.PIN, duress=False)
    old = list(pins.exclude(state=Credential.State.REVOKED).values_list("pk", flat=True))
    if old:
        revoke(office, old, _("replaced by its owner"))
    return issue(office, CredentialDraft(place.pk, Technology.PIN, person=person.pk)).value
