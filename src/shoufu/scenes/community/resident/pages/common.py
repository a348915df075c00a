from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from shoufu.kernel.base.errors import Conflict, Forbidden, Invalid, NotFound
from shoufu.kernel.base.pages import FormState, PageRequest
from shoufu.kernel.notices import selectors as notices
from shoufu.kernel.parties.models import Person
from shoufu.kernel.parties.selectors import homes
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.community.acting import compound_of
from shoufu.scenes.community.resident import selectors

KEY = "acting_for"


def person_id(request: PageRequest) -> int | None:
    """For whom the pages of this session act; None for oneself. A grant that ended ends it at once."""
    chosen = request.session.get(KEY)
    if chosen is None:
        return None
    if not selectors.scopes_of(request.actor, chosen):
        request.session.pop(KEY, None)
        return None
    return int(chosen)


def shown(request: PageRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """A resident's page with what every one of them shows: whose pages these are, what may be done, unread notices."""
    chosen = person_id(request)
    me = privacy.subject(request.actor, None, "")
    whose = Person.objects.select_related("place").get(pk=chosen) if chosen else me
    family = [one.person for one in selectors.family(request.actor).by_me]
    lived = homes(whose.pk)
    common = {
        "me": me,
        "whose": whose,
        "acting": chosen is not None,
        "family": family,
        "can": {code.replace(".", "_"): True for code in selectors.scopes_of(request.actor, chosen)},
        "homes": lived,
        "compound": compound_of(lived[0].place if lived else whose.place),
        "unread": notices.unread(request.actor),
        "now": f"{timezone.now().timestamp():.3f}",
        "worker": reverse("community:resident:worker"),
        "worker_scope": reverse("community:resident:home"),
    }
    answered = render(request, template, common | context, status=status)
    answered["Cache-Control"] = "no-store"
    return answered


def tried(form: FormState, act: Callable[[], Any]) -> tuple[Any, int]:
    """Run a service for a form; what is wrong goes into the form, with the status (200: all is well)."""
    try:
        return act(), 200
    except Invalid as refusal:
        form.errors = {error.field.strip("/").rpartition("/")[2]: str(error.message) for error in refusal.errors}
        return None, 422
    except (Conflict, Forbidden, NotFound) as refusal:
        form.problem = refusal.detail
        return None, refusal.status
