from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base import hooks, keyring
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.base.hooks import Ending
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.base.lookups import among
from shoufu.kernel.base.memory import forget
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties.models import Person
from shoufu.kernel.parties.selectors import today
from shoufu.kernel.parties.services.drafts import MANAGE, insert, manageable_places, refuse

GONE = "—"


@dataclass(frozen=True)
class PersonDraft:
    """A person to be: `place` is where they live or work, whose staff may see them. Numbers in any usual writing."""

    name: str
    place: int
    phone: str = ""
    identity: str = ""
    born: date | None = None
    code: str = ""


@dataclass(frozen=True)
class PersonChange:
    """A correction; None leaves a field as it is, an empty number removes it."""

    name: str | None = None
    phone: str | None = None
    identity: str | None = None
    born: date | None = None


def create_person(actor: Actor, draft: PersonDraft) -> Person:
    """Register one person."""
    return create_people(actor, [draft])[0]


@transaction.atomic
def create_people(actor: Actor, drafts: Sequence[PersonDraft]) -> list[Person]:
    """Register people, all or none; eight queries however many. Numbers are stored encrypted with each person's key."""
    if not drafts:
        return []
    places = manageable_places(actor, (draft.place for draft in drafts))
    errors, numbers = _numbers(drafts)
    for n, draft in enumerate(drafts):
        places.take(draft.place, f"/{n}/place")
    refuse(*errors, *places.errors)
    _refuse_known_identities(numbers)
    ids = _ids(len(drafts))
    keys = subjects.keys_for(ids)
    ring = keyring.ring()
    people = [_person(draft, pk, keys[pk], clear, ring) for draft, pk, clear in zip(drafts, ids, numbers, strict=True)]
    insert(Person, people, _("A person with this code or identity number is already registered."))
    acts = [_person_act("parties.create_person", person, {"name": person.name}) for person in people]
    record_many(actor, acts, keys)
    return people


def _numbers(drafts: Sequence[PersonDraft]) -> tuple[list[FieldError], list[dict[str, str]]]:
    errors: list[FieldError] = []
    numbers: list[dict[str, str]] = []
    for n, draft in enumerate(drafts):
        clear: dict[str, str] = {}
        try:
            if draft.phone:
                clear["phone"] = identifiers.phone(draft.phone, f"/{n}/phone")
            if draft.identity:
                clear["identity"] = identifiers.identity(draft.identity, f"/{n}/identity")
        except Invalid as problem:
            errors += problem.errors
        if not draft.name.strip() or len(draft.name) > 80:
            errors.append(FieldError(f"/{n}/name", _("A name of 1 to 80 characters.")))
        numbers.append(clear)
    return errors, numbers


def _refuse_known_identities(numbers: Sequence[Mapping[str, str]], but: int = 0) -> None:
    # Under every key of the ring: the unique constraint sees only hashes made with the same key.
    ring = keyring.ring()
    given = [clear["identity"] for clear in numbers if "identity" in clear]
    hashes = [hashed for text in given for hashed in ring.lookups(text, "identity")]
    if hashes and Person.objects.filter(among("identity_lookup", hashes)).exclude(pk=but).exists():
        raise Conflict(_("A person with this identity number is already registered."))


def _ids(count: int) -> list[int]:
    with connection.cursor() as cursor:
        sequence = "select nextval(pg_get_serial_sequence('parties_person', 'id')) from generate_series(1, %s)"
        cursor.execute(sequence, [count])
        return [row[0] for row in cursor.fetchall()]


def _person(draft: PersonDraft, pk: int, key: bytes | None, clear: Mapping[str, str], ring: keyring.KeyRing) -> Person:
    born = draft.born or (identifiers.birth_date(clear["identity"]) if "identity" in clear else None)
    sealed: dict[str, bytes | None] = {}
    for name, value in clear.items():
        sealed |= _sealed(pk, key, name, value, ring)
    code, name = draft.code or uuid7().hex, draft.name.strip()
    return Person(pk=pk, code=code, name=name, place_id=draft.place, born=born, **sealed)


def _sealed(pk: int, key: bytes | None, name: str, value: str, ring: keyring.KeyRing) -> dict[str, bytes | None]:
    """The two columns of a number: encrypted with the person's key, and hashed to find it by."""
    if key is None:
        raise Conflict(_("This person's data was erased; register them anew."))
    if not value:
        return {name: None, f"{name}_lookup": None}
    return {name: subjects.seal_text(key, value, pk, name), f"{name}_lookup": ring.lookup(value, name)}


def _seal(person: Person, key: bytes | None, name: str, value: str, ring: keyring.KeyRing) -> None:
    for column, sealed in _sealed(person.pk, key, name, value, ring).items():
        setattr(person, column, sealed)


def _person_act(action: str, person: Person, personal: Mapping[str, Any], reason: str = "") -> Act:
    return Act(action, person, place=person.place_id, subject=person.pk, personal=personal, reason=reason)


def _locked_person(actor: Actor, person_id: int) -> Person:
    rows = Person.objects.select_for_update(of=("self",), no_key=True).select_related("place")
    person = rows.filter(pk=person_id).first()
    if person is None or not (actor.may("parties.view", person.place.path) or actor.may(MANAGE, person.place.path)):
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": person_id})
    policy.require(actor, MANAGE, person.place)
    if person.erased_at is not None:
        raise Conflict(_("This person's data was erased; register them anew."))
    return person


@transaction.atomic
def correct_person(actor: Actor, person_id: int, wanted: PersonChange, reason: str = "") -> Person:
    """Correct a person's data; what it was and is goes into the audit log, encrypted with the person's key."""
    person = _locked_person(actor, person_id)
    key = subjects.keys_for([person.pk])[person.pk]
    before = {name: _clear(person, key, name) for name, value in vars(wanted).items() if value is not None}
    if wanted.name is not None:
        refuse(*([FieldError("name", _("Must not be empty."))] if not wanted.name.strip() else []))
        person.name = wanted.name.strip()[:80]
    if wanted.phone is not None:
        _seal(person, key, "phone", identifiers.phone(wanted.phone) if wanted.phone else "", keyring.ring())
    if wanted.identity is not None:
        number = identifiers.identity(wanted.identity) if wanted.identity else ""
        _refuse_known_identities([{"identity": number}] if number else [], but=person.pk)
        _seal(person, key, "identity", number, keyring.ring())
    person.born = wanted.born or person.born
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as error:
        raise Conflict(_("A person with this identity number is already registered.")) from error
    after = {name: _clear(person, key, name) for name in before}
    record(actor, _person_act("parties.correct_person", person, {"before": before, "after": after}, reason))
    return person


def _clear(person: Person, key: bytes | None, name: str) -> str:
    value = getattr(person, name)
    if name in ("phone", "identity"):
        return subjects.unseal_text(key, value, person.pk, name) if value else ""
    return str(value or "")


@transaction.atomic
def erase_person(actor: Actor, person_id: int, reason: str) -> Person:
    """Erase a person: the key that opens their data, here and in the audit log, is destroyed; what is left is a number.

    Their residencies, memberships and consents end; the rows stay without a name, so that histories keep their shape.
    """
    person = _locked_person(actor, person_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say on what ground the data is erased."))
    now, day = timezone.now(), today()
    person.residencies.filter(until__isnull=True, since__lt=day).update(until=day)
    person.residencies.filter(ended_at__isnull=True).update(ended_at=now)
    hooks.end_person(actor, Ending(person.pk, now, "erased", reason.strip()))
    person.departures.all().delete()
    person.memberships.filter(until__isnull=True, since__lt=day).update(until=day)
    person.consents.filter(withdrawn_at__isnull=True).update(withdrawn_at=now)
    person.name, person.born, person.erased_at, person.code = GONE, None, now, f"erased-{person.pk}"
    person.phone = person.phone_lookup = person.identity = person.identity_lookup = None
    person.save()
    # The entry comes before the key goes, and holds nothing personal: it stays readable.
    record(actor, _person_act("parties.erase_person", person, {}, reason.strip()))
    subjects.erase(person.pk)
    forget()
    return person


@transaction.atomic
def reencrypt(actor: Actor) -> int:
    """After `keyring.rotate`: bring every person's key and look-up hashes under the active key; how many people."""
    subjects.rewrap()
    ring = keyring.ring()
    changed = []
    rows = list(Person.objects.select_for_update().filter(erased_at__isnull=True).order_by("pk"))
    keys = subjects.known_keys(person.pk for person in rows)
    for person in rows:
        for name in ("phone", "identity"):
            if getattr(person, name):
                text = subjects.unseal_text(keys[person.pk], getattr(person, name), person.pk, name)
                setattr(person, f"{name}_lookup", ring.lookup(text, name))
        changed.append(person)
    Person.objects.bulk_update(changed, ["phone_lookup", "identity_lookup"], batch_size=1000)
    record(actor, Act("parties.reencrypt", data={"key": ring.active, "people": len(changed)}))
    return len(changed)
