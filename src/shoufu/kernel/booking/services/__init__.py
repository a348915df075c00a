from shoufu.kernel.booking.services.expiry import complete_past, expire, expire_holds
from shoufu.kernel.booking.services.holding import HoldDraft, hold
from shoufu.kernel.booking.services.moves import Move, cancel, cancel_many, complete, confirm, no_show, reschedule
from shoufu.kernel.booking.services.offerings import (
    OfferingDraft,
    RequirementDraft,
    TermsDraft,
    change_terms,
    close_offering,
    create_offering,
    require_resources,
)
from shoufu.kernel.booking.services.requests import Once
from shoufu.kernel.booking.services.resources import (
    OverrideDraft,
    ResourceDraft,
    RuleDraft,
    add_override,
    add_rule,
    create_resources,
    managed,
    remove_override,
    remove_rule,
    retire_resource,
)
from shoufu.kernel.booking.services.waiting import WaitDraft, join, promote, promote_all, withdraw

__all__ = [
    "HoldDraft",
    "Move",
    "OfferingDraft",
    "Once",
    "OverrideDraft",
    "RequirementDraft",
    "ResourceDraft",
    "RuleDraft",
    "TermsDraft",
    "WaitDraft",
    "add_override",
    "add_rule",
    "cancel",
    "cancel_many",
    "change_terms",
    "close_offering",
    "complete",
    "complete_past",
    "confirm",
    "create_offering",
    "create_resources",
    "expire",
    "expire_holds",
    "hold",
    "join",
    "managed",
    "no_show",
    "promote",
    "promote_all",
    "remove_override",
    "remove_rule",
    "require_resources",
    "reschedule",
    "retire_resource",
    "withdraw",
]
