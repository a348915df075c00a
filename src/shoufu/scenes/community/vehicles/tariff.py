"""What a stay would cost: a tariff as data, and a quotation with its reasons. Nothing is charged here; the payment
system asks for the quotation and takes the money."""

from datetime import datetime, timedelta

import msgspec


class Tariff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Minor units (fen): `per_hour` for each hour begun after `free_minutes`, at most `day_cap` in 24 hours (0: none).

    The free minutes are free only for stays that end within them when `free_once_over` is False (the usual rule).
    """

    free_minutes: int = 30
    per_hour: int = 200
    day_cap: int = 2000
    free_once_over: bool = True
    currency: str = "CNY"


class Reason(msgspec.Struct, frozen=True):
    """A line of a quotation: a code ("free", "hours", "cap"), how many, and the amount in minor units."""

    code: str
    count: int
    amount: int


class Quote(msgspec.Struct, frozen=True):
    """`amount` in minor units of `currency`, and what it is made of."""

    amount: int
    currency: str
    reasons: tuple[Reason, ...] = ()


def quote(tariff: Tariff, entry: datetime, exit: datetime) -> Quote:
    """The price of a stay from `entry` to `exit` (aware times). Raises ValueError where it ends before it begins."""
    if exit < entry:
        raise ValueError("The stay ends before it begins.")
    stayed = exit - entry
    free = timedelta(minutes=tariff.free_minutes)
    if stayed <= free:
        return Quote(0, tariff.currency, (Reason("free", tariff.free_minutes, 0),))
    reasons = []
    if tariff.free_once_over and tariff.free_minutes:
        stayed -= free
        reasons.append(Reason("free", tariff.free_minutes, 0))
    days, rest = divmod(stayed, timedelta(days=1))
    hours = -(-rest // timedelta(hours=1))
    full = _capped(24 * tariff.per_hour, tariff.day_cap)
    last = _capped(hours * tariff.per_hour, tariff.day_cap)
    if days:
        reasons.append(Reason("days", days, days * full))
    if hours:
        reasons.append(Reason("cap" if last < hours * tariff.per_hour else "hours", hours, last))
    return Quote(days * full + last, tariff.currency, tuple(reasons))


def _capped(amount: int, cap: int) -> int:
    return min(amount, cap) if cap else amount
