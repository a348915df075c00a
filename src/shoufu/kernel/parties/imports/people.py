"""Households and the people who live in them, with their tenancies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.lookups import among
from shoufu.kernel.imports import cells, undoing
from shoufu.kernel.imports.kinds import (
    CHANGE,
    CREATE,
    SAME,
    CellError,
    Change,
    Field,
    ImportKind,
    Plan,
    Record,
    Written,
)
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties.imports.columns import (
    ADDRESS,
    BUILDING,
    COMPOUND,
    IDENTITY,
    LAST,
    NAME,
    NUMBER,
    PHONE,
    SINCE,
    UNIT,
)
from shoufu.kernel.parties.imports.homes import Homes
from shoufu.kernel.parties.models import Person, Residency
from shoufu.kernel.parties.selectors import today
from shoufu.kernel.parties.services import (
    PersonChange,
    PersonDraft,
    ResidencyDraft,
    change_residencies,
    correct_people,
    create_people,
    move_in,
)
from shoufu.kernel.parties.services.changes import PERSON_COLUMNS, RESIDENCY_COLUMNS
from shoufu.kernel.places.models import Place

OWNER, TENANT, FAMILY = Residency.Kind.OWNER.value, Residency.Kind.TENANT.value, Residency.Kind.FAMILY.value
KINDS = {
    "业主": OWNER,
    "租户": TENANT,
    "家属": FAMILY,
    "户主": OWNER,
    "产权人": OWNER,
    "房主": OWNER,
    "承租人": TENANT,
    "租客": TENANT,
    "租住": TENANT,
    "家庭成员": FAMILY,
    "配偶": FAMILY,
    "子女": FAMILY,
    "父母": FAMILY,
    "亲属": FAMILY,
    "owner": OWNER,
    "tenant": TENANT,
    "family": FAMILY,
}
FIELDS = (
    COMPOUND,
    BUILDING,
    UNIT,
    NUMBER,
    ADDRESS,
    NAME,
    Field(
        "kind",
        "身份",
        "Relation",
        cells.choice(KINDS),
        ("关系", "与户主关系", "住户类型", "人员类型", "类型", "住户身份", "kind", "type"),
        example="业主",
    ),
    IDENTITY,
    PHONE,
    Field("born", "出生日期", "Date of birth", cells.day, ("生日", "出生年月日", "birthday"), example=""),
    SINCE,
    LAST,
)


@dataclass(frozen=True)
class _Known:
    """A person of the register, as far as rows are held against them."""

    pk: int
    name: str
    phone: bytes
    born: date | None
    path: str
    has_identity: bool


@dataclass
class _Register:
    """The people and stays below a place, and everybody whose identity number the file names; three reads."""

    people: dict[int, _Known] = field(default_factory=dict)
    by_identity: dict[bytes, int] = field(default_factory=dict)
    by_phone: dict[tuple[str, bytes], int] = field(default_factory=dict)
    by_home: dict[tuple[int, str], int] = field(default_factory=dict)
    with_phone: set[str] = field(default_factory=set)
    hashes: dict[str, list[bytes]] = field(default_factory=dict)
    ring: keyring.KeyRing = field(default_factory=keyring.ring)
    stays: dict[tuple[int, int], Residency] = field(default_factory=dict)

    @classmethod
    def read(cls, target: Place, identities: Sequence[str]) -> "_Register":
        found = cls()
        found.hashes = {text: found.ring.lookups(text, "identity") for text in identities}
        hashes = [hashed for each in found.hashes.values() for hashed in each]
        columns = ("pk", "name", "phone_lookup", "identity_lookup", "born", "place__path")
        rows = Person.objects.filter(erased_at__isnull=True).order_by("pk").values_list(*columns)
        for row in rows.filter(place__path__startswith=target.path):
            found._take(*row)
        if hashes:
            for row in rows.filter(among("identity_lookup", hashes)):
                found._take(*row)
        stays = Residency.objects.filter(household__place__path__startswith=target.path, ended_at__isnull=True)
        for stay in stays.order_by("pk"):
            found.stays[stay.person_id, stay.household_id] = stay
            person = found.people.get(stay.person_id)
            if person is not None:
                found.by_home.setdefault((stay.household_id, person.name), person.pk)
        return found

    def _take(self, pk: int, name: str, phone: bytes | None, identity: bytes | None, born: Any, path: str) -> None:
        self.people[pk] = _Known(pk, name, bytes(phone or b""), born, path, identity is not None)
        if identity:
            self.by_identity[bytes(identity)] = pk
        if phone:
            self.by_phone.setdefault((name, bytes(phone)), pk)
            self.with_phone.add(name)

    def person(self, record: Record, home: int | None) -> _Known | None:
        """Whom a row means: by identity number, else by name in that household, else by name and phone."""
        name = record.get("name")
        if identity := record.get("identity"):
            for hashed in self.hashes[identity]:
                if hashed in self.by_identity:
                    return self.people[self.by_identity[hashed]]
        same = self.by_home.get((home, name)) if home is not None else None
        if same is None and name in self.with_phone and record.get("phone"):
            hashes = self.ring.lookups(record.get("phone"), "phone")
            same = next((self.by_phone[name, one] for one in hashes if (name, one) in self.by_phone), None)
        if same is None or (record.get("identity") and self.people[same].has_identity):
            return None  # a namesake: their number is another one
        return self.people[same]


Home = tuple[int, str]


@dataclass
class _Draft:
    """What the file asks for, gathered row by row."""

    actor: Actor
    homes: Homes
    register: _Register
    plan: Plan = field(default_factory=Plan)
    new: dict[tuple[Any, ...], PersonDraft] = field(default_factory=dict)
    corrections: dict[int, PersonChange] = field(default_factory=dict)
    arrivals: list[tuple[Any, Home, str, date | None, date | None]] = field(default_factory=list)
    stays: dict[int, dict[str, Any]] = field(default_factory=dict)
    seen: dict[tuple[Any, Home], int] = field(default_factory=dict)
    owned: set[Home] = field(default_factory=set)
    day: date = field(default_factory=today)

    def take(self, record: Record) -> None:
        errors: list[CellError] = []
        home = self.homes.find(record, errors)
        since, until = _span(record, self.day, errors)
        if errors or home is None:
            self.plan.errors += errors
            return
        known = self.register.person(record, self.homes.known(home))
        if known is not None and not self.actor.may("parties.manage", known.path):
            message = _("This person is registered in a place that you do not manage; ask them to be moved.")
            self.plan.errors.append(CellError(record.row, "identity", message))
            return
        who = known.pk if known is not None else _key(record, home)
        if (who, home) in self.seen:
            message = _("The same person in the same household as row %(row)s.") % {"row": self.seen[who, home]}
            self.plan.errors.append(CellError(record.row, "", message))
            return
        self.seen[who, home] = record.row
        kind = record.get("kind") or self._usual(record, home)
        if kind == OWNER:
            self.owned.add(home)
        changed = self._person(record, who, known, home)
        fields = self._stay(record, who, home, kind, since, until)
        action = CREATE if known is None or fields is None else CHANGE if changed or fields else SAME
        label = f"{self.homes.labels[home]} {record.get('name')}"
        self.plan.changes.append(Change(record.row, action, label, (*changed, *(fields or ()))))

    def _usual(self, record: Record, home: Home) -> str:
        if record.get("last"):
            return TENANT
        return FAMILY if home in self.owned else OWNER

    def _person(self, record: Record, who: Any, known: _Known | None, home: Home) -> list[str]:
        if known is None:
            place = self.homes.addresses.compound_of(home[0])
            draft = PersonDraft(
                record.get("name"), place, record.get("phone", ""), record.get("identity", ""), record.get("born")
            )
            self.new.setdefault(who, draft)
            return []
        change = _correction(record, known)
        given = [name for name, value in vars(change).items() if value is not None]
        if given:
            self.corrections[known.pk] = change
        return given

    def _stay(
        self, record: Record, who: Any, home: Home, kind: str, since: date | None, until: date | None
    ) -> list[str] | None:
        """Which columns of a stay change; None where it is new."""
        pk = self.homes.known(home)
        stay = self.register.stays.get((who, pk)) if pk is not None and isinstance(who, int) else None
        if stay is None:
            self.arrivals.append((who, home, kind, since, until))
            return None
        wanted: dict[str, Any] = {}
        if record.get("kind") and kind != stay.kind:
            wanted["kind"] = kind
        if since is not None and since != stay.since:
            wanted["since"] = since
        if "last" in record.values and until != stay.until:
            wanted["until"] = until
        if wanted:
            self.stays[stay.pk] = wanted
        return list(wanted)


def _key(record: Record, home: Home) -> tuple[Any, ...]:
    """What makes two rows of a file the same new person."""
    if identity := record.get("identity"):
        return ("identity", identity)
    if phone := record.get("phone"):
        return ("phone", record.get("name"), phone)
    return ("home", record.get("name"), home)


def _span(record: Record, day: date, errors: list[CellError]) -> tuple[date | None, date | None]:
    since, last = record.get("since"), record.get("last")
    until = last + timedelta(days=1) if last else None
    if until is not None and until <= (since or date.min):
        errors.append(CellError(record.row, "last", _("The last day lies before the first.")))
    elif until is not None and until <= day:
        errors.append(CellError(record.row, "last", _("This stay is over already; leave the row out.")))
    return since, until


def _correction(record: Record, known: _Known) -> PersonChange:
    ring = keyring.ring()
    name, phone, born = record.get("name"), record.get("phone"), record.get("born")
    identity = record.get("identity")
    if born is None and identity and known.born is None:
        born = identifiers.birth_date(identity)
    return PersonChange(
        name=name if name != known.name else None,
        phone=phone if phone and known.phone not in ring.lookups(phone, "phone") else None,
        identity=identity if identity and not known.has_identity else None,
        born=born if born and born != known.born else None,
    )


def plan(actor: Actor, target: Place, records: Sequence[Record]) -> Plan:
    """What a file of residents does: households, people and stays that are new, and what changes of known ones."""
    homes = Homes(target, create=True)
    register = _Register.read(target, [record.get("identity") for record in records if record.get("identity")])
    draft = _Draft(actor, homes, register)
    for record in records:
        draft.take(record)
    draft.plan.write = lambda: _write(actor, draft)
    return draft.plan


def _write(actor: Actor, draft: _Draft) -> Written:
    written = Written()
    draft.homes.write(actor, written)
    made = create_people(actor, list(draft.new.values()))
    written.add(made)
    ids: Mapping[Any, int] = {key: person.pk for key, person in zip(draft.new, made, strict=True)}
    arrivals = [
        ResidencyDraft(ids.get(who, who), draft.homes.id_of(home), kind, since, until)
        for who, home, kind, since, until in draft.arrivals
    ]
    written.add(move_in(actor, arrivals) if arrivals else [])
    if draft.corrections:
        before = list(Person.objects.in_bulk(draft.corrections).values())
        by_id = {row.pk: row for row in correct_people(actor, draft.corrections)}
        written.altered += undoing.altered(before, [by_id[row.pk] for row in before], PERSON_COLUMNS)
    if draft.stays:
        stays = list(Residency.objects.in_bulk(draft.stays).values())
        after = {row.pk: row for row in change_residencies(actor, draft.stays)}
        written.altered += undoing.altered(stays, [after[row.pk] for row in stays], RESIDENCY_COLUMNS)
    return written


PEOPLE = ImportKind(
    "people",
    "住户和居民",
    "Households and residents",
    "users",
    FIELDS,
    plan,
    note="每人一行。“最后一天”过后，租住关系自动结束。身份证号一栏请设为文本格式。",
    note_en="One row a person. A stay ends by itself after its last day. Format the identity column as text.",
)
