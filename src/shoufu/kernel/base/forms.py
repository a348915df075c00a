"""Forms of pages: fields as data (drawn by `shell/fields.html`), read with clear errors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import FieldError, Invalid
from shoufu.kernel.base.pages import FormState, PageRequest


@dataclass(frozen=True)
class Field:
    """One field: `kind` is text, tel, date, time, datetime-local, number, textarea, select, checks or check."""

    name: str
    label: str
    kind: str = "text"
    choices: Sequence[tuple[Any, Any]] = ()
    hint: str = ""
    maximum: int = 200


def state(request: PageRequest, fields: Iterable[Field], **initial: Any) -> FormState:
    """What was typed, or the initial values; lists for groups of checks."""
    if request.method != "POST":
        return FormState(values=initial)
    several = {field.name: request.POST.getlist(field.name) for field in fields if field.kind == "checks"}
    return FormState(values=request.POST.dict() | several)


class Reader:
    """Reads numbers, days and times of a sent form and gathers what is wrong with any of them."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.errors: list[FieldError] = []

    def text(self, name: str) -> str:
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""

    def several(self, name: str) -> list[str]:
        value = self.values.get(name, [])
        return list(value) if isinstance(value, list) else [value]

    def number(self, name: str, default: int | None = None) -> int:
        text = self.text(name).strip()
        if not text and default is not None:
            return default
        if text.isdecimal() and len(text) < 10:
            return int(text)
        self.errors.append(FieldError(name, _("Write a whole number.")))
        return 0

    def decimal(self, name: str) -> float | None:
        text = self.text(name).strip()
        if not text:
            return None
        try:
            return float(text)
        except ValueError:
            self.errors.append(FieldError(name, _("Write a number.")))
            return None

    def day(self, name: str, *, needed: bool = True) -> date:
        text = self.text(name).strip()
        if not text and not needed:
            return date.max
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.errors.append(FieldError(name, _("Choose a day.")))
            return date.max

    def clock(self, name: str) -> time:
        try:
            return time.fromisoformat(self.text(name).strip())
        except ValueError:
            self.errors.append(FieldError(name, _("Write the time as hours and minutes, such as 10:00.")))
            return time()

    def local(self, name: str) -> datetime:
        try:
            return datetime.fromisoformat(self.text(name).strip())
        except ValueError:
            self.errors.append(FieldError(name, _("Choose day and time.")))
            return datetime.max

    def require(self, name: str, right: bool, said: str) -> None:
        """Note what is wrong unless it is right."""
        if not right:
            self.errors.append(FieldError(name, said))

    def check(self) -> None:
        """Invalid with everything that was wrong."""
        if self.errors:
            raise Invalid(*self.errors)


def cents(reader: Reader, name: str) -> int:
    """An amount of money in minor units from "168" or "168.50"."""
    whole, _point, part = reader.text(name).strip().partition(".")
    if not whole.isdecimal() or len(whole) > 8 or (part and (not part.isdecimal() or len(part) > 2)):
        reader.errors.append(FieldError(name, _("Write an amount such as 168 or 168.50.")))
        return 0
    return int(whole) * 100 + int((part + "00")[:2])
