from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.translation import gettext as _

from shoufu.kernel.access.policy import limit, require
from shoufu.kernel.audit.services import Act, record, record_many
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, FieldError, Invalid, NotFound
from shoufu.kernel.booking import calendar, selectors, slots
from shoufu.kernel.booking.models import Allocation, AvailabilityRule, Booking, Override, Resource
from shoufu.kernel.booking.services import claims
from shoufu.kernel.parties.models import Organisation, Person
from shoufu.kernel.places.models import Place


@dataclass(frozen=True)
class RuleDraft:
    """When a resource is there: see `AvailabilityRule`."""

    recurrence: str
    opens: time
    closes: time
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class ResourceDraft:
    """A resource as somebody fills it in, with its rules."""

    code: str
    kind: str
    name: str
    place: int
    name_en: str = ""
    person: int | None = None
    organisation: int | None = None
    rules: Sequence[RuleDraft] = ()


@dataclass(frozen=True)
class OverrideDraft:
    """An absence, or with `available` an opening besides the rules."""

    starts_at: datetime
    ends_at: datetime
    reason: str = Override.Reason.CLOSED
    available: bool = False


def _check(draft: ResourceDraft, row: int, places: dict[int, Place]) -> list[FieldError]:
    at = f"{row}." if row else ""
    errors = [
        FieldError(f"{at}{name}", _("Must not be empty."))
        for name in ("code", "name")
        if not getattr(draft, name).strip()
    ]
    if draft.kind not in Resource.Kind.values:
        said = _("Use one of: %(kinds)s.") % {"kinds": ", ".join(Resource.Kind.values)}
        errors.append(FieldError(f"{at}kind", said))
    if draft.place not in places:
        errors.append(FieldError(f"{at}place", _("Choose a place whose bookings you may manage.")))
    return errors


@transaction.atomic
def create_resources(actor: Actor, drafts: Sequence[ResourceDraft]) -> list[Resource]:
    """Add resources with their rules; all or none. Conflict for a code that is there already."""
    rows = limit(Place.objects.filter(closed_at__isnull=True), actor, selectors.MANAGE, "path")
    places = {place.pk: place for place in rows.filter(pk__in={draft.place for draft in drafts})}
    errors = [error for n, draft in enumerate(drafts) for error in _check(draft, n, places)]
    if errors:
        raise Invalid(*errors)
    codes = [draft.code.strip()[:64] for draft in drafts]
    taken = sorted(Resource.objects.filter(code__in=codes).values_list("code", flat=True))
    if taken or len(set(codes)) < len(codes):
        raise Conflict(_("There is a resource with this code already."), codes=taken)
    for place in places.values():
        slots.zone_named(place.time_zone, "place")
    made = Resource.objects.bulk_create([_resource(actor, draft, places[draft.place]) for draft in drafts])
    rules = [_rule(row, rule) for row, draft in zip(made, drafts, strict=True) for rule in draft.rules]
    AvailabilityRule.objects.bulk_create(rules)
    record_many(actor, [Act("booking.resource.create", row, row.place_id, data={"code": row.code}) for row in made])
    return made


def _resource(actor: Actor, draft: ResourceDraft, place: Place) -> Resource:
    if draft.person is not None:
        people = limit(Person.objects.filter(erased_at__isnull=True), actor, "parties.view")
        if not people.filter(pk=draft.person).exists():
            raise Invalid.one("person", _("There is no person %(id)s that you may see.") % {"id": draft.person})
    if draft.organisation is not None:
        offices = limit(Organisation.objects.all(), actor, "parties.view")
        if not offices.filter(pk=draft.organisation).exists():
            raise Invalid.one("organisation", _("Choose an organisation."))
    return Resource(
        code=draft.code.strip()[:64],
        kind=draft.kind,
        name=draft.name.strip()[:120],
        name_en=draft.name_en.strip()[:120],
        place=place,
        person_id=draft.person,
        organisation_id=draft.organisation,
    )


def _rule(resource: Resource, draft: RuleDraft) -> AvailabilityRule:
    since = draft.since or timezone.localdate(timezone=slots.zone_of(resource))
    if not 1970 <= since.year <= 2200:
        raise Invalid.one("since", _("Must be a day from 1970 to 2200."))
    if draft.until is not None and draft.until <= since:
        raise Invalid.one("until", _("Must be after “since”."))
    if draft.opens.tzinfo is not None or draft.closes.tzinfo is not None:
        raise Invalid.one("opens", _("Write the wall-clock time of the place, without an offset."))
    try:
        recurrence = calendar.check_recurrence(draft.recurrence, since)
    except calendar.BadRecurrence as error:
        said = _("Write a recurrence such as FREQ=WEEKLY;BYDAY=MO,TU. %(why)s") % {"why": error}
        raise Invalid.one("recurrence", said) from error
    if len(recurrence) > 200:
        raise Invalid.one("recurrence", _("Use at most %(most)s printable characters.") % {"most": 200})
    return AvailabilityRule(
        resource=resource,
        recurrence=recurrence,
        since=since,
        until=draft.until,
        opens=draft.opens,
        closes=draft.closes,
    )


def managed(actor: Actor, resource_id: int) -> Resource:
    """A resource whose diary the actor may change; NotFound or Forbidden."""
    seen = selectors.resource(actor, resource_id)
    require(actor, selectors.MANAGE, seen.place)
    return seen


@transaction.atomic
def add_rule(actor: Actor, resource_id: int, draft: RuleDraft) -> AvailabilityRule:
    """Open a resource by a rule; bookings that exist stay."""
    row = managed(actor, resource_id)
    made = _rule(row, draft)
    made.save()
    record(actor, Act("booking.rule.add", row, row.place_id, data={"recurrence": made.recurrence}))
    return made


@transaction.atomic
def remove_rule(actor: Actor, rule_id: int) -> None:
    """Take a rule away; bookings that exist stay."""
    rule = AvailabilityRule.objects.filter(pk=rule_id, resource__in=selectors.resources(actor, retired=True)).first()
    if rule is None:
        raise NotFound(_("There is no such rule that you may see."))
    row = managed(actor, rule.resource_id)
    record(actor, Act("booking.rule.remove", row, row.place_id, data={"recurrence": rule.recurrence}))
    rule.delete()


@dataclass(frozen=True)
class Overridden:
    """An exception, and the bookings that now stand in an absence: to be moved or cancelled by the office."""

    row: Override
    affected: Sequence[Booking]


@transaction.atomic
def add_override(actor: Actor, resource_id: int, draft: OverrideDraft) -> Overridden:
    """Note that a resource is away, or there besides its rules. Bookings stay; those in the way are returned."""
    row = managed(actor, resource_id)
    if draft.ends_at <= draft.starts_at:
        raise Invalid.one("ends_at", _("Must be after the start."))
    if draft.reason not in Override.Reason.values:
        said = _("Use one of: %(kinds)s.") % {"kinds": ", ".join(Override.Reason.values)}
        raise Invalid.one("reason", said)
    claims.lock([row.pk])
    made = Override.objects.create(
        resource=row,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        available=draft.available,
        reason=draft.reason,
    )
    record(actor, Act("booking.override.add", made, row.place_id, data={"available": made.available}))
    return Overridden(made, [] if made.available else _in_the_way(made))


def _in_the_way(override: Override) -> list[Booking]:
    span = DateTimeTZRange(override.starts_at, override.ends_at)
    rows = Allocation.objects.filter(resource=override.resource, live=True, span__overlap=span)
    return list(Booking.objects.filter(pk__in=rows.values("booking"), state__in=Booking.LIVE).order_by("starts_at"))


@transaction.atomic
def remove_override(actor: Actor, override_id: int) -> None:
    """Take an exception back."""
    found = Override.objects.filter(pk=override_id, resource__in=selectors.resources(actor, retired=True)).first()
    if found is None:
        raise NotFound(_("There is no such exception that you may see."))
    row = managed(actor, found.resource_id)
    record(actor, Act("booking.override.remove", found, row.place_id))
    found.delete()


@transaction.atomic
def retire_resource(actor: Actor, resource_id: int) -> Resource:
    """Book a resource no longer. Conflict while bookings of it are still to come."""
    row = managed(actor, resource_id)
    claims.lock([row.pk])
    coming = Allocation.objects.filter(
        resource=row, live=True, booking__state__in=Booking.LIVE, booking__ends_at__gt=timezone.now()
    ).count()
    if coming:
        said = _("%(count)s bookings are still to come; move or cancel them first.") % {"count": coming}
        raise Conflict(said, reason="booked", count=coming)
    if row.retired_at is None:
        row.retired_at = timezone.now()
        row.save(update_fields=["retired_at"])
        record(actor, Act("booking.resource.retire", row, row.place_id))
    return row
