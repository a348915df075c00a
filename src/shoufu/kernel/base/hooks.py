"""What an app does when something ends in another: a module `hooks.py` in the app's folder, with functions by name.

An app that has `hooks.py` with a function of a name below is called, in the caller's transaction, in the apps' order:

- `end_person(actor, ending: Ending) -> Iterable[Receipt]`: take the rights of a person away at once.
- `restore_person(actor, ending: Ending) -> Iterable[Receipt]`: the ending was a mistake and is undone.
- `door_passages(passages: Sequence[Passage]) -> None`: decisions at doors were kept, new ones only.
- `order_changed(actor, change: OrderChange) -> None`: an order was issued, paid (also too late), refunded or
  cancelled, or has expired. It must not raise: money really moved. What one raises is logged, its own writes are
  undone, and the order stays.
- `orders_kept() -> Mapping[str, str]`: by how the `source` of an order begins, which right somebody needs at its place
  besides that to see orders there: for orders that tell more of a person than what they paid.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from shoufu.kernel.base import registry
from shoufu.kernel.base.actor import Actor


@dataclass(frozen=True)
class Ending:
    """A person's rights end at `at`.

    `cause` is "moved_out", "lapsed" (a tenancy's set end), "died", "divorced", "left" (staff) or "erased".
    `household` is the household that they leave, None when everything ends; `remaining` are the households in which
    they go on living: what these give stays.
    """

    person: int
    at: datetime
    cause: str
    reason: str = ""
    household: int | None = None
    remaining: tuple[int, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """One line of what was ended: `what` in the reader's language ("Card …1234 at Unit 2 door").

    `done` is False while something remote has yet to obey (a door that is offline); `place` and `at` where and when.
    """

    what: str
    done: bool = True
    count: int = 1
    place: int | None = None
    note: str = ""


@dataclass(frozen=True)
class OrderChange:
    """What happened to an order of the payments app, for the app that asked for it: `source` is that app's own text.

    `kind` is "issued", "paid", "refunded", "refund_failed", "cancelled", "expired", "performer", "prolonged",
    "insurance_off", or "surplus" (money came though nothing was due any more); `state` the order's state after it.
    """

    order: int
    source: str
    kind: str
    state: str


@cache
def named(name: str) -> tuple[Callable[..., Any], ...]:
    """The functions of this name in the `hooks.py` of every app."""
    modules = [f"{app}.hooks" for app in (*registry.kernel_apps(), *registry.scene_apps())]
    found = [import_module(module) for module in modules if module != __name__ and find_spec(module)]
    return tuple(getattr(module, name) for module in found if hasattr(module, name))


def end_person(actor: Actor, ending: Ending) -> list[Receipt]:
    """Ask every app to end what it gave this person; what each one ended."""
    return _gather(named("end_person"), actor, ending)


def restore_person(actor: Actor, ending: Ending) -> list[Receipt]:
    """Ask every app to give back what this ending took, where that can be done."""
    return _gather(named("restore_person"), actor, ending)


def _gather(functions: Iterable[Callable[..., Iterable[Receipt]]], actor: Actor, ending: Ending) -> list[Receipt]:
    return [receipt for function in functions for receipt in function(actor, ending)]
