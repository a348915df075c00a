"""The rule document as a form: which fields a page shows for a pattern, and the document from what was typed."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.rules.spec import RuleSpec

DAYS = (1, 2, 3, 4, 5, 6, 7)


@dataclass(frozen=True)
class NumberField:
    """A number of the rule with its slider: JSON pointer, words, value, and the ends of the slider."""

    pointer: str
    label: str
    value: float
    least: float
    most: float
    step: float
    seconds: bool


@dataclass(frozen=True)
class TextField:
    """A CEL text of the rule: JSON pointer, words, value."""

    pointer: str
    label: str
    value: str


def _reach(value: float) -> float:
    """Where a slider for a span ends: some times the present value, at least ten minutes."""
    return max(600.0, value * 4)


def numbers(spec: RuleSpec) -> list[NumberField]:
    """The numbers that decide how often the rule fires, for sliders."""
    pattern = spec.document()["pattern"]
    labels = {
        "for": _("How long"),
        "window": _("Within"),
        "after": _("Silence"),
        "n": _("How many"),
        "limit": _("Limit"),
    }
    found = []
    for name, label in labels.items():
        if name in pattern:
            value = float(pattern[name])
            seconds = name not in ("n", "limit")
            step = 1.0 if not seconds or value < 120 else 10.0
            most = _reach(value) if seconds else max(20.0, value * 4)
            found.append(NumberField(f"/pattern/{name}", label, value, 0.0 if seconds else 1.0, most, step, seconds))
    cooldown = spec.cooldown
    found.append(
        NumberField("/cooldown", _("Again at the earliest after"), cooldown, 0, max(3600.0, cooldown * 2), 30, True)
    )
    return found


def texts(spec: RuleSpec) -> list[TextField]:
    """The CEL texts of the rule."""
    labels = {
        "/where": _("Condition"),
        "/pattern/clear": _("Cleared when"),
        "/pattern/until": _("Until"),
        "/pattern/delta": _("Counts as"),
        "/pattern/unless": _("Unless"),
    }
    return [
        TextField(pointer, labels.get(pointer, _("Step %(n)s") % {"n": pointer.rpartition("/")[2]}), text)
        for pointer, text in spec.expressions.items()
    ]


def _put(document: Any, pointer: str, value: Any) -> None:
    *steps, last = pointer.strip("/").split("/")
    for step in steps:
        document = document[int(step)] if isinstance(document, list) else document[step]
    if isinstance(document, list):
        document[int(last)] = value
    else:
        document[last] = value


def _number(text: str, pointer: str) -> float | int:
    try:
        value = float(text)
    except ValueError as error:
        raise Invalid.one(pointer, _("Must be a number.")) from error
    return int(value) if value.is_integer() else value


def document(base: Mapping[str, Any], data: Any) -> dict[str, Any]:
    """The rule document from a posted form (a QueryDict); fields that were not posted stay as they are in `base`.

    A posted `document` that differs from the one shown replaces everything. Raises Invalid that names the field.
    """
    raw = data.get("document", "").strip()
    if raw and raw != data.get("document_shown", "").strip():
        try:
            found = json.loads(raw)
        except ValueError as error:
            raise Invalid.one("document", _("Not JSON: %(why)s") % {"why": error}) from error
        if not isinstance(found, dict):
            raise Invalid.one("document", _("A rule is a JSON object."))
        return found
    changed: dict[str, Any] = copy.deepcopy(dict(base))
    for name in data:
        if name.startswith("/pattern/") or name in ("/where", "/cooldown"):
            old = _at(base, name)
            text = data[name].replace("\r\n", "\n").strip()
            _put(changed, name, text if isinstance(old, str) or name == "/where" else _number(text, name))
    if data.get("severity"):
        changed["severity"] = data["severity"]
    if "notify_shown" in data:
        changed["notify"] = data.getlist("notify")
    if "schedule_shown" in data:
        changed["schedule"] = _schedule(data)
    return changed


def _schedule(data: Any) -> dict[str, Any] | None:
    if not data.get("schedule_on"):
        return None
    days = [int(day) for day in data.getlist("days") if day.isdigit()]
    return {"days": days or list(DAYS), "from": data.get("from", ""), "to": data.get("to", "")}


def _at(source: Any, pointer: str) -> Any:
    for step in pointer.strip("/").split("/"):
        if isinstance(source, Mapping):
            source = source.get(step)
        elif isinstance(source, list) and step.isdigit() and int(step) < len(source):
            source = source[int(step)]
        else:
            return None
    return source
