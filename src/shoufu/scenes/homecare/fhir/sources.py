"""Where resources come from, behind one interface: the scene's own tables (projections), and what was put here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import translation

from shoufu.engines.fhir.rest import Search
from shoufu.engines.fhir.rest.parameters import Criterion
from shoufu.engines.fhir.rest.values import Token
from shoufu.kernel.base.actor import Actor
from shoufu.scenes.homecare.fhir import sealing, selectors, vocabulary
from shoufu.scenes.homecare.fhir.kept import Kept, fingerprint, stamped
from shoufu.scenes.homecare.fhir.models import Stored

CHUNK = 500


@dataclass(frozen=True)
class Plan:
    """Rows among which the matches are. `exact`: each of them is one match, so that they can be counted in SQL."""

    rows: Any
    exact: bool
    made: Callable[[Sequence[Any]], Iterable[Kept]]

    def chunks(self) -> Iterator[list[Kept]]:
        """Everything that the rows hold, opened a chunk at a time."""
        at = 0
        while chunk := list(self.rows[at : at + CHUNK]):
            yield list(self.made(chunk))
            at += CHUNK


class Source(Protocol):
    """One place that has resources of a type."""

    @property
    def type(self) -> str: ...

    def get(self, actor: Actor, logical_id: str) -> Kept | None: ...

    def plan(self, actor: Actor, search: Search) -> Plan: ...


@dataclass(frozen=True)
class Made:
    """What a projection makes of a row: a resource without id and meta. `suffix` tells those of one row apart."""

    content: dict[str, Any]
    updated: datetime
    person: int | None = None
    place: int | None = None
    suffix: str = ""


@dataclass(frozen=True)
class Narrowed:
    """A criterion as a condition on rows. Not `exact`: rows may meet it whose resources do not."""

    condition: Q
    exact: bool = True


@dataclass(frozen=True)
class Projection:
    """Resources of one type out of rows: ids are `<prefix>-<key of the row>`, with `-<suffix>` where a row has several.

    `rows` are those that the actor may see, `narrow` a criterion as a condition on them (None: not in SQL; it is then
    tried on what `make` gives). `make` gives keys of rows and what each is as a resource, in the rows' order.
    """

    type: str
    rows: Callable[[Actor], QuerySet[Any]]
    make: Callable[[Sequence[Any]], Iterable[tuple[Any, Made]]]
    narrow: Callable[[Criterion], Narrowed | None] = lambda criterion: None
    several: bool = False
    prefix: str = ""
    uuid: bool = False

    @property
    def begins(self) -> str:
        return self.prefix or vocabulary.prefix(self.type)

    def key(self, logical_id: str) -> int | UUID | None:
        """The row's key in an id; None for ids of others."""
        if self.uuid:
            return _uuid(self.begins, logical_id)
        return key_of(self.begins, logical_id, self.several)

    def owns(self, logical_id: str) -> bool:
        return self.key(logical_id) is not None

    def holds(self, actor: Actor, logical_id: str) -> bool:
        """Whether the actor may see the row that an id names, without opening it."""
        key = self.key(logical_id)
        return key is not None and self.rows(actor).filter(pk=key).exists()

    def get(self, actor: Actor, logical_id: str) -> Kept | None:
        """The resource of an id; None where it is not this projection's, or not to be seen."""
        key = self.key(logical_id)
        if key is None:
            return None
        found = self._made(list(self.rows(actor).filter(pk=key)))
        return next((one for one in found if one.id == logical_id), None)

    def plan(self, actor: Actor, search: Search) -> Plan:
        rows, exact = self.rows(actor).order_by("pk"), not self.several
        for criterion in search.criteria:
            narrowed = self._narrowed(criterion)
            exact = exact and narrowed is not None and narrowed.exact
            if narrowed is not None:
                rows = rows.filter(narrowed.condition)
        return Plan(rows, exact, self._made)

    def _narrowed(self, criterion: Criterion) -> Narrowed | None:
        if criterion.parameter.code == "_id" and criterion.modifier is None and criterion.missing is None:
            ids = [str(value.code) for value in criterion.values if isinstance(value, Token) and not value.system]
            keys = [self.key(logical_id) for logical_id in ids]
            return Narrowed(Q(pk__in=[key for key in keys if key is not None]))
        return self.narrow(criterion)

    def _made(self, rows: Sequence[Any]) -> list[Kept]:
        # What is read must not depend on the language of who reads: a program compares versions.
        with translation.override("zh-hans"):
            made = list(self.make(rows))
        return [
            _kept(self.type, f"{self.begins}-{key}" + (f"-{one.suffix}" if one.suffix else ""), one)
            for key, one in made
        ]


def _kept(kind: str, logical_id: str, made: Made) -> Kept:
    content = sealing.digits({"resourceType": kind} | made.content)
    version = fingerprint(content)
    return Kept(stamped(content, logical_id, version, made.updated), version, made.updated, made.person, made.place)


@dataclass(frozen=True)
class Computed:
    """Resources that no row holds: `items` gives ids and resources for a search, or for one id."""

    type: str
    items: Callable[[Actor, Search | None, str], Iterable[tuple[str, Made]]]

    def owns(self, logical_id: str) -> bool:
        return logical_id.startswith(f"{vocabulary.prefix(self.type)}-")

    def holds(self, actor: Actor, logical_id: str) -> bool:
        """Whether there is such a resource for the actor; these hold nothing of patients."""
        return self.get(actor, logical_id) is not None

    def get(self, actor: Actor, logical_id: str) -> Kept | None:
        """The resource of an id; None where there is none, or not to be seen."""
        if not self.owns(logical_id):
            return None
        return next((one for one in self._made(actor, None, logical_id) if one.id == logical_id), None)

    def plan(self, actor: Actor, search: Search) -> Plan:
        return Plan(_Listed(self._made(actor, search, "")), False, lambda chunk: chunk)

    def _made(self, actor: Actor, search: Search | None, logical_id: str) -> list[Kept]:
        with translation.override("zh-hans"):
            return [_kept(self.type, one_id, made) for one_id, made in self.items(actor, search, logical_id)]


@dataclass(frozen=True)
class _Listed:
    """A list that is read as rows are."""

    kept: Sequence[Kept]

    def count(self) -> int:
        return len(self.kept)

    def __getitem__(self, part: slice) -> Sequence[Kept]:
        return self.kept[part]


def key_of(prefix: str, logical_id: str, several: bool = False) -> int | None:
    """The row's key in `<prefix>-<key>` or `<prefix>-<key>-<suffix>`; None for other ids."""
    own, found = f"{prefix}-", logical_id
    if not found.startswith(own):
        return None
    number, _dash, suffix = found.removeprefix(own).partition("-")
    if not number.isascii() or not number.isdigit() or len(number) > 18 or str(int(number)) != number:
        return None
    return int(number) if several or not suffix else None


def _uuid(prefix: str, logical_id: str) -> UUID | None:
    text = logical_id.removeprefix(f"{prefix}-")
    try:
        return UUID(text) if text != logical_id and len(text) == 36 else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Store:
    """What other programs put here of one type."""

    type: str

    def get(self, actor: Actor, logical_id: str) -> Kept | None:
        row = selectors.stored(actor).filter(type=self.type, logical_id=logical_id, deleted_at__isnull=True).first()
        return next(self.made([row])) if row is not None else None

    def plan(self, actor: Actor, search: Search) -> Plan:
        rows, exact = selectors.stored(actor).filter(type=self.type, deleted_at__isnull=True), True
        for criterion in search.criteria:
            if criterion.parameter.code == "_id" and criterion.modifier is None and criterion.missing is None:
                ids = [value.code for value in criterion.values if isinstance(value, Token) and not value.system]
                rows = rows.filter(logical_id__in=[one for one in ids if one])
                continue
            exact = False
            if (hashes := sealing.wanted(criterion)) is not None:
                rows = rows.filter(marks__overlap=hashes)
        return Plan(rows.order_by("pk"), exact, self.made)

    @staticmethod
    def made(rows: Sequence[Stored]) -> Iterator[Kept]:
        """Rows in clear."""
        names = [f"{row.type}/{row.logical_id}" for row in rows]
        for row, content in zip(rows, sealing.opened(rows, names), strict=True):
            version = str(row.version)
            shown = stamped(content, row.logical_id, version, row.updated_at)
            yield Kept(shown, version, row.updated_at, row.person_id, row.place_id, row.pk)


@cache
def own() -> tuple[Projection | Computed, ...]:
    """Every `projection` or `projections` of the modules in `projections/`."""
    from shoufu.scenes.homecare.fhir import projections as folder

    found: list[Projection | Computed] = []
    for module in sorted(iter_modules(folder.__path__), key=lambda one: one.name):
        loaded = import_module(f"{folder.__name__}.{module.name}")
        found += [loaded.projection] if hasattr(loaded, "projection") else list(getattr(loaded, "projections", ()))
    return tuple(found)


@cache
def of(kind: str) -> tuple[Source, ...]:
    """Where resources of a type come from, the scene's own first."""
    return (*(one for one in own() if one.type == kind), Store(kind))


def is_own(actor: Actor, kind: str, logical_id: str) -> bool:
    """Whether an id is of the scene's own data that the actor may see; it is changed in the scene and not by FHIR."""
    return any(one.holds(actor, logical_id) for one in own() if one.type == kind)
