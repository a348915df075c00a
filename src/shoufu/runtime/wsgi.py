"""The page server's application: loaded in each granian worker."""

from __future__ import annotations

import signal

from shoufu.runtime import children, django

# The worker's parent is granian's main process; when that is killed the port must be free at once.
children.die_with_parent_now(signal.SIGKILL)
django.setup()

from shoufu.web.health import figures
from shoufu.web.wsgi import application

figures.listen()

__all__ = ["application"]
