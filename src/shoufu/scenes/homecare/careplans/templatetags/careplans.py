from typing import Any

from django import template

from shoufu.scenes.homecare.careplans import guidelines, words
from shoufu.scenes.homecare.careplans.selectors import Clear

register = template.Library()


@register.filter
def quantity(code: str) -> str:
    return words.quantity(code)


@register.filter
def unit(code: str) -> str:
    return words.unit(code)


@register.filter
def kind(code: str) -> str:
    return words.kind(code)


@register.filter
def context(code: str) -> str:
    return words.context(code)


@register.filter
def goal_name(goal: Any) -> str:
    """The name of a goal, of a model or of a letter."""
    if isinstance(goal, dict):
        return words.goal_name(goal["quantity"], goal.get("context", ""))
    return words.goal_name(goal.quantity, goal.context)


@register.filter
def bounds(goal: Any) -> str:
    """Where the quantity should be, with its unit."""
    if isinstance(goal, dict):
        text = words.bounds(goal["low"], goal["high"], goal["strict"])
        return f"{text} {words.unit(goal['quantity'])}"
    return f"{words.bounds(goal.low, goal.high, goal.strict)} {words.unit(goal.quantity)}"


@register.filter
def values(clear: Clear) -> str:
    """A reading as people say it: "128/76 mmHg"."""
    return words.values(clear.row.kind, dict(clear.values))


@register.filter
def number(value: float, code: str) -> str:
    return words.number(code, value)


@register.filter
def recurrence(task: Any) -> str:
    return words.recurrence(task.frequency, task.period, task.unit)


@register.filter
def spoken(thing: Any) -> str:
    """The text of a task or rule in the reader's language."""
    return str((thing.text_en or thing.text) if guidelines.english() else thing.text) if thing else ""


@register.filter
def advised(rule: Any) -> str:
    return str(rule.advice_en if guidelines.english() else rule.advice) if rule else ""


@register.filter
def percent(share: float | None) -> str:
    return "–" if share is None else f"{round(100 * share)} %"


@register.filter
def signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.1f}"


@register.filter
def task_fields(number: int, form: Any) -> dict[str, dict[str, Any]]:
    """What was typed into a line of the tasks, and what is wrong with it, by field."""
    start = f"task-{number}-"
    return {
        name: {key.removeprefix(start): value for key, value in getattr(form, name).items() if key.startswith(start)}
        for name in ("values", "errors")
    }


@register.filter
def severity(code: str) -> str:
    """How urgent, in the reader's language."""
    from shoufu.kernel.cases.models import Severity

    return str(Severity(code).label) if code in Severity.values else code
