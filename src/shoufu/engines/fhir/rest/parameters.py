"""The query of a search, taken apart: criteria, how many, in which order, what to include."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..capabilities import parameter
from ..definitions import SearchParameter, model
from ..issues import Issue, Severity
from ..references import is_resource
from . import values
from .values import Value, ValueFault

MODIFIERS = {
    "token": frozenset({"not", "missing"}),
    "string": frozenset({"exact", "contains", "missing"}),
    "uri": frozenset({"below", "missing"}),
    "reference": frozenset({"identifier", "missing"}),
    "date": frozenset({"missing"}),
    "number": frozenset({"missing"}),
    "quantity": frozenset({"missing"}),
}
# They say how to answer, not what to look for; what is not told apart here is the server's own affair.
RESULT = frozenset({"_format", "_pretty", "_summary", "_elements", "_total", "_contained", "_containedType"})


class SearchRefused(ValueError):
    """A search that cannot be done as asked; ``issues`` name the parameters."""

    def __init__(self, issues: tuple[Issue, ...]) -> None:
        super().__init__("; ".join(issue.message for issue in issues))
        self.issues = issues


@dataclass(frozen=True, slots=True)
class Criterion:
    """One parameter: any of its values must fit. ``missing`` is asked for instead of a value by ``:missing``."""

    parameter: SearchParameter
    values: tuple[Value, ...]
    modifier: str | None = None
    missing: bool | None = None


@dataclass(frozen=True, slots=True)
class Include:
    """``_include=Appointment:patient`` (``target`` where a third part narrows it); ``reverse`` for _revinclude."""

    type: str
    parameter: SearchParameter
    target: str | None = None
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """All criteria must hold. ``ignored`` are parameters that are not known, in a search that is not strict."""

    type: str
    criteria: tuple[Criterion, ...] = ()
    count: int | None = None
    sort: tuple[tuple[SearchParameter, bool], ...] = ()
    includes: tuple[Include, ...] = ()
    result: dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def read(kind: str, query: Iterable[tuple[str, str]], *, strict: bool = False) -> Search:
    """A search for a resource type out of the decoded pairs of a query, in their order.

    A parameter that R4 does not define for the type is ignored and named, as R4 asks (3.1.1.1); ``strict`` (a
    ``Prefer: handling=strict``) refuses it. :class:`SearchRefused` where a value, a modifier or an include is wrong.
    """
    reader = _Reader(kind, strict)
    for name, text in query:
        reader.take(name, text)
    if reader.issues:
        raise SearchRefused(tuple(reader.issues))
    return Search(
        kind,
        tuple(reader.criteria),
        reader.count,
        tuple(reader.sort),
        tuple(reader.includes),
        reader.result,
        tuple(reader.ignored),
    )


class _Reader:
    def __init__(self, kind: str, strict: bool) -> None:
        self.kind = kind
        self.strict = strict
        self.issues: list[Issue] = []
        self.criteria: list[Criterion] = []
        self.count: int | None = None
        self.sort: list[tuple[SearchParameter, bool]] = []
        self.includes: list[Include] = []
        self.result: dict[str, str] = {}
        self.ignored: list[str] = []

    def take(self, name: str, text: str) -> None:
        plain, _, modifier = name.partition(":")
        try:
            if not text:
                raise ValueFault("has no value")
            if "\0" in name or "\0" in text:
                raise ValueFault("holds the character U+0000, which no resource holds")
            if plain in ("_include", "_revinclude"):
                self.includes.append(_include(text, self.kind, reverse=plain == "_revinclude"))
            elif plain == "_count":
                self.count = _count(text)
            elif plain == "_sort":
                self._order(text)
            elif plain in RESULT:
                self.result[plain] = text
            else:
                self._criterion(plain, modifier, text)
        except ValueFault as fault:
            self.issues.append(Issue(name, f"{name} {fault}", "value"))

    def _order(self, text: str) -> None:
        for part in text.split(","):
            known = parameter(self.kind, part.removeprefix("-"))
            if known is None:
                raise ValueFault(f"names {part}, which {self.kind} cannot be sorted by")
            self.sort.append((known, part.startswith("-")))

    def _criterion(self, name: str, modifier: str, text: str) -> None:
        known = parameter(self.kind, name)
        if "." in name or "." in modifier or name == "_has":
            raise ValueFault("is a chained search, which is not supported")
        if known is None:
            self._unknown(name)
        elif known.kind not in MODIFIERS:
            raise ValueFault(f"is of kind {known.kind}, which is not supported")
        else:
            self.criteria.append(_read(known, modifier or None, text))

    def _unknown(self, name: str) -> None:
        if self.strict:
            raise ValueFault(f"is no search parameter of {self.kind}")
        self.ignored.append(name)


def _read(known: SearchParameter, modifier: str | None, text: str) -> Criterion:
    if modifier == "missing":
        if text not in ("true", "false"):
            raise ValueFault("is true or false")
        return Criterion(known, (), modifier, text == "true")
    typed = known.kind == "reference" and modifier is not None and is_resource(model(), modifier)
    if modifier and modifier not in MODIFIERS[known.kind] and not typed:
        raise ValueFault(f"has a modifier that is not supported for {known.kind}")
    if typed and known.targets and modifier not in known.targets:
        raise ValueFault(f"cannot point at {modifier}: {', '.join(known.targets)}")
    return Criterion(
        known,
        tuple(_value(known, modifier, part, typed) for part in values.split(text, ",")),
        None if typed else modifier,
    )


def _value(known: SearchParameter, modifier: str | None, text: str, typed: bool) -> Value:
    match known.kind:
        case "token":
            return values.token(text)
        case "date":
            return values.span(text)
        case "reference":
            return values.token(text) if modifier == "identifier" else values.pointer(text, modifier if typed else None)
        case "number" | "quantity":
            return values.amount(text)
        case _:
            if not text:
                raise ValueFault("has an empty value")
            return values.plain(text)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueFault("is a number from 0")
    return int(text[:9])


def _include(text: str, kind: str, *, reverse: bool) -> Include:
    parts = text.split(":")
    if len(parts) not in (2, 3):
        raise ValueFault("is written Type:parameter or Type:parameter:Target")
    source, name, target = (*parts, None)[:3]
    known = parameter(str(source), str(name))
    if known is None or known.kind != "reference":
        raise ValueFault(f"names {source}:{name}, which is no reference that can be searched")
    if not reverse and source != kind:
        raise ValueFault(f"begins with the type that is searched, {kind}")
    if reverse and known.targets and kind not in known.targets:
        raise ValueFault(f"names {source}:{name}, which does not point at {kind}")
    return Include(str(source), known, target, reverse)


def told(search: Search) -> tuple[Issue, ...]:
    """Warnings for the OperationOutcome in a bundle of results: what was ignored."""
    return tuple(
        Issue(
            name, f"{name} is no search parameter of {search.type} and was ignored", "not-supported", Severity.WARNING
        )
        for name in search.ignored
    )
