"""What was read once in a request and is asked for again by other layers of it, such as for whom somebody acts.

Only while `one_request` is open is anything kept, so that nothing outlives the answer; elsewhere each question is asked
anew. Whoever changes what is kept calls `forget`.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar, cast

T = TypeVar("T")
_kept: ContextVar[dict[Hashable, object] | None] = ContextVar("shoufu_request", default=None)


@contextmanager
def one_request() -> Iterator[None]:
    """Keep answers until the block ends."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def once(key: Hashable, ask: Callable[[], T]) -> T:
    """The answer to a question of this request; `ask` gives it the first time, and always outside a request."""
    kept = _kept.get()
    if kept is None:
        return ask()
    if key not in kept:
        kept[key] = ask()
    return cast(T, kept[key])


def keep(key: Hashable, answer: object) -> None:
    """Keep an answer that somebody has already; nothing outside a request."""
    kept = _kept.get()
    if kept is not None:
        kept[key] = answer


def forget() -> None:
    """Ask everything anew from now on: something that is kept was changed."""
    kept = _kept.get()
    if kept is not None:
        kept.clear()
