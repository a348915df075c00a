from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import time
from typing import Any

from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import FieldError, Invalid


@dataclass(frozen=True)
class Terms:
    """What was agreed with a destination; spans in minutes.

    `closes`: an outcome resolves the case here (else it is a line on its timeline). `receive_minutes`: by then it must
    have been received, or the senders are told. `heartbeat_minutes`: how often a webhook is asked whether it is there
    (0: never). `test_at`: when the daily test goes out, in the zone of the place (empty: none). `contact`: whom to
    call about a case here, where nobody says otherwise. `outage_minutes`: a line silent so long is a case.
    """

    closes: bool = True
    receive_minutes: int = 3
    heartbeat_minutes: int = 5
    test_at: str = "09:00"
    contact: str = ""
    outage_minutes: int = 5

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def test_time(self) -> time | None:
        return time.fromisoformat(self.test_at) if self.test_at else None


RANGES = {"receive_minutes": (1, 1440), "heartbeat_minutes": (0, 1440), "outage_minutes": (1, 1440)}


def read_terms(given: Mapping[str, Any]) -> Terms:
    """Terms from data; what is left out has its default. Invalid names each field that cannot be."""
    errors = [
        FieldError(f"policy.{name}", _("There is no such term."))
        for name in given
        if name not in {field.name for field in fields(Terms)}
    ]
    for name, (low, high) in RANGES.items():
        value = given.get(name, low)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            said = _("Must be a number of minutes from %(low)d to %(high)d.")
            errors.append(FieldError(f"policy.{name}", said % {"low": low, "high": high}))
    if not isinstance(given.get("closes", True), bool):
        errors.append(FieldError("policy.closes", _("Say yes or no.")))
    for name in ("test_at", "contact"):
        if not isinstance(given.get(name, ""), str):
            errors.append(FieldError(f"policy.{name}", _("Must be a text.")))
    if not errors and given.get("test_at"):
        errors += _time_errors(given["test_at"])
    if errors:
        raise Invalid(*errors)
    return Terms(**given)


def _time_errors(text: str) -> list[FieldError]:
    try:
        time.fromisoformat(text)
    except ValueError:
        return [FieldError("policy.test_at", _("Write a time of day like 09:00."))]
    return []
