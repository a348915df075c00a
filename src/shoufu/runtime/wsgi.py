"""The page server's application: loaded in each granian worker."""

from __future__ import annotations

import gc
import signal

from django.urls import get_resolver

from shoufu.runtime import children, django

# The worker's parent is granian's main process; when that is killed the port must be free at once.
children.die_with_parent_now(signal.SIGKILL)
django.setup()

from shoufu.web.health import figures
from shoufu.web.wsgi import application

figures.listen()
# All pages are loaded now, not by the first who asks. What is loaded stays: looking through half a million objects for
# garbage, every few dozen pages, took a third of a second from whoever asked then.
_PAGES = get_resolver().url_patterns
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 50)

__all__ = ["application"]
