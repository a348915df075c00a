import json
from collections.abc import Iterator
from typing import Any

from shoufu.engines.chronic.model import AgedTarget, FollowUp, Guideline, Limit, Rule, Target, TaskPlan
from shoufu.engines.chronic.quantities import CONTEXTS, KINDS, QUANTITIES

SEVERITIES = ("critical", "high", "medium", "low")
UNITS = ("d", "wk", "mo")


class BadGuideline(ValueError):
    """A document that is no guideline: says what is wrong with which part."""


def load(text: str) -> Guideline:
    """A guideline from its JSON document; BadGuideline where a part is missing, unknown or contradicts itself."""
    try:
        read: dict[str, Any] = json.loads(text)
        found = Guideline(
            read["code"],
            read["version"],
            read["condition"],
            read["icd10"],
            read["name"],
            read["name_en"],
            read["year"],
            read["citation"],
            tuple(_target(one) for one in read["targets"]),
            tuple(_rule(one) for one in read["rules"]),
            tuple(TaskPlan(**one) for one in read["tasks"]),
            {name: FollowUp(**one) for name, one in read["follow_up"].items()},
            read.get("source", ""),
        )
    except json.JSONDecodeError as error:
        raise BadGuideline(f"not JSON: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise BadGuideline(f"a part is missing or unknown: {error}") from error
    if wrong := next(_wrong(found), ""):
        raise BadGuideline(f"{found.code}: {wrong}")
    return found


def _target(read: dict[str, Any]) -> AgedTarget:
    kept = dict(read)
    ages = {name: kept.pop(name) for name in ("age_least", "age_most") if name in kept}
    return AgedTarget(Target(**kept), **ages)


def _rule(read: dict[str, Any]) -> Rule:
    limits = tuple(Limit(**one) for one in read.get("limits", ()))
    return Rule(**read | {"limits": limits, "goals": tuple(read.get("goals", ()))})


def _wrong(found: Guideline) -> Iterator[str]:
    if set(found.follow_up) != {"in", "out"} or min(one.days for one in found.follow_up.values()) < 1:
        yield "follow_up says in how many days (one or more) for “in” and “out”"
    contexts = ("", "non_fasting", *CONTEXTS)
    for aged in found.targets:
        one = aged.target
        if one.quantity not in QUANTITIES or one.context not in contexts:
            yield f"the target of {one.quantity} {one.context} is of nothing that is measured"
        if one.low is None and one.high is None or one.low is not None and one.high is not None and one.low >= one.high:
            yield f"the target of {one.quantity} needs a low below its high"
        if not one.clause:
            yield f"the target of {one.quantity} says no clause"
    codes = [rule.code for rule in found.rules]
    if len(set(codes)) < len(codes):
        yield "a rule is there twice"
    for rule in found.rules:
        yield from _wrong_rule(rule, contexts)
    for task in found.tasks:
        if task.kind and task.kind not in KINDS or task.unit not in UNITS or min(task.frequency, task.period) < 1:
            yield f"the task {task.code} has no kind of reading, or no period, that is known"


def _wrong_rule(rule: Rule, contexts: tuple[str, ...]) -> Iterator[str]:
    if bool(rule.limits) == bool(rule.goals):
        yield f"{rule.code}: give limits or goals"
    names = {one.quantity for one in rule.limits} | set(rule.goals)
    if names - set(QUANTITIES) or rule.context not in contexts:
        yield f"{rule.code}: speaks of nothing that is measured"
    if any(sum(x is not None for x in (one.least, one.most, one.below)) != 1 for one in rule.limits):
        yield f"{rule.code}: a limit has one of least, most and below"
    if rule.severity not in SEVERITIES or not 1 <= rule.days <= rule.within:
        yield f"{rule.code}: severity, days or within cannot be"
    if not rule.clause:
        yield f"{rule.code}: says no clause"
