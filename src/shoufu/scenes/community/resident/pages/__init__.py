from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.access.services import Preferences, set_preferences
from shoufu.kernel.base.errors import NotFound
from shoufu.kernel.base.pages import PageRequest, needs
from shoufu.kernel.privacy import selectors as privacy
from shoufu.scenes.community.resident import selectors
from shoufu.scenes.community.resident.pages.common import KEY, person_id, shown
from shoufu.scenes.community.visitors import selectors as visitors
from shoufu.scenes.community.welfare import selectors as welfare

TODAY = 6


@needs("own.request")
def home(request: PageRequest) -> HttpResponse:
    """The first page of a resident: their key, what to do, today, who looked; in large print five buttons."""
    if privacy.myself(request.actor) is None:
        return render(request, "community/resident/nobody.html", status=403)
    chosen = person_id(request)
    can = selectors.scopes_of(request.actor, chosen)
    large = bool(request.user.large_print) and chosen is None  # type: ignore[union-attr]
    door = selectors.first_door(request.actor) if chosen is None else None
    mine = selectors.my_doors(request.actor) if chosen is None else None
    context: dict[str, Any] = {
        "door": door,
        "phones": " ".join(str(one.pk) for one in mine.credentials if one.technology == "qr") if mine else "",
        "remote": bool(door and mine and door.point.pk in mine.remote),
        "hour": timezone.localtime().hour,
        "waiting": visitors.waiting(request.actor, chosen)[:3] if "visitors.invite" in can else (),
        **_checks(request, chosen),
    }
    if large:
        return shown(request, "community/resident/large.html", contacts=selectors.contacts(request.actor), **context)
    day = timezone.now() - timedelta(hours=24)
    if "visitors.invite" in can:
        context["visits"] = visitors.own(request.actor, chosen).filter(until__gte=day).exclude(state="asked")[:TODAY]
    if "repairs.make" in can:
        context["requests"] = selectors.requests(request.actor, chosen).filter(case__last_at__gte=day)[:3]
    if "looks.view" in can:
        seen = privacy.looks(request.actor, chosen, most=60)
        context["looks"] = [one for one in seen if one.kind == "look" and not one.mine][:2]
    if chosen is None:
        context["face"] = next(
            (one.given for one in privacy.consents(request.actor) if one.purpose.code == "face"), None
        )
    return shown(request, "community/resident/home.html", tab="home", **context)


@needs("own.request")
def asked(request: PageRequest) -> HttpResponse:
    """Who stands at the desk, and welfare checks: a part of the first page, asked for every few seconds."""
    chosen = person_id(request)
    can = selectors.scopes_of(request.actor, chosen)
    waiting = visitors.waiting(request.actor, chosen)[:3] if "visitors.invite" in can else ()
    return render(request, "community/resident/asked.html", {"waiting": waiting, **_checks(request, chosen)})


def _checks(request: PageRequest, chosen: int | None) -> dict[str, Any]:
    """The welfare checks in which oneself is asked, and those of one's people; none while acting for somebody."""
    if chosen is not None:
        return {}
    return {"checking": welfare.asking(request.actor), "to_answer": welfare.to_answer(request.actor)[:3]}


@require_POST
@needs("own.request")
def view(request: PageRequest) -> HttpResponse:
    """Change between the ordinary and the large view."""
    set_preferences(request.actor, Preferences(large_print=request.POST.get("large") == "on"))
    return redirect("community:resident:home")


@require_POST
@needs("own.request")
def acting(request: PageRequest) -> HttpResponse:
    """Act for a family member who granted it, or for oneself again."""
    text = request.POST.get("person", "")
    request.session.pop(KEY, None)
    if text.isdecimal():
        if not selectors.scopes_of(request.actor, int(text)):
            raise NotFound(_("There is no person %(id)s for whom you may do this.") % {"id": text})
        request.session[KEY] = int(text)
    return redirect("community:resident:home")
