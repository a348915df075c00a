"""The rule document: plain data, decoded strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from shoufu.kernel.base.errors import Invalid

Key = Literal["device", "place", "feature", "device+feature"]
SeverityCode = Literal["critical", "high", "medium", "low"]


class Match(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="match"):
    """Each matching row fires."""


class Threshold(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="threshold"):
    """The condition became true and was not cleared for `hold` seconds; re-arms when `clear` (default: not where)."""

    hold: float = field(name="for", default=0.0)
    clear: str | None = None


class Count(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="count"):
    """`n` matching rows within a sliding window of `window` seconds; then it starts anew."""

    n: int
    window: float


class Absence(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="absence"):
    """No matching row for `after` seconds since the last one; the first matching row arms it."""

    after: float


class Sequence(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="sequence"):
    """Rows that match `steps` in order within `window` seconds, and no `unless` row in the `window` before the last."""

    steps: tuple[str, ...]
    window: float
    unless: str | None = None


class Dwell(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="dwell"):
    """The condition became true and `until` (default: not where) did not come for `hold` seconds."""

    hold: float = field(name="for")
    until: str | None = None


class Occupancy(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="occupancy"):
    """The running sum of `delta` over matching rows (never below 0) exceeds `limit`; re-arms at `limit` or below."""

    delta: str
    limit: int


Pattern = Match | Threshold | Count | Absence | Sequence | Dwell | Occupancy


class Schedule(Struct, frozen=True, forbid_unknown_fields=True):
    """When the rule may fire: wall time in the place's zone, half-open, may pass midnight; a day counts by its start.

    Days are 1 (Monday) to 7 (Sunday), times "HH:MM"; equal times mean the whole day.
    """

    start: str = field(name="from")
    end: str = field(name="to")
    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)


class CaseSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """The case to raise: its kind, and titles in place of the kind's names."""

    kind: str
    title: str = ""
    title_en: str = ""


class RuleSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule. Conditions are CEL over `kind`, `result`, `device`, `place`, `feature`, `t`, `local` and `recent()`."""

    kinds: tuple[str, ...]
    pattern: Pattern
    where: str = "true"
    key: Key = "device"
    schedule: Schedule | None = None
    within: tuple[int, ...] = ()
    cooldown: float = 0.0
    severity: SeverityCode = "medium"
    case: CaseSpec | None = None
    notify: tuple[str, ...] = ()

    @property
    def expressions(self) -> dict[str, str]:
        """Every CEL text of the rule by JSON pointer."""
        found = {"/where": self.where}
        match self.pattern:
            case Threshold(clear=str(text)):
                found["/pattern/clear"] = text
            case Dwell(until=str(text)):
                found["/pattern/until"] = text
            case Occupancy(delta=text):
                found["/pattern/delta"] = text
            case Sequence(steps=steps, unless=unless):
                found |= {f"/pattern/steps/{index}": text for index, text in enumerate(steps)}
                if unless is not None:
                    found["/pattern/unless"] = unless
        return found

    @property
    def span(self) -> float:
        """Seconds of the past that one firing can depend on, cool-down included (a dwell's start apart)."""
        pattern = self.pattern
        window = 0.0
        match pattern:
            case Threshold(hold=seconds) | Dwell(hold=seconds) | Absence(after=seconds):
                window = seconds
            case Count(window=seconds) | Sequence(window=seconds):
                window = seconds
        return window + self.cooldown

    def document(self) -> dict[str, Any]:
        """The rule as JSON-ready data; `parse` reads it back."""
        built: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return built | {"where": self.where, "key": self.key, "severity": self.severity}


_PATH = re.compile(r"^(?P<message>.*?) - at `(?:key in )?\$(?P<path>[^`]*)`$", re.DOTALL)


def parse(document: Mapping[str, Any] | str | bytes) -> RuleSpec:
    """The rule of a document (a mapping or JSON text). Raises Invalid that names the field."""
    try:
        if isinstance(document, str | bytes):
            return msgspec.json.decode(document, type=RuleSpec)
        return msgspec.convert(document, RuleSpec)
    except msgspec.ValidationError as error:
        found = _PATH.match(str(error))
        if found is None:
            raise Invalid.one("/", str(error)) from error
        raise Invalid.one(_pointer(found["path"]), found["message"]) from error
    except msgspec.DecodeError as error:
        raise Invalid.one("/", f"not a JSON document: {error}") from error


def _pointer(path: str) -> str:
    """JSON pointer of msgspec's path: `.pattern.steps[1]` → `/pattern/steps/1`."""
    return re.sub(r"\[(\d+|\.\.\.)\]", r"/\1", path).replace(".", "/") or "/"
