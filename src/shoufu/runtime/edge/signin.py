"""Who asks: the user behind a session cookie or an API token, looked up in Django's tables and cached for a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from types import SimpleNamespace

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import close_old_connections

from shoufu.kernel.access import selectors
from shoufu.kernel.access.models import User
from shoufu.kernel.base.actor import Actor
from shoufu.runtime.edge import messages
from shoufu.runtime.edge.messages import Scope

KEEP_SECONDS = 15.0
KEEP_ENTRIES = 20_000


class SignIn:
    """Finds the actor of a request; an answer is kept for 15 s, so a withdrawn right ends a stream within 30 s."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], tuple[float, Actor | None]] = OrderedDict()

    async def actor(self, scope: Scope) -> Actor | None:
        """The actor, or None for a stranger."""
        shown = _credential(scope)
        if shown is None:
            return None
        entry = self._known.get(shown)
        if entry is None or time.monotonic() - entry[0] > KEEP_SECONDS:
            actor = await sync_to_async(_look_up, thread_sensitive=False)(*shown)
            entry = (time.monotonic(), actor)
            self._known[shown] = entry
            while len(self._known) > KEEP_ENTRIES:
                self._known.popitem(last=False)
        return entry[1]


def _credential(scope: Scope) -> tuple[str, str] | None:
    authorization = messages.header(scope, b"authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(b" ")
        return ("token", token.strip().decode("latin-1")) if scheme.lower() == b"bearer" else None
    try:
        cookies = SimpleCookie((messages.header(scope, b"cookie") or b"").decode("latin-1"))
    except CookieError:
        return None
    session = cookies.get(settings.SESSION_COOKIE_NAME)
    return ("session", session.value) if session and session.value else None


def _look_up(form: str, value: str) -> Actor | None:
    close_old_connections()
    try:
        if form == "token":
            return selectors.actor_for_token(value)
        user = get_user(SimpleNamespace(session=SessionStore(value)))  # type: ignore[arg-type]
        return selectors.actor_for_user(user) if isinstance(user, User) and user.is_active else None
    finally:
        close_old_connections()
