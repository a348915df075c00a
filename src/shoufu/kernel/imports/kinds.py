"""What an app declares so that its register can be imported.

An app that has a module `imports` with `kinds: tuple[ImportKind, …]` is found by itself. A kind says which columns it
knows and plans what a file would do; writing happens through the app's own services.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.db.models import Model

from shoufu.engines.sheets import Value
from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.places.models import Place

CREATE, CHANGE, SAME = "create", "change", "same"
MANAGE = "parties.manage"


@dataclass(frozen=True)
class Field:
    """A column that a kind knows. `parse` makes its value of a cell's or raises ValueError with a sentence: what is
    wrong and how to mend it. Headings are recognised by `name`, `name_en` and `synonyms`, whatever their case, width
    and spaces."""

    code: str
    name: str
    name_en: str
    parse: Callable[[Value], Any]
    synonyms: tuple[str, ...] = ()
    required: bool = False
    example: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A row of the file: its number as the spreadsheet shows it, and the values of the cells that are not empty."""

    row: int
    values: Mapping[str, Any]

    def get(self, code: str, default: Any = None) -> Any:
        return self.values.get(code, default)


@dataclass(frozen=True, slots=True)
class CellError:
    """What is wrong with a row, in which column (a field's code, "" for the whole row)."""

    row: int
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a row: "create", "change" or "same"; `label` names it; `fields` what changes."""

    row: int
    action: str
    label: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Altered:
    """A row that was changed: the columns before and after, so that it can be brought back."""

    model: str
    pk: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass
class Written:
    """What an import wrote: the new rows by model label ("parties.person"), and the changed ones."""

    made: dict[str, list[int]] = field(default_factory=dict)
    altered: list[Altered] = field(default_factory=list)

    def add(self, rows: Sequence[Model]) -> None:
        """Note new rows of one model."""
        if rows:
            self.made.setdefault(rows[0]._meta.label_lower, []).extend(row.pk for row in rows)


@dataclass
class Plan:
    """What a file would do. `write` does it, in the caller's transaction; it is called only where there is no error."""

    changes: list[Change] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)
    write: Callable[[], Written] = Written


@dataclass(frozen=True)
class ImportKind:
    """A register that can be imported. `plan(actor, place, records)` reads a constant number of times and writes not.

    `permissions` are needed at the place; `places` are the kinds of place that one can import into.
    """

    code: str
    name: str
    name_en: str
    icon: str
    fields: tuple[Field, ...]
    plan: Callable[[Actor, Place, Sequence[Record]], Plan]
    note: str = ""
    note_en: str = ""
    permissions: tuple[str, ...] = (MANAGE,)
    places: tuple[str, ...] = ("district", "block", "compound")

    def field(self, code: str) -> Field:
        return next(item for item in self.fields if item.code == code)


@cache
def kinds() -> dict[str, ImportKind]:
    """Every kind that an app declares, by code, in the apps' order."""
    modules = [f"{app}.imports" for app in (*registry.kernel_apps(), *registry.scene_apps())]
    declared = [import_module(name) for name in modules if find_spec(name)]
    return {kind.code: kind for module in declared for kind in getattr(module, "kinds", ())}
