from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from shoufu.kernel.access import policy
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import FieldError, Invalid, NotFound
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties.models import Household, Person, Residency, Vehicle
from shoufu.kernel.parties.selectors import today
from shoufu.kernel.parties.services.departures import Leaving, leave
from shoufu.kernel.parties.services.drafts import MANAGE, insert, manageable, manageable_ids, manageable_places, refuse


@dataclass(frozen=True)
class HouseholdDraft:
    """A household behind one door number (`number`, such as "301") of a unit."""

    place: int
    number: str
    code: str = ""


@dataclass(frozen=True)
class ResidencyDraft:
    """A person lives in a household from `since` (default: today) to `until` (half-open)."""

    person: int
    household: int
    kind: str = "owner"
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


@transaction.atomic
def create_households(actor: Actor, drafts: Sequence[HouseholdDraft]) -> list[Household]:
    """Register households, all or none; three queries however many."""
    places = manageable_places(actor, (draft.place for draft in drafts))
    rows = []
    for n, draft in enumerate(drafts):
        place = places.take(draft.place, f"/{n}/place")
        if not draft.number.strip() or len(draft.number) > 16:
            places.errors.append(FieldError(f"/{n}/number", _("A door number of 1 to 16 characters.")))
        if place is not None:
            code = draft.code or f"{place.code}-{draft.number}"
            rows.append(Household(code=code, place=place, number=draft.number.strip()))
    refuse(*places.errors)
    insert(Household, rows, _("This door number is already registered there."))
    acts = [Act("parties.create_household", row, place=row.place_id, data={"number": row.number}) for row in rows]
    record_many(actor, acts)
    return rows


@transaction.atomic
def move_in(actor: Actor, drafts: Sequence[ResidencyDraft]) -> list[Residency]:
    """People move into households, all or none; four queries however many."""
    living = Person.objects.filter(erased_at__isnull=True)
    people = manageable_ids(actor, living, (d.person for d in drafts), _("person"))
    homes = manageable(actor, Household.objects.only("place"), (d.household for d in drafts), _("household"))
    rows = []
    kinds, day = frozenset(Residency.Kind.values), today()
    for n, draft in enumerate(drafts):
        people.take(draft.person, f"/{n}/person")
        home = homes.take(draft.household, f"/{n}/household")
        if draft.kind not in kinds:
            words = ", ".join(Residency.Kind.values)
            homes.errors.append(FieldError(f"/{n}/kind", _("Use one of: %(kinds)s.") % {"kinds": words}))
        rows.append(
            Residency(
                person_id=draft.person, household=home, kind=draft.kind, since=draft.since or day, until=draft.until
            )
        )
    refuse(*people.errors, *homes.errors)
    insert(Residency, rows, _("This person already lives there, or the stay would end before it begins."))
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
    """Set the first day without a person in a household; today or before ends their rights at this moment (`leave`)."""
    rows = Residency.objects.select_for_update(of=("self",)).select_related("household__place")
    row = policy.limit(rows, actor, MANAGE, "household__place__path").filter(pk=residency_id).first()
    if row is None:
        raise NotFound(_("There is no residency %(id)s that you may end.") % {"id": residency_id})
    day = until or today()
    if day <= row.since and until is not None:
        raise Invalid.one("until", _("Must lie after the day they moved in."))
    if day <= today():
        departure = leave(actor, Leaving(row.pk, reason=reason))
        row.refresh_from_db()
        if until is not None and departure.household_id:
            row.until = until
            row.save(update_fields=["until"])
        return row
    row.until = day
    row.save(update_fields=["until"])
    record(actor, _residency_act("parties.move_out", row, reason))
    return row


def register_vehicle(actor: Actor, draft: VehicleDraft) -> Vehicle:
    """Register one vehicle."""
    return register_vehicles(actor, [draft])[0]


@transaction.atomic
def register_vehicles(actor: Actor, drafts: Sequence[VehicleDraft]) -> list[Vehicle]:
    """Register vehicles, all or none; at most four queries however many."""
    places = manageable_places(actor, (draft.place for draft in drafts))
    wanted = [draft.household for draft in drafts if draft.household is not None]
    homes = manageable(actor, Household.objects.all(), wanted, _("household"))
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
    refuse(*places.errors, *homes.errors)
    insert(Vehicle, rows, _("This plate is already registered there, or it would leave before it comes."))
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
