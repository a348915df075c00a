from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from ninja import Query, Status

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.lists.api import ListQuery, Page, answer
from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.booking import selectors, services
from shoufu.kernel.booking.api.common import router
from shoufu.kernel.booking.api.schemas import (
    OverrideIn,
    OverrideOut,
    ResourceIn,
    ResourceOut,
    ResourceWhole,
    RuleIn,
    RuleOut,
)
from shoufu.kernel.booking.models import (
    AvailabilityRule,
    Booking,
    Override,
    Resource,
)


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
