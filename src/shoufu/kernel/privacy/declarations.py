import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from importlib.util import find_spec
from typing import Any, TypeVar

from django.apps import apps
from django.db.models import Model, Q

from shoufu.kernel.base.actor import Actor

T = TypeVar("T")


class Sort(StrEnum):
    """What an identifier is, which says how it may be written: a number also with blanks and dashes between.

    A hash is hexadecimal text of bytes that point at the person, such as the keyed hash of a phone number.
    """

    NAME = "name"
    NUMBER = "number"
    WORD = "word"
    HASH = "hash"


@dataclass(frozen=True)
class Identifier:
    """Something by which a person is recognised in clear text: a name, a phone number, a plate, a card number, …"""

    sort: Sort
    text: str
    what: str


@dataclass(frozen=True)
class Subject:
    """The person whom an act of privacy is about, as known before it: ids of their rows and their identifiers."""

    person: int
    user: int | None
    place: int
    path: str
    code: str
    identifiers: tuple[Identifier, ...] = ()
    households: tuple[int, ...] = ()
    features: tuple[str, ...] = ()

    def texts(self, *whats: str) -> list[str]:
        return [item.text for item in self.identifiers if item.what in whats]


class Erase(StrEnum):
    """What erasure does with the rows of a holding."""

    DELETE = "delete"
    BLANK = "blank"
    KEEP = "keep"


@dataclass(frozen=True)
class Duty:
    """A law by which what a person's holdings hold must stay although the person asks for erasure (PIPL 47).

    Rows of holdings that name the duty's `code` are put away encrypted when their person is erased, out of every page
    and interface, until `days` after the day that `since` gives (None: nothing of this person is kept). See `deposits`.
    """

    code: str
    name: str
    name_zh: str
    law: str
    law_zh: str
    days: int
    since: Callable[[Subject], date | None]


@dataclass(frozen=True)
class Holding:
    """A table that holds data of people: which rows concern a person, what erasure does, what an export shows.

    `rows` gives the condition "concerns this person" (None: nothing can). `blank` maps fields to the value that erasure
    puts there (a callable gets the subject). `why` is needed for KEEP: on what ground the rows stay; they must then
    name nobody in clear. `first` runs before the rows go, for what hangs on them (files, devices).
    `export` names the fields that an export shows; a callable turns a row into a mapping.
    `duty` is the code of a Duty that keeps the rows: what the export shows of them, or `keep` where that is more, and
    the file of a row that `file` gives (its name and bytes in clear; None where it has none).
    """

    model: str
    rows: Callable[[Subject], Q | None]
    purpose: str
    purpose_zh: str
    days: int | None = None
    erase: Erase = Erase.DELETE
    blank: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    export: Sequence[str] | Callable[[Any], Mapping[str, Any]] = ()
    title: str = ""
    title_zh: str = ""
    duty: str = ""
    keep: Callable[[Any], Mapping[str, Any]] | None = None
    file: Callable[[Any], tuple[str, bytes] | None] | None = None

    @property
    def table(self) -> type[Model]:
        return apps.get_model(self.model)


@dataclass(frozen=True)
class NotPersonal:
    """Why a table with a field that looks personal holds nothing about a person that erasure must reach."""

    model: str
    why: str


@dataclass(frozen=True)
class Purpose:
    """Something that a person may allow, and stop allowing at any time: what for, and what is lost without it.

    `needs` is a right that must be there for the purpose to be offered at all; `guardian_below` an age in years below
    which a guardian must allow it.
    """

    code: str
    name: str
    name_zh: str
    text: str
    text_zh: str
    without: str = ""
    without_zh: str = ""
    law: str = ""
    separate: bool = True
    guardian_below: int = 14


@dataclass(frozen=True)
class Scope:
    """Something that a person may let another do for them."""

    code: str
    name: str
    name_zh: str


@dataclass(frozen=True)
class Held:
    """Something that a duty keeps from being erased: how much, why, and until when."""

    what: str
    count: int
    why: str
    until: date | None = None


@dataclass(frozen=True)
class Receipt:
    """What an act did somewhere outside the tables, such as a credential taken out of a door's own memory."""

    where: str
    what: str
    done: bool = True


@dataclass(frozen=True)
class Retention:
    """A task that removes what is past its purpose: the procrastinate task's name and what it removes."""

    task: str
    what: str
    what_zh: str


@dataclass(frozen=True)
class Hooks:
    """What an app does at acts of privacy. Each hook runs in the act's transaction.

    `identifiers` gives further identifiers of a person (card numbers, plates), read before anything goes;
    `features` the texts by which observations name the person (feature of interest).
    `held` names what a duty keeps. `withdrawn` runs when a consent ends, `ended` when a person is erased.
    """

    identifiers: Callable[[Subject], Iterable[Identifier]] | None = None
    features: Callable[[Subject], Iterable[str]] | None = None
    held: Callable[[Subject], Iterable[Held]] | None = None
    withdrawn: Callable[[Actor, int, str], Iterable[Receipt]] | None = None
    ended: Callable[[Actor, Subject, str], Iterable[Receipt]] | None = None


def _modules() -> Iterator[Any]:
    """Every app's `privacy` module, ours first, in the order of the installed apps."""
    for config in apps.get_app_configs():
        if config.name.startswith("django.") or config.name == "shoufu.kernel.privacy":
            continue
        name = f"{config.name}.privacy"
        if find_spec(name) is not None:
            yield importlib.import_module(name)


def _gathered(name: str, kind: type[T]) -> list[T]:
    from shoufu.kernel.privacy import own

    found: list[T] = []
    for module in (own, *_modules()):
        declared = getattr(module, name, ())
        found += [declared] if isinstance(declared, kind) else list(declared)
    return found


def holdings() -> list[Holding]:
    """What every installed app holds about people (`holdings` of its privacy.py)."""
    return _gathered("holdings", Holding)


def not_personal() -> dict[str, str]:
    """Tables that an app declares to hold nothing personal → why."""
    return {item.model: item.why for item in _gathered("not_personal", NotPersonal)}


def duties() -> dict[str, Duty]:
    """The laws that keep something of an erased person, by code."""
    return {item.code: item for item in _gathered("duties", Duty)}


def purposes() -> dict[str, Purpose]:
    """What people may allow, by code."""
    return {item.code: item for item in _gathered("purposes", Purpose)}


def scopes() -> dict[str, Scope]:
    """What people may let others do for them, by code."""
    return {item.code: item for item in _gathered("scopes", Scope)}


def retentions() -> list[Retention]:
    return _gathered("retentions", Retention)


def hooks() -> list[Hooks]:
    return _gathered("hooks", Hooks)


def announce_withdrawal(actor: Actor, person_id: int, purpose: str) -> list[Receipt]:
    """A consent has ended: every app stops what rested on it, in the caller's transaction."""
    return [receipt for hook in hooks() if hook.withdrawn for receipt in hook.withdrawn(actor, person_id, purpose)]
