from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.scenes.homecare.encounters import selectors, services
from shoufu.scenes.homecare.encounters.models import Encounter
from shoufu.scenes.homecare.encounters.pages import reading
from shoufu.scenes.homecare.register.selectors import OWN


@require_safe
@needs(OWN)
def mine(request: PageRequest) -> HttpResponse:
    """What was done at my home, and at that of whom I act for: who came, when, for what."""
    rows = selectors.own(request.actor).exclude(state=Encounter.State.CANCELLED, in_at__isnull=True)[:100]
    return render(request, "homecare/encounters/mine.html", {"rows": rows})


@require_safe
@needs(OWN)
def my_encounter(request: PageRequest, encounter_id: int) -> HttpResponse:
    """One visit in plain words, with its pictures."""
    found = services.look(request.actor, encounter_id, mine=True)
    context = {
        "row": found.encounter,
        "sections": reading.sections(found, own=True),
        "shots": [reading.shot(one) for one in found.photos if one.here],
    }
    return render(request, "homecare/encounters/my_encounter.html", context)


@require_safe
@needs(OWN)
def my_picture(request: PageRequest, encounter_id: int, photo_id: UUID) -> HttpResponse:
    """A picture from my home."""
    photo, content = services.picture(request.actor, encounter_id, photo_id, mine=True)
    return HttpResponse(content, content_type=photo.content_type, headers={"Cache-Control": "private, no-store"})
