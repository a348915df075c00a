"""A rule read as a sentence, in spans that name the field they come from, so that a page can mark what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shoufu.kernel.rules.spec.document import (
    Absence,
    Count,
    Dwell,
    Match,
    Occupancy,
    RuleSpec,
    Schedule,
    Sequence,
    Threshold,
)
from shoufu.kernel.rules.spec.phrases import EN, ZH, Phrases
from shoufu.kernel.rules.spec.wording import condition_words

Language = Literal["zh-hans", "en"]


@dataclass(frozen=True)
class Span:
    """A piece of the sentence; `field` is the JSON pointer of what it shows, empty for the words between."""

    text: str
    field: str = ""


@dataclass(frozen=True)
class Sentence:
    spans: tuple[Span, ...]

    def __str__(self) -> str:
        return "".join(span.text for span in self.spans)

    def changed(self, other: RuleSpec, spec: RuleSpec) -> frozenset[str]:
        """The fields of this sentence whose values differ between the two rules."""
        before, after = other.document(), spec.document()
        return frozenset(
            span.field for span in self.spans if span.field and _at(before, span.field) != _at(after, span.field)
        )


@dataclass(frozen=True)
class Names:
    """What the codes in a rule are called, in the language of the sentence; a code without a name stands for itself."""

    kinds: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[int, str] = field(default_factory=dict)
    case_kinds: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    place: str = ""


def sentence(spec: RuleSpec, language: Language = "zh-hans", names: Names | None = None) -> Sentence:
    """The rule as a sentence. `names.place` is the place the rule belongs to."""
    words = EN if language == "en" else ZH
    return _Writer(spec, words, names or Names()).write()


def _at(document: object, pointer: str) -> object:
    for step in pointer.split("/")[1:]:
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, list | tuple) and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document


class _Writer:
    def __init__(self, spec: RuleSpec, words: Phrases, names: Names) -> None:
        self.spec = spec
        self.words = words
        self.names = names
        self.spans: list[Span] = []

    def write(self) -> Sentence:
        self._where_and_when()
        self._pattern()
        self._outcome()
        first = self.spans[0]
        self.spans[0] = Span(first.text[:1].upper() + first.text[1:], first.field)
        return Sentence(tuple(self.spans))

    def _put(self, template: str, **fields: tuple[str, str]) -> None:
        """Append a template such as "held for {for}"; each field gives (text, pointer)."""
        rest = template
        while rest:
            before, brace, rest = rest.partition("{")
            if before:
                self.spans.append(Span(before))
            if not brace:
                return
            name, _, rest = rest.partition("}")
            self.spans.append(Span(*fields[name]))

    def _where_and_when(self) -> None:
        spec, words = self.spec, self.words
        places = words.comma.join(self.names.places.get(place, f"#{place}") for place in spec.within)
        if places or self.names.place:
            self._put(words.at_place, place=(places or self.names.place, "/within"))
        if spec.schedule is not None:
            self._schedule(spec.schedule)
        kinds = words.comma.join(self.names.kinds.get(code, code) for code in spec.kinds)
        self._put(words.each + words.of_kind, key=(words.key_names[spec.key], "/key"), kinds=(kinds, "/kinds"))

    def _schedule(self, schedule: Schedule) -> None:
        days = self.words.days(schedule.days)
        if days:
            self._put(self.words.on_days, days=(days, "/schedule/days"))
        start, end = schedule.start, schedule.end
        whole = start == end
        clock = self.words.all_day if whole else f"{start}–{end}"
        self._put(self.words.during, clock=(clock, "/schedule"))

    def _condition(self, pointer: str) -> tuple[str, str]:
        return condition_words(self.spec.expressions[pointer], self.words), pointer

    def _seconds(self, seconds: float, pointer: str) -> tuple[str, str]:
        return self.words.seconds(seconds), pointer

    def _pattern(self) -> None:
        words, where = self.words, self._condition("/where")
        match self.spec.pattern:
            case Match():
                self._put(words.match, where=where)
            case Threshold(hold=hold, clear=clear):
                template = words.threshold if hold else words.edge
                self._put(template, where=where, seconds=self._seconds(hold, "/pattern/for"))
                if clear is not None:
                    self._put(words.clear, clear=self._condition("/pattern/clear"))
            case Dwell(hold=hold, until=until):
                self._put(words.dwell, where=where, seconds=self._seconds(hold, "/pattern/for"))
                if until is not None:
                    self._put(words.until, until=self._condition("/pattern/until"))
            case Count(n=n, window=window):
                count = (str(n), "/pattern/n")
                self._put(words.count, where=where, n=count, seconds=self._seconds(window, "/pattern/window"))
            case Absence(after=after):
                if self.spec.where == "true":
                    where = (words.anything, "/where")
                self._put(words.absence, where=where, seconds=self._seconds(after, "/pattern/after"))
            case Occupancy(limit=limit):
                delta = self._condition("/pattern/delta")
                template = words.occupancy_all if self.spec.where == "true" else words.occupancy
                self._put(template, where=where, delta=delta, limit=(str(limit), "/pattern/limit"))
            case Sequence() as sequence:
                self._sequence(sequence, where)

    def _sequence(self, sequence: Sequence, where: tuple[str, str]) -> None:
        words = self.words
        if self.spec.where != "true":
            self._put(words.sequence_where, where=where)
        self._put(words.sequence, seconds=self._seconds(sequence.window, "/pattern/window"))
        for index in range(len(sequence.steps)):
            self._put((words.then if index else "") + "{step}", step=self._condition(f"/pattern/steps/{index}"))
        if sequence.unless is not None:
            self._put(words.unless, unless=self._condition("/pattern/unless"))

    def _outcome(self) -> None:
        spec, words = self.spec, self.words
        severity = (words.severities[spec.severity], "/severity")
        if spec.case is None:
            self._put(words.note_only, severity=severity)
        else:
            name = spec.case.title_en if words is EN else spec.case.title
            case = (name or self.names.case_kinds.get(spec.case.kind, spec.case.kind), "/case")
            self._put(words.raise_case, severity=severity, case=case)
        if spec.notify:
            roles = words.comma.join(self.names.roles.get(role, role) for role in spec.notify)
            self._put(words.tell, roles=(roles, "/notify"))
        if spec.cooldown:
            self._put(words.cooldown, seconds=self._seconds(spec.cooldown, "/cooldown"))
        self._put(words.stop)
