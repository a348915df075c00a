from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shoufu.kernel.base.errors import Conflict, Invalid, NotFound
from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.media.pages import answer as media_answer
from shoufu.kernel.referrals import selectors, services
from shoufu.kernel.referrals.messages import contact_of, exact_place
from shoufu.kernel.referrals.models import Referral

MOST = 100


def _queue(request: PageRequest) -> dict[str, Any]:
    tab = request.GET.get("tab", "open")
    rows = selectors.inbox(request.actor)
    if tab == "ended":
        rows = rows.exclude(state__in=Referral.OPEN).order_by("-ended_at")
    else:
        rows = rows.filter(state__in=Referral.OPEN).order_by("case__severity_rank", "sent_at")
    return {"rows": list(rows[:MOST]), "tab": tab, "waiting": selectors.waiting(request.actor)}


def _panel(request: PageRequest, referral_id: int, form: FormState | None = None) -> dict[str, Any]:
    referral = selectors.received(request.actor, referral_id)
    services.record_look(request.actor, referral)
    case = referral.case
    shown = [
        {"item": item, "url": reverse("referrals:media", args=[referral.pk, item.media_id])}
        for item in case.evidence.all()
        if item.media_id and referral.state in (*Referral.OPEN, Referral.State.ENDED)
    ]
    return {
        "referral": referral,
        "case": case,
        "place": exact_place(case.place, english=request.actor.language == "en"),
        "point": _point(referral),
        "contact": contact_of(referral),
        "shown": shown,
        "lines": sorted(referral.lines.all(), key=lambda line: line.at, reverse=True),
        "outcomes": Referral.Outcome.choices,
        "open": referral.state in Referral.OPEN,
        "may_receive": referral.state == Referral.State.SENT,
        "may_accept": referral.state in (Referral.State.SENT, Referral.State.RECEIVED),
        "form": form or FormState(),
        "now": timezone.now(),
    }


def _point(referral: Referral) -> str:
    for thing in (referral.case.device, referral.case.place):
        if thing is not None and thing.latitude is not None and thing.longitude is not None:
            return f"{thing.latitude:.6f}, {thing.longitude:.6f}"
    return ""


@needs("referrals.receive")
def console(request: PageRequest) -> HttpResponse:
    """The receivers' own desk: the cases that were sent to their organisation, and the chosen one."""
    context = _queue(request)
    text = request.GET.get("id", "")
    chosen = int(text) if text.isdigit() else (context["rows"][0].pk if context["rows"] else None)
    if chosen:
        try:
            context |= _panel(request, chosen)
        except NotFound:
            chosen = None
    return render(request, "referrals/console.html", context | {"chosen": chosen})


@needs("referrals.receive")
def queue(request: PageRequest) -> HttpResponse:
    """The queue alone, for htmx."""
    text = request.GET.get("id", "")
    return render(request, "referrals/queue.html", _queue(request) | {"chosen": int(text) if text.isdigit() else None})


@needs("referrals.receive")
def panel(request: PageRequest, referral_id: int) -> HttpResponse:
    """One referral as the console's right side."""
    return render(request, "referrals/panel.html", _panel(request, referral_id))


@require_POST
@needs("referrals.receive")
def act(request: PageRequest, referral_id: int, name: str) -> HttpResponse:
    """Receive, accept, refuse or end; refusals stand beside the field."""
    form, status = FormState(values=request.POST.dict()), 200
    text, reference = request.POST.get("text", ""), request.POST.get("reference", "")
    version = int(request.POST["version"]) if request.POST.get("version", "").isdigit() else None
    try:
        if name == "receive":
            services.receive(request.actor, referral_id, version, reference=reference)
        elif name == "accept":
            services.accept(request.actor, referral_id, version, reference=reference, text=text)
        elif name == "refuse":
            services.refuse(request.actor, referral_id, version, text=text)
        elif name == "end":
            services.end(request.actor, referral_id, version, outcome=request.POST.get("outcome", ""), text=text)
        else:
            raise NotFound(_("There is no such action."))
    except Conflict as refusal:
        form.problem, status = refusal.detail, 409
    except Invalid as refusal:
        form.errors, status = {error.field: str(error.message) for error in refusal.errors}, 422
        form.values["open"] = name
    response = render(request, "referrals/panel.html", _panel(request, referral_id, form), status=status)
    response["HX-Trigger"] = "referral-changed"
    return response


@require_safe
@needs("referrals.receive")
def media(request: PageRequest, referral_id: int, media_id: UUID) -> HttpResponseBase:
    """A picture or clip of a referred case; each opening is noted as a look."""
    found = selectors.evidence(request.actor, referral_id, media_id)
    header = request.headers.get("Range", "")
    if not header or header.startswith("bytes=0-"):
        services.record_look(request.actor, selectors.received(request.actor, referral_id), found)
    return media_answer(request, found)
