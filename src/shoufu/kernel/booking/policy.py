"""What a cancellation costs: versioned data of the terms, computed here; taking the money is another app's."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.kernel.booking.models import Booking

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Step:
    """Until `hours` before the start a cancellation costs `percent` of the price."""

    hours: int
    percent: int


@dataclass(frozen=True)
class Policy:
    """Steps with falling hours; after the last one `late_percent`, for who does not come `no_show_percent`.
    A booking may be moved until `move_hours` before its start."""

    steps: tuple[Step, ...] = (Step(24, 0),)
    late_percent: int = 100
    no_show_percent: int = 100
    move_hours: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"steps": [asdict(step) for step in self.steps]}


@dataclass(frozen=True)
class Charge:
    """What a cancellation costs: `amount` in minor units of `currency`, `percent` of the price, and why.

    `reason` is "free", "step", "late", "no_show", "held" (nothing was agreed yet) or "office" (not their doing).
    `until` is how long this amount stands.
    """

    amount: int
    currency: str
    percent: int
    reason: str
    until: datetime | None = None


def _whole(value: Any, name: str, most: int, errors: list[FieldError]) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        errors.append(FieldError(name, _("Must be a whole number from 0 to %(most)s.") % {"most": most}))
        return 0
    return value


def read(data: Mapping[str, Any]) -> Policy:
    """The policy in a version's data. Invalid names what is wrong."""
    errors: list[FieldError] = []
    spare, known = Policy(), {"steps", "late_percent", "no_show_percent", "move_hours"}
    if unknown := sorted(set(data) - known):
        errors.append(FieldError(f"policy.{unknown[0]}", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(known)}))
    given = data.get("steps", [asdict(step) for step in spare.steps])
    steps = []
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given) or len(given) > 10:
        errors.append(FieldError("policy.steps", _("Write at most ten steps, each with hours and percent.")))
        given = []
    for at, one in enumerate(given):
        hours = _whole(one.get("hours"), f"policy.steps.{at}.hours", 8760, errors)
        steps.append(Step(hours, _whole(one.get("percent"), f"policy.steps.{at}.percent", 100, errors)))
    if [one.hours for one in steps] != sorted({one.hours for one in steps}, reverse=True):
        errors.append(FieldError("policy.steps", _("The hours of the steps must fall.")))
    late = _whole(data.get("late_percent", spare.late_percent), "policy.late_percent", 100, errors)
    missed = _whole(data.get("no_show_percent", spare.no_show_percent), "policy.no_show_percent", 100, errors)
    move = _whole(data.get("move_hours", spare.move_hours), "policy.move_hours", 8760, errors)
    if errors:
        raise Invalid(*errors)
    return Policy(tuple(steps), late, missed, move)


def price(booking: Booking) -> int:
    """The whole price of a booking, in minor units."""
    return booking.terms.price * booking.units * booking.quantity


def _share(booking: Booking, percent: int) -> int:
    """Half a minor unit is rounded up, in integers."""
    return (price(booking) * percent + 50) // 100


def _charge(booking: Booking, percent: int, reason: str, until: datetime | None = None) -> Charge:
    return Charge(_share(booking, percent), booking.terms.currency, percent, reason, until)


def of_cancelling(booking: Booking, at: datetime, *, by_office: bool = False) -> Charge:
    """What cancelling at this moment costs by the terms under which the booking was made."""
    if booking.state == Booking.State.HELD:
        return _charge(booking, 0, "held", booking.held_until)
    if by_office:
        return _charge(booking, 0, "office")
    policy = read(booking.terms.policy)
    for step in policy.steps:
        until = booking.starts_at - step.hours * HOUR
        if at <= until:
            return _charge(booking, step.percent, "step" if step.percent else "free", until)
    return _charge(booking, policy.late_percent, "late")


def of_not_coming(booking: Booking) -> Charge:
    """What not coming costs."""
    return _charge(booking, read(booking.terms.policy).no_show_percent, "no_show")


def percent_of(booking: Booking) -> int:
    """What the charge of a booking that ended is of its price, in whole percent."""
    whole = price(booking)
    return round(100 * (booking.charge or 0) / whole) if whole else 0


def words(charge: Charge) -> str:
    """The reason in the reader's language."""
    said = {
        "free": _("Free: early enough by the terms."),
        "step": _("%(percent)s %% of the price: by the terms, this long before the start."),
        "late": _("%(percent)s %% of the price: later than the terms allow."),
        "no_show": _("%(percent)s %% of the price: nobody came."),
        "held": _("Free: it was only held."),
        "office": _("Free: the office cancelled."),
    }
    return said[charge.reason] % {"percent": charge.percent}
