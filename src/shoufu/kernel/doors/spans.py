from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any

from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import FieldError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
"""Day types of a schedule's spans, in the engine's order (0 to 7)."""


def span_errors(spans: Iterable[Mapping[str, Any]], prefix: str) -> Iterable[FieldError]:
    """What is wrong with the spans of a schedule."""
    for number, span in enumerate(spans):
        where = f"{prefix}{number}"
        if not isinstance(span, Mapping) or set(span) != {"days", "from", "to"}:
            yield FieldError(where, _("A span has days, from and to."))
            continue
        if not span["days"] or any(day not in DAYS for day in span["days"]):
            yield FieldError(f"{where}/days", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(DAYS)})
        for name in ("from", "to"):
            if minutes(span[name]) is None:
                yield FieldError(f"{where}/{name}", _("A time such as 06:30; 24:00 is the end of the day."))


def minutes(text: Any) -> int | None:
    """Minutes from midnight of "HH:MM"; 1440 for "24:00", None for anything else."""
    if text == "24:00":
        return 1440
    try:
        moment = time.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment.hour * 60 + moment.minute if len(text) == 5 else None
