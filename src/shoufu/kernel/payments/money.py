"""Amounts as whole minor units of a currency."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid

DIGITS = {"CNY": 2, "HKD": 2, "JPY": 0, "USD": 2, "EUR": 2}
"""Digits after the point (ISO 4217)."""
MOST_MINOR = 10**12
SIGNS = {"CNY": "¥"}


def shown(minor: int | None, currency: str = "CNY") -> str:
    """The amount for people: "¥1,234.50"."""
    if minor is None:
        return ""
    sign = "−" if minor < 0 else ""
    return f"{sign}{SIGNS.get(currency, currency + ' ')}{_decimal(abs(minor), currency):,}"


def plain(minor: int, currency: str = "CNY") -> str:
    """The amount for machines: "1234.50"."""
    return str(_decimal(minor, currency))


def _decimal(minor: int, currency: str) -> Decimal:
    digits = DIGITS[currency]
    return (Decimal(minor) / 10**digits).quantize(Decimal(1).scaleb(-digits))


def minor(text: str, field: str = "amount", currency: str = "CNY") -> int:
    """Minor units of an amount that a person typed or a provider sent ("1234.5"). Invalid where it is none, has more
    digits than the currency, or is larger than anything sold here."""
    try:
        value = Decimal(text.strip().replace(",", "")) * 10 ** DIGITS[currency]
    except InvalidOperation as error:
        raise Invalid.one(field, _("Write an amount such as 120.50.")) from error
    if not value.is_finite() or value != value.to_integral_value() or abs(value) > MOST_MINOR:
        raise Invalid.one(
            field, _("Write an amount with at most %(n)s digits after the point.") % {"n": DIGITS[currency]}
        )
    return int(value)


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """The amount in shares by weight that sum to it exactly (largest remainder; ties to the earlier one).

    Works for amounts below zero too: the shares are those of the absolute amount, negated.
    """
    total = sum(weights)
    if total <= 0:
        raise ValueError("weights must sum to more than zero")
    size = abs(amount)
    shares = [size * weight // total for weight in weights]
    rests = sorted(range(len(weights)), key=lambda n: (-(size * weights[n] % total), n))
    for n in rests[: size - sum(shares)]:
        shares[n] += 1
    return shares if amount >= 0 else [-share for share in shares]
