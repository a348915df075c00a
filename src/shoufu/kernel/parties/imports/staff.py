"""Staff and contractors: who works for which organisation, from when to when."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.ids import uuid7
from shoufu.kernel.base.lookups import among
from shoufu.kernel.imports import cells
from shoufu.kernel.imports.kinds import CREATE, SAME, CellError, Change, Field, ImportKind, Plan, Record, Written
from shoufu.kernel.parties.imports.columns import IDENTITY, LAST, NAME, PHONE, SINCE
from shoufu.kernel.parties.models import Membership, Organisation, Person
from shoufu.kernel.parties.selectors import current, today
from shoufu.kernel.parties.services import (
    MembershipDraft,
    OrganisationDraft,
    PersonDraft,
    add_members,
    create_organisations,
    create_people,
)
from shoufu.kernel.places.models import Place

KINDS = {
    "物业": "property",
    "承包商": "company",
    "外包": "company",
    "外包公司": "company",
    "公司": "company",
    "社区": "community",
    "医疗": "medical",
    "property": "property",
    "contractor": "company",
    "company": "company",
    "community": "community",
    "medical": "medical",
}
FIELDS = (
    NAME,
    Field(
        "organisation",
        "单位",
        "Organisation",
        cells.text(120),
        ("所属单位", "单位名称", "公司", "公司名称", "部门", "承包单位", "employer", "company", "contractor"),
        required=True,
        example="松山物业服务中心",
    ),
    Field(
        "sort",
        "单位类型",
        "Kind of organisation",
        cells.choice(KINDS),
        ("单位性质", "organisation kind"),
        example="物业",
    ),
    Field("title", "岗位", "Title", cells.text(80), ("职务", "职位", "工种", "job", "position"), example="保洁员"),
    PHONE,
    IDENTITY,
    SINCE,
    LAST,
)


@dataclass
class _Register:
    """Organisations and people below a place, and who works where; four reads."""

    offices: dict[str, Organisation] = field(default_factory=dict)
    by_identity: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    by_phone: dict[tuple[str, bytes], int] = field(default_factory=dict)
    by_office: dict[tuple[int, str], int] = field(default_factory=dict)

    @classmethod
    def read(cls, target: Place, identities: Sequence[str]) -> "_Register":
        found = cls()
        for office in Organisation.objects.filter(place__path__startswith=target.path).order_by("-pk"):
            found.offices |= {office.name: office, office.code: office}
        columns = ("pk", "name", "phone_lookup", "identity_lookup", "place__path")
        rows = Person.objects.filter(erased_at__isnull=True).values_list(*columns)
        hashes = [hashed for text in identities for hashed in keyring.ring().lookups(text, "identity")]
        people = [*rows.filter(place__path__startswith=target.path), *rows.filter(among("identity_lookup", hashes))]
        for pk, name, phone, identity, path in people:
            if identity:
                found.by_identity[bytes(identity)] = (pk, path)
            if phone:
                found.by_phone[name, bytes(phone)] = pk
        work = Membership.objects.filter(current(), organisation__place__path__startswith=target.path)
        for office_id, pk, name in work.values_list("organisation_id", "person_id", "person__name"):
            found.by_office[office_id, name] = pk
        return found

    def person(self, record: Record, office: Organisation | None) -> tuple[int, str] | None:
        """Whom a row means, with the path of their place ("" where it is certainly below the target)."""
        ring, name = keyring.ring(), record.get("name")
        if identity := record.get("identity"):
            hashes = ring.lookups(identity, "identity")
            return next((self.by_identity[one] for one in hashes if one in self.by_identity), None)
        if phone := record.get("phone"):
            keys = [(name, one) for one in ring.lookups(phone, "phone")]
            if same := next((self.by_phone[key] for key in keys if key in self.by_phone), None):
                return same, ""
        same = self.by_office.get((office.pk, name)) if office else None
        return (same, "") if same else None


@dataclass
class _Draft:
    actor: Actor
    target: Place
    register: _Register
    plan: Plan = field(default_factory=Plan)
    offices: dict[str, OrganisationDraft] = field(default_factory=dict)
    people: dict[tuple[Any, ...], PersonDraft] = field(default_factory=dict)
    work: list[tuple[Any, str, str, date | None, date | None]] = field(default_factory=list)
    seen: dict[tuple[Any, str], int] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        name = record.get("organisation")
        office = self.register.offices.get(name)
        until = record.get("last") + timedelta(days=1) if record.get("last") else None
        if until is not None and until <= max(record.get("since") or date.min, today()):
            message = _("The last day is over, or lies before the first.")
            self.plan.errors.append(CellError(record.row, "last", message))
            return
        known = self.register.person(record, office)
        if known is not None and known[1] and not self.actor.may("parties.manage", known[1]):
            message = _("This person is registered in a place that you do not manage; ask them to be moved.")
            self.plan.errors.append(CellError(record.row, "identity", message))
            return
        who: Any = known[0] if known else _key(record)
        if (who, name) in self.seen:
            message = _("The same person as row %(row)s.") % {"row": self.seen[who, name]}
            self.plan.errors.append(CellError(record.row, "", message))
            return
        self.seen[who, name] = record.row
        if known is not None and office is not None and known[0] in self._members(office):
            self.plan.changes.append(Change(record.row, SAME, f"{name} {record.get('name')}"))
            return
        if office is None:
            kind = record.get("sort", "company")
            self.offices.setdefault(name, OrganisationDraft(uuid7().hex, kind, name, self.target.pk))
        if known is None:
            numbers = record.get("phone", ""), record.get("identity", "")
            self.people.setdefault(who, PersonDraft(record.get("name"), self.target.pk, *numbers))
        self.work.append((who, name, record.get("title", ""), record.get("since"), until))
        self.plan.changes.append(Change(record.row, CREATE, f"{name} {record.get('name')}"))

    def _members(self, office: Organisation) -> set[int]:
        return {pk for (office_id, _name), pk in self.register.by_office.items() if office_id == office.pk}

    def write(self) -> Written:
        written = Written()
        offices = {name: office.pk for name, office in self.register.offices.items()}
        made = create_organisations(self.actor, list(self.offices.values())) if self.offices else []
        written.add(made)
        offices |= {office.name: office.pk for office in made}
        people = create_people(self.actor, list(self.people.values()))
        written.add(people)
        ids = {key: person.pk for key, person in zip(self.people, people, strict=True)}
        work = [
            MembershipDraft(ids.get(who, who), offices[name], title, since, until)
            for who, name, title, since, until in self.work
        ]
        written.add(add_members(self.actor, work) if work else [])
        return written


def _key(record: Record) -> tuple[Any, ...]:
    if record.get("identity"):
        return ("identity", record.get("identity"))
    return ("name", record.get("name"), record.get("phone"))


def plan(actor: Actor, target: Place, records: Sequence[Record]) -> Plan:
    """Who is new at which organisation; an organisation that is not known yet is made as a contractor."""
    identities = [record.get("identity") for record in records if record.get("identity")]
    draft = _Draft(actor, target, _Register.read(target, identities))
    for record in records:
        draft.take(record)
    draft.plan.write = draft.write
    return draft.plan


STAFF = ImportKind(
    "staff",
    "工作人员和承包商",
    "Staff and contractors",
    "id-badge-2",
    FIELDS,
    plan,
    note="没有登记过的单位会一起建立，默认按承包商。",
    note_en="An organisation that is not registered yet is made too, as a contractor unless the file says otherwise.",
)
