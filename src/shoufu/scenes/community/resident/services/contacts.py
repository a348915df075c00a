from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import require_anywhere
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties.models import Person
from shoufu.kernel.parties.selectors import has_consent
from shoufu.kernel.privacy import selectors as privacy
from shoufu.kernel.privacy.models import Delegation
from shoufu.kernel.privacy.services import give_consent
from shoufu.scenes.community.resident.models import Contact

MOST = 3
CONSENT = "emergency.contact"


@transaction.atomic
def add_contact(actor: Actor, name: str, phone: str = "", known: int | None = None) -> Contact:
    """Name somebody to be called in need; naming the first one is the consent "emergency.contact".

    `known`: a person who may act for the actor (they are told in the application as well).
    """
    require_anywhere(actor, "own.request")
    person = privacy.subject(actor, None, "")
    errors = []
    if not name.strip():
        errors.append(FieldError("name", _("Say whom to call.")))
    if known is not None and not Delegation.objects.filter(person=person, delegate=known).exists():
        errors.append(FieldError("known", _("Choose somebody who may act for you.")))
    number = identifiers.phone(phone) if phone.strip() else ""
    if not number and known is None:
        errors.append(FieldError("phone", _("Give a phone number.")))
    count = Contact.objects.filter(person=person).count()
    if count >= MOST:
        errors.append(FieldError("name", _("At most %(n)d people; remove one first.") % {"n": MOST}))
    if errors:
        raise Invalid(*errors)
    if not has_consent(person.pk, CONSENT):
        give_consent(actor, CONSENT)
    row = Contact.objects.create(
        person=person,
        name=_sealed(person, name.strip()[:40], "name"),
        phone=_sealed(person, number, "phone") if number else None,
        known_id=known,
        position=count + 1,
    )
    record(actor, Act("resident.add_contact", row, place=person.place_id, subject=person.pk))
    return row


def _sealed(person: Person, text: str, field: str) -> bytes:
    key = subjects.keys_for([person.pk])[person.pk]
    if key is None:
        raise Conflict(_("This person's data was erased; register them anew."))
    return subjects.seal_text(key, text, person.pk, f"contact.{field}")


@transaction.atomic
def remove_contact(actor: Actor, contact_id: int) -> None:
    """No longer call somebody."""
    person = privacy.subject(actor, None, "")
    row = Contact.objects.filter(pk=contact_id, person=person).first()
    if row is None:
        raise NotFound(_("There is no such contact of yours."))
    record(actor, Act("resident.remove_contact", row, place=person.place_id, subject=person.pk))
    row.delete()
