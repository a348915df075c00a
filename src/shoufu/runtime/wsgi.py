"""The page server's application: loaded in each granian worker."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any

from django.urls import get_resolver

from shoufu.runtime import children, django

# The worker's parent is granian's main process; when that is killed the port must be free at once.
children.die_with_parent_now(signal.SIGKILL)
django.setup()

from shoufu.web.health import figures
from shoufu.web.wsgi import application as pages

figures.listen()
# All pages are loaded now, not by the first who asks. What is loaded stays: looking through half a million objects for
# garbage, every few dozen pages, took a third of a second from whoever asked then.
_PAGES = get_resolver().url_patterns
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 50)
_planner_stays = False


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The pages. What plans is loaded by the first who asks for it, and stays from then on too."""
    global _planner_stays
    answer: Iterable[bytes] = pages(environ, start_response)
    if not _planner_stays and "numba" in sys.modules:
        gc.collect()
        gc.freeze()
        _planner_stays = True
    return answer


__all__ = ["application"]
