"""Proposals in words, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from shoufu.kernel.rules.learning.turns import clock
from shoufu.kernel.rules.spec import RuleSpec
from shoufu.kernel.rules.spec.phrases import EN, ZH, Phrases

SPANS = frozenset({"hold", "silence", "window", "pause"})


def _book() -> Phrases:
    return EN if (get_language() or "").startswith("en") else ZH


def name(found: Mapping[str, Any]) -> str:
    """What a number of a rule is."""
    match found["kind"]:
        case "hold":
            return _("How long it must last")
        case "silence":
            return _("How long nothing comes")
        case "count":
            return _("How many times")
        case "window":
            return _("Within which time")
        case "pause":
            return _("Pause before the next case")
        case "opens":
            return _("From what time on")
        case "closes":
            return _("Until what time")
    path = str(found["path"]).removeprefix("result.")
    return _("Limit of “%(field)s”") % {"field": _book().fields.get(path, path)}


def value(kind: str, number: float, spec: RuleSpec) -> str:
    """A number of a rule as people say it."""
    if kind in SPANS:
        return _book().seconds(round(number, 3))
    if kind in ("opens", "closes") and spec.schedule is not None:
        return clock(spec.schedule, number)
    return f"{number:g}"


def effect(avoided: int, total: int, lost: int, weeks: int) -> str:
    """What a value would have done to the cases of the last weeks."""
    spared = ngettext(
        "%(avoided)d of %(total)d false alarm of the last %(weeks)d weeks would not have been raised",
        "%(avoided)d of %(total)d false alarms of the last %(weeks)d weeks would not have been raised",
        total,
    ) % {"avoided": avoided, "total": total, "weeks": weeks}
    cost = ngettext("%(n)d real case lost", "%(n)d real cases lost", lost) % {"n": lost}
    return _("%(spared)s, %(cost)s.") % {"spared": spared, "cost": cost if lost else _("no real case lost")}


def nothing(found: Mapping[str, Any]) -> str:
    """Why nothing is proposed for a number."""
    counts, least = found["counts"], found["least"]
    match found["why"]:
        case "few_false_alarms":
            return _("Too few false alarms to tell: %(n)d, at least %(least)d are needed.") % {
                "n": counts["false_alarm"],
                "least": least["false_alarm"],
            }
        case "few_true":
            return _(
                "Too few real cases to know what must not be lost: %(n)d, at least %(least)d are needed. "
                "A rule that only raises false alarms is better changed by hand, or switched off."
            ) % {"n": counts["true"], "least": least["true"]}
        case "little":
            return _("No value spares enough false alarms without losing a real case.")
    return ""
