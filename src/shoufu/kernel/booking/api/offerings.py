from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Status

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.booking import selectors, services, slots
from shoufu.kernel.booking.api.common import router, zone_of
from shoufu.kernel.booking.api.schemas import (
    CloseIn,
    OfferingIn,
    OfferingOut,
    RequirementIn,
    SlotQuery,
    SlotsOut,
    TermsIn,
    TermsOut,
)
from shoufu.kernel.booking.models import (
    Offering,
    Terms,
)
from shoufu.kernel.booking.providers import Slot


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
    shown = slots.zone_named(query.zone) if query.zone else zone_of(found)
    ask = selectors.Ask(
        offering=found,
        since=selectors.moment(query.since, zone_of(found), "since"),
        until=selectors.moment(query.until, zone_of(found), "until"),
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
