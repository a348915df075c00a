from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import lent, require
from shoufu.kernel.audit.services import Act, record
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid
from shoufu.kernel.booking import services as booking
from shoufu.kernel.booking.models import Resource
from shoufu.kernel.booking.services import OverrideDraft, ResourceDraft, RuleDraft
from shoufu.kernel.parties.models import Person
from shoufu.scenes.homecare.register import codes, selectors
from shoufu.scenes.homecare.register.models import Institution, Practitioner
from shoufu.scenes.homecare.register.services import portraits
from shoufu.scenes.homecare.register.services.common import MANAGE, chosen, follow_with_booking, managed, person_named

MOST_RADIUS = 50_000


@dataclass(frozen=True)
class PractitionerDraft:
    """Who gives care, by name and phone number as registered; `radius` in metres about `base` (longitude, latitude)."""

    name: str
    phone: str
    profession: str
    rank: int
    licence_number: str
    licence_last_day: date
    clinical_since: date
    skills: Sequence[str] = ()
    base: tuple[float, float] | None = None
    radius: int = 5000
    transport: str = codes.Transport.EBIKE


@dataclass(frozen=True)
class ShiftDraft:
    """When somebody works: on the days of an RRULE ("FREQ=WEEKLY;BYDAY=MO,TU"), by the wall clock of the place."""

    recurrence: str
    opens: time
    closes: time
    since: date | None = None
    until: date | None = None


def _act(action: str, row: Practitioner, reason: str = "", **data: object) -> Act:
    return Act(action, row, row.institution.place_id, reason=reason, subject=row.person_id, data=data)


@transaction.atomic
def add_practitioner(actor: Actor, institution_id: int, draft: PractitionerDraft) -> Practitioner:
    """Register somebody; they are not sent anywhere before `verify`. Their time becomes a resource of the kernel."""
    office = managed(actor, institution_id)
    errors = _errors(draft, selectors.day_at(office.place))
    if errors:
        raise Invalid(*errors)
    person = person_named(draft.name, draft.phone, office)
    row = Practitioner(person=person, institution=office, **_columns(draft))
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict(_("They are registered for this institution already.")) from error
    row.resource = _resource(actor, row, office, person)
    row.save(update_fields=["resource"])
    record(actor, Act("homecare.practitioner.add", row, office.place_id, subject=person.pk, data=_told(row)))
    follow_with_booking(actor, office)
    return row


def _errors(draft: PractitionerDraft, today: date) -> list[FieldError]:
    errors = []
    if draft.profession not in codes.Profession.values:
        said = _("Use one of: %(kinds)s.") % {"kinds": ", ".join(codes.Profession.values)}
        errors.append(FieldError("profession", said))
    if draft.rank not in codes.Rank.values:
        errors.append(FieldError("rank", _("Choose a title.")))
    if not draft.licence_number.strip():
        errors.append(FieldError("licence_number", _("Must not be empty.")))
    if not date(1950, 1, 1) <= draft.clinical_since <= today:
        errors.append(FieldError("clinical_since", _("A day that has already come.")))
    if not 100 <= draft.radius <= MOST_RADIUS:
        said = _("Must be a number from %(least)s to %(most)s.") % {"least": 100, "most": MOST_RADIUS}
        errors.append(FieldError("radius", said))
    if draft.transport not in codes.Transport.values:
        said = _("Use one of: %(kinds)s.") % {"kinds": ", ".join(codes.Transport.values)}
        errors.append(FieldError("transport", said))
    if draft.base is not None and not (abs(draft.base[0]) <= 180 and abs(draft.base[1]) <= 90):
        errors.append(FieldError("base", _("Longitude and latitude in degrees, WGS-84.")))
    return errors


def _columns(draft: PractitionerDraft) -> dict[str, object]:
    return {
        "profession": draft.profession,
        "rank": draft.rank,
        "licence_number": draft.licence_number.strip()[:64],
        "licence_last_day": draft.licence_last_day,
        "clinical_since": draft.clinical_since,
        "skills": chosen("skills", draft.skills, codes.Skill.values),
        "base_longitude": draft.base[0] if draft.base else None,
        "base_latitude": draft.base[1] if draft.base else None,
        "radius": draft.radius,
        "transport": draft.transport,
    }


def _told(row: Practitioner) -> dict[str, object]:
    return {"profession": row.profession, "rank": row.rank, "last_day": row.licence_last_day.isoformat()}


def _resource(actor: Actor, row: Practitioner, office: Institution, person: Person) -> Resource:
    able = lent(actor, office.place.path, "booking.manage", "parties.view")
    able = lent(able, office.organisation.place.path, "parties.view")
    draft = ResourceDraft(
        f"care-{row.pk}", "person", person.name, office.place_id, person=person.pk, organisation=office.organisation_id
    )
    return booking.create_resources(able, [draft])[0]


def locked(actor: Actor, practitioner_id: int) -> Practitioner:
    """A practitioner whom the actor may change; NotFound, Forbidden, or Conflict for one who left."""
    seen = selectors.practitioner(actor, practitioner_id)
    require(actor, MANAGE, seen.institution.place)
    rows = Practitioner.objects.select_for_update(of=("self",)).select_related("institution__place", "person")
    row = rows.select_related("resource").get(pk=seen.pk)
    if row.left_at is not None:
        raise Conflict(_("They have left this institution."))
    return row


def base_of(row: Practitioner) -> tuple[float, float] | None:
    """Where a practitioner's day begins, as longitude and latitude."""
    if row.base_longitude is None or row.base_latitude is None:
        return None
    return row.base_longitude, row.base_latitude


@dataclass(frozen=True)
class PracticeChange:
    """What changes; None leaves a field as it is. A new licence, title or begin of work must be verified again."""

    rank: int | None = None
    licence_number: str | None = None
    licence_last_day: date | None = None
    clinical_since: date | None = None
    skills: Sequence[str] | None = None
    radius: int | None = None
    transport: str | None = None


PROVED = ("rank", "licence_number", "licence_last_day", "clinical_since")
"""What the national register shows: it counts only as verified."""


@transaction.atomic
def change_practitioner(actor: Actor, practitioner_id: int, wanted: PracticeChange) -> Practitioner:
    """Change what is noted of somebody; what the national register shows then waits for `verify`."""
    row = locked(actor, practitioner_id)
    given = {name: value for name, value in vars(wanted).items() if value is not None}
    merged: dict[str, Any] = {name: getattr(row, name) for name in vars(wanted)} | given
    draft = PractitionerDraft("", "", row.profession, base=base_of(row), **merged)
    errors = _errors(draft, selectors.day_at(row.institution.place))
    if errors:
        raise Invalid(*errors)
    changed = {name: value for name, value in _columns(draft).items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    if any(name in PROVED for name in changed):
        row.verified_at, row.verified_by, row.verified_source = None, None, ""
    row.save()
    record(actor, _act("homecare.practitioner.change", row, fields=sorted(changed)))
    follow_with_booking(actor, row.institution)
    return row


@transaction.atomic
def verify(actor: Actor, practitioner_id: int, source: str) -> Practitioner:
    """Note that the licence, title and years were checked, and where (the national register, a document)."""
    row = locked(actor, practitioner_id)
    if not source.strip():
        raise Invalid.one("source", _("Say where it was checked, such as the national register of nurses."))
    if actor.user_id is not None and Person.objects.filter(pk=row.person_id, user=actor.user_id).exists():
        raise Conflict(_("Nobody verifies their own licence."))
    row.verified_at, row.verified_by_id, row.verified_source = timezone.now(), actor.user_id, source.strip()[:200]
    row.save(update_fields=["verified_at", "verified_by", "verified_source"])
    record(actor, _act("homecare.practitioner.verify", row, source.strip(), **_told(row)))
    return row


@transaction.atomic
def suspend(actor: Actor, practitioner_id: int, reason: str) -> Practitioner:
    """Send somebody nowhere for now."""
    row = locked(actor, practitioner_id)
    if not reason.strip():
        raise Invalid.one("reason", _("Say why; they can read it."))
    row.suspended_at, row.suspended_reason = timezone.now(), reason.strip()[:200]
    row.save(update_fields=["suspended_at", "suspended_reason"])
    record(actor, _act("homecare.practitioner.suspend", row, reason.strip()))
    return row


@transaction.atomic
def resume(actor: Actor, practitioner_id: int, reason: str) -> Practitioner:
    """Send a suspended person out again."""
    row = locked(actor, practitioner_id)
    if row.suspended_at is None:
        raise Conflict(_("They are not suspended."))
    if not reason.strip():
        raise Invalid.one("reason", _("Say why; they can read it."))
    row.suspended_at, row.suspended_reason = None, ""
    row.save(update_fields=["suspended_at", "suspended_reason"])
    record(actor, _act("homecare.practitioner.resume", row, reason.strip()))
    return row


@transaction.atomic
def add_shift(actor: Actor, practitioner_id: int, draft: ShiftDraft) -> None:
    """Let somebody work by a rule; several rules add up."""
    row = locked(actor, practitioner_id)
    able = lent(actor, row.institution.place.path, "booking.manage", "booking.view")
    rule = RuleDraft(draft.recurrence, draft.opens, draft.closes, draft.since, draft.until)
    booking.add_rule(able, _diary(row), rule)
    record(actor, _act("homecare.practitioner.shift", row, recurrence=draft.recurrence))


@transaction.atomic
def remove_shift(actor: Actor, practitioner_id: int, rule_id: int) -> None:
    """Take a rule of somebody's shifts away."""
    row = locked(actor, practitioner_id)
    if row.resource is None or not row.resource.rules.filter(pk=rule_id).exists():
        raise Invalid.one("rule", _("Choose one of their shifts."))
    booking.remove_rule(lent(actor, row.institution.place.path, "booking.manage", "booking.view"), rule_id)
    record(actor, _act("homecare.practitioner.shift", row, removed=rule_id))


@transaction.atomic
def add_absence(actor: Actor, practitioner_id: int, starts_at: datetime, ends_at: datetime) -> int:
    """Note that somebody is away from an instant to an instant; how many bookings stand in the way."""
    row = locked(actor, practitioner_id)
    able = lent(actor, row.institution.place.path, "booking.manage", "booking.view")
    done = booking.add_override(able, _diary(row), OverrideDraft(starts_at, ends_at, "absent"))
    record(actor, _act("homecare.practitioner.absence", row, affected=len(done.affected)))
    return len(done.affected)


def _diary(row: Practitioner) -> int:
    if row.resource_id is None:
        raise Conflict(_("They have no diary here; register them anew."))
    return row.resource_id


@transaction.atomic
def depart(actor: Actor, practitioner_id: int, reason: str) -> Practitioner:
    """Somebody works for the institution no longer. Conflict while bookings of them are still to come."""
    row = locked(actor, practitioner_id)
    if row.resource_id is not None:
        booking.retire_resource(
            lent(actor, row.institution.place.path, "booking.manage", "booking.view"), row.resource_id
        )
    row.left_at = timezone.now()
    row.save(update_fields=["left_at"])
    row.patients.clear()
    portraits.clear([row.pk])
    record(actor, _act("homecare.practitioner.left", row, reason.strip()))
    follow_with_booking(actor, row.institution)
    return row
