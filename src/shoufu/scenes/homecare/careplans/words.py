"""Codes of this part in the reader's language."""

from django.utils.translation import gettext as _

from shoufu.engines import chronic
from shoufu.scenes.homecare.careplans.guidelines import english


def quantity(code: str) -> str:
    found = chronic.QUANTITIES.get(code)
    return (found.text_en if english() else found.text) if found is not None else code


def unit(code: str) -> str:
    found = chronic.QUANTITIES.get(code)
    return found.unit if found is not None else ""


def kind(code: str) -> str:
    found = chronic.KINDS.get(code)
    return (found.text_en if english() else found.text) if found is not None else code


def context(code: str) -> str:
    if code == "non_fasting":
        return _("Not fasting")
    found = chronic.CONTEXTS.get(code)
    return found[1 if english() else 0] if found is not None else code


def goal_name(code: str, where: str) -> str:
    """ "Glucose · Fasting"."""
    return f"{quantity(code)} · {context(where)}" if where else quantity(code)


def bounds(low: object, high: object, strict: bool) -> str:
    """ "4.4–7", "< 140", "≥ 90"."""
    shown = [f"{float(str(one)):g}" if one is not None else "" for one in (low, high)]
    if low is not None and high is not None:
        return f"{shown[0]}–{shown[1]}"
    if high is not None:
        return f"{'<' if strict else '≤'} {shown[1]}"
    return f"≥ {shown[0]}"


def number(code: str, value: float) -> str:
    """A value with as many decimals as the quantity is measured with."""
    found = chronic.QUANTITIES.get(code)
    return f"{value:.{found.decimals if found is not None else 1}f}"


def values(kind_code: str, found: dict[str, float]) -> str:
    """ "128/76 mmHg · 72/min"."""
    if kind_code == "blood_pressure":
        text = f"{found.get('systolic', 0):g}/{found.get('diastolic', 0):g} mmHg"
        return f"{text} · {found['pulse']:g} /min" if "pulse" in found else text
    return " · ".join(f"{number(code, value)} {unit(code)}" for code, value in found.items())


def recurrence(frequency: int, period: int, code: str) -> str:
    """ "once every 2 weeks"."""
    if period == 1:
        every = {"d": _("every day"), "wk": _("every week"), "mo": _("every month")}[code]
    else:
        many = {"d": _("every %(n)s days"), "wk": _("every %(n)s weeks"), "mo": _("every %(n)s months")}[code]
        every = many % {"n": period}
    if frequency == 1:
        return _("once %(every)s") % {"every": every}
    return _("%(n)s times %(every)s") % {"n": frequency, "every": every}
