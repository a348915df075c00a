from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, Protocol, TypeVar

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from shoufu.kernel.base.actor import Actor
from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound


@dataclass(frozen=True)
class Scope:
    """The part of the place tree that the pages of this request are about.

    `path` is a materialised path ("/" is everything the actor may see); `place` is None at the top.
    """

    path: str = "/"
    place: Any = None

    @property
    def id(self) -> int | None:
        return self.place.pk if self.place is not None else None


@dataclass(frozen=True)
class Moment:
    """The moment a page shows: live, or `at` (happened until then) as it was known at `known`. Both are aware times."""

    at: datetime | None = None
    known: datetime | None = None

    @property
    def live(self) -> bool:
        return self.at is None


class PageRequest(HttpRequest):
    """A request after the middleware: who asks, about which places, at which moment."""

    actor: Actor
    scope: Scope
    moment: Moment


class View(Protocol):
    def __call__(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase: ...


V = TypeVar("V", bound=Callable[..., HttpResponseBase])


def public(view: V) -> V:
    """Mark a view as readable without signing in; every other view needs a signed-in actor."""
    view.public = True  # type: ignore[attr-defined]
    return view


def needs(permission: str) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Refuse the page to actors who have `permission` nowhere; what they then see is limited by the selectors."""

    def wrap(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: PageRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.actor.may_anywhere(permission):
                detail = _("This page needs the right “%(right)s”. Ask your administrator.")
                raise Forbidden(detail % {"right": permission})
            return view(request, *args, **kwargs)

        return guarded

    return wrap


@dataclass
class FormState:
    """What was typed and what is wrong with it, so that a refused form loses nothing."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def tried(form: FormState, act: Callable[[], Any]) -> tuple[Any, int]:
    """Run a service for a form; what is wrong goes into the form, with the status (200: all is well)."""
    try:
        return act(), 200
    except Invalid as refusal:
        form.errors = {error.field.strip("/").rpartition("/")[2]: str(error.message) for error in refusal.errors}
        return None, 422
    except (Conflict, Forbidden, NotFound) as refusal:
        form.problem = refusal.detail
        return None, refusal.status
