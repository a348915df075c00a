"""What is wrong with a rule, field by field, before it is saved."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.translation import gettext as _

from shoufu.engines import cel
from shoufu.kernel.base.errors import FieldError
from shoufu.kernel.rules.spec.document import (
    Absence,
    Count,
    Dwell,
    Occupancy,
    RuleSpec,
    Schedule,
    Sequence,
    Threshold,
)

DAY = 86_400.0
LONGEST = 30 * DAY
MOST_ROWS = 1_000
MOST_STEPS = 16
_CLOCK = re.compile(r"^(?:[01]\d|2[0-3]):[0-5]\d$")


class KindLike(Protocol):
    """Anything with the JSON Schema of a kind's result: a scene's Kind or an ObservationKind row."""

    @property
    def schema(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class SpecError(FieldError):
    """A fault in a rule: `field` is a JSON pointer into the document, `position` the offset into a CEL text."""

    position: int | None = None


LOCAL = cel.Type.object({"hour": cel.INT, "minute": cel.INT, "weekday": cel.INT})
RECENT = cel.Function("recent", (cel.STRING, cel.DYN), cel.BOOL)
"""`recent(kind, seconds)`: whether the same place saw such a row in the last seconds; each activation brings it."""


def result_type(spec: RuleSpec, kinds: Mapping[str, KindLike]) -> cel.Type:
    """The CEL type of `result`: of the one kind, or the fields of all kinds (required where all require them)."""
    types = [cel.Type.from_json_schema(kinds[code].schema) for code in spec.kinds]
    if len(types) == 1:
        return types[0]
    if any(found.kind is not cel.Kind.OBJECT for found in types):
        return cel.DYN
    fields: dict[str, cel.Type] = {}
    for found in types:
        for name, field_type in found.fields:
            fields[name] = field_type if fields.get(name, field_type) == field_type else cel.DYN
    required = frozenset.intersection(*(found.required for found in types))
    return cel.Type.object(fields, required, open=any(found.open for found in types))


def variables(spec: RuleSpec, kinds: Mapping[str, KindLike]) -> dict[str, cel.Type]:
    """The variables of the rule's expressions and their types."""
    return {
        "kind": cel.STRING,
        "result": result_type(spec, kinds),
        "device": cel.STRING,
        "place": cel.INT,
        "feature": cel.STRING,
        "t": cel.TIMESTAMP,
        "local": LOCAL,
    }


def check(
    spec: RuleSpec,
    kinds: Mapping[str, KindLike],
    *,
    case_kinds: Container[str] | None = None,
    roles: Container[str] | None = None,
    places: Container[int] | None = None,
) -> list[SpecError]:
    """Every fault of the rule, none when it may be saved. Case kinds, roles and places are checked where given."""
    errors = list(_check_kinds(spec, kinds))
    if not errors:
        errors += _check_expressions(spec, kinds)
    errors += _check_pattern(spec)
    if spec.schedule is not None:
        errors += _check_schedule(spec.schedule)
    errors += _check_span("/cooldown", spec.cooldown, at_least=0)
    if case_kinds is not None and spec.case is not None and spec.case.kind not in case_kinds:
        text = _("There is no case kind “%s”; choose one from the list.")
        errors.append(SpecError("/case/kind", text % spec.case.kind))
    if roles is not None:
        errors += [
            SpecError(f"/notify/{index}", _("There is no role “%s”; choose one from the list.") % role)
            for index, role in enumerate(spec.notify)
            if role not in roles
        ]
    if places is not None:
        errors += [
            SpecError(f"/within/{index}", _("There is no place %s that you may see; choose one from the tree.") % place)
            for index, place in enumerate(spec.within)
            if place not in places
        ]
    return errors


def _check_kinds(spec: RuleSpec, kinds: Mapping[str, KindLike]) -> Iterator[SpecError]:
    if not spec.kinds:
        yield SpecError("/kinds", _("Name at least one kind of observation."))
    for index, code in enumerate(spec.kinds):
        if code not in kinds:
            near = ", ".join(sorted(known for known in kinds if known.split(".")[0] == code.split(".")[0])[:5])
            hint = _(" Did you mean: %s?") % near if near else ""
            yield SpecError(f"/kinds/{index}", _("There is no kind “%s”.") % code + hint)
        elif code in spec.kinds[:index]:
            yield SpecError(f"/kinds/{index}", _("The kind “%s” is named twice; remove one.") % code)


def _check_expressions(spec: RuleSpec, kinds: Mapping[str, KindLike]) -> Iterator[SpecError]:
    types = variables(spec, kinds)
    for pointer, text in spec.expressions.items():
        wanted = cel.INT if pointer == "/pattern/delta" else cel.BOOL
        try:
            program = cel.compile(text, types, [RECENT])
        except cel.CelError as error:
            yield SpecError(pointer, str(error), error.position)
            continue
        if program.type.kind not in (wanted.kind, cel.Kind.DYN):
            yield SpecError(
                pointer,
                _("This is of type %(found)s, but must be %(wanted)s; compare it with something, or convert it.")
                % {"found": program.type, "wanted": wanted},
                0,
            )


def _check_pattern(spec: RuleSpec) -> Iterator[SpecError]:
    match spec.pattern:
        case Threshold(hold=seconds):
            yield from _check_span("/pattern/for", seconds, at_least=0)
        case Dwell(hold=seconds):
            yield from _check_span("/pattern/for", seconds, at_least=0.001)
        case Absence(after=seconds):
            yield from _check_span("/pattern/after", seconds, at_least=1)
        case Count(n=n, window=seconds):
            yield from _check_span("/pattern/window", seconds, at_least=0.001)
            if not 1 <= n <= MOST_ROWS:
                yield SpecError("/pattern/n", _("The number of rows must lie between 1 and %d.") % MOST_ROWS)
        case Sequence(steps=steps, window=seconds):
            yield from _check_span("/pattern/window", seconds, at_least=0.001)
            if not 1 <= len(steps) <= MOST_STEPS:
                yield SpecError("/pattern/steps", _("A sequence has between 1 and %d steps.") % MOST_STEPS)
        case Occupancy(limit=limit):
            if limit < 0:
                yield SpecError("/pattern/limit", _("The limit must be 0 or more."))


def _check_span(pointer: str, seconds: float, at_least: float) -> Iterator[SpecError]:
    if not at_least <= seconds <= LONGEST:
        text = _("The seconds must lie between %(low)s and %(high)s (30 days).")
        yield SpecError(pointer, text % {"low": f"{at_least:g}", "high": f"{LONGEST:g}"})


def _check_schedule(schedule: Schedule) -> Iterator[SpecError]:
    for name, text in (("from", schedule.start), ("to", schedule.end)):
        if not _CLOCK.match(text):
            yield SpecError(f"/schedule/{name}", _("“%s” is no time of day; write it as 22:00.") % text)
    if not schedule.days:
        yield SpecError("/schedule/days", _("Name at least one day, 1 (Monday) to 7 (Sunday)."))
    for index, day in enumerate(schedule.days):
        if not 1 <= day <= 7:
            yield SpecError(f"/schedule/days/{index}", _("%s is no weekday; days are 1 (Monday) to 7 (Sunday).") % day)
