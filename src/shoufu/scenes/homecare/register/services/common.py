import json
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import require
from shoufu.kernel.audit import subjects
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.parties.models import Person
from shoufu.kernel.parties.selectors import known_by
from shoufu.scenes.homecare.register import selectors
from shoufu.scenes.homecare.register.models import Institution

MANAGE = selectors.MANAGE
ACCESS, HEALTH = "homecare.access", "homecare.health"


def managed(actor: Actor, institution_id: int) -> Institution:
    """An institution whose register the actor may change; NotFound or Forbidden."""
    found = selectors.institution(actor, institution_id)
    require(actor, MANAGE, found.place)
    return found


def person_named(name: str, phone: str, institution: Institution) -> Person:
    """The person with this name and phone number in the institution's places; Invalid where nobody fits."""
    if not name.strip() or not phone.strip():
        fields = (("name", name), ("phone", phone))
        raise Invalid(*(FieldError(field, _("Must not be empty.")) for field, text in fields if not text.strip()))
    found = known_by(name, phone, institution.place.path)
    if found is None:
        raise Invalid.one("phone", _("Nobody here is registered with this name and this phone number."))
    return found


def chosen(field: str, values: Iterable[str], known: Iterable[str]) -> list[str]:
    """The values without doubles; Invalid names the field and what it takes."""
    listed, allowed = list(dict.fromkeys(values)), list(known)
    if wrong := [value for value in listed if value not in allowed]:
        said = _("“%(value)s” is not known. Use: %(kinds)s.") % {"value": wrong[0], "kinds": ", ".join(allowed)}
        raise Invalid.one(field, said)
    return listed


def sealed(person_id: int, value: Any, field: str) -> bytes | None:
    """A JSON value encrypted with a person's key; None for nothing. Conflict where their data was erased."""
    if not value:
        return None
    key = subjects.keys_for([person_id])[person_id]
    if key is None:
        raise Conflict(_("This person's data was erased; register them anew."))
    return subjects.seal_text(key, json.dumps(value, ensure_ascii=False), person_id, field)


def opened(key: bytes | None, kept: bytes | memoryview | None, person_id: int, field: str) -> Any:
    """What `sealed` took, with the person's key; None where nothing is kept."""
    return json.loads(subjects.unseal_text(key, bytes(kept), person_id, field)) if kept else None


def follow_with_booking(actor: Actor, office: Institution) -> None:
    """Bring what can be booked of an institution in step with its services and people."""
    from shoufu.scenes.homecare.visits.services import keep_in_step

    keep_in_step(actor, office)


def missing(what: str, number: int) -> NotFound:
    return NotFound(_("There is no %(what)s %(id)s that you may see.") % {"what": what, "id": number})
