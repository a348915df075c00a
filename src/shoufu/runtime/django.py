"""Django for commands: set up once, and only once the database has its tables."""

from __future__ import annotations

import os
import time
from pathlib import Path

GATE = "SHOUFU_GATE"


def setup(*, tasks: bool = True) -> None:
    """Prepare Django for a command; does nothing the second time.

    Under the supervisor, processes import while migrations run; here they then wait for the end of the migrations.
    Without ``tasks`` the apps' background jobs are not imported (they bring every service: half of the time it takes).
    """
    import django
    from django.apps import apps
    from django.conf import settings

    from shoufu.runtime import logs

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shoufu.runtime.settings")
    if not apps.ready:
        logs.setup()
        if not tasks:
            settings.PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""
        django.setup()
    pass_gate()


def pass_gate() -> None:
    """Wait until the file that ``SHOUFU_GATE`` names exists; the supervisor makes it when migrations are done."""
    path = os.environ.get(GATE)
    while path and not Path(path).exists():
        time.sleep(0.02)
