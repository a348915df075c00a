"""Reasons in words: why a rule fired, and why a draft did not, in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shoufu.kernel.rules.spec.phrases import EN, ZH, Phrases
from shoufu.kernel.rules.spec.wording import condition_words


@dataclass(frozen=True)
class Atom:
    """A reason: in words, and the expression with what it read where there is one."""

    words: str
    text: str = ""
    values: str = ""


def _book() -> Phrases:
    return EN if (get_language() or "").startswith("en") else ZH


def _span(seconds: Any) -> str:
    return _book().seconds(float(seconds)) if isinstance(seconds, int | float) else "–"


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def values(atom: Mapping[str, Any]) -> str:
    """What an atom read: "result.seconds = 252"."""
    leaves = atom.get("leaves") or ()
    return ", ".join(f"{leaf['path']} = {_short(leaf['value'])}" for leaf in leaves if isinstance(leaf, Mapping))


def _pattern(fact: Mapping[str, Any]) -> str:
    needed = _span(fact.get("needed"))
    match fact.get("pattern"):
        case "threshold" | "dwell":
            return _("It held for %(held)s; the rule asks for %(needed)s.") % {
                "held": _span(fact.get("seconds")),
                "needed": needed,
            }
        case "absence":
            return _("Nothing came for %(held)s; the rule waits %(needed)s.") % {
                "held": _span(fact.get("seconds")),
                "needed": needed,
            }
        case "count":
            return _("%(n)s times within %(span)s.") % {"n": fact.get("n"), "span": _span(fact.get("seconds"))}
        case "sequence":
            return _("All steps came in order within %(span)s.") % {"span": _span(fact.get("window"))}
        case "occupancy":
            return _("The sum was %(sum)s; the limit is %(limit)s.") % {
                "sum": fact.get("sum"),
                "limit": fact.get("limit"),
            }
    return ""


def fired(why: Any) -> list[Atom]:
    """Why a rule fired, from a firing's `why`."""
    found = []
    for reason in why if isinstance(why, list) else ():
        if not isinstance(reason, Mapping):
            continue
        if "pattern" in reason:
            found.append(Atom(_pattern(reason)))
        elif reason.get("decisive", True) and reason.get("text"):
            text = str(reason["text"])
            found.append(Atom(condition_words(text, _book()), text, values(reason)))
    return found


def _silent(reason: Mapping[str, Any]) -> str:
    match reason.get("reason"):
        case "later":
            seconds = float(reason.get("seconds") or 0)
            words = _("%(span)s later") if seconds > 0 else _("%(span)s earlier")
            return words % {"span": _span(abs(seconds))}
        case "condition":
            parts = [
                _("“%(words)s” was not so: %(values)s")
                % {"words": condition_words(str(a["text"]), _book()), "values": values(a)}
                for a in reason.get("atoms") or ()
            ]
            return "; ".join(parts) or _("The condition was not met.")
        case "cooldown":
            return _("Already raised; it rests for %(span)s.") % {"span": _span(reason.get("seconds"))}
        case "schedule":
            return _("Outside the rule's times.")
        case "held":
            held, needed = reason.get("seconds"), _span(reason.get("needed"))
            if held is None:
                return _("It did not hold for %(needed)s.") % {"needed": needed}
            return _("It held for %(held)s, not %(needed)s.") % {"held": _span(held), "needed": needed}
        case "absence":
            return _("Something came before %(needed)s were over.") % {"needed": _span(reason.get("needed"))}
        case "count":
            return _("%(n)s of %(needed)s times.") % {"n": reason.get("n"), "needed": reason.get("needed")}
        case "sequence":
            return _("The steps did not come in order within %(span)s.") % {"span": _span(reason.get("window"))}
        case "occupancy":
            return _("The sum stayed at or below %(limit)s.") % {"limit": reason.get("limit")}
        case "kind":
            return _("The rule does not read this kind of observation.")
        case "place":
            return _("The rule does not apply at this place.")
    return _("The observations behind it are no longer kept.")


def not_fired(why: Any) -> str:
    """Why the other one did not fire, from a difference's `why`; one sentence."""
    return "; ".join(
        _silent(reason) for reason in (why if isinstance(why, list) else ()) if isinstance(reason, Mapping)
    )
