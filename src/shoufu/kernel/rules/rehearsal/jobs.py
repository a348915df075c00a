"""A queued rehearsal from its row to its result."""

from __future__ import annotations

import logging
import time

from shoufu.engines.cel import CelError
from shoufu.kernel.base.errors import Problem
from shoufu.kernel.rules import selectors
from shoufu.kernel.rules.models import Rehearsal
from shoufu.kernel.rules.rehearsal.report import Request, report

log = logging.getLogger(__name__)
REPORT_SECONDS = 0.3


def run(rehearsal_id: int) -> None:
    """Run it; progress, result or error land in the row. Does nothing when it is done already."""
    rows = Rehearsal.objects.filter(pk=rehearsal_id)
    rehearsal = rows.select_related("version__rule__place").first()
    if rehearsal is None or rehearsal.state == Rehearsal.State.DONE:
        return
    rows.update(state=Rehearsal.State.RUNNING, progress=0.0)
    told = time.monotonic()

    def share(done: float) -> None:
        nonlocal told
        if time.monotonic() - told >= REPORT_SECONDS:
            told = time.monotonic()
            rows.update(progress=min(done, 0.99))

    version = rehearsal.version
    try:
        spec = selectors.spec_of(version)
        result = report(Request(version.rule, spec, rehearsal.since, rehearsal.until, version.number), share)
    except (Problem, CelError) as error:
        rows.update(state=Rehearsal.State.FAILED, error=str(error))
        return
    except Exception as error:
        rows.update(state=Rehearsal.State.FAILED, error=f"{type(error).__name__}: {error}")
        raise
    rows.update(state=Rehearsal.State.DONE, progress=1.0, result=result, seconds=result["seconds"], error="")
