from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.scenes.community.resident import selectors as resident
from shoufu.scenes.community.resident.pages.common import person_id, shown, tried
from shoufu.scenes.community.welfare import selectors, services
from shoufu.scenes.community.welfare.services.ladder import ladder_of

PAGE = "community:welfare:mine"


@needs("own.request")
def mine(request: PageRequest) -> HttpResponse:
    """One's own welfare watch: what is read, what was learned, whom it asks, what happened."""
    if person_id(request) is not None:
        messages.info(request, _("The welfare watch belongs to them alone. You answer checks on your own first page."))
        return redirect("community:resident:home")
    return _page(request, FormState(), 200)


def _page(request: PageRequest, form: FormState, status: int) -> HttpResponse:
    found = selectors.mine(request.actor)
    english = (get_language() or "").startswith("en")
    roles = [(code, name_en if english else name) for code, name, name_en in services.worker_roles()]
    named = {one.phone for one in found.helpers}
    family = resident.family(request.actor).for_me
    context: dict[str, Any] = {
        "form": form,
        "mine": found,
        "roles": roles,
        "ladder": ladder_of(found.watch.place) if found.watch is not None else None,
        "checking": selectors.asking(request.actor),
        "suggested": [one for one in resident.contacts(request.actor) if one.phone not in named],
        "known": [one.delegate for one in family],
        "tomorrow": timezone.localdate() + timedelta(days=1),
    }
    return shown(request, "community/welfare/mine.html", status, tab="me", **context)


def _ids(sent: Any) -> list[int]:
    return [int(text) for text in sent.getlist("sensors") if text.isdecimal()]


def _until(text: str) -> datetime:
    """The end of the named day; Invalid names the field."""
    try:
        day = datetime.fromisoformat(text).date()
    except ValueError:
        raise Invalid.one("until", _("Choose a day.")) from None
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(str(timezone.get_current_timezone())))


def _helper(sent: Any) -> services.HelperDraft:
    known = int(sent["known"]) if sent.get("known", "").isdecimal() else None
    return services.HelperDraft(sent.get("name", ""), sent.get("phone", ""), known)


def _number(sent: Any, name: str) -> int:
    return int(sent[name]) if sent.get(name, "").isdecimal() else 0


@require_POST
@needs("own.request")
def act(request: PageRequest) -> HttpResponse:
    """What one does with one's own watch; each is one key or one small form."""
    sent, actor = request.POST, request.actor
    acts: dict[str, tuple[Callable[[], Any], str]] = {
        "join": (
            lambda: services.join(actor, services.JoinDraft(_ids(sent), sent.get("button_at") or "10:00")),
            _("You take part from now on. You can leave at any time."),
        ),
        "press": (lambda: services.press(actor), _("Thank you. All is well.")),
        "sensors": (lambda: services.choose_sensors(actor, _ids(sent)), _("Saved.")),
        "mode": (lambda: services.set_mode(actor, sent.get("mode", ""), sent.get("button_at") or "10:00"), _("Saved.")),
        "helper": (lambda: services.add_helper(actor, _helper(sent)), _("Saved.")),
        "unhelper": (lambda: services.remove_helper(actor, _number(sent, "helper")), _("Removed.")),
        "worker": (lambda: services.set_worker(actor, sent.get("worker_role", "")), _("Saved.")),
        "pause": (lambda: services.pause(actor, _until(sent.get("until", ""))), _("Paused. Have a good time.")),
        "unpause": (lambda: services.unpause(actor), _("Watched again from now on.")),
        "leave": (lambda: services.leave(actor), _("You left. What was learned of you is deleted.")),
    }
    name = sent.get("act", "")
    if name not in acts:
        raise Invalid.one("act", _("Use one of: %(kinds)s.") % {"kinds": ", ".join(acts)})
    form = FormState(values=sent.dict())
    _done, status = tried(form, acts[name][0])
    if status != 200:
        return _page(request, form, status)
    messages.success(request, acts[name][1])
    return redirect(PAGE)


@needs("own.request")
def ask(request: PageRequest) -> HttpResponse:
    """“Are you well?”: one large key. A notice leads here; nothing on it moves or reloads."""
    return shown(request, "community/welfare/ask.html", checking=selectors.asking(request.actor))


@require_POST
@needs("own.request")
def fine(request: PageRequest, check_id: int) -> HttpResponse:
    """The resident's one key."""
    form = FormState()
    tried(form, lambda: services.fine(request.actor, check_id))
    if form.problem:
        messages.info(request, form.problem)
    else:
        messages.success(request, _("Thank you. Whoever was asked is told that you are well."))
    return redirect("community:resident:home")


@require_POST
@needs("own.request")
def answer(request: PageRequest, check_id: int) -> HttpResponse:
    """A family member's answer for a person who let them."""
    form = FormState()
    tried(form, lambda: services.answer(request.actor, check_id, request.POST.get("act", "")))
    if form.problem:
        messages.info(request, form.problem)
    else:
        messages.success(request, _("Noted. Thank you."))
    return redirect("community:resident:home")
