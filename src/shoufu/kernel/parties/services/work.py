from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import FieldError, Invalid, NotFound
from shoufu.kernel.parties.models import Membership, Organisation, Person
from shoufu.kernel.parties.selectors import today
from shoufu.kernel.parties.services.drafts import MANAGE, insert, manageable, manageable_places, refuse


@dataclass(frozen=True)
class OrganisationDraft:
    """An organisation at a place."""

    code: str
    kind: str
    name: str
    place: int
    name_en: str = ""


@dataclass(frozen=True)
class MembershipDraft:
    """A person works for an organisation from `since` (default: today) to `until` (half-open)."""

    person: int
    organisation: int
    title: str
    since: date | None = None
    until: date | None = None


@transaction.atomic
def create_organisations(actor: Actor, drafts: Sequence[OrganisationDraft]) -> list[Organisation]:
    """Register organisations, all or none; three queries however many."""
    places = manageable_places(actor, (draft.place for draft in drafts))
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
    refuse(*places.errors)
    insert(Organisation, rows, _("An organisation with this code is already registered."))
    record_many(
        actor, [Act("parties.create_organisation", row, place=row.place_id, data={"code": row.code}) for row in rows]
    )
    return rows


@transaction.atomic
def add_members(actor: Actor, drafts: Sequence[MembershipDraft]) -> list[Membership]:
    """People start to work for organisations, all or none; four queries however many."""
    people = manageable(actor, Person.objects.filter(erased_at__isnull=True), (d.person for d in drafts), _("person"))
    offices = manageable(actor, Organisation.objects.all(), (d.organisation for d in drafts), _("organisation"))
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
    refuse(*people.errors, *offices.errors)
    insert(Membership, rows, _("The work would end before it begins."))
    record_many(actor, [_membership_act(row) for row in rows])
    return rows


def _membership_act(row: Membership) -> Act:
    place, data = row.organisation.place_id, {"title": row.title}
    return Act("parties.add_member", row, place=place, subject=row.person_id, data=data)


@transaction.atomic
def end_membership(actor: Actor, membership_id: int, until: date | None = None, reason: str = "") -> Membership:
    """A person stops to work for an organisation (default: today is the first day without them)."""
    rows = Membership.objects.select_for_update(of=("self",)).select_related("organisation__place")
    row = policy.limit(rows, actor, MANAGE, "organisation__place__path").filter(pk=membership_id).first()
    if row is None:
        raise NotFound(_("There is no membership %(id)s that you may end.") % {"id": membership_id})
    row.until = until or today()
    if row.until <= row.since:
        raise Invalid.one("until", _("Must lie after the day they began."))
    row.save(update_fields=["until"])
    place = row.organisation.place_id
    record(actor, Act("parties.end_membership", row, place=place, subject=row.person_id, reason=reason))
    return row
