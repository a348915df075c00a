from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from shoufu.kernel.base.pages import PageRequest
from shoufu.scenes.homecare.encounters import services


@require_safe
def sos(request: PageRequest, sos_id: UUID) -> HttpResponse:
    """A call for help for whoever answers it at a desk, and for the coordinator: who, where, and the phone number. The
    look is recorded; the nurse reads it."""
    return render(request, "homecare/encounters/sos.html", {"one": services.called(request.actor, sos_id)})
