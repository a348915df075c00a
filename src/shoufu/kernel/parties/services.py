from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties.models import Consent, Household, Membership, Organisation, Person, Residency, Vehicle
from shoufu.kernel.parties.selectors import today
from shoufu.kernel.places.models import Place

M = TypeVar("M", bound=models.Model)
MANAGE = "parties.manage"
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
class HouseholdDraft:
    """A household behind one door number (`number`, such as "301") of a unit."""

    place: int
    number: str
    code: str = ""


@dataclass(frozen=True)
class OrganisationDraft:
    """An organisation at a place."""

    code: str
    kind: str
    name: str
    place: int
    name_en: str = ""


@dataclass(frozen=True)
class ResidencyDraft:
    """A person lives in a household from `since` (default: today) to `until` (half-open)."""

    person: int
    household: int
    kind: str = "owner"
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class MembershipDraft:
    """A person works for an organisation from `since` (default: today) to `until` (half-open)."""

    person: int
    organisation: int
    title: str
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class VehicleDraft:
    """A vehicle that may enter a place; the plate in any usual writing, its colour guessed from its form."""

    plate: str
    place: int
    household: int | None = None
    colour: str = ""
    since: date | None = None
    until: date | None = None


@dataclass
class _Rows:
    """Rows that drafts point at, read once, with the errors of those that are not there."""

    found: Mapping[int, Any]
    what: str
    errors: list[FieldError] = field(default_factory=list)

    def take(self, pk: int, where: str) -> Any:
        row = self.found.get(pk)
        if row is None:
            message = _("There is no %(what)s %(id)s that you may see.") % {"what": self.what, "id": pk}
            self.errors.append(FieldError(where, message))
        return row


def _places(actor: Actor, ids: Iterable[int]) -> _Rows:
    """Open places where the actor may manage people; Forbidden where they are only seen."""
    found = {}
    for place in Place.objects.filter(pk__in=set(ids), closed_at__isnull=True):
        if not (actor.may("places.view", place.path) or actor.may(MANAGE, place.path)):
            continue
        policy.require(actor, MANAGE, place)
        found[place.pk] = place
    return _Rows(found, _("place"))


def _visible(actor: Actor, rows: models.QuerySet[M], ids: Iterable[int], what: str, path: str = "place__path") -> _Rows:
    limited = policy.limit(rows.filter(pk__in=set(ids)), actor, MANAGE, path)
    return _Rows({row.pk: row for row in limited}, what)


def _refuse(*errors: FieldError) -> None:
    if errors:
        raise Invalid(*errors)


def _insert(model: type[M], rows: Sequence[M], taken: str) -> list[M]:
    try:
        with transaction.atomic():
            return model._default_manager.bulk_create(rows)
    except IntegrityError as error:
        raise Conflict(taken) from error


def create_person(actor: Actor, draft: PersonDraft) -> Person:
    """Register one person."""
    return create_people(actor, [draft])[0]


@transaction.atomic
def create_people(actor: Actor, drafts: Sequence[PersonDraft]) -> list[Person]:
    """Register people, all or none; eight queries however many. Numbers are stored encrypted with each person's key."""
    if not drafts:
        return []
    places = _places(actor, (draft.place for draft in drafts))
    errors, numbers = _numbers(drafts)
    for n, draft in enumerate(drafts):
        places.take(draft.place, f"/{n}/place")
    _refuse(*errors, *places.errors)
    _refuse_known_identities(numbers)
    ids = _ids(len(drafts))
    keys = subjects.keys_for(ids)
    people = [_person(draft, pk, keys[pk], clear) for draft, pk, clear in zip(drafts, ids, numbers, strict=True)]
    _insert(Person, people, _("A person with this code or identity number is already registered."))
    record_many(actor, [_person_act("parties.create_person", person, {"name": person.name}) for person in people])
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


def _refuse_known_identities(numbers: Sequence[Mapping[str, str]]) -> None:
    # Under every key of the ring: the unique constraint sees only hashes made with the same key.
    ring = keyring.ring()
    given = [clear["identity"] for clear in numbers if "identity" in clear]
    hashes = [hashed for text in given for hashed in ring.lookups(text, "identity")]
    if hashes and Person.objects.filter(identity_lookup__in=hashes).exists():
        raise Conflict(_("A person with this identity number is already registered."))


def _ids(count: int) -> list[int]:
    with connection.cursor() as cursor:
        sequence = "select nextval(pg_get_serial_sequence('parties_person', 'id')) from generate_series(1, %s)"
        cursor.execute(sequence, [count])
        return [row[0] for row in cursor.fetchall()]


def _person(draft: PersonDraft, pk: int, key: bytes | None, clear: Mapping[str, str]) -> Person:
    born = draft.born or (identifiers.birth_date(clear["identity"]) if "identity" in clear else None)
    person = Person(pk=pk, code=draft.code or uuid7().hex, name=draft.name.strip(), place_id=draft.place, born=born)
    for name, value in clear.items():
        _seal(person, key, name, value)
    return person


def _seal(person: Person, key: bytes | None, name: str, value: str) -> None:
    if key is None:
        raise Conflict(_("This person's data was erased; register them anew."))
    setattr(person, name, subjects.seal_text(key, value, person.pk, name) if value else None)
    setattr(person, f"{name}_lookup", keyring.ring().lookup(value, name) if value else None)


def _person_act(action: str, person: Person, personal: Mapping[str, Any], reason: str = "") -> Act:
    return Act(action, person, place=person.place_id, subject=person.pk, personal=personal, reason=reason)


def _locked_person(actor: Actor, person_id: int) -> Person:
    person = Person.objects.select_for_update(of=("self",)).select_related("place").filter(pk=person_id).first()
    if person is None or not (actor.may("parties.view", person.place.path) or actor.may(MANAGE, person.place.path)):
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": person_id})
    policy.require(actor, MANAGE, person.place)
    if person.erased_at is not None:
        raise Conflict(_("This person's data was erased; register them anew."))
    return person


@dataclass(frozen=True)
class PersonChange:
    """A correction; None leaves a field as it is, an empty number removes it."""

    name: str | None = None
    phone: str | None = None
    identity: str | None = None
    born: date | None = None


@transaction.atomic
def correct_person(actor: Actor, person_id: int, wanted: PersonChange, reason: str = "") -> Person:
    """Correct a person's data; what it was and is goes into the audit log, encrypted with the person's key."""
    person = _locked_person(actor, person_id)
    key = subjects.keys_for([person.pk])[person.pk]
    before = {name: _clear(person, key, name) for name, value in vars(wanted).items() if value is not None}
    if wanted.name is not None:
        _refuse(*([FieldError("name", _("Must not be empty."))] if not wanted.name.strip() else []))
        person.name = wanted.name.strip()[:80]
    if wanted.phone is not None:
        _seal(person, key, "phone", identifiers.phone(wanted.phone) if wanted.phone else "")
    if wanted.identity is not None:
        _seal(person, key, "identity", identifiers.identity(wanted.identity) if wanted.identity else "")
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
    person.memberships.filter(until__isnull=True, since__lt=day).update(until=day)
    person.consents.filter(withdrawn_at__isnull=True).update(withdrawn_at=now)
    person.name, person.born, person.erased_at, person.code = GONE, None, now, f"erased-{person.pk}"
    person.phone = person.phone_lookup = person.identity = person.identity_lookup = None
    person.save()
    # The entry comes before the key goes, and holds nothing personal: it stays readable.
    record(actor, _person_act("parties.erase_person", person, {}, reason.strip()))
    subjects.erase(person.pk)
    return person


@transaction.atomic
def create_households(actor: Actor, drafts: Sequence[HouseholdDraft]) -> list[Household]:
    """Register households, all or none; three queries however many."""
    places = _places(actor, (draft.place for draft in drafts))
    rows = []
    for n, draft in enumerate(drafts):
        place = places.take(draft.place, f"/{n}/place")
        if not draft.number.strip() or len(draft.number) > 16:
            places.errors.append(FieldError(f"/{n}/number", _("A door number of 1 to 16 characters.")))
        if place is not None:
            code = draft.code or f"{place.code}-{draft.number}"
            rows.append(Household(code=code, place=place, number=draft.number.strip()))
    _refuse(*places.errors)
    _insert(Household, rows, _("This door number is already registered there."))
    acts = [Act("parties.create_household", row, place=row.place_id, data={"number": row.number}) for row in rows]
    record_many(actor, acts)
    return rows


@transaction.atomic
def create_organisations(actor: Actor, drafts: Sequence[OrganisationDraft]) -> list[Organisation]:
    """Register organisations, all or none; three queries however many."""
    places = _places(actor, (draft.place for draft in drafts))
    rows = []
    for n, draft in enumerate(drafts):
        places.take(draft.place, f"/{n}/place")
        if draft.kind not in Organisation.Kind.values:
            kinds = ", ".join(Organisation.Kind.values)
            places.errors.append(FieldError(f"/{n}/kind", _("Use one of: %(kinds)s.") % {"kinds": kinds}))
        if not draft.name.strip() or not draft.code.strip():
            places.errors.append(FieldError(f"/{n}/name", _("Code and name must not be empty.")))
        rows.append(
            Organisation(
                code=draft.code, kind=draft.kind, name=draft.name.strip(), name_en=draft.name_en, place_id=draft.place
            )
        )
    _refuse(*places.errors)
    _insert(Organisation, rows, _("An organisation with this code is already registered."))
    record_many(
        actor, [Act("parties.create_organisation", row, place=row.place_id, data={"code": row.code}) for row in rows]
    )
    return rows


@transaction.atomic
def move_in(actor: Actor, drafts: Sequence[ResidencyDraft]) -> list[Residency]:
    """People move into households, all or none; four queries however many."""
    people = _visible(actor, Person.objects.filter(erased_at__isnull=True), (d.person for d in drafts), _("person"))
    homes = _visible(actor, Household.objects.all(), (d.household for d in drafts), _("household"))
    rows = []
    for n, draft in enumerate(drafts):
        people.take(draft.person, f"/{n}/person")
        home = homes.take(draft.household, f"/{n}/household")
        if draft.kind not in Residency.Kind.values:
            kinds = ", ".join(Residency.Kind.values)
            homes.errors.append(FieldError(f"/{n}/kind", _("Use one of: %(kinds)s.") % {"kinds": kinds}))
        rows.append(
            Residency(
                person_id=draft.person, household=home, kind=draft.kind, since=draft.since or today(), until=draft.until
            )
        )
    _refuse(*people.errors, *homes.errors)
    _insert(Residency, rows, _("This person already lives there, or the stay would end before it begins."))
    record_many(actor, [_residency_act("parties.move_in", row) for row in rows])
    return rows


def _residency_act(action: str, row: Residency, reason: str = "") -> Act:
    return Act(
        action,
        row,
        place=row.household.place_id,
        subject=row.person_id,
        reason=reason,
        data={"household": row.household_id, "kind": row.kind},
    )


@transaction.atomic
def move_out(actor: Actor, residency_id: int, until: date | None = None, reason: str = "") -> Residency:
    """A person leaves a household (default: today is the first day without them)."""
    rows = Residency.objects.select_for_update(of=("self",)).select_related("household__place")
    row = policy.limit(rows, actor, MANAGE, "household__place__path").filter(pk=residency_id).first()
    if row is None:
        raise NotFound(_("There is no residency %(id)s that you may end.") % {"id": residency_id})
    row.until = until or today()
    if row.until <= row.since:
        raise Invalid.one("until", _("Must lie after the day they moved in."))
    row.save(update_fields=["until"])
    record(actor, _residency_act("parties.move_out", row, reason))
    return row


@transaction.atomic
def add_members(actor: Actor, drafts: Sequence[MembershipDraft]) -> list[Membership]:
    """People start to work for organisations, all or none; four queries however many."""
    people = _visible(actor, Person.objects.filter(erased_at__isnull=True), (d.person for d in drafts), _("person"))
    offices = _visible(actor, Organisation.objects.all(), (d.organisation for d in drafts), _("organisation"))
    rows = []
    for n, draft in enumerate(drafts):
        people.take(draft.person, f"/{n}/person")
        office = offices.take(draft.organisation, f"/{n}/organisation")
        rows.append(
            Membership(
                person_id=draft.person,
                organisation=office,
                title=draft.title[:80],
                since=draft.since or today(),
                until=draft.until,
            )
        )
    _refuse(*people.errors, *offices.errors)
    _insert(Membership, rows, _("The work would end before it begins."))
    record_many(actor, [_membership_act(row) for row in rows])
    return rows


def _membership_act(row: Membership) -> Act:
    place, data = row.organisation.place_id, {"title": row.title}
    return Act("parties.add_member", row, place=place, subject=row.person_id, data=data)


def register_vehicle(actor: Actor, draft: VehicleDraft) -> Vehicle:
    """Register one vehicle."""
    return register_vehicles(actor, [draft])[0]


@transaction.atomic
def register_vehicles(actor: Actor, drafts: Sequence[VehicleDraft]) -> list[Vehicle]:
    """Register vehicles, all or none; at most four queries however many."""
    places = _places(actor, (draft.place for draft in drafts))
    wanted = [draft.household for draft in drafts if draft.household is not None]
    homes = _visible(actor, Household.objects.all(), wanted, _("household"))
    rows = []
    for n, draft in enumerate(drafts):
        places.take(draft.place, f"/{n}/place")
        if draft.household is not None:
            homes.take(draft.household, f"/{n}/household")
        try:
            text = identifiers.plate(draft.plate, f"/{n}/plate")
        except Invalid as problem:
            places.errors += problem.errors
            continue
        rows.append(
            Vehicle(
                plate=text,
                colour=draft.colour or identifiers.plate_colour(text),
                household_id=draft.household,
                place_id=draft.place,
                since=draft.since or today(),
                until=draft.until,
            )
        )
    _refuse(*places.errors, *homes.errors)
    _insert(Vehicle, rows, _("This plate is already registered there, or it would leave before it comes."))
    record_many(actor, [Act("parties.register_vehicle", row, place=row.place_id) for row in rows])
    return rows


@transaction.atomic
def remove_vehicle(actor: Actor, vehicle_id: int, reason: str = "") -> Vehicle:
    """A vehicle leaves the register from today on."""
    rows = Vehicle.objects.select_for_update(of=("self",)).select_related("place")
    row = policy.limit(rows, actor, MANAGE).filter(pk=vehicle_id, until__isnull=True).first()
    if row is None:
        raise NotFound(_("There is no registered vehicle %(id)s that you may remove.") % {"id": vehicle_id})
    record(actor, Act("parties.remove_vehicle", row, place=row.place_id, reason=reason))
    if row.since >= today():
        row.delete()
        return row
    row.until = today()
    row.save(update_fields=["until"])
    return row


def _consenting(actor: Actor, person_id: int) -> Person:
    """The person, for themselves or for staff who manage people there."""
    person = Person.objects.select_related("place").filter(pk=person_id, erased_at__isnull=True).first()
    own = actor.kind == "user" and Person.objects.filter(pk=person_id, user__pk=int(actor.id)).exists()
    if person is None or not (own or actor.may(MANAGE, person.place.path)):
        raise NotFound(_("There is no person %(id)s that you may see.") % {"id": person_id})
    return person


@transaction.atomic
def give_consent(actor: Actor, person_id: int, purpose: str, how: str) -> Consent:
    """A person allows a purpose; `how` says in which way ("signed form of 2026-11-23")."""
    person = _consenting(actor, person_id)
    if not purpose.strip() or not how.strip():
        raise Invalid.one("how", _("Say what is allowed and how the person said so."))
    row = Consent(person=person, purpose=purpose.strip()[:64], given_at=timezone.now(), how=how.strip()[:120])
    _insert(Consent, [row], _("The person already allows this."))
    record(actor, _consent_act("parties.give_consent", row, person))
    return row


@transaction.atomic
def withdraw_consent(actor: Actor, person_id: int, purpose: str) -> Consent:
    """A person no longer allows a purpose: as easy as giving it, without a reason."""
    person = _consenting(actor, person_id)
    rows = Consent.objects.select_for_update().filter(person=person, purpose=purpose, withdrawn_at__isnull=True)
    row = rows.first()
    if row is None:
        raise NotFound(_("The person does not allow “%(purpose)s”.") % {"purpose": purpose})
    row.withdrawn_at = timezone.now()
    row.save(update_fields=["withdrawn_at"])
    record(actor, _consent_act("parties.withdraw_consent", row, person))
    return row


def _consent_act(action: str, row: Consent, person: Person) -> Act:
    return Act(action, row, place=person.place_id, subject=person.pk, data={"purpose": row.purpose})


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
