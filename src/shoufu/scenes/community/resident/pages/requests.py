from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.media.pages import answer
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.community.resident import selectors, services
from shoufu.scenes.community.resident.pages.common import person_id, shown, tried
from shoufu.scenes.community.resident.services.requests import SUBJECTS


@needs("own.request")
def listing(request: PageRequest) -> HttpResponse:
    """What I asked for and how far it is."""
    rows = selectors.requests(request.actor, person_id(request))
    return shown(request, "community/resident/requests.html", rows=rows[:50])


@needs("own.request")
def new(request: PageRequest, kind: str) -> HttpResponse:
    """A repair or a complaint: about what, in which words, with pictures."""
    chosen = person_id(request)
    privacy.subject(request.actor, chosen, "repairs.make")
    if kind not in SUBJECTS:
        raise NotFound(_("There is no such page."))
    form, status = FormState(values=request.POST.dict()), 200
    if request.method == "POST":
        sent = request.FILES.getlist("pictures")
        pictures = [file.read() for file in sent]
        subject, text = request.POST.get("subject", ""), request.POST.get("text", "")
        draft = services.RequestDraft(kind, subject, text, pictures, chosen)
        made, status = tried(form, lambda: services.ask(request.actor, draft))
        if made is not None:
            return redirect("community:resident:request", made.pk)
    english = (get_language() or "").startswith("en")
    subjects = [(code, names[1] if english else names[0]) for code, names in SUBJECTS[kind].items()]  # type: ignore[index]
    return shown(request, "community/resident/request_new.html", status, form=form, kind=kind, subjects=subjects)


@needs("own.request")
def request_page(request: PageRequest, request_id: int) -> HttpResponse:
    """One request: how far it is, by its case's steps, and the pictures that were sent."""
    found = selectors.request(request.actor, request_id, person_id(request))
    return shown(
        request,
        "community/resident/request.html",
        found=found,
        steps=selectors.progress(found),
        pictures=selectors.pictures(found),
        text=found.case.events.filter(kind="raised").values_list("text", flat=True).first() or "",
    )


@require_safe
@needs("own.request")
def picture(request: PageRequest, request_id: int, media_id: UUID) -> HttpResponseBase:
    """A picture of one's own request."""
    found = selectors.request(request.actor, request_id, person_id(request))
    media = next((one.media for one in selectors.pictures(found) if one.media_id == media_id), None)
    if media is None:
        raise NotFound(_("There is no such picture."))
    return answer(request, media)


@needs("own.request")
def sos(request: PageRequest) -> HttpResponse:
    """Call for help: sent by the held button, or from this page by a plain one (for screen readers)."""
    if request.method != "POST":
        return shown(request, "community/resident/sos.html", contacts=selectors.contacts(request.actor))
    called = services.call_for_help(request.actor)
    if called.fresh and called.told:
        messages.success(request, _("Help is on the way. The guard and your people were told."))
    else:
        messages.success(request, _("Help is on the way. The guard was told."))
    return redirect("community:resident:home")
