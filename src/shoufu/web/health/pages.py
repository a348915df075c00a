from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from shoufu.kernel.audit import selectors as audit
from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.kernel.devices import selectors as devices
from shoufu.kernel.media import selectors as media
from shoufu.kernel.notices import selectors as notices
from shoufu.kernel.observations import selectors as observations
from shoufu.web.health import selectors


@needs("devices.view")
def health(request: PageRequest) -> HttpResponse:
    """Processes, the log and its readers, what was refused, what the watchers cost."""
    actor = request.actor
    rejections = observations.rejections(actor, timezone.now() - timedelta(days=7), most=200)
    return render(
        request,
        "shell/health.html",
        {
            "devices": devices.health(actor, request.scope.path),
            "processes": selectors.processes(),
            "log": observations.log_health(),
            "rejections": [selectors.Rejected.of(row) for row in rejections[:50]],
            "refused": selectors.refused(rejections),
            "evaluators": selectors.evaluators(),
            "failing": selectors.failing_rules(actor),
            "notices": notices.health(),
            "stock": media.stock(),
            "chain": audit.chain_state(),
            "cameras": selectors.watched(actor),
        },
    )
