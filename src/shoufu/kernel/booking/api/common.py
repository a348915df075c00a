from zoneinfo import ZoneInfo

from ninja import Router, Schema

from shoufu.kernel.base.pages import PageRequest
from shoufu.kernel.booking import policy, services, slots
from shoufu.kernel.booking.api.schemas import ChargeOut
from shoufu.kernel.booking.models import (
    Offering,
)
from shoufu.kernel.booking.policy import Charge

router = Router()


def once_of(request: PageRequest, operation: str, body: Schema | None) -> services.Once | None:
    """The key under which a request is done once."""
    key = request.headers.get("Idempotency-Key", "")
    return services.Once.of(key, operation, body.model_dump(mode="json") if body is not None else {})


def zone_of(row: Offering) -> ZoneInfo:
    """The time zone of an offering."""
    return slots.zone_named(row.place.time_zone)


def charge_of(found: Charge) -> ChargeOut:
    """What cancelling costs, as it is told."""
    return ChargeOut(words=policy.words(found), **{
        name: getattr(found, name) for name in ("amount", "currency", "percent", "reason", "until")
    })  # fmt: skip
