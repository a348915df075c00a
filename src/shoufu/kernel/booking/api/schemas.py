from datetime import date, datetime, time
from typing import Any

from ninja import Schema
from pydantic import Field

from shoufu.kernel.booking import services

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
