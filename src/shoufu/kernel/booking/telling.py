from datetime import datetime

from shoufu.kernel.base.actor import SYSTEM
from shoufu.kernel.booking import providers, slots
from shoufu.kernel.booking.models import Booking
from shoufu.kernel.notices.services import About, notify_user


def _about(row: Booking, what: str, until: datetime | None = None) -> About:
    where = slots.zone_named(row.place.time_zone)
    same = {"number": row.number, "time": f"{row.starts_at.astimezone(where):%m-%d %H:%M}"}
    if until is not None:
        same["until"] = f"{until.astimezone(where):%m-%d %H:%M}"
    offering, place = row.offering, row.place
    return About(
        place=place,
        event=f"booking:{row.pk}:{what}:{row.version}",
        words={
            "zh-hans": same | {"offering": offering.name, "place": place.name},
            "en": same | {"offering": offering.name_en or offering.name, "place": place.name_en or place.name},
        },
    )


def offered(row: Booking) -> None:
    """Tell who waited that a slot is held for them, and until when."""
    if row.user_id is not None:
        notify_user(SYSTEM, "booking.offered", _about(row, "offered", row.held_until), row.user_id)


def cancelled(row: Booking) -> None:
    """Tell who booked that the office cancelled; a provider that keeps its bookings tells whom it concerns."""
    if row.user_id is not None and row.offering.provider not in providers.keeping():
        notify_user(SYSTEM, "booking.cancelled", _about(row, "cancelled"), row.user_id)
