import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.engines import doors as engine
from shoufu.kernel.access import policy
from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.kernel.doors import keys
from shoufu.kernel.doors.compiling import TECHNOLOGIES
from shoufu.kernel.doors.models import Credential, HashKey, Pass, Technology
from shoufu.kernel.doors.services.common import MANAGE, refuse
from shoufu.kernel.doors.services.levels import AssignmentDraft, assign
from shoufu.kernel.doors.services.rulesets import controllers_of_credentials, publish
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties.models import Consent, Person
from shoufu.kernel.places.models import Place

FACE_CONSENT = "face"
LEASES = (0, 7, 14, 30)
State = Credential.State


@dataclass(frozen=True)
class CredentialDraft:
    """A credential of a person, or of somebody who is only named (`holder`).

    `value`: a card's number in hex, a PIN's eight digits (empty: one is made), a face terminal's template handle, a
    plate; nothing for a phone's rotating QR. `levels` are given to the credential itself; what its person has counts
    anyway. `lease_days` is 7, 14 or 30; 0 (never ends by itself) for emergency keys only.
    """

    place: int
    technology: str
    value: str = ""
    person: int | None = None
    holder: str = ""
    label: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    lease_days: int = 14
    levels: tuple[int, ...] = ()
    extended: bool = False
    duress: bool = False
    first_person: bool = False
    emergency: bool = False
    passback_exempt: bool = False


@dataclass(frozen=True)
class Issued:
    """A credential and what it is shown by, which nobody can read again (a PIN that was made; else as given)."""

    credential: Credential
    value: str


def issue(actor: Actor, draft: CredentialDraft) -> Issued:
    """Issue one credential."""
    return issue_many(actor, [draft])[0]


@transaction.atomic
def issue_many(actor: Actor, drafts: Sequence[CredentialDraft]) -> list[Issued]:
    """Issue credentials, all or none; queries do not grow with their number. Errors name the draft: /index/field.

    A face needs the person's recorded consent ("face") and another technology of theirs: it is never the only way in.
    """
    if not drafts:
        return []
    places = Place.objects.in_bulk({draft.place for draft in drafts})
    people = Person.objects.select_related("place").filter(erased_at__isnull=True)
    known = people.in_bulk({draft.person for draft in drafts if draft.person is not None})
    values, errors = _values(drafts)
    for n, draft in enumerate(drafts):
        errors += _errors(actor, n, draft, places.get(draft.place), known)
    faces = {draft.person for draft in drafts if draft.technology == Technology.FACE and draft.person is not None}
    consents = {
        row.person_id: row
        for row in Consent.objects.filter(person__in=faces, purpose=FACE_CONSENT, withdrawn_at__isnull=True)
    }
    errors += _face_errors(drafts, consents, faces)
    refuse(*errors)
    rows = _rows(drafts, values, consents)
    _refuse_known(drafts, rows)
    try:
        with transaction.atomic():
            Credential.objects.bulk_create(rows)
    except IntegrityError as error:
        raise Conflict(_("One of these is already somebody's.")) from error
    record_many(actor, [act("doors.issue", row) for row in rows])
    given = [AssignmentDraft(level, credential=r.pk) for r, d in zip(rows, drafts, strict=True) for level in d.levels]
    if given:
        assign(actor, given)
    touched = controllers_of_credentials(rows)
    publish(actor, {one for found in touched.values() for one in found}, "credentials")
    return [Issued(row, value.decode() if value else "") for row, value in zip(rows, values, strict=True)]


def _errors(
    actor: Actor, n: int, draft: CredentialDraft, place: Place | None, people: Mapping[int, Person]
) -> Iterable[FieldError]:
    if place is None or not (actor.may("doors.view", place.path) or actor.may(MANAGE, place.path)):
        yield FieldError(f"/{n}/place", _("There is no place %(id)s that you may see.") % {"id": draft.place})
        return
    policy.require(actor, MANAGE, place)
    if draft.person is not None:
        person = people.get(draft.person)
        if person is None or not actor.may(MANAGE, person.place.path):
            yield FieldError(f"/{n}/person", _("There is no such person that you may give rights to."))
    elif not draft.holder.strip():
        yield FieldError(f"/{n}/holder", _("Choose a person, or say whose it is."))
    if draft.lease_days not in LEASES or (draft.lease_days == 0 and not draft.emergency):
        yield FieldError(f"/{n}/lease_days", _("7, 14 or 30 days; none for emergency keys only."))
    if draft.valid_until is not None and draft.valid_until <= (draft.valid_from or timezone.now()):
        yield FieldError(f"/{n}/valid_until", _("Must lie after the beginning."))
    if draft.duress and draft.technology != Technology.PIN:
        yield FieldError(f"/{n}/duress", _("Only a PIN can be a duress code."))


def _values(drafts: Sequence[CredentialDraft]) -> tuple[list[bytes], list[FieldError]]:
    """The canonical identifier of each draft (empty for QR), and what is wrong with the values."""
    values: list[bytes] = []
    errors: list[FieldError] = []
    for n, draft in enumerate(drafts):
        value = b""
        try:
            value = _value(draft, f"/{n}/value")
        except Invalid as problem:
            errors += problem.errors
        except ValueError:
            message = _("The number of the card in hexadecimal, such as 04A1B2C3.")
            errors.append(FieldError(f"/{n}/value", message))
        values.append(value)
    return values, errors


def _value(draft: CredentialDraft, field: str) -> bytes:
    match draft.technology:
        case Technology.CARD | Technology.SECURE_CARD:
            return engine.card_identifier(draft.value)
        case Technology.PIN:
            return (draft.value or _pin()).encode() if engine.pin_valid(draft.value or "40718253") else _bad_pin(field)
        case Technology.QR:
            return b""
        case Technology.FACE:
            if not draft.value.strip() or len(draft.value) > 64:
                raise Invalid.one(field, _("The handle of the template in the terminal, 1 to 64 characters."))
            return draft.value.strip().encode()
        case Technology.PLATE:
            return identifiers.plate(draft.value, field).encode()
    kinds = ", ".join(Technology.values)
    raise Invalid.one(field.replace("value", "technology"), _("Use one of: %(kinds)s.") % {"kinds": kinds})


def _bad_pin(field: str) -> bytes:
    raise Invalid.one(field, _("Eight digits, no run, no repetition, no date of birth."))


def _pin() -> str:
    while True:
        digits = f"{secrets.randbelow(10**8):08d}"
        if engine.pin_valid(digits):
            return digits


def _face_errors(
    drafts: Sequence[CredentialDraft], consents: Mapping[int, Consent], faces: set[int]
) -> Iterable[FieldError]:
    if not faces:
        return
    others = Credential.objects.filter(person__in=faces, state=State.ACTIVE).exclude(technology=Technology.FACE)
    ways: set[int | None] = set(others.values_list("person_id", flat=True))
    ways |= {draft.person for draft in drafts if draft.technology != Technology.FACE}
    for n, draft in enumerate(drafts):
        if draft.technology != Technology.FACE:
            continue
        if draft.person not in consents:
            yield FieldError(f"/{n}/technology", _("Record the person's separate consent to face recognition first."))
        elif draft.person not in ways:
            yield FieldError(
                f"/{n}/technology", _("Give the person a card, PIN or QR first: a face is never the only way.")
            )


def _rows(
    drafts: Sequence[CredentialDraft], values: Sequence[bytes], consents: Mapping[int, Consent]
) -> list[Credential]:
    now, ring = timezone.now(), keyring.ring()
    owners = subjects.keys_for({draft.person for draft in drafts if draft.person is not None and draft.value})
    rows = []
    for pk, draft, value in zip(_ids(len(drafts)), drafts, values, strict=True):
        consent = consents.get(draft.person or 0) if draft.technology == Technology.FACE else None
        row = Credential(
            pk=pk,
            place_id=draft.place,
            person_id=draft.person,
            holder=draft.holder.strip()[:80],
            technology=draft.technology,
            label=draft.label.strip()[:80],
            valid_from=draft.valid_from or now,
            valid_until=draft.valid_until,
            lease_days=draft.lease_days,
            state_since=now,
            extended=draft.extended,
            duress=draft.duress,
            first_person=draft.first_person,
            emergency=draft.emergency,
            passback_exempt=draft.passback_exempt,
            consent=consent,
        )
        if value:
            row.secret = seal(value.decode(), pk, draft.person, owners.get(draft.person or 0))
            row.lookup = ring.lookup(value.decode(), f"credential:{family(draft.technology)}")
        rows.append(row)
    name(rows, values)
    return rows


def family(technology: str) -> str:
    """Under which technology a credential is looked up: both kinds of card as one."""
    return Technology.CARD if technology == Technology.SECURE_CARD else technology


def _ids(count: int) -> list[int]:
    with connection.cursor() as cursor:
        sequence = "select nextval(pg_get_serial_sequence('doors_credential', 'id')) from generate_series(1, %s)"
        cursor.execute(sequence, [count])
        return [row[0] for row in cursor.fetchall()]


def seal(value: str, pk: int, person: int | None, key: bytes | None) -> bytes:
    """What is read, encrypted for its person (`key`), or with the installation's key ring for a visitor."""
    if person is None:
        return keyring.ring().encrypt(value.encode(), f"credential:{pk}".encode())
    if key is None:
        key = subjects.keys_for([person])[person]
    if key is None:
        raise Conflict(_("This person's data was erased; register them anew."))
    return subjects.seal_text(key, value, person, f"credential:{pk}")


def identifier(pk: int) -> bytes:
    """The 6 bytes by which codes name a credential or pass."""
    return pk.to_bytes(6, "big")


def name(rows: Sequence[Credential], values: Sequence[bytes], epoch: int | None = None) -> None:
    """Give credentials their names in rule sets from what is read of them."""
    if epoch is None:
        row = HashKey.objects.first()
        epoch = row.epoch if row else 1
    key = keys.hash_key(epoch)
    for credential, value in zip(rows, values, strict=True):
        technology = TECHNOLOGIES[Technology(credential.technology)]
        credential.key = engine.credential_key(key, technology, value or identifier(credential.pk))


def hashed(rows: Sequence[Credential], epoch: int) -> None:
    """The same for credentials that are there, whose sealed values are opened; passes are hashed as passes."""
    visits = set(Pass.objects.filter(windows=[]).values_list("credential_id", flat=True))
    people = subjects.known_keys({row.person_id for row in rows if row.person_id is not None})
    ring, key = keyring.ring(), keys.hash_key(epoch)
    for row in rows:
        value = identifier(row.pk)
        if row.secret is not None and row.person_id is not None:
            owner = people.get(row.person_id)
            if owner is None:
                row.key = None
                continue
            value = subjects.unseal_text(owner, bytes(row.secret), row.person_id, f"credential:{row.pk}").encode()
        elif row.secret is not None:
            value = ring.decrypt(bytes(row.secret), f"credential:{row.pk}".encode())
        kind = engine.Technology.VISITOR if row.pk in visits else TECHNOLOGIES[Technology(row.technology)]
        row.key = engine.credential_key(key, kind, value)


def _refuse_known(drafts: Sequence[CredentialDraft], rows: Sequence[Credential]) -> None:
    live = Credential.objects.filter(state__in=[State.ACTIVE, State.SUSPENDED], key__in=[row.key for row in rows])
    taken = {bytes(key or b"") for key in live.values_list("key", flat=True)}
    seen: set[bytes] = set()
    errors = []
    for n, row in enumerate(rows):
        key = bytes(row.key or b"")
        if key in taken or key in seen:
            message = (
                _("This PIN cannot be used; take another.")
                if row.technology == Technology.PIN
                else _("This one is already somebody's; revoke it there first.")
            )
            errors.append(FieldError(f"/{n}/value", message))
        seen.add(key)
    refuse(*errors)


def act(action: str, row: Credential, reason: str = "") -> Act:
    """What the audit log keeps of a change of a credential."""
    data = {"technology": row.technology, "clonable": row.clonable}
    return Act(action, row, place=row.place_id, subject=row.person_id, reason=reason, data=data)
