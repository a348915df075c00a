from django.http import HttpResponse
from django.shortcuts import render

from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.web.health import selectors


@needs("devices.view")
def health(request: PageRequest) -> HttpResponse:
    """Processes, the log, what was refused, what the watchers cost."""
    return render(request, "shell/health.html", {"devices": selectors.devices(request.actor, request.scope.path)})
