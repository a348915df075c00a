from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.audit import subjects
from shoufu.kernel.audit.services import Act, record_many
from shoufu.kernel.base import keyring
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.kernel.base.lookups import among
from shoufu.kernel.parties import identifiers
from shoufu.kernel.parties.models import Household, Person, Residency, Vehicle
from shoufu.kernel.parties.services.drafts import MANAGE, manageable, refuse
from shoufu.kernel.parties.services.people import PersonChange

PERSON_COLUMNS = ("name", "born", "phone", "phone_lookup", "identity", "identity_lookup")


@transaction.atomic
def correct_people(actor: Actor, wanted: Mapping[int, PersonChange], reason: str = "") -> list[Person]:
    """Correct many people, all or none, by the same rules as one; six queries however many."""
    rows = Person.objects.select_for_update(of=("self",)).select_related("place").filter(erased_at__isnull=True)
    found = manageable(actor, rows, wanted, _("person"))
    people = [found.take(pk, f"/{pk}/person") for pk in wanted]
    refuse(*found.errors)
    keys = subjects.keys_for(wanted)
    acts, errors = [], []
    for person in people:
        change, key = wanted[person.pk], keys[person.pk]
        given = {name: value for name, value in vars(change).items() if value is not None}
        before = {name: _clear(person, key, name) for name in given}
        try:
            _put(person, key, given)
        except Invalid as problem:
            errors += [FieldError(f"/{person.pk}/{error.field}", error.message) for error in problem.errors]
            continue
        after = {name: _clear(person, key, name) for name in given}
        personal = {"before": before, "after": after}
        acts.append(
            Act(
                "parties.correct_person",
                person,
                place=person.place_id,
                subject=person.pk,
                personal=personal,
                reason=reason,
            )
        )
    refuse(*errors)
    _save(people)
    record_many(actor, acts)
    return people


def _save(people: Sequence[Person]) -> None:
    now = timezone.now()
    for person in people:
        person.updated_at = now
    try:
        with transaction.atomic():
            Person.objects.bulk_update(people, [*PERSON_COLUMNS, "updated_at"], batch_size=2000)
    except IntegrityError as error:
        raise Conflict(_("A person with this identity number is already registered.")) from error


def _clear(person: Person, key: bytes | None, name: str) -> str:
    value = getattr(person, name)
    if name in ("phone", "identity"):
        return subjects.unseal_text(key, value, person.pk, name) if value else ""
    return str(value or "")


def _put(person: Person, key: bytes | None, given: Mapping[str, Any]) -> None:
    if key is None:
        raise Conflict(_("This person's data was erased; register them anew."))
    for name, value in given.items():
        if name in ("phone", "identity"):
            check = identifiers.phone if name == "phone" else identifiers.identity
            text = check(value, name) if value else ""
            setattr(person, name, subjects.seal_text(key, text, person.pk, name) if text else None)
            setattr(person, f"{name}_lookup", keyring.ring().lookup(text, name) if text else None)
        else:
            setattr(person, name, value)


RESIDENCY_COLUMNS = ("kind", "since", "until")


@transaction.atomic
def change_residencies(actor: Actor, wanted: Mapping[int, Mapping[str, Any]], reason: str = "") -> list[Residency]:
    """Change kind, since or until of stays that have not ended, all or none; three queries however many."""
    rows = Residency.objects.select_for_update(of=("self",)).select_related("household__place")
    found = manageable_at(actor, rows.filter(ended_at__isnull=True), wanted, _("residency"), "household__place__path")
    stays = [found.take(pk, f"/{pk}") for pk in wanted]
    refuse(*found.errors)
    acts = []
    for stay in stays:
        changes = {name: value for name, value in wanted[stay.pk].items() if name in RESIDENCY_COLUMNS}
        data = {"before": {name: _said(getattr(stay, name)) for name in changes}}
        for name, value in changes.items():
            setattr(stay, name, value)
        data["after"] = {name: _said(value) for name, value in changes.items()}
        place = stay.household.place_id
        acts.append(
            Act("parties.change_residency", stay, place=place, subject=stay.person_id, data=data, reason=reason)
        )
    _bulk(Residency, stays, RESIDENCY_COLUMNS, _("The stay would end before it begins."))
    record_many(actor, acts)
    return stays


VEHICLE_COLUMNS = ("household_id", "colour", "since", "until")


@transaction.atomic
def change_vehicles(actor: Actor, wanted: Mapping[int, Mapping[str, Any]], reason: str = "") -> list[Vehicle]:
    """Change household_id, colour, since or until of registered vehicles, all or none; four queries however many."""
    rows = Vehicle.objects.select_for_update(of=("self",)).select_related("place")
    found = manageable(actor, rows, wanted, _("vehicle"))
    vehicles = [found.take(pk, f"/{pk}") for pk in wanted]
    homes = {change["household_id"] for change in wanted.values() if change.get("household_id")}
    there = manageable(actor, Household.objects.all(), homes, _("household"))
    for pk, change in wanted.items():
        if change.get("household_id"):
            there.take(change["household_id"], f"/{pk}/household")
    refuse(*found.errors, *there.errors)
    acts = []
    for vehicle in vehicles:
        changes = {name: value for name, value in wanted[vehicle.pk].items() if name in VEHICLE_COLUMNS}
        data = {"before": {name: _said(getattr(vehicle, name)) for name in changes}}
        for name, value in changes.items():
            setattr(vehicle, name, value)
        data["after"] = {name: _said(value) for name, value in changes.items()}
        acts.append(Act("parties.change_vehicle", vehicle, place=vehicle.place_id, data=data, reason=reason))
    columns = [name.removesuffix("_id") for name in VEHICLE_COLUMNS]
    _bulk(Vehicle, vehicles, columns, _("It would leave before it comes, or the plate is registered there already."))
    record_many(actor, acts)
    return vehicles


def _said(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _bulk(model: Any, rows: Sequence[Any], columns: Sequence[str], refused: str) -> None:
    try:
        with transaction.atomic():
            model.objects.bulk_update(rows, list(columns), batch_size=2000)
    except IntegrityError as error:
        raise Conflict(refused) from error


def manageable_at(actor: Actor, rows: Any, ids: Any, what: str, field: str) -> Any:
    """As `manageable`, for rows whose place is elsewhere than in `place`."""
    from shoufu.kernel.access import policy
    from shoufu.kernel.parties.services.drafts import Rows

    limited = policy.limit(rows.filter(among("pk", set(ids))), actor, MANAGE, field)
    return Rows({row.pk: row for row in limited}, what)
