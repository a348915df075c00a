"""The numbers of a rule that outcomes can tell about, and the rule with another number in one place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _

from shoufu.engines.cel import CelError
from shoufu.engines.cel.parser import parse as parse_cel
from shoufu.engines.cel.syntax import Binary, Logic, Node, dotted_name
from shoufu.engines.cel.syntax import Literal as CelLiteral
from shoufu.engines.tuning import Knob
from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.rules.spec import Absence, Count, Dwell, Match, RuleSpec, Schedule, Sequence, Threshold, parse
from shoufu.kernel.rules.spec.checking import LONGEST, MOST_ROWS

Kind = Literal["constant", "hold", "silence", "count", "window", "pause", "opens", "closes"]
QUARTER = 15.0
DAY_MINUTES = 1440
HOUR, DAY = 3_600.0, 86_400.0
SPANS = (DAY, 6 * HOUR, HOUR, 1_800.0, 900.0, 300.0, 60.0, 30.0, 10.0, 5.0, 1.0)
PAUSES = 6
"""A pause that is longer by so many times (an hour at least, a day at most) would hide what is no repetition."""
FACING = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""A comparison read from its other side."""


@dataclass(frozen=True)
class Turn:
    """A number of a rule: `pointer` names it, `knob` says which way it may go. Of a constant in the condition `atom`
    is the comparison's text and `path` what is compared. Times of day count in minutes since the schedule opens."""

    pointer: str
    kind: Kind
    knob: Knob
    atom: str = ""
    path: str = ""


def turns(spec: RuleSpec) -> list[Turn]:
    """Every number of the rule that can be turned."""
    found = list(_of_pattern(spec))
    found += [_constant(spec.where, *one) for one in _comparisons(spec.where)]
    if spec.schedule is not None and isinstance(spec.pattern, Match | Count | Sequence):
        found += _of_schedule(spec.schedule)
    longest = min(max(PAUSES * spec.cooldown, HOUR), max(DAY, spec.cooldown))
    found.append(Turn("/cooldown", "pause", Knob(spec.cooldown, bound=longest, units=SPANS)))
    return found


def _of_pattern(spec: RuleSpec) -> Iterator[Turn]:
    match spec.pattern:
        case Threshold(hold=seconds) | Dwell(hold=seconds):
            yield Turn("/pattern/for", "hold", Knob(seconds, bound=LONGEST, units=SPANS))
        case Absence(after=seconds):
            yield Turn("/pattern/after", "silence", Knob(seconds, bound=LONGEST, units=SPANS))
        case Count(n=n, window=window):
            yield Turn("/pattern/n", "count", Knob(float(n), bound=float(MOST_ROWS), step=1.0))
            yield Turn(
                "/pattern/window", "window", Knob(window, rising=False, inclusive=False, bound=0.001, units=SPANS)
            )
        case Sequence(window=window):
            yield Turn("/pattern/window", "window", Knob(window, rising=False, bound=0.001, units=SPANS))


def _of_schedule(schedule: Schedule) -> list[Turn]:
    length = float(minutes(schedule.end) - minutes(schedule.start)) % DAY_MINUTES
    if not length:
        return []
    later = Knob(0.0, bound=length - QUARTER, step=QUARTER)
    sooner = Knob(length, rising=False, inclusive=False, bound=QUARTER, step=QUARTER)
    return [Turn("/schedule/from", "opens", later), Turn("/schedule/to", "closes", sooner)]


def minutes(clock: str) -> int:
    """ "22:30" as minutes since midnight."""
    return int(clock[:2]) * 60 + int(clock[3:5])


Comparison = tuple[Binary, str, CelLiteral, str]
"""The comparison, what is compared, the constant, and the operator with the constant on its right."""


def _comparisons(text: str) -> Iterator[Comparison]:
    """Comparisons of a field with a number that must all be true; those below `||`, `!` or `?:` are left alone."""
    try:
        root = parse_cel(text)
    except CelError:
        return
    for term in _terms(root):
        if not isinstance(term, Binary) or term.operator not in FACING:
            continue
        for side, other, operator in (
            (term.left, term.right, term.operator),
            (term.right, term.left, FACING[term.operator]),
        ):
            path = dotted_name(side)
            if path and isinstance(other, CelLiteral) and type(other.value) in (int, float):
                yield term, path, other, operator


def _terms(node: Node) -> Iterator[Node]:
    if isinstance(node, Logic) and node.operator == "&&":
        for term in node.terms:
            yield from _terms(term)
        return
    yield node


def _constant(text: str, term: Binary, path: str, literal: CelLiteral, operator: str) -> Turn:
    value = literal.value
    assert isinstance(value, int | float)
    rising = operator in (">", ">=")
    knob = Knob(
        float(value),
        rising=rising,
        inclusive=operator in (">=", "<="),
        bound=float("inf") if rising else float("-inf"),
        step=1.0 if type(value) is int else 0.0,
    )
    return Turn(f"/where@{literal.start}", "constant", knob, text[term.start : term.end], path)


def turn_at(spec: RuleSpec, pointer: str) -> Turn:
    """The number that a pointer names. Raises Invalid."""
    for one in turns(spec):
        if one.pointer == pointer:
            return one
    raise Invalid.one("pointer", _("The rule has no number “%s”; look at its proposals again.") % pointer)


def replaced(spec: RuleSpec, turn: Turn, value: float) -> RuleSpec:
    """The rule with another number in one place."""
    document: dict[str, Any] = copy.deepcopy(spec.document())
    if turn.kind == "constant":
        document["where"] = _with_constant(spec.where, turn, value)
    elif turn.kind in ("opens", "closes"):
        assert spec.schedule is not None
        document["schedule"][turn.pointer.rpartition("/")[2]] = clock(spec.schedule, value)
    elif turn.kind == "pause":
        document["cooldown"] = value
    else:
        document["pattern"][turn.pointer.rpartition("/")[2]] = int(value) if turn.kind == "count" else value
    return parse(document)


def clock(schedule: Schedule, value: float) -> str:
    """Minutes since the schedule opens as a time of day."""
    at = (minutes(schedule.start) + round(value)) % DAY_MINUTES
    return f"{at // 60:02d}:{at % 60:02d}"


def _with_constant(text: str, turn: Turn, value: float) -> str:
    for _term, _path, literal, _operator in _comparisons(text):
        if turn.pointer == f"/where@{literal.start}":
            whole = type(literal.value) is int
            new = str(round(value)) if whole else repr(float(value))
            return text[: literal.start] + new + text[literal.end :]
    raise Invalid.one("pointer", f"no constant at {turn.pointer}")


NEUTRAL: dict[Kind, float] = {"constant": 0.0, "pause": 0.0, "hold": 1.0, "silence": 1.0, "count": 1.0, "window": 1.0}


def shape(spec: RuleSpec) -> RuleSpec:
    """The rule with its numbers set aside: rules of one shape differ in those alone, and have them in one order."""
    found = spec
    for index, turn in enumerate(turns(spec)):
        if turn.kind in NEUTRAL:
            # Looked up anew each time: a number of another length moves those behind it.
            found = replaced(found, turns(found)[index], NEUTRAL[turn.kind])
    return found
