from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema, Status
from pydantic import Field

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.booking import policy, selectors, services, slots
from shoufu.kernel.booking.models import (
    AvailabilityRule,
    Booking,
    BookingEvent,
    Offering,
    Override,
    Resource,
    Terms,
    WaitingEntry,
)
from shoufu.kernel.booking.policy import Charge
from shoufu.kernel.booking.providers import Slot

router = Router()
BOOKING_SORTS = {"start": "starts_at", "state": "state", "made": "made_at"}
TIME = "ISO 8601; without an offset by the wall clock of the offering's place"
BIGGEST = 2_147_483_647
BIGGEST_ID = 9_223_372_036_854_775_807


class TermsIn(Schema):
    duration_minutes: int = Field(ge=1)
    step_minutes: int | None = Field(None, ge=1, description="The grid of starts; empty: one after the other")
    most_units: int = Field(1, ge=1)
    buffer_before: int = Field(0, ge=0)
    buffer_after: int = Field(0, ge=0)
    capacity: int = Field(1, ge=1, description="Places of a slot; 1: a resource is taken whole")
    lead_minutes: int = Field(0, ge=0)
    horizon_days: int = Field(30, ge=1)
    hold_seconds: int = Field(600, ge=1)
    price: int = Field(0, ge=0, description="Of one unit and place, in minor units")
    currency: str = Field("CNY", max_length=3)
    policy: dict[str, Any] = Field(
        {}, description="steps [{hours, percent}], late_percent, no_show_percent, move_hours"
    )

    def draft(self) -> services.TermsDraft:
        return services.TermsDraft(**self.model_dump())


class RequirementIn(Schema):
    resources: list[int] = Field(max_length=500)
    name: str = Field("", max_length=120)
    name_en: str = Field("", max_length=120)


class OfferingIn(Schema):
    code: str = Field(max_length=64)
    place: int
    name: str = Field(max_length=120)
    name_en: str = Field("", max_length=120)
    organisation: int | None = None
    provider: str = Field("", max_length=64)
    terms: TermsIn
    requirements: list[RequirementIn] = Field(max_length=10)


class TermsOut(Schema):
    number: int
    duration_minutes: int
    step_minutes: int
    most_units: int
    buffer_before: int
    buffer_after: int
    capacity: int
    lead_minutes: int
    horizon_days: int
    hold_seconds: int
    price: int
    currency: str
    policy: dict[str, Any]


class OfferingOut(Schema):
    id: int
    code: str
    place: int = Field(alias="place_id")
    organisation: int | None = Field(alias="organisation_id")
    name: str
    name_en: str
    provider: str
    ends_at: datetime | None
    terms: TermsOut | None = Field(alias="current")


class CloseIn(Schema):
    ends_at: datetime | None = None


class RuleIn(Schema):
    recurrence: str = Field(max_length=200, description="RFC 5545 RRULE, such as FREQ=WEEKLY;BYDAY=MO,TU")
    opens: time
    closes: time
    since: date | None = None
    until: date | None = None

    def draft(self) -> services.RuleDraft:
        return services.RuleDraft(self.recurrence, self.opens, self.closes, self.since, self.until)


class RuleOut(Schema):
    id: int
    recurrence: str
    since: date
    until: date | None
    opens: time
    closes: time


class ResourceIn(Schema):
    code: str = Field(max_length=64)
    kind: str = Field(description="room, court, person, vehicle, equipment or other")
    name: str = Field(max_length=120)
    name_en: str = Field("", max_length=120)
    place: int
    person: int | None = None
    organisation: int | None = None
    rules: list[RuleIn] = Field([], max_length=50)


class ResourceOut(Schema):
    id: int
    code: str
    kind: str
    name: str
    name_en: str
    place: int = Field(alias="place_id")
    organisation: int | None = Field(alias="organisation_id")
    retired_at: datetime | None


class ResourceWhole(ResourceOut):
    rules: list[RuleOut]


class OverrideIn(Schema):
    starts_at: datetime
    ends_at: datetime
    reason: str = Field("closed", description="absent, closed, maintenance or extra")
    available: bool = False


class OverrideOut(Schema):
    id: int
    starts_at: datetime
    ends_at: datetime
    reason: str
    available: bool
    affected: list[int] = Field(description="Bookings that stand in the absence: the office moves or cancels them")


class SlotQuery(Schema):
    since: str = Field(description=TIME)
    until: str = Field(description=TIME)
    units: int = Field(1, ge=1, le=100)
    quantity: int = Field(1, ge=1, le=1_000_000)
    person: int | None = Field(None, ge=0, le=BIGGEST_ID)
    resource: list[int] = Field([], max_length=10, description="Only with these")
    zone: str = Field("", max_length=64, description="IANA zone of the answer; empty: that of the place")
    details: str = Field("", max_length=4000, description="JSON object for the offering's provider")


class SlotOut(Schema):
    start: datetime
    end: datetime
    left: int
    resources: list[int] = Field(description="One free resource for each requirement")


class SlotsOut(Schema):
    zone: str
    items: list[SlotOut]


class HoldIn(Schema):
    offering: int = Field(ge=0, le=BIGGEST_ID)
    start: str = Field(description=TIME, max_length=40)
    end: str = Field("", description=TIME, max_length=40)
    units: int = Field(1, ge=1, le=100)
    quantity: int = Field(1, ge=1, le=1_000_000)
    person: int | None = Field(None, ge=0, le=BIGGEST_ID)
    resources: list[int] = Field([], max_length=10)
    details: dict[str, Any] = {}


class Versioned(Schema):
    version: int | None = Field(None, description="The version the decision was made on; another one is refused (409)")


class CancelIn(Versioned):
    reason: str = Field("", max_length=200)


class MoveIn(Versioned):
    start: str = Field(description=TIME, max_length=40)
    end: str = Field("", description=TIME, max_length=40)
    resources: list[int] = Field([], max_length=10)


class ChargeOut(Schema):
    amount: int = Field(description="In minor units of the currency")
    currency: str
    percent: int
    reason: str = Field(description="free, step, late, no_show, held or office")
    words: str
    until: datetime | None = Field(description="Until when it stands")


class BookingOut(Schema):
    id: int
    number: str
    offering: int = Field(alias="offering_id")
    place: int = Field(alias="place_id")
    state: str
    starts_at: datetime
    ends_at: datetime
    units: int
    quantity: int
    held_until: datetime | None
    made_at: datetime
    ended_at: datetime | None
    charge: int
    charge_reason: str
    version: int


class EventOut(Schema):
    at: datetime
    kind: str
    cause: str
    before: datetime | None
    after: datetime | None


class WaitIn(Schema):
    offering: int = Field(ge=0, le=BIGGEST_ID)
    since: str = Field(description=TIME, max_length=40)
    until: str = Field(description=TIME, max_length=40)
    units: int = Field(1, ge=1, le=100)
    quantity: int = Field(1, ge=1, le=1_000_000)
    person: int | None = Field(None, ge=0, le=BIGGEST_ID)
    details: dict[str, Any] = {}


class WaitOut(Schema):
    id: int
    offering: int = Field(alias="offering_id")
    since: datetime
    until: datetime
    units: int
    quantity: int
    state: str
    booking: int | None = Field(alias="booking_id")
    made_at: datetime


def _once(request: PageRequest, operation: str, body: Schema | None) -> services.Once | None:
    key = request.headers.get("Idempotency-Key", "")
    return services.Once.of(key, operation, body.model_dump(mode="json") if body is not None else {})


def _zone(row: Offering) -> ZoneInfo:
    return slots.zone_named(row.place.time_zone)


def _charge(found: Charge) -> ChargeOut:
    return ChargeOut(words=policy.words(found), **{
        name: getattr(found, name) for name in ("amount", "currency", "percent", "reason", "until")
    })  # fmt: skip


@router.get("/offerings", response=Page[OfferingOut])
def list_offerings(request: PageRequest, query: Query[ListQuery]) -> Any:
    """What one may book or see."""
    rows = selectors.offerings(request.actor)
    return answer(rows, query, {"name": "name", "code": "code"}, OfferingOut.from_orm, "offerings")


@router.post("/offerings", response={201: OfferingOut})
def create_offering(request: PageRequest, body: OfferingIn) -> Status[Offering]:
    """Offer something to be booked."""
    draft = services.OfferingDraft(
        code=body.code,
        place=body.place,
        name=body.name,
        name_en=body.name_en,
        organisation=body.organisation,
        provider=body.provider,
        terms=body.terms.draft(),
        requirements=[services.RequirementDraft(one.resources, one.name, one.name_en) for one in body.requirements],
    )
    return Status(201, services.create_offering(request.actor, draft))


@router.get("/offerings/{int:offering_id}", response=OfferingOut)
def get_offering(request: PageRequest, offering_id: int) -> Offering:
    """One offering with its present terms."""
    return selectors.offering(request.actor, offering_id)


@router.put("/offerings/{int:offering_id}/terms", response=TermsOut)
def change_terms(request: PageRequest, offering_id: int, body: TermsIn) -> Terms:
    """New terms for new bookings; those that exist keep theirs."""
    return services.change_terms(request.actor, offering_id, body.draft())


@router.put("/offerings/{int:offering_id}/requirements", response=OfferingOut)
def require_resources(request: PageRequest, offering_id: int, body: list[RequirementIn]) -> Offering:
    """Change what new bookings take."""
    drafts = [services.RequirementDraft(one.resources, one.name, one.name_en) for one in body]
    return services.require_resources(request.actor, offering_id, drafts)


@router.post("/offerings/{int:offering_id}/close", response=OfferingOut)
def close_offering(request: PageRequest, offering_id: int, body: CloseIn) -> Offering:
    """End an offering, now or at a time."""
    return services.close_offering(request.actor, offering_id, body.ends_at)


def _details(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text) if text else {}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid.one("details", _("Not JSON: %(why)s.") % {"why": error}) from error
    if not isinstance(found, dict):
        raise Invalid.one("details", _("Must be a JSON object."))
    return found


@router.get("/offerings/{int:offering_id}/slots", response=SlotsOut)
def free_slots(request: PageRequest, offering_id: int, query: Query[SlotQuery]) -> Any:
    """The slots that can be had, soonest first: free by rules and bookings, and feasible by the offering's provider."""
    found = selectors.bookable(request.actor, offering_id)
    shown = slots.zone_named(query.zone) if query.zone else _zone(found)
    ask = selectors.Ask(
        offering=found,
        since=selectors.moment(query.since, _zone(found), "since"),
        until=selectors.moment(query.until, _zone(found), "until"),
        units=query.units,
        quantity=query.quantity,
        person=query.person,
        resources=query.resource,
        details=_details(query.details),
    )
    return _encoded(shown, selectors.free_slots(request.actor, ask))


def _encoded(shown: ZoneInfo, found: Sequence[Slot]) -> HttpResponse:
    """Hundreds of slots an answer: straight to JSON."""
    items = [
        {
            "start": one.start.astimezone(shown).isoformat(),
            "end": one.end.astimezone(shown).isoformat(),
            "left": one.left,
            "resources": one.resources,
        }
        for one in found
    ]
    return HttpResponse(msgspec.json.encode({"zone": shown.key, "items": items}), content_type="application/json")


@router.get("/resources", response=Page[ResourceOut])
def list_resources(request: PageRequest, query: Query[ListQuery]) -> Any:
    """What can be taken by bookings."""
    rows = selectors.resources(request.actor)
    return answer(rows, query, {"name": "name", "code": "code"}, ResourceOut.from_orm, "resources")


@router.post("/resources", response={201: list[ResourceOut]})
def create_resources(request: PageRequest, body: list[ResourceIn]) -> Status[list[Resource]]:
    """Add resources with their rules; all or none."""
    drafts = [
        services.ResourceDraft(**one.model_dump(exclude={"rules"}), rules=[rule.draft() for rule in one.rules])
        for one in body
    ]
    return Status(201, services.create_resources(request.actor, drafts))


@router.get("/resources/{int:resource_id}", response=ResourceWhole)
def get_resource(request: PageRequest, resource_id: int) -> Resource:
    """One resource with its rules."""
    return selectors.resource(request.actor, resource_id)


@router.post("/resources/{int:resource_id}/rules", response={201: RuleOut})
def add_rule(request: PageRequest, resource_id: int, body: RuleIn) -> Status[AvailabilityRule]:
    """Open a resource by a rule."""
    return Status(201, services.add_rule(request.actor, resource_id, body.draft()))


@router.delete("/resources/rules/{int:availability_rule_id}", response={204: None})
def remove_rule(request: PageRequest, availability_rule_id: int) -> Status[None]:
    """Take a rule away."""
    services.remove_rule(request.actor, availability_rule_id)
    return Status(204, None)


@router.post("/resources/{int:resource_id}/overrides", response={201: OverrideOut})
def add_override(request: PageRequest, resource_id: int, body: OverrideIn) -> Status[OverrideOut]:
    """Note an absence, or an opening besides the rules."""
    for name in ("starts_at", "ends_at"):
        if getattr(body, name).tzinfo is None:
            raise Invalid.one(name, _("Write it with an offset, like 2026-11-23T18:42:07+08:00."))
    made = services.add_override(request.actor, resource_id, services.OverrideDraft(**body.model_dump()))
    return Status(201, _override(made.row, made.affected))


def _override(row: Override, affected: Sequence[Booking]) -> OverrideOut:
    names = ("id", "starts_at", "ends_at", "reason", "available")
    return OverrideOut(affected=[one.pk for one in affected], **{name: getattr(row, name) for name in names})


@router.delete("/resources/overrides/{int:override_id}", response={204: None})
def remove_override(request: PageRequest, override_id: int) -> Status[None]:
    """Take an exception back."""
    services.remove_override(request.actor, override_id)
    return Status(204, None)


@router.post("/resources/{int:resource_id}/retire", response=ResourceOut)
def retire_resource(request: PageRequest, resource_id: int) -> Resource:
    """Book a resource no longer."""
    return services.retire_resource(request.actor, resource_id)


@router.get("/bookings", response=Page[BookingOut])
def list_bookings(request: PageRequest, query: Query[ListQuery]) -> Any:
    """One's own bookings, and those of one's places."""
    rows = selectors.bookings(request.actor)
    return answer(rows, query, BOOKING_SORTS, BookingOut.from_orm, "bookings")


@router.post("/bookings", response={201: BookingOut})
def hold(request: PageRequest, body: HoldIn) -> Status[Booking]:
    """Hold a slot; confirm it before `held_until`. Send an Idempotency-Key, and the same again after a lost answer."""
    row = selectors.bookable(request.actor, body.offering)
    draft = services.HoldDraft(
        offering=row,
        start=selectors.moment(body.start, _zone(row)),
        end=selectors.moment(body.end, _zone(row), "end") if body.end else None,
        units=body.units,
        quantity=body.quantity,
        person=body.person,
        resources=body.resources,
        details=body.details,
    )
    return Status(201, services.hold(request.actor, draft, _once(request, "hold", body)))


@router.get("/bookings/{int:booking_id}", response=BookingOut)
def get_booking(request: PageRequest, booking_id: int) -> Booking:
    """One booking."""
    return selectors.booking(request.actor, booking_id)


@router.get("/bookings/{int:booking_id}/history", response=list[EventOut])
def history(request: PageRequest, booking_id: int) -> Sequence[BookingEvent]:
    """What happened to a booking, oldest first."""
    return selectors.history(request.actor, selectors.booking(request.actor, booking_id))


@router.get("/bookings/{int:booking_id}/charge", response=ChargeOut)
def charge(request: PageRequest, booking_id: int) -> ChargeOut:
    """What cancelling costs now, and why."""
    return _charge(selectors.charge_now(request.actor, booking_id))


@router.post("/bookings/{int:booking_id}/confirm", response=BookingOut)
def confirm(request: PageRequest, booking_id: int, body: Versioned) -> Booking:
    """Make a hold a booking."""
    once = _once(request, f"confirm {booking_id}", body)
    return services.confirm(request.actor, booking_id, body.version, once)


@router.post("/bookings/{int:booking_id}/cancel", response=BookingOut)
def cancel(request: PageRequest, booking_id: int, body: CancelIn) -> Booking:
    """Give a hold or booking up; `charge` is what it costs by its terms."""
    once = _once(request, f"cancel {booking_id}", body)
    return services.cancel(request.actor, booking_id, body.version, once, reason=body.reason)


@router.post("/bookings/{int:booking_id}/reschedule", response=BookingOut)
def reschedule(request: PageRequest, booking_id: int, body: MoveIn) -> Booking:
    """Give a booking another time."""
    row = selectors.booking(request.actor, booking_id)
    where = slots.zone_named(row.place.time_zone)
    move = services.Move(
        start=selectors.moment(body.start, where),
        end=selectors.moment(body.end, where, "end") if body.end else None,
        resources=body.resources,
        version=body.version,
    )
    return services.reschedule(request.actor, booking_id, move, _once(request, f"reschedule {booking_id}", body))


@router.post("/bookings/{int:booking_id}/complete", response=BookingOut)
def complete(request: PageRequest, booking_id: int, body: Versioned) -> Booking:
    """As the office: it was kept."""
    once = _once(request, f"complete {booking_id}", body)
    return services.complete(request.actor, booking_id, body.version, once)


@router.post("/bookings/{int:booking_id}/no-show", response=BookingOut)
def no_show(request: PageRequest, booking_id: int, body: Versioned) -> Booking:
    """As the office: nobody came."""
    once = _once(request, f"no-show {booking_id}", body)
    return services.no_show(request.actor, booking_id, body.version, once)


@router.get("/waiting", response=Page[WaitOut])
def list_waiting(request: PageRequest, query: Query[ListQuery]) -> Any:
    """Who waits for a slot."""
    rows = selectors.waiting(request.actor)
    return answer(rows, query, {"made": "made_at", "since": "since"}, WaitOut.from_orm, "waiting")


@router.post("/waiting", response={201: WaitOut})
def join(request: PageRequest, body: WaitIn) -> Status[WaitingEntry]:
    """Wait for a slot in a span of time: it will be held, and a notice comes."""
    where = _zone(selectors.bookable(request.actor, body.offering))
    draft = services.WaitDraft(
        offering=body.offering,
        since=selectors.moment(body.since, where, "since"),
        until=selectors.moment(body.until, where, "until"),
        units=body.units,
        quantity=body.quantity,
        person=body.person,
        details=body.details,
    )
    return Status(201, services.join(request.actor, draft))


@router.post("/waiting/{int:waiting_entry_id}/withdraw", response=WaitOut)
def withdraw(request: PageRequest, waiting_entry_id: int) -> WaitingEntry:
    """Wait no longer."""
    return services.withdraw(request.actor, waiting_entry_id)
