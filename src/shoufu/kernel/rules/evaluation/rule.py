"""A rule compiled for a set of places: its conditions as functions of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shoufu.engines import cel
from shoufu.engines.cel import parser as cel_parser
from shoufu.engines.cel.syntax import Call, Literal
from shoufu.kernel.rules.evaluation.calendar import Calendar, LocalTime
from shoufu.kernel.rules.evaluation.rows import SECOND, Key, Row
from shoufu.kernel.rules.spec import KindLike, RuleSpec, variables
from shoufu.kernel.rules.spec.checking import DAY, RECENT

Condition = Callable[[int, Row], bool]
"""Whether a row matches; the first argument is its time in microseconds."""


@dataclass(frozen=True)
class Places:
    """The place tree as an evaluation needs it: materialised path and time zone by place id."""

    paths: Mapping[int, str]
    zones: Mapping[int, str]

    def subtree(self, roots: Iterable[str]) -> frozenset[int]:
        starts = tuple(roots)
        return frozenset(place for place, path in self.paths.items() if path.startswith(starts))


@dataclass(frozen=True)
class RuleSource:
    """A version of a rule as it is stored; `place` is the id of the place that the rule belongs to."""

    version: int
    place: int
    spec: RuleSpec
    begin: int = 0
    """The first batch that it sees; 0: every one."""


class Recent:
    """The CEL function `recent(kind, seconds)` at the row being evaluated."""

    __slots__ = ("last", "place", "t")

    def __init__(self, last: dict[tuple[int, str], int]) -> None:
        self.last = last
        self.place = 0
        self.t = 0

    def __call__(self, kind: object, seconds: object) -> bool:
        seen = self.last.get((self.place, kind))  # type: ignore[arg-type]
        return seen is not None and 0 <= self.t - seen <= span_of(seconds)


def span_of(seconds: object) -> float:
    """The second argument of `recent`, a number of seconds or a duration, in microseconds."""
    if isinstance(seconds, cel.Duration):
        return int(seconds) / 1_000
    if isinstance(seconds, int | float):
        return seconds * SECOND
    raise cel.CelEvaluationError("recent(kind, seconds) takes a number of seconds, or a duration")


@dataclass
class CompiledRule:
    """A rule ready to run. `scope` are the places it applies to; errors of its conditions count as "does not match"."""

    source: RuleSource
    places: Places
    programs: dict[str, cel.Program]
    recent: Recent
    compile: Callable[[str], cel.Program]
    scope: frozenset[int] = frozenset()
    errors: int = 0
    last_error: str = ""
    _calendars: dict[str, Calendar] = field(default_factory=dict)
    _local: dict[str, LocalTime] = field(default_factory=dict)

    @property
    def spec(self) -> RuleSpec:
        return self.source.spec

    @property
    def version(self) -> int:
        return self.source.version

    @cached_property
    def uses_recent(self) -> bool:
        return any("recent" in program.functions for program in self.programs.values())

    @property
    def recent_kinds(self) -> frozenset[str] | None:
        """The kinds that `recent` asks for; None where that is not written as a text."""
        found: set[str] = set()
        for text in self.spec.expressions.values():
            for node in cel_parser.parse(text).walk():
                if isinstance(node, Call) and node.function == "recent" and node.receiver is None:
                    match node.arguments[0]:
                        case Literal(value=str(kind)):
                            found.add(kind)
                        case _:
                            return None
        return frozenset(found)

    @property
    def forget(self) -> int:
        """Microseconds without a row that concerns it after which a key's state counts as never seen."""
        kept = DAY if "feature" in self.spec.key else 30 * DAY
        opening = 9 * DAY if self.spec.schedule else 0.0
        return round((kept + opening + self.spec.span) * SECOND)

    def move(self, places: Places) -> None:
        """Take a new place tree."""
        self.places = places
        self.scope = scope_of(self.source, places)

    def calendar(self, place: int) -> Calendar | None:
        if self.spec.schedule is None:
            return None
        zone = self.places.zones[place]
        found = self._calendars.get(zone)
        if found is None:
            found = self._calendars[zone] = Calendar(self.spec.schedule, zone)
        return found

    def is_open(self, t: int, place: int) -> bool:
        calendar = self.calendar(place)
        return calendar is None or calendar.is_open(t)

    def next_open(self, t: int, place: int) -> int:
        calendar = self.calendar(place)
        return t if calendar is None else calendar.next_open(t)

    def key_of(self) -> Callable[[Row], Key]:
        """The function that gives a row's key."""
        match self.spec.key:
            case "device":
                return lambda row: row.device_id
            case "place":
                return lambda row: row.place_id
            case "feature":
                return lambda row: row.foi or ""
        return lambda row: (row.device_id, row.foi or "")

    def key_text(self, row: Row) -> str:
        """The row's key as it is stored with a firing."""
        match self.spec.key:
            case "device":
                return f"device:{row.device_id}"
            case "place":
                return f"place:{row.place_id}"
            case "feature":
                return f"feature:{row.foi or ''}"[:160]
        return f"device:{row.device_id}/{row.foi or ''}"[:160]

    def local(self, t: int, place: int) -> dict[str, object]:
        zone = self.places.zones[place]
        found = self._local.get(zone)
        if found is None:
            found = self._local[zone] = LocalTime(zone)
        return found.fields(t)

    def condition(self, pointer: str) -> Condition:
        """The expression at `pointer` as a test of rows; the rule's own `where` of "true" costs nothing."""
        program = self.programs[pointer]
        if program.text.strip() == "true":
            return lambda t, row: True
        if is_of_result(program):
            return self._test_of_result(program.function("result"))
        value = self.value(pointer)
        return lambda t, row: value(t, row) is True

    def _test_of_result(self, function: Callable[..., Any]) -> Condition:
        """The usual case, without a detour: it runs for nearly every row."""

        def test(t: int, row: Row) -> bool:
            try:
                return function(row.result)  # type: ignore[no-any-return]
            except cel.CelEvaluationError as error:
                self._failed(error)
                return False

        return test

    def value(self, pointer: str) -> Callable[[int, Row], object]:
        """The expression at `pointer` as a function of rows; None where it has no value."""
        program = self.programs[pointer]
        names = tuple(sorted(program.variables | program.functions))
        function = program.function(*names)
        if names == ("result",):
            return self._of_result(function)
        getters = tuple(self._getter(name) for name in names)

        def evaluate(t: int, row: Row) -> object:
            try:
                return function(*[get(t, row) for get in getters])
            except cel.CelEvaluationError as error:
                self._failed(error)
                return None

        return evaluate

    def _of_result(self, function: Callable[..., object]) -> Callable[[int, Row], object]:
        def evaluate(t: int, row: Row) -> object:
            try:
                return function(row.result)
            except cel.CelEvaluationError as error:
                self._failed(error)
                return None

        return evaluate

    def _failed(self, error: cel.CelEvaluationError) -> None:
        self.errors += 1
        self.last_error = str(error)

    def _getter(self, name: str) -> Callable[[int, Row], object]:
        match name:
            case "result":
                return lambda t, row: row.result
            case "kind":
                return lambda t, row: row.kind
            case "device":
                return lambda t, row: row.device
            case "place":
                return lambda t, row: row.place_id
            case "feature":
                return lambda t, row: row.foi or ""
            case "t":
                return lambda t, row: cel.Timestamp(t * 1_000)
            case "local":
                return lambda t, row: self.local(t, row.place_id)
        return self._recent_at

    def _recent_at(self, t: int, row: Row) -> Recent:
        self.recent.t, self.recent.place = t, row.place_id
        return self.recent

    def activation(self, program: cel.Program, t: int, row: Row) -> dict[str, object]:
        """What the program reads at a row, for explaining."""
        return {name: self._getter(name)(t, row) for name in program.variables | program.functions}


def is_of_result(program: cel.Program) -> bool:
    """Whether it is a condition, or a decision, that reads nothing but the row's result."""
    return program.type.kind in (cel.Kind.BOOL, cel.Kind.INT) and program.variables | program.functions == {"result"}


def scope_of(source: RuleSource, places: Places) -> frozenset[int]:
    """The places a rule applies to: those in its own place's subtree, and in one of `within` where it names some."""
    home = places.paths.get(source.place)
    if home is None:
        return frozenset()
    own = places.subtree([home])
    if not source.spec.within:
        return own
    return own & places.subtree(path for place in source.spec.within if (path := places.paths.get(place)))


def compiler(spec: RuleSpec, kinds: Mapping[str, KindLike]) -> Callable[[str], cel.Program]:
    """What compiles CEL texts about rows of the rule's kinds; it raises CelError."""
    types: Mapping[str, Any] = variables(spec, kinds)
    return lambda text: cel.compile(text, types, [RECENT])


def compile_rule(
    source: RuleSource, kinds: Mapping[str, KindLike], places: Places, last: dict[tuple[int, str], int]
) -> CompiledRule:
    """Compile a stored rule. `last` is the engine's memory of (place, kind) → time, which `recent` reads."""
    compile = compiler(source.spec, kinds)
    programs = {pointer: compile(text) for pointer, text in source.spec.expressions.items()}
    return CompiledRule(source, places, programs, Recent(last), compile, scope_of(source, places))
