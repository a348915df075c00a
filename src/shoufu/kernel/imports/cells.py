"""From what stands in a cell to a value, or ValueError with a sentence that a person can act on."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from shoufu.engines.sheets import Value
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.parties import identifiers

EXACT_DIGITS = 1e15  # beyond 15 digits a spreadsheet's number is no longer the number that was typed
SERIALS = range(1, 200_000)
FIRST_DAY = date(1899, 12, 30)  # day 0 of Excel's calendar, for dates after February 1900
DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?")
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+?\d{1,2}", re.IGNORECASE)
ENDLESS = frozenset({"长期", "至今", "无", "永久", "不限", "-", "/", "none", "open"})


def plain(value: Value) -> str:
    """The text of a cell: full-width forms narrowed, blanks at the ends dropped, 301.0 as 301."""
    if value is None:
        return ""
    if type(value) is str and value.isascii():  # most cells; such text has no other form
        return value.strip().lstrip("'").strip()
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_DIGITS:
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    return unicodedata.normalize("NFKC", str(value)).replace("\u200b", "").strip().lstrip("'").strip()


def text(most: int) -> Callable[[Value], str]:
    """A text of at most `most` characters."""

    def parse(value: Value) -> str:
        found = plain(value)
        if len(found) > most:
            raise ValueError(_("At most %(n)d characters.") % {"n": most})
        return found

    return parse


def identity(value: Value) -> str:
    """An identity number that is still whole; a number cell or 2.1E+17 has lost its last digits for good."""
    found = plain(value)
    if (isinstance(value, float | int) and abs(value) >= EXACT_DIGITS) or SCIENTIFIC.fullmatch(found):
        raise ValueError(
            _(
                "Excel turned the identity number into a number and lost its last digits. Set the column's format to "
                "Text and enter the number again from the paper; it cannot be recovered from this file."
            )
        )
    try:
        return identifiers.identity(found)
    except Invalid as error:
        if re.fullmatch(r"\d{15}000", found):
            raise ValueError(
                _("The last three digits are 000 and the check fails: Excel cut the number. Enter it again as Text.")
            ) from error
        if re.fullmatch(r"\d{15}", found):
            raise ValueError(_("A number of the first kind (15 digits); enter the one of 18.")) from error
        raise ValueError(error.errors[0].message) from error


def phone(value: Value) -> str:
    """A phone number as E.164; a number cell is taken, since 11 digits stay whole in it."""
    found = plain(value)
    if SCIENTIFIC.fullmatch(found):
        raise ValueError(
            _("Excel shortened the number to 1.38E+10. Set the column's format to Text and enter it again.")
        )
    return _checked(identifiers.phone, found)


def plate(value: Value) -> str:
    """A plate in its one written form."""
    return _checked(identifiers.plate, plain(value))


def _checked(check: Callable[[str], str], found: str) -> str:
    try:
        return check(found)
    except Invalid as error:
        raise ValueError(error.errors[0].message) from error


def day(value: Value) -> date:
    """A day: a date cell, Excel's serial number, 2024-3-1, 2024/3/1, 2024年3月1日 or 20240301."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    found = plain(value)
    match = DATE.fullmatch(found) or COMPACT.fullmatch(found)
    if match:
        return _date(*map(int, match.groups()))
    if found.isdigit() and int(found) in SERIALS:
        return FIRST_DAY + timedelta(days=int(found))
    if isinstance(value, float) and int(value) in SERIALS:
        return FIRST_DAY + timedelta(days=int(value))
    raise ValueError(_("No date; write it like 2024-03-01 (year first, so that day and month cannot be mistaken)."))


def _date(year: int, month: int, number: int) -> date:
    try:
        return date(year, month, number)
    except ValueError as error:
        raise ValueError(_("There is no such day in the calendar.")) from error


def last_day(value: Value) -> date | None:
    """A day, or None for "long-term" and the like."""
    return None if plain(value).casefold() in ENDLESS else day(value)


def choice(words: Mapping[str, str]) -> Callable[[Value], str]:
    """One of some words in either language; `words` maps each to its code."""
    known = {plain(word).casefold(): code for word, code in words.items()}

    def parse(value: Value) -> str:
        found = known.get(plain(value).casefold())
        if found is None:
            raise ValueError(_("Use one of: %(kinds)s.") % {"kinds": ", ".join(words)})
        return found

    return parse


def door_number(value: Value) -> str:
    """A household's number without what people write behind it: 301室 → 301."""
    found = plain(value).removesuffix("室").removesuffix("号").removesuffix("户").strip()
    if not found or len(found) > 16:
        raise ValueError(_("A door number of 1 to 16 characters."))
    return found


def number(least: float, most: float) -> Callable[[Value], float]:
    """A number in a range."""

    def parse(value: Value) -> float:
        try:
            found = float(plain(value))
        except ValueError:
            found = float("nan")
        if not least <= found <= most:
            raise ValueError(_("A number from %(least)s to %(most)s.") % {"least": least, "most": most})
        return found

    return parse


Parse = Callable[[Value], Any]
